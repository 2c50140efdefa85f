//! Cutting and padding images, as the parameter-free shortcuts of residual networks do.

use super::attributes::{Call, axis};
use super::graph::{Graph, Value};
use crate::network::{Op, Shape};

/// One axis of a `Slice`.
pub(super) struct Cut {
    pub(super) axis: usize,
    start: i64,
    end: i64,
    step: i64,
}

impl Cut {
    /// First index and number of indices along an axis of `size` elements, ends clamped as the operator
    /// says; the step may be negative.
    pub(super) fn range(&self, size: usize) -> Result<(usize, usize), String> {
        let size = i64::try_from(size).map_err(|_| "slices a tensor that is too large")?;
        let absolute = |index: i64| if index < 0 { index.saturating_add(size) } else { index };
        let (start, end) = (absolute(self.start), absolute(self.end));
        let (start, length) = match self.step {
            0 => return Err("has a step of 0".into()),
            1.. => {
                let start = start.clamp(0, size);
                (start, end.clamp(0, size) - start)
            }
            _ => {
                let start = start.clamp(-1, size - 1);
                (start, start - end.clamp(-1, size - 1))
            }
        };
        let count = (length.max(0) as u64).div_ceil(self.step.unsigned_abs());
        Ok((start.max(0) as usize, count as usize))
    }

    /// Distance between indices.
    pub(super) fn step(&self) -> i64 {
        self.step
    }
}

/// The axes that a `Slice` of a tensor of `rank` dimensions cuts, from attributes or constant inputs.
pub(super) fn cuts(call: &Call, rank: usize) -> Result<Vec<Cut>, String> {
    let starts = call.ints_or_input("starts", 1)?.ok_or("has no starts")?;
    let ends = call.ints_or_input("ends", 2)?.ok_or("has no ends")?;
    let axes = call.ints_or_input("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.ints_or_input("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("has starts, ends, axes and steps of different lengths".into());
    }
    (0..starts.len())
        .map(|i| Ok(Cut { axis: axis(axes[i], rank)?, start: starts[i], end: ends[i], step: steps[i] }))
        .collect()
}

/// `Slice` of an image with positive steps.
pub(super) fn slice(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let axes = image.layout.axes()?;
    let shape = graph.shape(image);
    let (mut start, mut step, mut sides) = ([0; 3], [1; 3], shape.sides());
    for cut in cuts(call, axes.len())? {
        let Some(ours) = axes[cut.axis] else {
            // The batch must stay whole: any image of it is the one that runs.
            match (cut.start, cut.end, cut.step) {
                (0, end, 1) if end >= call.batch || end == i64::MAX => continue,
                _ => return Err("cuts the batch".into()),
            }
        };
        let (first, count) = cut.range(shape.sides()[ours])?;
        step[ours] = usize::try_from(cut.step()).map_err(|_| "negative steps are not supported")?;
        (start[ours], sides[ours]) = (first, count);
    }
    let output = Shape::new(sides[0], sides[1], sides[2]);
    if output == shape && start == [0; 3] {
        return Ok(Value::Image(image));
    }
    graph.push(call, Op::Slice { start, step }, &[image], output, image.layout)
}

/// `Pad` with zeros.
pub(super) fn pad(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let axes = image.layout.axes()?;
    if call.string("mode", "constant")? != "constant" {
        return Err("only the mode \"constant\" is supported".into());
    }
    let value = match (call.float("value")?, call.constant(2)?) {
        (Some(value), _) => value,
        (None, Some(array)) => array.scalar()?,
        (None, None) => 0.0,
    };
    if value != 0.0 {
        return Err(format!("padding with {value} is not supported; only 0 is"));
    }
    let pads = call.ints_or_input("pads", 1)?.ok_or("has no pads")?;
    let padded = match call.constant(3)? {
        Some(list) => list.ints()?.iter().map(|&index| axis(index, axes.len())).collect::<Result<_, _>>()?,
        None => (0..axes.len()).collect::<Vec<_>>(),
    };
    if pads.len() != 2 * padded.len() {
        return Err(format!("has {} pads for {} axes", pads.len(), padded.len()));
    }
    let (before_all, after_all) = pads.split_at(padded.len());
    let (mut before, mut sides) = ([0; 3], graph.shape(image).sides());
    for (i, &index) in padded.iter().enumerate() {
        let amount = |pad: i64| usize::try_from(pad).map_err(|_| format!("a pad of {pad} is not supported"));
        let (first, last) = (amount(before_all[i])?, amount(after_all[i])?);
        match axes[index] {
            Some(ours) => {
                before[ours] = first;
                let side = sides[ours].checked_add(first).and_then(|side| side.checked_add(last));
                sides[ours] = side.ok_or("pads too much")?;
            }
            None if first == 0 && last == 0 => {}
            None => return Err("pads the batch".into()),
        }
    }
    let output = Shape::new(sides[0], sides[1], sides[2]);
    if output == graph.shape(image) {
        return Ok(Value::Image(image));
    }
    graph.push(call, Op::Pad { before }, &[image], output, image.layout)
}
