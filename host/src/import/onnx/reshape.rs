//! Operators that see the same elements as other axes.

use super::attributes::{Call, axis};
use super::constant::Array;
use super::graph::{Graph, Image, Layout, Value};
use crate::network::{Op, Shape};
use std::rc::Rc;

/// `Flatten` to batch and features.
pub(super) fn flatten(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    match axis(call.int("axis", 1)?, graph.dims(image).len())? {
        1 => to_features(graph, call, image),
        other => Err(format!("axis {other} is not supported; only 1 is")),
    }
}

/// `image` as batch and features.
fn to_features(graph: &mut Graph, call: &Call, image: Image) -> Result<Value, String> {
    let shape = graph.shape(image);
    let features = shape.elements();
    let layout = match image.layout {
        Layout::Flat { .. } => return Ok(Value::Image(image)),
        Layout::Nchw => Layout::Flat { from: shape },
        Layout::Nhwc => Layout::flat(features),
    };
    if shape.height * shape.width == 1 {
        return Ok(Value::Image(Image { layout, ..image }));
    }
    graph.push(call, Op::Flatten, &[image], Shape::new(1, 1, features), layout)
}

/// `Reshape` to a constant shape: to batch and features, or from features back to one pixel.
pub(super) fn reshape(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let target = match call.ints("shape")? {
        Some(list) => list.to_vec(),
        None => call.required(1)?.ints()?.to_vec(),
    };
    let zero_is_a_size = call.int("allowzero", 0)? != 0;
    let from = graph.dims(image);
    let to = target_dims(&target, &from, call.batch, zero_is_a_size)
        .ok_or_else(|| format!("can't reshape {from:?} to {target:?}"))?;
    let shape = graph.shape(image);
    match to.as_slice() {
        to if to == from => Ok(Value::Image(image)),
        [1, _] => to_features(graph, call, image),
        &[1, channels, 1, 1] if image.layout == Layout::flat(channels) => {
            Ok(Value::Image(Image { layout: Layout::Nchw, ..image }))
        }
        _ => Err(format!("reshaping {shape} to {to:?} is not supported; [batch, features] is")),
    }
}

/// The sides that a reshape's target means: 0 copies a side, -1 takes what is left.
fn target_dims(target: &[i64], from: &[usize], batch: i64, zero_is_a_size: bool) -> Option<Vec<usize>> {
    let mut to = Vec::with_capacity(target.len());
    let mut open = None;
    for (i, &side) in target.iter().enumerate() {
        to.push(match side {
            // A batch size fixed by the exporter; here images come one at a time.
            side if i == 0 && side == batch => 1,
            0 if !zero_is_a_size => *from.get(i)?,
            -1 if open.is_none() => {
                open = Some(i);
                1
            }
            1.. => usize::try_from(side).ok()?,
            _ => return None,
        });
    }
    let elements: usize = from.iter().product();
    let known = super::constant::element_count(&to)?;
    match open {
        Some(i) if elements.is_multiple_of(known) => to[i] = elements / known,
        None if known == elements => {}
        _ => return None,
    }
    Some(to)
}

/// `Squeeze` of height and width, both 1.
pub(super) fn squeeze(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let list = call.ints_or_input("axes", 1)?.ok_or("has no axes; height and width are supported")?;
    let axes = image.layout.axes()?;
    let shape = graph.shape(image);
    let mut gone = [false; 3];
    for index in list {
        match axes[axis(index, axes.len())?] {
            Some(ours) => gone[ours] = true,
            None => return Err("removes the batch".into()),
        }
    }
    if gone != [true, true, false] || shape.height * shape.width != 1 {
        return Err("is supported over both height and width of one pixel only".into());
    }
    to_features(graph, call, image)
}

/// `Unsqueeze` of features to one pixel.
pub(super) fn unsqueeze(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let list = call.ints_or_input("axes", 1)?.ok_or("has no axes")?;
    let mut axes = list.iter().map(|&index| axis(index, 4)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    if axes == [2, 3] && image.layout == Layout::flat(graph.shape(image).channels) {
        Ok(Value::Image(Image { layout: Layout::Nchw, ..image }))
    } else {
        Err("is supported from [batch, channels] to one pixel only (axes 2 and 3)".into())
    }
}

/// `Transpose` between the two orders of an image's axes.
pub(super) fn transpose(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let rank = graph.dims(image).len() as i64;
    let permutation = match call.ints("perm")? {
        Some(list) => list.to_vec(),
        None => (0..rank).rev().collect(),
    };
    let layout = match (image.layout, permutation.as_slice()) {
        (layout, same) if same.iter().copied().eq(0..rank) => layout,
        (Layout::Nchw, [0, 2, 3, 1]) => Layout::Nhwc,
        (Layout::Nhwc, [0, 3, 1, 2]) => Layout::Nchw,
        _ => return Err(format!("permutation {permutation:?} of {:?} is not supported", graph.dims(image))),
    };
    Ok(Value::Image(Image { layout, ..image }))
}

/// `Shape` of an image, a constant here.
pub(super) fn shape(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let dims: Vec<i64> = graph.dims(call.image(0)?).into_iter().map(|side| side as i64).collect();
    let list = super::fold::shape_part(call, dims)?;
    Ok(Value::Constant(Rc::new(Array::list(list))))
}
