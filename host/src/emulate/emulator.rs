//! The whole network over many images.

use super::plan::BATCH_IMAGES;
use super::{ApproximateConv, ConvPlan, Scratch};
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::quantize::{QuantizedNetwork, QuantizedOp};
use rayon::prelude::*;
use skimp_runtime::image::{Op, OutputKind};
use skimp_runtime::kernels;

/// Bytes of tensors that a thread holds for one batch, at most, unless a single image has more.
const BATCH_BYTES: usize = 64 << 20;

/// A quantized network with a multiplier in every convolution, ready to run.
pub struct Emulator<'n> {
    network: &'n QuantizedNetwork,
    plans: Vec<ConvPlan<'n>>,
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
        let plans = network.convs().zip(convs).map(|((layer, conv), approximate)| {
            ConvPlan::new(conv, network.scheme, approximate)
                .map_err(|e| Error::Mismatch(format!("{}: layer {}: {e}", network.name, layer.name)))
        });
        Ok(Emulator { network, plans: plans.collect::<Result<_>>()? })
    }

    /// How each convolution is computed, in order.
    pub fn plans(&self) -> &[ConvPlan<'n>] {
        &self.plans
    }

    /// Logits of `inputs`, the codes of any number of images one after another; batches of images run in
    /// parallel.
    pub fn run(&self, inputs: &[u8]) -> Vec<i32> {
        let input_bytes = self.network.tensors[self.network.input].shape.elements();
        let image_bytes: usize = self.network.tensors.iter().map(|t| t.shape.elements()).sum();
        let images = inputs.len() / input_bytes.max(1);
        let batch = images
            .div_ceil(rayon::current_num_threads())
            .min(BATCH_BYTES / image_bytes.max(1))
            .clamp(1, BATCH_IMAGES);
        inputs
            .par_chunks(batch * input_bytes)
            .map_init(|| Buffers::new(self.network), |buffers, inputs| self.run_batch(inputs, buffers))
            .flatten_iter()
            .collect()
    }

    fn run_batch(&self, inputs: &[u8], buffers: &mut Buffers) -> Vec<i32> {
        let network = self.network;
        let images = inputs.len() / network.tensors[network.input].shape.elements();
        buffers.tensors[network.input].clear();
        buffers.tensors[network.input].extend_from_slice(inputs);
        let mut plans = self.plans.iter();
        let mut logits = None;
        for layer in &network.layers {
            let elements = network.tensors[layer.output].shape.elements();
            let mut output = std::mem::take(&mut buffers.tensors[layer.output]);
            output.resize(images * elements, 0);
            let input = &buffers.tensors[layer.inputs[0]];
            match &layer.op {
                QuantizedOp::Conv2d(conv) => {
                    let plan = plans.next().expect("as many as convolutions");
                    match conv.output_kind {
                        OutputKind::Codes(_) => plan.codes_serially(input, &mut output, &mut buffers.scratch),
                        OutputKind::Logits => {
                            logits = Some(plan.logits_serially(input, &mut buffers.scratch));
                        }
                    }
                }
                QuantizedOp::Fixed(op) => {
                    let second = layer.inputs.get(1).map_or(&[][..], |&id| &buffers.tensors[id]);
                    for (image, output) in output.chunks_exact_mut(elements).enumerate() {
                        let part = |codes: &[u8]| {
                            let each = codes.len() / images;
                            image * each..(image + 1) * each
                        };
                        run_fixed(op, &input[part(input)], &second[part(second)], output);
                    }
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

/// Runs an operator without multiplications, by the runtime's own kernel (additions as compiled for this
/// processor); only additions read `second`.
pub fn run_fixed(op: &Op, input: &[u8], second: &[u8], output: &mut [u8]) {
    match op {
        Op::Add(op) => crate::kernels::add(Isa::best(), op, input, second, output),
        Op::MaxPool(op) => kernels::max_pool(op, input, output),
        Op::AveragePool(op) => kernels::average_pool(op, input, output),
        Op::Slice(op) => kernels::slice(op, input, output),
        Op::Pad(op) => kernels::pad(op, input, output),
        Op::Conv2d(_) | Op::CopyTable(_) => unreachable!("the quantizer makes no such fixed operators"),
    }
}

/// One thread's memory, reused from batch to batch.
struct Buffers {
    /// Codes of a batch, `[image][element]`.
    tensors: Vec<Vec<u8>>,
    scratch: Scratch,
}

impl Buffers {
    fn new(network: &QuantizedNetwork) -> Self {
        Buffers { tensors: vec![Vec::new(); network.tensors.len()], scratch: Scratch::default() }
    }
}
