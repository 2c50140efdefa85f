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

/// An operand.
#[derive(Clone, Copy)]
struct Factor {
    value: i32,
    /// Its magnitude; infinite for zero, so that nothing is large relative to its products.
    divisor: f64,
}

impl Factor {
    fn of(code: usize, signed: bool) -> Factor {
        let value = if signed { i32::from(code as u8 as i8) } else { code as i32 };
        let divisor = if value == 0 { f64::INFINITY } else { f64::from(value.abs()) };
        Factor { value, divisor }
    }
}

/// Sums over the products with each weight: none waits for another, so that several are added up at a time.
struct Columns {
    // Errors are below 2^17, those of 256 products below 2^25.
    absolute: [i32; 256],
    sum: [i32; 256],
    squares: [f64; 256],
    worst: [i32; 256],
    wrong: [i32; 256],
    relative: [f64; 256],
    worst_relative: [f64; 256],
}

impl Columns {
    const ZERO: Columns = Columns {
        absolute: [0; 256],
        sum: [0; 256],
        squares: [0.0; 256],
        worst: [0; 256],
        wrong: [0; 256],
        relative: [0.0; 256],
        worst_relative: [0.0; 256],
    };

    /// Adds the products of `activation` with all weights.
    fn add(&mut self, activation: &Factor, weights: &[Factor; 256], products: &[i32; 256]) {
        let errors: [i32; 256] = std::array::from_fn(|w| products[w] - activation.value * weights[w].value);
        for (w, &error) in errors.iter().enumerate() {
            let magnitude = error.abs();
            self.absolute[w] += magnitude;
            self.sum[w] += error;
            self.worst[w] = self.worst[w].max(magnitude);
            self.wrong[w] += i32::from(magnitude != 0);
        }
        for (w, error) in errors.iter().enumerate() {
            let magnitude = f64::from(error.abs());
            let share = magnitude / (activation.divisor * weights[w].divisor);
            self.squares[w] += magnitude * magnitude;
            self.relative[w] += share;
            // Not `max`, which has NaN to think of.
            self.worst_relative[w] =
                if share > self.worst_relative[w] { share } else { self.worst_relative[w] };
        }
    }
}

impl Statistics {
    /// The statistics of `table`.
    pub fn of(table: &TruthTable) -> Statistics {
        let products = table.products();
        let operands: [Factor; 256] = std::array::from_fn(|code| Factor::of(code, table.is_signed()));
        let mut columns = Columns::ZERO;
        for (activation, row) in operands.iter().zip(products.as_chunks().0) {
            columns.add(activation, &operands, row);
        }
        let total = |column: &[i32; 256]| column.iter().map(|&sum| i64::from(sum)).sum::<i64>();
        let (absolute, sum, wrong) = (total(&columns.absolute), total(&columns.sum), total(&columns.wrong));
        // Whole numbers up to 2^50 are exact in floating point too.
        let squares = columns.squares.iter().sum::<f64>() as i64;
        let worst = columns.worst.into_iter().fold(0, i32::max);
        let relative: f64 = columns.relative.iter().sum();
        let worst_relative = columns.worst_relative.into_iter().fold(0.0, f64::max);
        let nonzero = 255 * 255;
        let zero_preserving = products[..256].iter().chain(products.iter().step_by(256)).all(|&p| p == 0);
        let commutative = (0..256).all(|a| (0..a).all(|w| products[a << 8 | w] == products[w << 8 | a]));
        let pairs = TruthTable::ENTRIES as f64;
        let percent = |x: f64| 100.0 * x / 65536.0;
        Statistics {
            mae_pct: percent(absolute as f64 / pairs),
            wce_pct: percent(f64::from(worst)),
            mre_pct: 100.0 * relative / f64::from(nonzero),
            wcre_pct: 100.0 * worst_relative,
            ep_pct: 100.0 * wrong as f64 / pairs,
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
