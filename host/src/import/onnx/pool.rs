//! Pooling.

use super::attributes::{Call, axis};
use super::conv::{pair, too_large, window};
use super::graph::{Graph, Image, Layout, Value};
use crate::network::{Op, Shape, Window};

/// `MaxPool`.
pub(super) fn max_pool(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    windowed(graph, call, Op::MaxPool)
}

/// `AveragePool` in which padding, if there is any, counts.
pub(super) fn average_pool(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let counts_padding = call.int("count_include_pad", 0)? != 0;
    let value = windowed(graph, call, Op::AveragePool)?;
    if let Some(Op::AveragePool(window)) = graph.nodes.last().map(|node| &node.op)
        && (window.padding_before, window.padding_after) != ([0, 0], [0, 0])
        && !counts_padding
    {
        return Err("padding is supported with count_include_pad = 1 only".into());
    }
    Ok(value)
}

fn windowed(graph: &mut Graph, call: &Call, op: impl Fn(Window) -> Op) -> Result<Value, String> {
    let (image, input) = graph.spatial(call, 0)?;
    let kernel = pair(call, "kernel_shape")?.ok_or("has no kernel_shape")?;
    let window = window(call, kernel, input)?;
    let [rows, columns] =
        window.output(input.height, input.width).ok_or_else(|| too_large(&window, input))?;
    // Rounding the output's size up changes nothing where the windows fit evenly.
    let left_over = |i: usize, size: usize| {
        let padded = size + window.padding_before[i] + window.padding_after[i];
        !(padded - kernel[i]).is_multiple_of(window.stride[i])
    };
    if call.int("ceil_mode", 0)? != 0 && (left_over(0, input.height) || left_over(1, input.width)) {
        return Err("ceil_mode = 1 is not supported where windows do not fit evenly".into());
    }
    graph.push(call, op(window), &[image], Shape::new(rows, columns, input.channels), Layout::Nchw)
}

/// `GlobalAveragePool`.
pub(super) fn global_average_pool(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let (image, _) = graph.spatial(call, 0)?;
    mean(graph, call, image, image.layout)
}

/// `ReduceMean` over height and width.
pub(super) fn reduce_mean(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let list = call.ints_or_input("axes", 1)?.ok_or("has no axes; height and width are supported")?;
    let axes = image.layout.axes()?;
    let mut over = [false; 3];
    for index in list {
        match axes[axis(index, axes.len())?] {
            Some(ours) => over[ours] = true,
            None => return Err("takes the mean over the batch".into()),
        }
    }
    if over != [true, true, false] {
        return Err("is supported over both height and width only".into());
    }
    let keep = call.int("keepdims", 1)? != 0;
    mean(graph, call, image, if keep { image.layout } else { Layout::flat(graph.shape(image).channels) })
}

/// The mean of all pixels, seen as `layout`.
fn mean(graph: &mut Graph, call: &Call, image: Image, layout: Layout) -> Result<Value, String> {
    let Shape { height, width, channels } = graph.shape(image);
    if height * width == 1 {
        return Ok(Value::Image(Image { layout, ..image }));
    }
    let op = Op::AveragePool(Window::global(height, width));
    graph.push(call, op, &[image], Shape::new(1, 1, channels), layout)
}
