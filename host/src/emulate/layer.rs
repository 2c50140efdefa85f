//! A convolution with its multiplier.

use super::bounds;
use crate::error::Result;
use crate::multiplier::{ProductTable, Scheme};
use crate::quantize::{QuantizedConv, requantization};
use std::sync::Arc;

/// The integers of one convolution that a multiplier and its compensation decide.
///
/// ```text
/// acc[o] = bias[o] + sum_k M(a_k, w_ko) + operand_sum[o] * sum_k a_k - z_a * sum_k w0_ko + K * z_a * z_w
/// ```
/// over the operands `a` of the scheme, with `w` the codes here and `w0` those of the quantized network.
#[derive(Debug, Clone)]
pub struct ApproximateConv {
    /// `M` as the scheme uses it.
    pub products: Arc<ProductTable>,
    /// Weight codes seen by the multiplier, laid out as in [`QuantizedConv::weights`].
    pub weights: Vec<u8>,
    /// Bias in accumulator steps, by output channel.
    pub bias: Vec<i64>,
    /// Factor of the operand sum by output channel; `-z_w` without compensation.
    pub operand_sum: Vec<i32>,
    /// Requantization multiplier and shift by output channel.
    pub requantization: Vec<(i32, u8)>,
}

impl ApproximateConv {
    /// The convolution with `products` in place of exact ones and nothing done about their errors.
    pub fn uncompensated(conv: &QuantizedConv, scheme: Scheme, products: Arc<ProductTable>) -> Self {
        let outputs = 0..conv.outputs();
        ApproximateConv {
            products,
            weights: conv.weights.clone(),
            // `as` saturates; what can't be held is refused when the layer is folded.
            bias: outputs
                .clone()
                .map(|o| (conv.bias[o] / conv.accumulator_scale(scheme, o)).round() as i64)
                .collect(),
            operand_sum: vec![-i32::from(conv.weight_zero_point); conv.outputs()],
            requantization: outputs
                .map(|o| requantization(conv.accumulator_scale(scheme, o) / conv.output_scale))
                .collect(),
        }
    }

    /// The bias by output channel in the form that runs: every zero-point term of `scheme` folded in, and
    /// [`operand_sum`](Self::operand_sum) taken over activation codes instead of operands. Proves that no
    /// accumulator can leave i32.
    pub fn fold(&self, conv: &QuantizedConv, scheme: Scheme) -> Result<Vec<i32>> {
        let (code_offset, zero_point) = operand(scheme, conv.input_zero_point);
        let taps = conv.taps() as i64;
        let weight_zero_point = i64::from(conv.weight_zero_point);
        let bias = (0..conv.outputs()).map(|o| {
            let original = &conv.weights[o * conv.taps()..(o + 1) * conv.taps()];
            let weight_sum: i64 = original.iter().map(|&w| weight_value(scheme, w)).sum();
            self.bias[o]
                // sum a = sum x - offset * K
                .saturating_sub(i64::from(self.operand_sum[o]) * code_offset * taps)
                .saturating_sub(zero_point * weight_sum)
                .saturating_add(taps * zero_point * weight_zero_point)
        });
        let bias: Vec<i64> = bias.collect();
        bounds::check(conv, self, &bias)?;
        Ok(bias.into_iter().map(|b| b as i32).collect())
    }
}

/// How a code becomes an operand: `a = x - offset`, and the zero point `z_a` left in the products.
pub(super) fn operand(scheme: Scheme, zero_point: u8) -> (i64, i64) {
    match scheme {
        Scheme::Unsigned => (0, zero_point.into()),
        Scheme::Signed => (128, i64::from(zero_point) - 128),
        Scheme::SignMagnitude { .. } => (zero_point.into(), 0),
    }
}

/// The value of a weight code as a multiplier's operand.
pub(super) fn weight_value(scheme: Scheme, code: u8) -> i64 {
    match scheme {
        Scheme::Unsigned => code.into(),
        Scheme::Signed | Scheme::SignMagnitude { .. } => (code as i8).into(),
    }
}
