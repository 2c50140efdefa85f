//! Padding, and operators that see the same elements in another shape.

use super::constant;
use super::graph::{self, Graph};
use super::importer::Call;
use crate::network::{Op, Shape};

/// `PAD` with zeros around height, width or channels.
pub(super) fn pad(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let image = call.image(graph, 0)?;
    let amounts = call.stored(1)?;
    if amounts.dims != [4, 2] || call.stored(0)?.dims.len() != 4 {
        return Err(format!("padding of {:?} is not supported; that of images ([4, 2]) is", amounts.dims));
    }
    let amount =
        |&pad: &i32| usize::try_from(pad).map_err(|_| format!("a padding of {pad} is not supported"));
    let amounts = constant::ints(&amounts)?.iter().map(amount).collect::<Result<Vec<usize>, String>>()?;
    let (amounts, _) = amounts.as_chunks::<2>();
    if amounts[0] != [0, 0] {
        return Err("pads the batch".into());
    }
    let mut sides = graph.shape(image).sides();
    for (side, [before, after]) in sides.iter_mut().zip(&amounts[1..]) {
        *side = side.saturating_add(*before).saturating_add(*after);
    }
    let before = [amounts[1][0], amounts[2][0], amounts[3][0]];
    graph.push(call, Op::Pad { before }, &[image], Shape::new(sides[0], sides[1], sides[2]))
}

/// `RESHAPE` and `SQUEEZE`: to one pixel, or of the network's input to whatever its elements are.
pub(super) fn reshape(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let image = call.image(graph, 0)?;
    let (from, to) = (graph.shape(image), graph::shape(&call.output()?.1.dims)?);
    if from == to {
        return graph.alias(call, image);
    }
    if !to.is_sensible() || from.elements() != to.elements() {
        return Err(format!("can't make {to} of {from}"));
    }
    if graph.nodes.is_empty() {
        // Nothing was computed yet, so this is the input, and what it is reshaped to is what it is.
        graph.tensors[image].shape = to;
        return graph.alias(call, image);
    }
    match to {
        Shape { height: 1, width: 1, .. } => graph.push(call, Op::Flatten, &[image], to),
        _ => Err(format!("reshaping {from} to {to} is not supported; to [1, features] is")),
    }
}
