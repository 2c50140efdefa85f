//! Proof that accumulators stay within i32.

use super::ApproximateConv;
use crate::error::{Error, Result};
use crate::quantize::QuantizedConv;

/// Checks, for every output channel, that bias, activation sum and products of any activations together
/// stay within i32. Each partial sum then does too, in whatever order it is taken: the bound adds the
/// magnitudes.
pub(super) fn check(conv: &QuantizedConv, approximate: &ApproximateConv, bias: &[i64]) -> Result<()> {
    let largest: Vec<i64> = (0..=255u8)
        .map(|w| approximate.products.row(w).iter().map(|p| i64::from(p.unsigned_abs())).max().unwrap_or(0))
        .collect();
    for (o, weights) in approximate.weights.chunks_exact(conv.taps()).enumerate() {
        let products: i64 = weights.iter().map(|&w| largest[usize::from(w)]).sum();
        let sums = i64::from(approximate.operand_sum[o].unsigned_abs()) * 255 * conv.taps() as i64;
        let bound = bias[o].unsigned_abs().saturating_add((products + sums).unsigned_abs());
        if bound > i32::MAX as u64 {
            return Err(Error::Mismatch(format!(
                "output channel {o} could overflow its 32-bit accumulator: {} taps reach {bound}, the limit \
                 is {}; choose a multiplier with smaller products",
                conv.taps(),
                i32::MAX
            )));
        }
    }
    Ok(())
}
