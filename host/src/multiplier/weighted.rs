//! How wrong a multiplier is on the operands it is really given.

use super::{CodeDistribution, Distribution, ProductTable, TruthTable};
use crate::error::Result;
use serde::Serialize;

/// Errors under a distribution of operands, in units of the multiplier's product. Activations and weights
/// are taken to be independent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WeightedStatistics {
    /// Mean absolute error, `E |e|`.
    pub mae: f64,
    /// Bias, `E e`.
    pub mean_error: f64,
    /// Mean squared error, `E e^2`.
    pub mse: f64,
    /// `sum over w of q(w) * Var(e(a, w))` with activations `a` as they occur: what is left of the MSE when
    /// each weight's mean error is corrected, as a bias can, since weights are known beforehand.
    pub corrected_variance: f64,
    /// The standard deviation of the error left after that correction, as a share of the standard deviation
    /// that activations give the exact products: for a sum over many independent activations, its noise
    /// relative to its signal. `None` where exact products do not vary.
    pub relative_noise: Option<f64>,
}

impl WeightedStatistics {
    /// The square root of the corrected variance, in percent of 65,536.
    pub fn noise_pct(&self) -> f64 {
        100.0 * self.corrected_variance.sqrt() / 65536.0
    }

    /// The errors of `table` on operands distributed as `operands`.
    pub fn of(table: &TruthTable, operands: &Distribution) -> WeightedStatistics {
        let value = |code: u8| if table.is_signed() { i32::from(code as i8) } else { i32::from(code) };
        weigh(&operands.activation_shares(), &operands.weight_shares(), |a, w| {
            (table.product(a, w), value(a) * value(w))
        })
    }

    /// The errors of `table`, with its operands exchanged if `swapped`, on a layer's codes. Unlike
    /// [`of`](Self::of) with the layer's operands this takes the products' signs into account, which
    /// sign-magnitude keeps from the multiplier. Fails if the table does not suit the layer's scheme.
    pub fn of_layer(
        table: &TruthTable,
        swapped: bool,
        codes: &CodeDistribution,
    ) -> Result<WeightedStatistics> {
        let products = |table, swapped| ProductTable::new(table, codes.scheme, swapped, codes.zero_point);
        let approximate = products(table, swapped)?;
        let exact = products(&TruthTable::exact(table.is_signed()), false)?;
        let (activation, weight) = codes.shares();
        Ok(weigh(&activation, &weight, |x, w| {
            (approximate.row(w)[usize::from(x)], exact.row(w)[usize::from(x)])
        }))
    }
}

/// The figures of products, approximate and exact ones of an activation and a weight.
fn weigh(
    activation: &[f64; 256],
    weight: &[f64; 256],
    products: impl Fn(u8, u8) -> (i32, i32),
) -> WeightedStatistics {
    let with_shares = |shares: &[f64; 256]| {
        let shares = (0..=255u8).zip(*shares);
        shares.filter(|&(_, share)| share > 0.0).collect::<Vec<(u8, f64)>>()
    };
    let (activations, weights) = (with_shares(activation), with_shares(weight));
    let (mut mae, mut mean_error, mut mse) = (0.0, 0.0, 0.0);
    let (mut corrected_variance, mut exact_variance) = (0.0, 0.0);
    for (w, q) in weights {
        let pairs = || activations.iter().map(|&(a, p)| (products(a, w), p));
        let error = |(product, exact): (i32, i32)| f64::from(product - exact);
        let mean = |value: &dyn Fn((i32, i32)) -> f64| pairs().map(|(pair, p)| p * value(pair)).sum::<f64>();
        // The variance in two passes: no digits are lost where the mean is large.
        let variance = |value: &dyn Fn((i32, i32)) -> f64| {
            let center = mean(value);
            mean(&|pair| (value(pair) - center).powi(2))
        };
        mae += q * mean(&|pair| error(pair).abs());
        mean_error += q * mean(&error);
        mse += q * mean(&|pair| error(pair).powi(2));
        corrected_variance += q * variance(&error);
        exact_variance += q * variance(&|(_, exact)| f64::from(exact));
    }
    let relative_noise = (exact_variance > 0.0).then(|| (corrected_variance / exact_variance).sqrt());
    WeightedStatistics { mae, mean_error, mse, corrected_variance, relative_noise }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Scheme, Statistics};

    fn assert_near(x: f64, y: f64) {
        assert!((x - y).abs() <= 1e-9 * y.abs().max(1.0), "{x} and {y}");
    }

    fn only(activations: &[(usize, u64)], weights: &[(usize, u64)]) -> Distribution {
        let counts = |list: &[(usize, u64)]| {
            let mut counts = [0; 256];
            list.iter().for_each(|&(operand, count)| counts[operand] = count);
            counts
        };
        Distribution { activation: counts(activations), weight: counts(weights) }
    }

    #[test]
    fn uniform_operands_give_the_plain_statistics() {
        for signed in [false, true] {
            let table = TruthTable::from_fn(signed, |a, w| (a & !7) * (w & !3) + (a & w & 1)).unwrap();
            let (s, u) = (Statistics::of(&table), WeightedStatistics::of(&table, &Distribution::uniform()));
            assert_near(u.mae, s.mae_pct * 65536.0 / 100.0);
            assert_near(u.mean_error, s.mean_error);
            assert_near(u.mse, s.mse);
            assert!(u.corrected_variance < s.variance);
        }
    }

    #[test]
    fn figures_are_those_worked_out_by_hand() {
        // Weight 4 is off by +3 at activation 2 and by -1 at 6; weight 9 is off by -5 at both.
        let table = TruthTable::from_fn(false, |a, w| match (a, w) {
            (2, 4) => 11,
            (6, 4) => 23,
            (2 | 6, 9) => a * w - 5,
            _ => 0,
        });
        let s = WeightedStatistics::of(&table.unwrap(), &only(&[(2, 3), (6, 1)], &[(4, 2), (9, 2)]));
        assert_near(s.mae, 0.5 * 2.5 + 0.5 * 5.0);
        assert_near(s.mean_error, 0.5 * 2.0 - 0.5 * 5.0);
        assert_near(s.mse, 0.5 * 7.0 + 0.5 * 25.0);
        assert_near(s.corrected_variance, 0.5 * 3.0);
        // Activations vary by 3; exact products by that times the weight squared.
        assert_near(s.relative_noise.unwrap(), (1.5f64 / (0.5 * 3.0 * (16.0 + 81.0))).sqrt());
    }

    #[test]
    fn errors_that_depend_on_the_weight_alone_can_all_be_corrected() {
        let table = TruthTable::from_fn(false, |a, w| a * w + w % 7).unwrap();
        let s = WeightedStatistics::of(&table, &Distribution::uniform());
        assert!(s.mse > 5.0 && s.corrected_variance < 1e-9 && s.relative_noise.unwrap() < 1e-6);
        let constant = only(&[(9, 1)], &[(3, 1)]);
        assert_eq!(WeightedStatistics::of(&table, &constant).relative_noise, None);
    }

    #[test]
    fn signs_cancel_errors_that_the_multiplier_alone_would_add_up() {
        let table = TruthTable::from_fn(false, |a, w| a * w + 10).unwrap();
        let mut codes = CodeDistribution::new(Scheme::default(), 128);
        (codes.activation[128 - 20], codes.activation[128 + 20]) = (1, 1);
        codes.weight[5] = 2;
        let layer = WeightedStatistics::of_layer(&table, false, &codes).unwrap();
        let operands = WeightedStatistics::of(&table, &codes.operands());
        assert_eq!((layer.mean_error, layer.corrected_variance), (0.0, 100.0));
        assert_eq!((operands.mean_error, operands.corrected_variance), (10.0, 0.0));
        assert_eq!((layer.mae, layer.mse), (operands.mae, operands.mse));
    }

    #[test]
    fn the_order_of_operands_matters_and_misfits_are_refused() {
        let table = TruthTable::from_fn(false, |a, w| (a & !15) * w).unwrap();
        let mut codes = CodeDistribution::new(Scheme::Unsigned, 0);
        (codes.activation[19], codes.weight[32]) = (1, 1);
        let mae = |swapped| WeightedStatistics::of_layer(&table, swapped, &codes).unwrap().mae;
        assert_eq!((mae(false), mae(true)), (3.0 * 32.0, 0.0));
        let swapped = WeightedStatistics::of(&table, &codes.operands().swapped());
        assert_eq!(swapped.mae, 0.0);
        codes.scheme = Scheme::Signed;
        assert!(WeightedStatistics::of_layer(&table, false, &codes).is_err());
    }
}
