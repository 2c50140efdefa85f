//! What of a network needs a place in the arena, and for how long.

use super::arena::{self, Buffer};
use crate::quantize::{QuantizedNetwork, QuantizedOp};
use skimp_runtime::image::{Op, OutputKind};
use std::ops::RangeInclusive;

/// A table that is copied into the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copied {
    /// Its size.
    pub bytes: usize,
    /// The first and the last layer that look it up.
    pub first: usize,
    /// See `first`.
    pub last: usize,
}

/// Arena offsets of all tensors, each layer's scratch buffer and each copied table.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    pub tensors: Vec<u32>,
    pub scratch: Vec<u32>,
    pub copies: Vec<u32>,
    pub arena_bytes: usize,
    pub lower_bound_bytes: usize,
}

/// What a buffer is for.
enum Owner {
    Tensors(Vec<usize>),
    Scratch(usize),
    Copy(usize),
}

impl Placement {
    /// Places the tensors of `network`, `scratch_bytes` for each layer, and `copies`.
    pub fn new(network: &QuantizedNetwork, scratch_bytes: &[usize], copies: &[Copied]) -> Placement {
        let mut buffers = Vec::new();
        let mut owners = Vec::new();
        for (tensors, alive) in shared(network) {
            let bytes = tensors.iter().map(|&id| tensor_bytes(network, id)).max().unwrap_or(0);
            buffers.push(Buffer { bytes, alive });
            owners.push(Owner::Tensors(tensors));
        }
        // Layer 0 of the plan is the copy of the input; layers of the network count from 1.
        for (i, &bytes) in scratch_bytes.iter().enumerate().filter(|&(_, &bytes)| bytes > 0) {
            buffers.push(Buffer { bytes, alive: i + 1..=i + 1 });
            owners.push(Owner::Scratch(i));
        }
        for (i, copy) in copies.iter().enumerate() {
            buffers.push(Buffer { bytes: copy.bytes, alive: copy.first + 1..=copy.last + 1 });
            owners.push(Owner::Copy(i));
        }
        let plan = arena::plan(&buffers);
        let mut placement = Placement {
            tensors: vec![0; network.tensors.len()],
            scratch: vec![0; network.layers.len()],
            copies: vec![0; copies.len()],
            arena_bytes: plan.arena_bytes,
            lower_bound_bytes: arena::lower_bound_bytes(&buffers),
        };
        for (owner, offset) in owners.iter().zip(plan.offsets) {
            let offset = offset as u32;
            match owner {
                Owner::Tensors(ids) => ids.iter().for_each(|&id| placement.tensors[id] = offset),
                Owner::Scratch(layer) => placement.scratch[*layer] = offset,
                Owner::Copy(copy) => placement.copies[*copy] = offset,
            }
        }
        placement
    }
}

fn tensor_bytes(network: &QuantizedNetwork, id: usize) -> usize {
    let element_bytes = match network.output_kind {
        OutputKind::Logits if id == network.output => 4,
        _ => 1,
    };
    network.tensors[id].shape.elements() * element_bytes
}

/// The tensors that are used at all, with the steps during which they are alive: those that can share a place
/// together, because an addition writes its sum over an operand that nothing needs any more.
fn shared(network: &QuantizedNetwork) -> Vec<(Vec<usize>, RangeInclusive<usize>)> {
    let mut alive: Vec<Option<(usize, usize)>> = vec![None; network.tensors.len()];
    let mut touch = |id: usize, step: usize| {
        let (first, last) = alive[id].unwrap_or((step, step));
        alive[id] = Some((first.min(step), last.max(step)));
    };
    touch(network.input, 0);
    for (i, layer) in network.layers.iter().enumerate() {
        layer.inputs.iter().chain([&layer.output]).for_each(|&id| touch(id, i + 1));
    }
    touch(network.output, network.layers.len() + 1);

    // Which tensor's place each takes, found in running order.
    let mut place: Vec<usize> = (0..network.tensors.len()).collect();
    for (i, layer) in network.layers.iter().enumerate() {
        if !matches!(layer.op, QuantizedOp::Fixed(Op::Add(_))) {
            continue;
        }
        let dies_here = |&&id: &&usize| {
            alive[id].is_some_and(|(_, last)| last == i + 1)
                && tensor_bytes(network, id) == tensor_bytes(network, layer.output)
        };
        if let Some(&operand) = layer.inputs.iter().find(dies_here) {
            place[layer.output] = place[operand];
        }
    }
    let mut groups: Vec<(Vec<usize>, RangeInclusive<usize>)> = Vec::new();
    for owner in 0..network.tensors.len() {
        let members: Vec<usize> =
            (0..network.tensors.len()).filter(|&id| place[id] == owner && alive[id].is_some()).collect();
        let spans = members.iter().filter_map(|&id| alive[id]);
        let span = spans.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)));
        if let Some((first, last)) = span {
            groups.push((members, first..=last));
        }
    }
    groups
}
