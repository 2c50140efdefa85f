//! Lines near a table's rows.

/// `slope * x + constant` for activation codes `x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// What a step of the code adds.
    pub slope: i16,
    /// Its value at code 0.
    pub constant: i32,
}

impl Line {
    /// The line that `row` stays nearest above; `None` if it rises above every line by more than a byte.
    pub fn below(row: &[i32; 256]) -> Option<Line> {
        // Both ends are at most a byte above the line: no other slopes come into question.
        let steps = row.len() as i32 - 1;
        let chord = (row[255] - row[0]).div_euclid(steps);
        let slopes = (chord - 1..=chord + 1).filter_map(|slope| i16::try_from(slope).ok());
        let lines = slopes.map(|slope| {
            let (constant, height) = spread(row, slope);
            (height, Line { slope, constant })
        });
        let (height, line) = lines.min_by_key(|&(height, _)| height)?;
        (height <= u8::MAX.into()).then_some(line)
    }

    /// Leaves in `row` what is above the line.
    pub fn take_from(&self, row: &mut [i32; 256]) {
        for (x, product) in (0..).zip(row) {
            *product -= i32::from(self.slope) * x + self.constant;
        }
    }
}

/// The least of `row` above the line of this slope through 0, and how much the largest is more than that.
fn spread(row: &[i32; 256], slope: i16) -> (i32, i32) {
    let above = (0..).zip(row).map(|(x, &product)| product - i32::from(slope) * x);
    let (low, high) = above.fold((i32::MAX, i32::MIN), |(l, h), p| (l.min(p), h.max(p)));
    (low, high - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn no_slope_is_better_than_the_one_found() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut found, mut none) = (0, 0);
        for _ in 0..200 {
            let slope: i32 = rng.random_range(-300..300);
            let noise = rng.random_range(1..400);
            let row: [i32; 256] =
                std::array::from_fn(|x| slope * x as i32 / 2 - 7000 + rng.random_range(0..noise));
            let best = (-400..400).map(|slope| spread(&row, slope).1).min().unwrap();
            match Line::below(&row) {
                Some(line) => {
                    assert_eq!(spread(&row, line.slope), (line.constant, best));
                    let mut rest = row;
                    line.take_from(&mut rest);
                    assert!(rest.iter().all(|entry| (0..256).contains(entry)));
                    found += 1;
                }
                None => {
                    assert!(best > 255);
                    none += 1;
                }
            }
        }
        assert!(found > 50 && none > 20, "{found} {none}");
    }

    #[test]
    fn a_row_just_too_high_has_no_line() {
        // Up and down again: any slope makes it worse.
        let row = |height: i32| std::array::from_fn(|x| if [64, 192].contains(&x) { height } else { 0 });
        assert_eq!(Line::below(&row(255)), Some(Line { slope: 0, constant: 0 }));
        assert_eq!(Line::below(&row(256)), None);
        let largest = std::array::from_fn(|x| if x % 2 == 0 { i32::from(u16::MAX) } else { -65535 });
        assert_eq!(Line::below(&largest), None);
    }
}
