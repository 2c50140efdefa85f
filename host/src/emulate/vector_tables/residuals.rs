//! Products less what can be added in another way.

use crate::kernels::{CODES, Residuals};
use crate::multiplier::ProductTable;

/// `P(x, w) - slope * x - middle(w)` for all codes.
pub struct Centred {
    /// What was taken out for each activation code.
    pub slope: i32,
    /// Middle of each weight code's row.
    pub middles: [i32; CODES],
    /// What is left, `[weight][code]`.
    pub rest: Box<[[i32; CODES]; CODES]>,
    /// The least and the greatest of each weight code's row.
    pub bounds: [(i32, i32); CODES],
}

impl Centred {
    /// Takes a line of `slope` and the middles out of `products`.
    pub fn new(products: &ProductTable, slope: i32) -> Centred {
        let mut rest: Box<[[i32; CODES]; CODES]> = bytemuck::zeroed_box();
        let (mut middles, mut bounds) = ([0; CODES], [(0, 0); CODES]);
        for (w, rest) in rest.iter_mut().enumerate() {
            let row = products.row(w as u8);
            for (x, (rest, &p)) in rest.iter_mut().zip(row).enumerate() {
                *rest = p - slope * x as i32;
            }
            let low = rest.iter().copied().fold(i32::MAX, i32::min);
            let high = rest.iter().copied().fold(i32::MIN, i32::max);
            // Rounded up: a range of 65,535 then just fits 16 bits.
            let middle = (low + high + 1) >> 1;
            rest.iter_mut().for_each(|rest| *rest -= middle);
            middles[w] = middle;
            bounds[w] = (low - middle, high - middle);
        }
        Centred { slope, middles, rest, bounds }
    }

    /// Sum of the widths of the rows that occur.
    pub fn width(&self, weights: &[u8]) -> i64 {
        let bounds = weights.iter().map(|&w| self.bounds[usize::from(w)]);
        bounds.map(|(low, high)| i64::from(high) - i64::from(low)).sum()
    }

    /// Whether a weight code's row fits 16 bits.
    pub fn fits(&self, weight: u8) -> bool {
        let (low, high) = self.bounds[usize::from(weight)];
        low >= i16::MIN.into() && high <= i16::MAX.into()
    }

    /// What is left in 16 bits; rows that do not fit hold anything.
    pub fn narrow(&self) -> Box<Residuals> {
        let mut narrow: Box<Residuals> = bytemuck::zeroed_box();
        for (narrow, rest) in narrow.iter_mut().zip(self.rest.iter()) {
            for (narrow, &rest) in narrow.as_flattened_mut().iter_mut().zip(rest) {
                *narrow = rest as i16;
            }
        }
        narrow
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Scheme, TruthTable};

    fn centred(product: impl Fn(i32, i32) -> i32, slope: i32) -> Centred {
        let table = TruthTable::from_fn(false, product).unwrap();
        Centred::new(&ProductTable::new(&table, Scheme::Unsigned, false, 0).unwrap(), slope)
    }

    #[test]
    fn the_widest_unsigned_row_just_fits() {
        let extremes = centred(|a, _| if a % 2 == 0 { 0 } else { 65_535 }, 0);
        assert_eq!(extremes.bounds[9], (-32_768, 32_767));
        assert!(extremes.fits(9));
        assert_eq!(extremes.narrow()[9][0][..2], [-32_768, 32_767]);
        // A line makes it wider.
        assert!(!centred(|a, _| if a % 2 == 0 { 0 } else { 65_535 }, 128).fits(9));
    }

    #[test]
    fn a_line_narrows_exact_rows_near_the_zero_point() {
        let (flat, sloped) = (centred(|a, w| a * w, 0), centred(|a, w| a * w, 128));
        assert_eq!(sloped.bounds[128], (0, 0));
        assert_eq!(sloped.bounds[130], (-255, 255));
        assert_eq!(flat.bounds[130], (-16_575, 16_575));
        assert!(sloped.width(&[100, 150, 130]) < flat.width(&[100, 150, 130]));
    }
}
