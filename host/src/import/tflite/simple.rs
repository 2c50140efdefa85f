//! Additions, activations, pooling, and operators that only change codes.

use super::constant;
use super::conv::{fused, output, window};
use super::graph::{Graph, coding};
use super::importer::Call;
use crate::network::{Activation, Op, Shape, TensorId, Window};

/// `ADD` of two images of equal shape.
pub(super) fn add(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let [a, b] = [call.image(graph, 0)?, call.image(graph, 1)?];
    let [left, right] = [graph.shape(a), graph.shape(b)];
    if left != right {
        return Err(format!("adds tensors of different shapes, {left} and {right}, which is not supported"));
    }
    let activation = fused(call.operator.options(11)?, 0)?;
    graph.push(call, Op::Add(activation), &[a, b], left)
}

/// `RELU` and its kin as nodes of their own; the converter fuses most of them.
pub(super) fn activation(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let image = call.image(graph, 0)?;
    let activation = match call.operator.builtin {
        19 => Activation::Relu,
        20 => Activation::Clip { min: -1.0, max: 1.0 },
        _ => Activation::Clip { min: 0.0, max: 6.0 },
    };
    graph.push(call, Op::Activation(activation), &[image], graph.shape(image))
}

/// `MAX_POOL_2D` and `AVERAGE_POOL_2D`.
pub(super) fn pool(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let options = call.operator.options(5)?;
    let image = call.image(graph, 0)?;
    let input = graph.shape(image);
    let side = |index: usize| {
        let side = options.map_or(Ok(0), |options| options.i32(index, 0))?;
        usize::try_from(side).map_err(|_| format!("a kernel of {side} is not supported"))
    };
    // Pooling has no dilation; these fields don't exist and so are 1.
    let window = window(options, [usize::MAX; 2], [side(4)?, side(3)?], input)?;
    let [rows, columns] = output(&window, input)?;
    if fused(options, 5)? != Activation::Identity {
        return Err("an activation within pooling is not supported".into());
    }
    let average = call.operator.builtin == 1;
    if average && (window.padding_before, window.padding_after) != ([0, 0], [0, 0]) {
        return Err("padding is not supported: the mean would leave it out; use VALID padding".into());
    }
    let op = if average { Op::AveragePool(window) } else { Op::MaxPool(window) };
    graph.push(call, op, &[image], Shape::new(rows, columns, input.channels))
}

/// `MEAN` over height and width.
pub(super) fn mean(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let image = call.image(graph, 0)?;
    let rank = call.stored(0)?.dims.len() as i32;
    let mut axes: Vec<i32> = constant::ints(&call.stored(1)?)?;
    axes.iter_mut().filter(|axis| **axis < 0).for_each(|axis| *axis = axis.saturating_add(rank));
    axes.sort_unstable();
    axes.dedup();
    if rank != 4 || axes != [1, 2] {
        return Err("is supported over both height and width only".into());
    }
    let Shape { height, width, channels } = graph.shape(image);
    let op = Op::AveragePool(Window::global(height, width));
    graph.push(call, op, &[image], Shape::new(1, 1, channels))
}

/// `QUANTIZE`: floats are the codes' real values here, so that what is left is to say how they are coded. Codes that
/// become others are a step of their own.
pub(super) fn quantize(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let image = call.image(graph, 0)?;
    let (id, stored) = call.output()?;
    let to = coding(&stored)?;
    match graph.coding(image) {
        // What it codes is no logit any more.
        _ if graph.has_ended() => {}
        None => graph.set_coding(image, to),
        from if from == to => {}
        _ => {
            let shape = graph.shape(image);
            return graph.push(call, Op::Activation(Activation::Identity), &[image], shape);
        }
    }
    graph.rename(id, image)
}

/// `DEQUANTIZE`: real values are what all tensors have here.
pub(super) fn dequantize(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let image: TensorId = call.image(graph, 0)?;
    graph.rename(call.output()?.0, image)
}

/// `SOFTMAX` at the very end: dropped, since it does not change which logit is the largest.
pub(super) fn softmax(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let image = call.image(graph, 0)?;
    let Shape { height, width, .. } = graph.shape(image);
    if height * width != 1 {
        return Err("is supported over the channels of one pixel only".into());
    }
    graph.end(call, image)
}
