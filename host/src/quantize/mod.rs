//! From a float network and calibration images to 8-bit integers.
//!
//! Every activation becomes a u8 code `x` with a static scale and zero point `z`, measured on calibration
//! images; how weights are coded and what `z` may be follows from the [`Scheme`]:
//!
//! | scheme | activation range | weights |
//! |---|---|---|
//! | unsigned | `[min, max]`, any `z` | u8, asymmetric, per tensor |
//! | signed | symmetric, `z = 128` (i8 operand `x - 128`) | i8, symmetric, per output channel |
//! | sign-magnitude | `[0, max]` with `z = 0` where nothing is negative, else symmetric with `z = 128` | i8, symmetric, at most 127, per output channel |
//!
//! A model that came in 8 bits may keep the codes it has instead ([`RangeMethod::Model`]), under schemes that can compute
//! with them: the multiplier's operands are its own then, and an exact one gives its own sums. Only requantization rounds
//! differently, once instead of twice.
//!
//! The image input, the tensors between layers and the factors of the runtime's records are fixed here;
//! multipliers come later and change only convolutions.

mod activations;
mod calibrate;
mod input;
mod lower;
mod own;
mod weights;

pub use calibrate::{Calibration, RangeMethod};
pub use input::{InputCoding, LabelledCodes};
pub use lower::quantize;

use crate::multiplier::Scheme;
use crate::network::{Shape, TensorId};
use skimp_runtime::arithmetic::MAX_SHIFT;
use skimp_runtime::image::{Op, OutputKind, Tensor, Window};

/// A network of integer layers, before multipliers are chosen.
#[derive(Debug, Clone)]
pub struct QuantizedNetwork {
    /// The float network's name.
    pub name: String,
    /// How products are formed in every convolution.
    pub scheme: Scheme,
    /// All tensors; ids are those of the float network.
    pub tensors: Vec<QuantizedTensor>,
    /// Layers in running order.
    pub layers: Vec<QuantizedLayer>,
    /// The image.
    pub input: TensorId,
    /// The logits.
    pub output: TensorId,
    /// How the logits are stored.
    pub output_kind: OutputKind,
}

/// A tensor of codes.
#[derive(Debug, Clone)]
pub struct QuantizedTensor {
    /// The float network's name for it.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Real value of one step; of one step of the i32 logits, for an output stored so.
    pub scale: f64,
    /// Code of the real value 0.
    pub zero_point: u8,
}

/// One integer layer.
#[derive(Debug, Clone)]
pub struct QuantizedLayer {
    /// The float network's name for the node.
    pub name: String,
    /// What it computes.
    pub op: QuantizedOp,
    /// Tensors read.
    pub inputs: Vec<TensorId>,
    /// Tensor written.
    pub output: TensorId,
}

/// What a layer computes.
#[derive(Debug, Clone)]
pub enum QuantizedOp {
    /// A convolution or dense layer, whose products a multiplier forms.
    Conv2d(Box<QuantizedConv>),
    /// Any other operator as the runtime knows it. Arena offsets are 0 until an image is built.
    Fixed(Op),
}

/// A convolution of codes.
#[derive(Debug, Clone)]
pub struct QuantizedConv {
    /// Shape of the input as this layer reads it (a dense layer flattens); offset 0.
    pub input: Tensor,
    /// Shape of the output; offset 0.
    pub output: Tensor,
    /// The window.
    pub window: Window,
    /// Channel groups.
    pub groups: usize,
    /// Real value of one step of the input.
    pub input_scale: f64,
    /// Code of the real value 0 in the input, and of padded taps.
    pub input_zero_point: u8,
    /// Weight codes `[output channel][kernel row][kernel column][input channel of the group]`: u8, or i8
    /// as its bits, by the scheme.
    pub weights: Vec<u8>,
    /// Real value of one step of a weight, by output channel.
    pub weight_scales: Vec<f64>,
    /// Code of the real weight 0.
    pub weight_zero_point: u8,
    /// Real bias, by output channel.
    pub bias: Vec<f64>,
    /// Real value of one step of the output.
    pub output_scale: f64,
    /// How results are stored.
    pub output_kind: OutputKind,
}

impl QuantizedNetwork {
    /// The convolutions and dense layers in running order: the layers a genome assigns multipliers to.
    pub fn convs(&self) -> impl Iterator<Item = (&QuantizedLayer, &QuantizedConv)> {
        self.layers.iter().filter_map(|layer| match &layer.op {
            QuantizedOp::Conv2d(conv) => Some((layer, &**conv)),
            QuantizedOp::Fixed(_) => None,
        })
    }

    /// Multiplications of each convolution and dense layer for one image, padding counted as streamed.
    pub fn multiplications(&self) -> Vec<u64> {
        self.convs().map(|(_, conv)| conv.multiplications()).collect()
    }
}

impl QuantizedConv {
    /// Taps of one output: K.
    pub fn taps(&self) -> usize {
        let [height, width] = self.window.kernel.map(usize::from);
        height * width * usize::from(self.input.channels) / self.groups
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.output.channels.into()
    }

    /// Output pixels.
    pub fn pixels(&self) -> usize {
        usize::from(self.output.height) * usize::from(self.output.width)
    }

    /// Multiplications for one image.
    pub fn multiplications(&self) -> u64 {
        (self.pixels() * self.weights.len()) as u64
    }

    /// Real value of one step of the accumulator of output channel `o` under `scheme`: the shifted
    /// magnitudes of the sign-magnitude scheme make its products larger.
    pub fn accumulator_scale(&self, scheme: Scheme, o: usize) -> f64 {
        self.input_scale * self.weight_scales[o] / f64::from(scheme.product_scale())
    }
}

/// The integer pair (m, r) with `m / 2^r` nearest to `factor`, m of 31 bits; factors too small for the
/// range give m = 0, ones too large the largest representable.
pub fn requantization(factor: f64) -> (i32, u8) {
    if factor.is_nan() || factor <= 0.0 {
        return (0, 1);
    }
    // factor = fraction * 2^exponent with fraction in [0.5, 1).
    let exponent = factor.log2().floor() as i32 + 1;
    let shift = (31 - exponent).clamp(1, MAX_SHIFT.into());
    let multiplier = (factor * 2f64.powi(shift)).round();
    if multiplier > f64::from(i32::MAX) {
        // Rounding up to 2^31, or a factor beyond the range.
        return if shift > 1 { (1 << 30, shift as u8 - 1) } else { (i32::MAX, 1) };
    }
    (multiplier as i32, shift as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requantization_is_within_half_a_step_of_31_bits() {
        for factor in [1.0, 0.5, 0.999_999_999_9, 3.7e-5, 1.9e-9, 123.456, 2f64.powi(-30), 1e-12] {
            let (m, r) = requantization(factor);
            let got = f64::from(m) / 2f64.powi(r.into());
            assert!((got - factor).abs() <= 0.5 / 2f64.powi(r.into()), "{factor}: {m} >> {r}");
            assert!(factor < 2f64.powi(-32) || m >= 1 << 30, "{factor}: {m} wastes bits");
        }
        assert_eq!(requantization(0.0), (0, 1));
        assert_eq!(requantization(f64::NAN), (0, 1));
        assert_eq!(requantization(-1.0), (0, 1));
        assert_eq!(requantization(1e20), (i32::MAX, 1));
    }
}
