//! Convolutions and activations to measure with: made up, and the same in every run.

use crate::quantize::QuantizedConv;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp_runtime::arithmetic::CodeRange;
use skimp_runtime::image::{OutputKind, Tensor, Window};

/// The shape of a convolution with square windows over square images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Side of the window.
    pub kernel: u16,
    /// Step of the window.
    pub stride: u16,
    /// Zeros on each side of the image.
    pub padding: u16,
    /// Input channels.
    pub inputs: u16,
    /// Output channels.
    pub outputs: u16,
    /// Side of the input image.
    pub side: u16,
    /// Channel groups.
    pub groups: u16,
}

/// Workload W: 3x3, 64 to 64 channels, 16x16 pixels.
pub const W: Shape = Shape { kernel: 3, stride: 1, padding: 1, inputs: 64, outputs: 64, side: 16, groups: 1 };

/// Seeds of what is made up.
const WEIGHT_SEED: u64 = 1;
const ACTIVATION_SEED: u64 = 2;

/// Mean and deviation of weight codes; the mean is their zero point.
const WEIGHTS: (f64, f64) = (128.0, 30.0);
/// Deviation of what goes into the ReLU.
const ACTIVATION_DEVIATION: f64 = 50.0;

/// How activations are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activations {
    /// Half of them zero, the rest half a bell, as behind a ReLU.
    Relu,
    /// Every code as often as any other.
    Uniform,
}

impl Activations {
    /// Both.
    pub const ALL: [Activations; 2] = [Activations::Relu, Activations::Uniform];

    /// Codes of `images` images that a convolution of `shape` reads.
    pub fn codes(self, shape: Shape, images: usize) -> Vec<u8> {
        let mut rng = ChaCha8Rng::seed_from_u64(ACTIVATION_SEED);
        let side = usize::from(shape.side);
        let code = |rng: &mut ChaCha8Rng| match self {
            Activations::Relu if rng.random() => 0,
            // `as` saturates at 255.
            Activations::Relu => (normal(rng).abs() * ACTIVATION_DEVIATION).round() as u8,
            Activations::Uniform => rng.random(),
        };
        (0..images * side * side * usize::from(shape.inputs)).map(|_| code(&mut rng)).collect()
    }
}

impl Shape {
    /// A convolution of this shape for the unsigned scheme, with weights in a bell around their zero point.
    pub fn convolution(self) -> QuantizedConv {
        let mut rng = ChaCha8Rng::seed_from_u64(WEIGHT_SEED);
        let Shape { kernel, stride, padding, inputs, outputs, side, groups } = self;
        let taps = usize::from(kernel) * usize::from(kernel) * usize::from(inputs / groups);
        let channels = usize::from(outputs);
        // `as` saturates to codes.
        let weight = |rng: &mut ChaCha8Rng| (WEIGHTS.0 + WEIGHTS.1 * normal(rng)).round() as u8;
        let out_side = (side + 2 * padding - kernel) / stride + 1;
        QuantizedConv {
            input: Tensor { offset: 0, height: side, width: side, channels: inputs },
            output: Tensor { offset: 0, height: out_side, width: out_side, channels: outputs },
            window: Window { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2] },
            groups: groups.into(),
            input_scale: 0.01,
            input_zero_point: 0,
            weights: (0..taps * channels).map(|_| weight(&mut rng)).collect(),
            weight_scales: vec![0.01; channels],
            weight_zero_point: WEIGHTS.0 as u8,
            bias: vec![0.0; channels],
            output_scale: 0.1,
            output_kind: OutputKind::Codes(CodeRange { zero_point: 0, min: 0, max: 255 }),
        }
    }
}

/// A number of the standard normal distribution, by Box and Muller's method.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    // Not zero, which has no logarithm.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w_has_302_million_multiplications_in_32_images() {
        assert_eq!(W.convolution().multiplications() * 32, 301_989_888);
    }

    #[test]
    fn distributions_are_what_they_are_called() {
        let share = |codes: &[u8], wanted: fn(u8) -> bool| {
            codes.iter().filter(|&&code| wanted(code)).count() as f64 / codes.len() as f64
        };
        let relu = Activations::Relu.codes(W, 4);
        assert!((0.49..0.52).contains(&share(&relu, |code| code == 0)), "half are zero");
        // Of the other half, 68.3 % are within a deviation.
        assert!((0.82..0.86).contains(&share(&relu, |code| code <= 50)));
        let uniform = Activations::Uniform.codes(W, 4);
        assert!((0.24..0.26).contains(&share(&uniform, |code| code < 64)));
        let weights = W.convolution().weights;
        assert!((0.66..0.71).contains(&share(&weights, |w| (98..=158).contains(&w))));
        assert!((0.48..0.53).contains(&share(&weights, |w| w < 128)));
    }
}
