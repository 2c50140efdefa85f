//! Per-channel scale and shift: each output channel is fitted, by least squares, to the accumulators the
//! exact network has on the same calibration images, and the fit is folded into requantization and bias.
//!
//! With `a` the channel's approximate accumulators and `t` the exact ones, both including their biases:
//! ```text
//! rho = cov(a, t) / var(a)        shift = mean(t) / rho - mean(a)
//! t ~ rho * (a + shift)
//! ```

use crate::emulate::ApproximateConv;
use crate::multiplier::Scheme;
use crate::quantize::{QuantizedConv, requantization};

/// Slopes outside these bounds come from channels that carry no signal; those keep their scale.
const PLAUSIBLE_SLOPE: std::ops::RangeInclusive<f64> = 0.25..=4.0;

/// Fits `approximate` to `target`; both accumulator arrays are `[image and pixel][output channel]`.
/// Returns what was added to each channel's bias, in accumulator steps.
pub fn fit(
    conv: &QuantizedConv,
    scheme: Scheme,
    approximate: &mut ApproximateConv,
    acc: &[i32],
    target: &[i32],
) -> Vec<i32> {
    let mut moments = vec![Moments::default(); conv.outputs()];
    for (acc, target) in acc.chunks_exact(conv.outputs()).zip(target.chunks_exact(conv.outputs())) {
        for ((moments, &a), &t) in moments.iter_mut().zip(acc).zip(target) {
            moments.add(a, t);
        }
    }
    let shifts = moments.iter().enumerate().map(|(o, moments)| {
        let (slope, shift) = moments.line();
        let nominal = conv.accumulator_scale(scheme, o) / conv.output_scale;
        approximate.requantization[o] = requantization(slope * nominal);
        approximate.bias[o] += i64::from(shift);
        shift
    });
    shifts.collect()
}

/// Sums over one channel, exact: integers, so that their order does not matter.
#[derive(Debug, Clone, Default)]
struct Moments {
    count: i128,
    a: i128,
    t: i128,
    aa: i128,
    at: i128,
}

impl Moments {
    fn add(&mut self, a: i32, t: i32) {
        self.count += 1;
        self.a += i128::from(a);
        self.t += i128::from(t);
        self.aa += i128::from(i64::from(a) * i64::from(a));
        self.at += i128::from(i64::from(a) * i64::from(t));
    }

    /// Slope and shift of `t ~ slope * (a + shift)`.
    fn line(&self) -> (f64, i32) {
        let variance = self.count * self.aa - self.a * self.a;
        let covariance = self.count * self.at - self.a * self.t;
        let slope = covariance as f64 / variance as f64;
        let slope = if PLAUSIBLE_SLOPE.contains(&slope) { slope } else { 1.0 };
        let count = self.count.max(1) as f64;
        let shift = self.t as f64 / count / slope - self.a as f64 / count;
        (slope, shift.round() as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(pairs: &[(i32, i32)]) -> (f64, i32) {
        let mut moments = Moments::default();
        pairs.iter().for_each(|&(a, t)| moments.add(a, t));
        moments.line()
    }

    #[test]
    fn recovers_a_line() {
        // t = 1.5 * (a + 40)
        let pairs: Vec<(i32, i32)> = (-10..10).map(|i| (i * 20, (i * 20 + 40) * 3 / 2)).collect();
        assert_eq!(line(&pairs), (1.5, 40));
    }

    #[test]
    fn a_constant_channel_keeps_its_scale_and_gets_the_mean() {
        assert_eq!(line(&[(7, 100), (7, 102)]), (1.0, 94));
        assert_eq!(line(&[]), (1.0, 0));
    }

    #[test]
    fn a_reversed_channel_keeps_its_scale() {
        assert_eq!(line(&[(0, 0), (100, -100)]).0, 1.0);
    }
}
