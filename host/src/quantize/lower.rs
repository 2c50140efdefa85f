//! Turning each float node into an integer layer.

use super::activations::{self, codes};
use super::{
    Calibration, QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp, QuantizedTensor, RangeMethod,
    own, requantization, weights,
};
use crate::error::{Error, Result};
use crate::multiplier::Scheme;
use crate::network::{Activation, Conv2d, ConvCodes, Network, Node, Op, OwnCodes, Shape, TensorId, Window};
use skimp_runtime::arithmetic::{AddRescale, MAX_ADD_FACTOR, MAX_ADD_SHIFT};
use skimp_runtime::image::{self, OutputKind, Tensor};

/// Quantizes `network` for `scheme` with the ranges `calibration` has measured, or as the model came in.
///
/// # Errors
/// [`Error::Mismatch`] if the model's own scales are asked for and it has none, or none that `scheme` can use;
/// [`Error::Node`] for a node that integers can't compute.
pub fn quantize(
    network: &Network,
    calibration: &Calibration,
    method: RangeMethod,
    scheme: Scheme,
) -> Result<QuantizedNetwork> {
    let mut lowering = Lowering::new(network, calibration, method, scheme)?;
    for (index, node) in network.nodes.iter().enumerate() {
        lowering.node(index, node)?;
    }
    Ok(lowering.finish())
}

struct Lowering<'a> {
    network: &'a Network,
    scheme: Scheme,
    /// The codes to keep, if those the model came in are kept.
    own: Option<&'a OwnCodes>,
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
        let own = own::own_codes(network, scheme);
        // The input is coded as the model says, however ranges are chosen: its codes are what the network is given.
        let input = own.as_ref().ok().map(|own| own.tensors[network.input]);
        let own = match method {
            RangeMethod::Model => Some(own.map_err(Error::Mismatch)?),
            _ => None,
        };
        let multiplied = activations::read_by_convs(network);
        let mut tensors: Vec<QuantizedTensor> = network
            .tensors
            .iter()
            .enumerate()
            .map(|(id, tensor)| {
                // Pixels are coded whole: every value an image can hold was meant to be distinguished.
                let method = if id == network.input { RangeMethod::MinMax } else { method };
                // What no multiplier sees may use all 256 codes whatever the scheme.
                let scheme = if multiplied[id] { scheme } else { Scheme::Unsigned };
                let kept = own.map(|own| own.tensors[id]).or(input.filter(|_| id == network.input));
                let (scale, zero_point) = match kept {
                    Some(kept) => (kept.scale, kept.unsigned_zero_point()),
                    None => activations::coding(calibration.range(id, method), scheme),
                };
                QuantizedTensor { name: tensor.name.clone(), shape: tensor.shape, scale, zero_point }
            })
            .collect();
        // Operators that copy codes must not change what a code means.
        for node in network.nodes.iter().filter(|node| node.op.copies_elements()) {
            let (scale, zero_point) = (tensors[node.inputs[0]].scale, tensors[node.inputs[0]].zero_point);
            tensors[node.output].scale = scale;
            tensors[node.output].zero_point = zero_point;
        }
        Ok(Lowering {
            network,
            scheme,
            own,
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

    fn node(&mut self, index: usize, node: &Node) -> Result<()> {
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
                let kept = self.own.and_then(|own| own.convs[index].as_ref());
                let conv = self.conv(conv, kept, node, logits).map_err(fail)?;
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

    /// `kept` are the codes of weights and biases, if those the model came in are kept.
    fn conv(
        &self,
        conv: &Conv2d,
        kept: Option<&ConvCodes>,
        node: &Node,
        logits: bool,
    ) -> Result<QuantizedConv, String> {
        let (input, output) = (&self.tensors[node.inputs[0]], &self.tensors[node.output]);
        let taps = conv.weights.len() / conv.bias.len().max(1);
        let (weights, bias) = match kept {
            Some(codes) => (own::weights(codes, self.scheme), own::bias(codes, input.scale)),
            None => {
                let weights = weights::quantize(&conv.weights, taps, self.scheme);
                (weights, conv.bias.iter().map(|&b| b.into()).collect())
            }
        };
        Ok(QuantizedConv {
            input: self.shape(node.inputs[0])?,
            output: self.shape(node.output)?,
            window: runtime_window(&conv.window)?,
            groups: conv.groups,
            input_scale: input.scale,
            input_zero_point: input.zero_point,
            bias,
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
