//! Weight codes.

use crate::multiplier::Scheme;

/// The codes of one layer's weights.
pub(super) struct WeightCodes {
    pub codes: Vec<u8>,
    /// One an output channel.
    pub scales: Vec<f64>,
    pub zero_point: u8,
}

/// Codes `weights`, `taps` to an output channel.
pub(super) fn quantize(weights: &[f32], taps: usize, scheme: Scheme) -> WeightCodes {
    match scheme {
        Scheme::Unsigned => asymmetric(weights, taps),
        Scheme::Signed | Scheme::SignMagnitude { .. } => symmetric(weights, taps),
    }
}

/// u8 codes over `[min, max]` of the whole tensor, which is widened to contain 0 (Jacob et al., CVPR 2018,
/// section 2.1; ALWANN quantizes so).
fn asymmetric(weights: &[f32], taps: usize) -> WeightCodes {
    let low = f64::from(weights.iter().fold(0f32, |low, &w| low.min(w)));
    let high = f64::from(weights.iter().fold(0f32, |high, &w| high.max(w)));
    let scale = step(high - low, 255.0);
    let zero_point = (-low / scale).round().clamp(0.0, 255.0);
    let codes = weights
        .iter()
        .map(|&w| (f64::from(w) / scale + zero_point).round().clamp(0.0, 255.0) as u8)
        .collect();
    WeightCodes { codes, scales: vec![scale; weights.len() / taps], zero_point: zero_point as u8 }
}

/// i8 codes of at most 127 either way, a scale for each output channel.
fn symmetric(weights: &[f32], taps: usize) -> WeightCodes {
    let mut codes = Vec::with_capacity(weights.len());
    let mut scales = Vec::with_capacity(weights.len() / taps);
    for channel in weights.chunks_exact(taps) {
        let largest = channel.iter().fold(0f32, |m, w| m.max(w.abs()));
        let scale = step(largest.into(), 127.0);
        codes
            .extend(channel.iter().map(|&w| (f64::from(w) / scale).round().clamp(-127.0, 127.0) as i8 as u8));
        scales.push(scale);
    }
    WeightCodes { codes, scales, zero_point: 0 }
}

/// `range / steps`, or 1 for a channel of zeros.
fn step(range: f64, steps: f64) -> f64 {
    if range > 0.0 { range / steps } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest_error(weights: &[f32], taps: usize, scheme: Scheme) -> f64 {
        let q = quantize(weights, taps, scheme);
        let value = |i: usize| match scheme {
            Scheme::Unsigned => f64::from(q.codes[i]) - f64::from(q.zero_point),
            _ => f64::from(q.codes[i] as i8),
        };
        (0..weights.len())
            .map(|i| (value(i) * q.scales[i / taps] - f64::from(weights[i])).abs() / q.scales[i / taps])
            .fold(0.0, f64::max)
    }

    #[test]
    fn codes_are_within_half_a_step() {
        let weights: Vec<f32> = (0..60).map(|i| ((i * 37 % 61) as f32 - 20.0) * 0.013).collect();
        for scheme in [Scheme::Signed, Scheme::SignMagnitude { weight_shift: 1 }] {
            assert!(largest_error(&weights, 12, scheme) <= 0.5 + 1e-6);
        }
        // Rounding the zero point may cost another half step at the ends.
        assert!(largest_error(&weights, 12, Scheme::Unsigned) <= 1.0 + 1e-6);
    }

    #[test]
    fn a_channel_of_zeros_is_coded_as_zero() {
        let q = quantize(&[0.0; 8], 4, Scheme::Signed);
        assert_eq!(q.codes, [0; 8]);
        assert_eq!(q.scales, [1.0; 2]);
        let q = quantize(&[0.5; 8], 4, Scheme::Unsigned);
        assert_eq!((q.codes[0], q.zero_point), (255, 0));
    }
}
