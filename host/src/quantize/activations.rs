//! Codes of activations: their scales and zero points.

use super::QuantizedTensor;
use crate::multiplier::Scheme;
use crate::network::{Activation, Network, Op};
use skimp_runtime::arithmetic::CodeRange;

/// Which tensors a convolution reads, as they are or through operators that copy codes.
pub(super) fn read_by_convs(network: &Network) -> Vec<bool> {
    let mut read = vec![false; network.tensors.len()];
    for node in network.nodes.iter().rev() {
        if matches!(node.op, Op::Conv2d(_)) || (node.op.copies_elements() && read[node.output]) {
            read[node.inputs[0]] = true;
        }
    }
    read
}

/// Scale and zero point of an activation with values in the range, under `scheme`.
pub(super) fn coding((low, high): (f64, f64), scheme: Scheme) -> (f64, u8) {
    let step = |range: f64, steps: f64| if range > 0.0 { coarse(range / steps) } else { 1.0 };
    match scheme {
        Scheme::Unsigned => {
            let scale = step(high - low, 255.0);
            (scale, (-low / scale).round().clamp(0.0, 255.0) as u8)
        }
        Scheme::SignMagnitude { .. } if low >= 0.0 => (step(high, 255.0), 0),
        Scheme::Signed | Scheme::SignMagnitude { .. } => (step(high.max(-low), 127.0), 128),
    }
}

/// The next number of 12 significant bits. Machines with and without fused multiply-add run the float
/// network with different last bits; so coarse a scale is the same on both, unless a range happens to lie
/// on the edge of two, and no range gets more than a 2,000th wider.
fn coarse(scale: f64) -> f64 {
    let unit = 2f64.powi(scale.log2().floor() as i32 - 11);
    (scale / unit).ceil() * unit
}

/// The codes a tensor may take behind an activation.
pub(super) fn codes(tensor: &QuantizedTensor, activation: Activation) -> CodeRange {
    let zero_point = tensor.zero_point;
    let code = |x: f32| (f64::from(x) / tensor.scale + f64::from(zero_point)).round().clamp(0.0, 255.0) as u8;
    let (min, max) = match activation {
        Activation::Identity => (0, 255),
        Activation::Relu => (zero_point, 255),
        Activation::Clip { min, max } => (code(min), code(max)),
    };
    CodeRange { zero_point, min, max }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_scales_hide_last_bits_and_cover_the_range() {
        for scale in [0.0123, 1.0, 3.9e-5, 777.7] {
            let rounded = coarse(scale);
            assert!(rounded >= scale && rounded <= scale * 1.0005, "{scale} {rounded}");
            assert_eq!(coarse(rounded), rounded);
        }
        assert_eq!(coarse(0.0123), coarse(0.0123 * (1.0 + 1e-7)));
    }

    #[test]
    fn zero_points_follow_the_scheme() {
        let sign_magnitude = Scheme::default();
        assert_eq!(coding((0.0, 6.0), sign_magnitude).1, 0);
        assert_eq!(coding((-1.0, 6.0), sign_magnitude).1, 128);
        assert_eq!(coding((0.0, 6.0), Scheme::Signed).1, 128);
        assert_eq!(coding((-2.0, 2.0), Scheme::Unsigned).1, 127);
        assert_eq!(coding((0.0, 0.0), Scheme::Unsigned), (1.0, 0));
    }
}
