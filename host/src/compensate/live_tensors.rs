//! The tensors of many images between two layers.

use super::exact_run::branch_of;
use crate::emulate::run_fixed;
use crate::network::TensorId;
use crate::quantize::{QuantizedNetwork, QuantizedOp};
use rayon::prelude::*;
use skimp_runtime::image::Op;
use std::sync::Arc;

/// How far into a network each of its tensors is read.
pub(super) struct ReadUntil {
    /// By tensor, the last layer that reads it: `layers.len()` for the output, `None` if nothing does.
    last: Vec<Option<usize>>,
}

impl ReadUntil {
    /// When the whole network is run for its output.
    pub(super) fn whole(network: &QuantizedNetwork) -> ReadUntil {
        ReadUntil::new(network, Some(network.output), false)
    }

    /// When only what convolutions read matters, and what their results are added to: the layers behind the last
    /// one need not run.
    pub(super) fn convolutions_only(network: &QuantizedNetwork) -> ReadUntil {
        ReadUntil::new(network, None, true)
    }

    fn new(network: &QuantizedNetwork, output: Option<TensorId>, branches: bool) -> ReadUntil {
        let mut last = vec![None; network.tensors.len()];
        if let Some(output) = output {
            last[output] = Some(network.layers.len());
        }
        for (index, layer) in network.layers.iter().enumerate().rev() {
            let is_conv = matches!(layer.op, QuantizedOp::Conv2d(_));
            if is_conv || last[layer.output].is_some() {
                layer.inputs.iter().for_each(|&input| last[input] = last[input].max(Some(index)));
            }
            // The sum itself need not be read by any convolution.
            if let Some(other) = branch_of(network, index).filter(|_| is_conv && branches) {
                last[other] = last[other].max(Some(index));
            }
        }
        ReadUntil { last }
    }

    /// Whether anything reads the tensor.
    pub(super) fn is_read(&self, tensor: TensorId) -> bool {
        self.last[tensor].is_some()
    }
}

/// The codes of a number of images in those tensors that layers to come read, `[image][element]` each.
#[derive(Clone)]
pub(super) struct LiveTensors {
    images: usize,
    tensors: Vec<(TensorId, Arc<Vec<u8>>)>,
}

impl LiveTensors {
    /// The images of `codes` in the network's input.
    pub(super) fn new(network: &QuantizedNetwork, codes: &[u8]) -> LiveTensors {
        let images = codes.len() / network.tensors[network.input].shape.elements();
        let input = (images > 0).then(|| (network.input, Arc::new(codes.to_vec())));
        LiveTensors { images, tensors: input.into_iter().collect() }
    }

    /// How many images there are.
    pub(super) fn images(&self) -> usize {
        self.images
    }

    /// Whether there is no image.
    pub(super) fn is_empty(&self) -> bool {
        self.images == 0
    }

    /// The tensors there are.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Vec<u8>>> {
        self.tensors.iter().map(|(_, codes)| codes)
    }

    /// The codes of a tensor; none if it is not live.
    pub(super) fn get(&self, tensor: TensorId) -> &[u8] {
        self.tensors.iter().find(|(id, _)| *id == tensor).map_or(&[], |(_, codes)| codes.as_slice())
    }

    /// Adds a tensor.
    pub(super) fn put(&mut self, tensor: TensorId, codes: Vec<u8>) {
        self.tensors.push((tensor, Arc::new(codes)));
    }

    /// Runs an operator without multiplications on all images; its output has `elements` codes an image.
    /// Uses all threads.
    pub(super) fn run_fixed(&mut self, op: &Op, inputs: &[TensorId], output: TensorId, elements: usize) {
        let first = self.get(inputs[0]);
        let second = inputs.get(1).map_or(&[][..], |&id| self.get(id));
        let sizes = [first, second].map(|codes| codes.len() / self.images);
        let mut codes = vec![0; self.images * elements];
        codes.par_chunks_exact_mut(elements).enumerate().for_each(|(image, output)| {
            let [first_part, second_part] = sizes.map(|size| image * size..(image + 1) * size);
            run_fixed(op, &first[first_part], &second[second_part], output);
        });
        self.put(output, codes);
    }

    /// Drops what no layer after `layer` reads.
    pub(super) fn drop_unread(&mut self, reads: &ReadUntil, layer: usize) {
        self.tensors.retain(|(id, _)| reads.last[*id] > Some(layer));
    }
}
