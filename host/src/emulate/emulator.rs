//! The whole network over many images.

use super::{ApproximateConv, accumulate};
use crate::error::{Error, Result};
use crate::quantize::{QuantizedConv, QuantizedNetwork, QuantizedOp};
use rayon::prelude::*;
use skimp_runtime::arithmetic::requantize;
use skimp_runtime::image::{Op, OutputKind};
use skimp_runtime::kernels;

/// A quantized network with a multiplier in every convolution, ready to run.
pub struct Emulator<'n> {
    network: &'n QuantizedNetwork,
    convs: &'n [ApproximateConv],
    /// The folded bias of each convolution.
    biases: Vec<Vec<i32>>,
}

impl<'n> Emulator<'n> {
    /// Prepares `network` with `convs`, one for each of its convolutions in order. Fails if an
    /// accumulator could overflow, naming the layer.
    pub fn new(network: &'n QuantizedNetwork, convs: &'n [ApproximateConv]) -> Result<Self> {
        if network.convs().count() != convs.len() {
            return Err(Error::Mismatch(format!(
                "{} has {} layers that multiply, but {} were given multipliers",
                network.name,
                network.convs().count(),
                convs.len()
            )));
        }
        let biases = network.convs().zip(convs).map(|((layer, conv), approximate)| {
            approximate
                .fold(conv, network.scheme)
                .map_err(|e| Error::Mismatch(format!("{}: layer {}: {e}", network.name, layer.name)))
        });
        Ok(Emulator { network, convs, biases: biases.collect::<Result<_>>()? })
    }

    /// Logits of `inputs`, the codes of any number of images one after another; images run in parallel.
    pub fn run(&self, inputs: &[u8]) -> Vec<i32> {
        let input_bytes = self.network.tensors[self.network.input].shape.elements();
        inputs
            .par_chunks_exact(input_bytes)
            .map_init(|| Buffers::new(self.network), |buffers, input| self.run_image(input, buffers))
            .flatten_iter()
            .collect()
    }

    fn run_image(&self, input: &[u8], buffers: &mut Buffers) -> Vec<i32> {
        let network = self.network;
        buffers.tensors[network.input].copy_from_slice(input);
        let mut convs = self.convs.iter().zip(&self.biases);
        let mut logits = None;
        for layer in &network.layers {
            let mut output = std::mem::take(&mut buffers.tensors[layer.output]);
            let input = &buffers.tensors[layer.inputs[0]];
            match &layer.op {
                QuantizedOp::Conv2d(conv) => {
                    let (approximate, bias) = convs.next().expect("as many as convolutions");
                    let acc = &mut buffers.acc[..output.len()];
                    accumulate(conv, approximate, bias, input, acc);
                    match requantize_all(conv, approximate, acc) {
                        Requantized::Codes(codes) => output.copy_from_slice(&codes),
                        Requantized::Logits(values) => logits = Some(values),
                    }
                }
                QuantizedOp::Fixed(op) => {
                    let second = layer.inputs.get(1).map_or(&[][..], |&id| &buffers.tensors[id]);
                    run_fixed(op, input, second, &mut output);
                }
            }
            buffers.tensors[layer.output] = output;
        }
        match network.output_kind {
            OutputKind::Logits => logits.expect("the last layer writes logits"),
            OutputKind::Codes(range) => buffers.tensors[network.output]
                .iter()
                .map(|&code| i32::from(code) - i32::from(range.zero_point))
                .collect(),
        }
    }
}

/// Runs an operator without multiplications, by the runtime's own kernel; only additions read `second`.
pub fn run_fixed(op: &Op, input: &[u8], second: &[u8], output: &mut [u8]) {
    match op {
        Op::Add(op) => kernels::add(op, input, second, output),
        Op::MaxPool(op) => kernels::max_pool(op, input, output),
        Op::AveragePool(op) => kernels::average_pool(op, input, output),
        Op::Slice(op) => kernels::slice(op, input, output),
        Op::Pad(op) => kernels::pad(op, input, output),
        Op::Conv2d(_) => unreachable!("the quantizer makes no fixed convolutions"),
    }
}

/// A convolution's outputs.
pub enum Requantized {
    /// Codes, `[pixel][output channel]`.
    Codes(Vec<u8>),
    /// Logits, `[pixel][output channel]`.
    Logits(Vec<i32>),
}

/// Requantizes the accumulators of a convolution, `[pixel][output channel]`.
pub fn requantize_all(conv: &QuantizedConv, approximate: &ApproximateConv, acc: &[i32]) -> Requantized {
    let values = acc.chunks_exact(conv.outputs()).flat_map(|acc| {
        acc.iter().zip(&approximate.requantization).map(|(&acc, &(m, r))| requantize(acc, m, r))
    });
    match conv.output_kind {
        OutputKind::Codes(range) => Requantized::Codes(values.map(|value| range.code(value)).collect()),
        OutputKind::Logits => Requantized::Logits(
            values.map(|value| value.clamp(i32::MIN.into(), i32::MAX.into()) as i32).collect(),
        ),
    }
}

/// One image's tensors, reused from image to image.
struct Buffers {
    tensors: Vec<Vec<u8>>,
    acc: Vec<i32>,
}

impl Buffers {
    fn new(network: &QuantizedNetwork) -> Self {
        let tensors: Vec<Vec<u8>> = network.tensors.iter().map(|t| vec![0; t.shape.elements()]).collect();
        let largest = tensors.iter().map(Vec::len).max().unwrap_or(0);
        Buffers { tensors, acc: vec![0; largest] }
    }
}
