//! Turning each float node into an integer layer.

use super::{
    Calibration, QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp, QuantizedTensor, RangeMethod,
    requantization, weights,
};
use crate::error::{Error, Result};
use crate::multiplier::Scheme;
use crate::network::{Activation, Conv2d, Network, Node, Op, Shape, TensorId, Window};
use skimp_runtime::arithmetic::{AddRescale, CodeRange, MAX_ADD_FACTOR, MAX_ADD_SHIFT};
use skimp_runtime::image::{self, OutputKind, Tensor};

/// Quantizes `network` for `scheme` with the ranges `calibration` has measured.
pub fn quantize(
    network: &Network,
    calibration: &Calibration,
    method: RangeMethod,
    scheme: Scheme,
) -> Result<QuantizedNetwork> {
    let mut lowering = Lowering::new(network, calibration, method, scheme)?;
    for node in &network.nodes {
        lowering.node(node)?;
    }
    Ok(lowering.finish())
}

struct Lowering<'a> {
    network: &'a Network,
    scheme: Scheme,
    tensors: Vec<QuantizedTensor>,
    layers: Vec<QuantizedLayer>,
    /// The tensor that holds the data of each tensor: another one behind a flatten.
    stored_in: Vec<TensorId>,
    output_kind: OutputKind,
}

impl<'a> Lowering<'a> {
    fn new(
        network: &'a Network,
        calibration: &Calibration,
        method: RangeMethod,
        scheme: Scheme,
    ) -> Result<Lowering<'a>> {
        let multiplied = read_by_convs(network);
        let mut tensors: Vec<QuantizedTensor> = network
            .tensors
            .iter()
            .enumerate()
            .map(|(id, tensor)| {
                // Pixels are coded whole: every value an image can hold was meant to be distinguished.
                let method = if id == network.input { RangeMethod::MinMax } else { method };
                // What no multiplier sees may use all 256 codes whatever the scheme.
                let scheme = if multiplied[id] { scheme } else { Scheme::Unsigned };
                let (scale, zero_point) = activation_coding(calibration.range(id, method), scheme);
                QuantizedTensor { name: tensor.name.clone(), shape: tensor.shape, scale, zero_point }
            })
            .collect();
        // Operators that copy codes must not change what a code means.
        for node in network.nodes.iter().filter(|node| copies_codes(&node.op)) {
            let (scale, zero_point) = (tensors[node.inputs[0]].scale, tensors[node.inputs[0]].zero_point);
            tensors[node.output].scale = scale;
            tensors[node.output].zero_point = zero_point;
        }
        Ok(Lowering {
            network,
            scheme,
            output_kind: OutputKind::Codes(codes(&tensors[network.output], Activation::Identity)),
            stored_in: (0..tensors.len()).collect(),
            tensors,
            layers: Vec::new(),
        })
    }

    fn finish(self) -> QuantizedNetwork {
        QuantizedNetwork {
            name: self.network.name.clone(),
            scheme: self.scheme,
            tensors: self.tensors,
            layers: self.layers,
            input: self.stored_in[self.network.input],
            output: self.stored_in[self.network.output],
            output_kind: self.output_kind,
        }
    }

    fn node(&mut self, node: &Node) -> Result<()> {
        let fail = |reason: String| Error::Node {
            model: self.network.name.clone(),
            node: node.name.clone(),
            operator: node.op.name().to_owned(),
            reason,
        };
        let inputs: Vec<TensorId> = node.inputs.iter().map(|&id| self.stored_in[id]).collect();
        // A flattened tensor is stored as it was; only convolutions read it in its new shape.
        let reshaped =
            node.inputs.iter().any(|&id| self.tensors[id].shape != self.tensors[self.stored_in[id]].shape);
        if reshaped && !matches!(node.op, Op::Conv2d(_) | Op::Flatten) {
            return Err(fail("reads a flattened tensor; only dense layers can".into()));
        }
        let from = self.shape(node.inputs[0]).map_err(fail)?;
        let to = self.shape(node.output).map_err(fail)?;
        let (input, output) = (&self.tensors[node.inputs[0]], &self.tensors[node.output]);
        let op = match &node.op {
            Op::Conv2d(conv) => {
                let logits = node.output == self.network.output && conv.activation == Activation::Identity;
                let conv = self.conv(conv, node, logits).map_err(fail)?;
                if logits {
                    self.output_kind = OutputKind::Logits;
                    self.tensors[node.output].scale = conv.output_scale;
                    self.tensors[node.output].zero_point = 0;
                }
                QuantizedOp::Conv2d(Box::new(conv))
            }
            Op::Add(activation) => {
                let other = &self.tensors[node.inputs[1]];
                QuantizedOp::Fixed(image::Op::Add(image::Add {
                    inputs: [from, from],
                    output: to,
                    rescale: add_rescale([input, other], output).ok_or_else(|| {
                        fail("adds tensors whose scales are too far apart for integer factors".into())
                    })?,
                    range: codes(output, *activation),
                }))
            }
            Op::MaxPool(window) => QuantizedOp::Fixed(image::Op::MaxPool(image::MaxPool {
                input: from,
                output: to,
                window: runtime_window(window).map_err(fail)?,
            })),
            Op::AveragePool(window) => {
                let area = (window.kernel[0] * window.kernel[1]) as f64;
                let window = runtime_window(window).map_err(fail)?;
                average_pool(from, to, window, (input, output), 1.0 / area, Activation::Identity)
            }
            // Clamping to another range is a mean over one pixel.
            Op::Activation(activation) => {
                let window = image::Window { kernel: [1; 2], stride: [1; 2], padding: [0; 2] };
                average_pool(from, to, window, (input, output), 1.0, *activation)
            }
            Op::Slice { start, step } => QuantizedOp::Fixed(image::Op::Slice(image::Slice {
                input: from,
                output: to,
                start: narrow(*start).map_err(fail)?,
                step: narrow(*step).map_err(fail)?,
            })),
            Op::Pad { before } => QuantizedOp::Fixed(image::Op::Pad(image::Pad {
                input: from,
                output: to,
                before: narrow(*before).map_err(fail)?,
                zero_point: input.zero_point,
            })),
            Op::Flatten => {
                self.stored_in[node.output] = inputs[0];
                return Ok(());
            }
        };
        self.layers.push(QuantizedLayer { name: node.name.clone(), op, inputs, output: node.output });
        Ok(())
    }

    fn conv(&self, conv: &Conv2d, node: &Node, logits: bool) -> Result<QuantizedConv, String> {
        let (input, output) = (&self.tensors[node.inputs[0]], &self.tensors[node.output]);
        let taps = conv.weights.len() / conv.bias.len().max(1);
        let weights = weights::quantize(&conv.weights, taps, self.scheme);
        Ok(QuantizedConv {
            input: self.shape(node.inputs[0])?,
            output: self.shape(node.output)?,
            window: runtime_window(&conv.window)?,
            groups: conv.groups,
            input_scale: input.scale,
            input_zero_point: input.zero_point,
            bias: conv.bias.iter().map(|&b| b.into()).collect(),
            // Logits keep 12 bits more than codes would.
            output_scale: if logits { output.scale / 4096.0 } else { output.scale },
            output_kind: match logits {
                true => OutputKind::Logits,
                false => OutputKind::Codes(codes(output, conv.activation)),
            },
            weights: weights.codes,
            weight_scales: weights.scales,
            weight_zero_point: weights.zero_point,
        })
    }

    /// The runtime's record of a tensor's shape, at offset 0.
    fn shape(&self, id: TensorId) -> Result<Tensor, String> {
        let Shape { height, width, channels } = self.tensors[id].shape;
        let [height, width, channels] = narrow([height, width, channels])?;
        Ok(Tensor { offset: 0, height, width, channels })
    }
}

fn copies_codes(op: &Op) -> bool {
    matches!(op, Op::MaxPool(_) | Op::Slice { .. } | Op::Pad { .. } | Op::Flatten)
}

/// Which tensors a convolution reads, as they are or through operators that copy codes.
fn read_by_convs(network: &Network) -> Vec<bool> {
    let mut read = vec![false; network.tensors.len()];
    for node in network.nodes.iter().rev() {
        if matches!(node.op, Op::Conv2d(_)) || (copies_codes(&node.op) && read[node.output]) {
            read[node.inputs[0]] = true;
        }
    }
    read
}

/// Scale and zero point of an activation with values in the range, under `scheme`.
fn activation_coding((low, high): (f64, f64), scheme: Scheme) -> (f64, u8) {
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
fn codes(tensor: &QuantizedTensor, activation: Activation) -> CodeRange {
    let zero_point = tensor.zero_point;
    let code = |x: f32| (f64::from(x) / tensor.scale + f64::from(zero_point)).round().clamp(0.0, 255.0) as u8;
    let (min, max) = match activation {
        Activation::Identity => (0, 255),
        Activation::Relu => (zero_point, 255),
        Activation::Clip { min, max } => (code(min), code(max)),
    };
    CodeRange { zero_point, min, max }
}

fn add_rescale(inputs: [&QuantizedTensor; 2], output: &QuantizedTensor) -> Option<AddRescale> {
    let ratios = inputs.map(|input| input.scale / output.scale);
    let largest = ratios[0].max(ratios[1]);
    // The largest shift that keeps the larger factor below the bound.
    let shift = (1..=MAX_ADD_SHIFT)
        .rev()
        .find(|&shift| (largest * 2f64.powi(shift.into())).round() < f64::from(MAX_ADD_FACTOR))?;
    let factors = ratios.map(|ratio| (ratio * 2f64.powi(shift.into())).round() as i32);
    Some(AddRescale { zero_points: inputs.map(|input| input.zero_point), factors, shift })
}

fn average_pool(
    input: Tensor,
    output: Tensor,
    window: image::Window,
    (from, to): (&QuantizedTensor, &QuantizedTensor),
    share: f64,
    activation: Activation,
) -> QuantizedOp {
    let (multiplier, shift) = requantization(from.scale / to.scale * share);
    QuantizedOp::Fixed(image::Op::AveragePool(image::AveragePool {
        input,
        output,
        window,
        input_zero_point: from.zero_point,
        multiplier,
        shift,
        range: codes(to, activation),
    }))
}

fn runtime_window(window: &Window) -> Result<image::Window, String> {
    Ok(image::Window {
        kernel: narrow(window.kernel)?,
        stride: narrow(window.stride)?,
        padding: narrow(window.padding_before)?,
    })
}

fn narrow<const N: usize>(sides: [usize; N]) -> Result<[u16; N], String> {
    let mut narrowed = [0; N];
    for (narrow, side) in narrowed.iter_mut().zip(sides) {
        *narrow = side.try_into().map_err(|_| format!("{side} exceeds an image's limit of 65535"))?;
    }
    Ok(narrowed)
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
        assert_eq!(activation_coding((0.0, 6.0), sign_magnitude).1, 0);
        assert_eq!(activation_coding((-1.0, 6.0), sign_magnitude).1, 128);
        assert_eq!(activation_coding((0.0, 6.0), Scheme::Signed).1, 128);
        assert_eq!(activation_coding((-2.0, 2.0), Scheme::Unsigned).1, 127);
        assert_eq!(activation_coding((0.0, 0.0), Scheme::Unsigned), (1.0, 0));
    }
}
