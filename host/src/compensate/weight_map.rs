//! ALWANN's weight map (Mrazek et al., ICCAD 2019, section III-C): every weight code is replaced by the
//! one whose approximate products are, over all activations, closest to the exact products of the code:
//! ```text
//! map(w) = argmin_w' sum_x |P(x, w) - M(x, w')|
//! ```

use crate::multiplier::{ProductTable, Scheme};

/// The map from weight code to weight code; ties keep `w`, then prefer the code nearest to `w`.
pub fn alwann(exact: &ProductTable, approximate: &ProductTable, scheme: Scheme) -> [u8; 256] {
    std::array::from_fn(|w| {
        let w = w as u8;
        let distance = |candidate: u8| -> u64 {
            let rows = exact.row(w).iter().zip(approximate.row(candidate));
            rows.map(|(&p, &m)| u64::from(p.abs_diff(m))).sum()
        };
        let far = |candidate: u8| match scheme {
            Scheme::Unsigned => candidate.abs_diff(w),
            Scheme::Signed | Scheme::SignMagnitude { .. } => (candidate as i8).abs_diff(w as i8),
        };
        let codes = (0..=255u8).filter(|&code| is_weight(code, scheme));
        codes.min_by_key(|&code| (distance(code), far(code))).unwrap_or(w)
    })
}

/// Whether a byte is a weight code of the scheme: -128 is none where weights are symmetric.
fn is_weight(code: u8, scheme: Scheme) -> bool {
    matches!(scheme, Scheme::Unsigned) || code as i8 != i8::MIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;

    fn table(scheme: Scheme, product: impl Fn(i32, i32) -> i32) -> ProductTable {
        let table = TruthTable::from_fn(scheme.wants_signed_table(), product).unwrap();
        ProductTable::new(&table, scheme, false, 0).unwrap()
    }

    #[test]
    fn an_exact_multiplier_keeps_every_weight() {
        for scheme in [Scheme::Unsigned, Scheme::Signed, Scheme::SignMagnitude { weight_shift: 1 }] {
            let exact = table(scheme, |a, w| a * w);
            let map = alwann(&exact, &exact, scheme);
            for w in (0..=255u8).filter(|&w| is_weight(w, scheme)) {
                assert_eq!(map[usize::from(w)], w, "{scheme}");
            }
        }
    }

    #[test]
    fn a_multiplier_that_is_off_by_one_weight_is_repaired_exactly() {
        let scheme = Scheme::Unsigned;
        let exact = table(scheme, |a, w| a * w);
        let shifted = table(scheme, |a, w| a * (w - 1).max(0));
        let map = alwann(&exact, &shifted, scheme);
        for w in 1..255u8 {
            assert_eq!(map[usize::from(w)], w + 1);
        }
        // 0 and 1 both give 0: the tie keeps 0. 255 has no successor.
        assert_eq!((map[0], map[255]), (0, 255));
    }
}
