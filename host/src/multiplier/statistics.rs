//! How wrong a multiplier is, over all operand pairs.

use super::TruthTable;
use serde::Serialize;

/// Error statistics over all 65,536 operand pairs, each equally likely, with `e = M(a, w) - a * w`.
///
/// The percentages follow the EvoApproxLib (Mrazek, Hrbacek, Vasicek and Sekanina, DATE 2017, and the
/// library's site since 2019): MAE and WCE are relative to 2^16 for both signednesses; MRE and WCRE are
/// over the pairs whose exact product is not zero. (The paper of 2017 divides by `max(1, |a * w|)` over all pairs
/// instead: its MRE differs for tables that get products with zero wrong.)
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistics {
    /// Mean absolute error, `mean |e|`, in percent of 2^16.
    pub mae_pct: f64,
    /// Worst-case error, `max |e|`, in percent of 2^16.
    pub wce_pct: f64,
    /// Mean relative error, `mean |e| / |a * w|` over nonzero products, in percent.
    pub mre_pct: f64,
    /// Worst-case relative error, `max |e| / |a * w|` over nonzero products, in percent.
    pub wcre_pct: f64,
    /// Error probability, the share of pairs with `e != 0`, in percent.
    pub ep_pct: f64,
    /// Mean squared error, `mean e^2`, in units of the product squared.
    pub mse: f64,
    /// Bias, `mean e`, in units of the product; negative where products come out too small.
    pub mean_error: f64,
    /// Variance of the error, `mean e^2 - (mean e)^2`: what is left of the MSE once the bias is corrected.
    pub variance: f64,
    /// Whether `M(0, w) = 0` and `M(a, 0) = 0` for all operands: padding and zeros then cost no error.
    pub zero_preserving: bool,
    /// Whether `M(a, w) = M(w, a)` for all operands: swapping the operands then gives nothing new.
    pub commutative: bool,
}

impl Statistics {
    /// The statistics of `table`.
    pub fn of(table: &TruthTable) -> Statistics {
        let value = |code: usize| if table.is_signed() { i64::from(code as u8 as i8) } else { code as i64 };
        // Integer sums are exact: at most 65,536 errors below 2^17.
        let (mut absolute, mut sum, mut squares, mut worst, mut wrong) = (0, 0, 0, 0, 0u32);
        let (mut relative, mut worst_relative, mut nonzero) = (0.0, 0.0f64, 0u32);
        let (mut zero_preserving, mut commutative) = (true, true);
        let products = table.products();
        for (i, &product) in products.iter().enumerate() {
            let exact = value(i >> 8) * value(i & 255);
            let error = i64::from(product) - exact;
            absolute += error.abs();
            sum += error;
            squares += error * error;
            worst = worst.max(error.abs());
            wrong += u32::from(error != 0);
            if exact == 0 {
                zero_preserving &= product == 0;
            } else {
                let share = error.abs() as f64 / exact.abs() as f64;
                relative += share;
                worst_relative = worst_relative.max(share);
                nonzero += 1;
            }
            commutative &= product == products[(i & 255) << 8 | i >> 8];
        }
        let pairs = TruthTable::ENTRIES as f64;
        let percent = |x: f64| 100.0 * x / 65536.0;
        Statistics {
            mae_pct: percent(absolute as f64 / pairs),
            wce_pct: percent(worst as f64),
            mre_pct: 100.0 * relative / f64::from(nonzero),
            wcre_pct: 100.0 * worst_relative,
            ep_pct: 100.0 * f64::from(wrong) / pairs,
            mse: squares as f64 / pairs,
            mean_error: sum as f64 / pairs,
            // In integers, so that a constant error has no variance; at most 2^16 * 2^50.
            variance: (i128::from(squares) * TruthTable::ENTRIES as i128 - i128::from(sum) * i128::from(sum))
                as f64
                / (pairs * pairs),
            zero_preserving,
            commutative,
        }
    }

    /// Whether every product is right.
    pub fn is_exact(&self) -> bool {
        self.ep_pct == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_tables_have_no_errors() {
        for signed in [false, true] {
            let s = Statistics::of(&TruthTable::exact(signed));
            assert!(s.is_exact() && s.zero_preserving && s.commutative);
            let errors =
                [s.mae_pct, s.wce_pct, s.mre_pct, s.wcre_pct, s.ep_pct, s.mse, s.mean_error, s.variance];
            assert_eq!(errors, [0.0; 8]);
        }
    }

    #[test]
    fn a_table_with_two_errors_gives_the_figures_worked_out_by_hand() {
        // 10 * 20 comes out 8 too small, -3 * 7 comes out 2 too large.
        let table = TruthTable::from_fn(true, |a, w| match (a, w) {
            (10, 20) => 192,
            (-3, 7) => -19,
            _ => a * w,
        });
        let s = Statistics::of(&table.unwrap());
        assert_eq!(s.mae_pct, 100.0 * 10.0 / 65536.0 / 65536.0);
        assert_eq!(s.wce_pct, 100.0 * 8.0 / 65536.0);
        assert_eq!(s.ep_pct, 100.0 * 2.0 / 65536.0);
        assert_eq!(s.mse, 68.0 / 65536.0);
        assert_eq!(s.mean_error, -6.0 / 65536.0);
        assert_eq!(s.wcre_pct, 100.0 * 2.0 / 21.0);
        assert!((s.variance - (s.mse - s.mean_error * s.mean_error)).abs() < 1e-12);
        // 255 * 255 pairs have a nonzero product.
        assert!((s.mre_pct - 100.0 * (8.0 / 200.0 + 2.0 / 21.0) / 65025.0).abs() < 1e-12);
        assert!(s.zero_preserving && !s.commutative && !s.is_exact());
    }

    #[test]
    fn wrong_products_with_zero_count_everywhere_but_in_the_mre() {
        let table = TruthTable::from_fn(false, |a, w| if a == 0 || w == 0 { 1 } else { a * w }).unwrap();
        let s = Statistics::of(&table);
        assert!(!s.zero_preserving && s.commutative);
        assert_eq!((s.mre_pct, s.wcre_pct), (0.0, 0.0));
        assert_eq!(s.ep_pct, 100.0 * 511.0 / 65536.0);
    }

    #[test]
    fn the_zero_multiplier_is_wrong_by_its_products() {
        let s = Statistics::of(&TruthTable::from_fn(false, |_, _| 0).unwrap());
        assert_eq!((s.mre_pct, s.wce_pct), (100.0, 100.0 * 65025.0 / 65536.0));
        assert_eq!(s.wcre_pct, 100.0);
        assert_eq!(s.mean_error, -127.5 * 127.5);
    }

    #[test]
    fn a_constant_error_is_all_bias() {
        let s = Statistics::of(&TruthTable::from_fn(true, |a, w| a * w - 3).unwrap());
        assert_eq!((s.mean_error, s.mse, s.variance), (-3.0, 9.0, 0.0));
    }
}
