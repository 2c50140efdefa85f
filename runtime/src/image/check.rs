//! What [`Network::load`](crate::Network::load) checks beyond the checksum, so that running a layer needs
//! no further decisions. Bytes with a right checksum can still be hostile or written by a faulty tool.

use super::{Conv2d, Head, Layer, Op, OutputKind, Reader, Scratch, Tensor, WeightCoding, Window};
use crate::Error;
use crate::arithmetic::MAX_SHIFT;
use crate::kernels::{BLOCK, ConvData};
use core::ops::Range;

impl Tensor {
    /// Number of elements; `None` where it exceeds the address space.
    pub fn elements(&self) -> Option<usize> {
        usize::from(self.height).checked_mul(self.width.into())?.checked_mul(self.channels.into())
    }

    /// The bytes it occupies in the arena.
    pub(crate) fn range(&self, element_bytes: usize) -> Result<Range<usize>, Error> {
        let start = self.offset as usize;
        let bytes = self.elements().and_then(|n| n.checked_mul(element_bytes)).ok_or(Error::Tensor)?;
        Ok(start..start.checked_add(bytes).ok_or(Error::Tensor)?)
    }

    fn is_empty(&self) -> bool {
        self.height == 0 || self.width == 0 || self.channels == 0
    }

    fn same_shape(&self, other: &Tensor) -> bool {
        (self.height, self.width, self.channels) == (other.height, other.width, other.channels)
    }
}

impl Scratch {
    pub(crate) fn range(&self) -> Result<Range<usize>, Error> {
        let start = self.offset as usize;
        Ok(start..start.checked_add(self.bytes as usize).ok_or(Error::Tensor)?)
    }
}

impl OutputKind {
    /// Bytes of one element.
    pub const fn element_bytes(&self) -> usize {
        match self {
            OutputKind::Codes(_) => 1,
            OutputKind::Logits => 4,
        }
    }
}

impl Conv2d {
    /// Taps of one window in one group: K.
    pub(crate) fn taps(&self) -> Option<usize> {
        let [height, width] = self.window.kernel.map(usize::from);
        let group_channels = usize::from(self.input.channels).checked_div(self.groups.into())?;
        height.checked_mul(width)?.checked_mul(group_channels)
    }
}

/// Checks every record against the others, the sections and the arena.
pub(crate) fn check(head: &Head, reader: &Reader) -> Result<(), Error> {
    let arena = head.arena_bytes as usize;
    let fits = |range: Range<usize>| if range.end <= arena { Ok(()) } else { Err(Error::Tensor) };
    fits(head.input.range(1)?)?;
    fits(head.output.range(head.output_kind.element_bytes())?)?;
    for layer in reader.layers() {
        let layer = layer?;
        let (ranges, count) = buffers(&layer)?;
        let ranges = ranges.get(..count).unwrap_or(&[]);
        for (i, range) in ranges.iter().enumerate() {
            fits(range.clone())?;
            // The first is the output; the second and third are read, and may be one tensor.
            let apart = |other: &Range<usize>| range.end <= other.start || other.end <= range.start;
            if i > 0 && !ranges.first().is_none_or(apart) {
                return Err(Error::Overlap);
            }
        }
        check_layer(&layer, reader)?;
    }
    Ok(())
}

/// The arena ranges a layer uses, its output first, and how many they are.
fn buffers(layer: &Layer) -> Result<([Range<usize>; 3], usize), Error> {
    Ok(match &layer.op {
        Op::Conv2d(op) => {
            let (input, scratch) = (op.input.range(1)?, op.scratch.range()?);
            if scratch.start < input.end && input.start < scratch.end {
                return Err(Error::Overlap);
            }
            ([op.output.range(op.output_kind.element_bytes())?, input, scratch], 3)
        }
        Op::Add(op) => ([op.output.range(1)?, op.inputs[0].range(1)?, op.inputs[1].range(1)?], 3),
        Op::MaxPool(op) => ([op.output.range(1)?, op.input.range(1)?, 0..0], 2),
        Op::AveragePool(op) => ([op.output.range(1)?, op.input.range(1)?, 0..0], 2),
        Op::Slice(op) => ([op.output.range(1)?, op.input.range(1)?, 0..0], 2),
        Op::Pad(op) => ([op.output.range(1)?, op.input.range(1)?, 0..0], 2),
    })
}

fn check_layer(layer: &Layer, reader: &Reader) -> Result<(), Error> {
    match &layer.op {
        Op::Conv2d(op) => check_conv(op, &reader.conv(op)?),
        Op::Add(op) => {
            check_that(op.inputs.iter().all(|input| input.same_shape(&op.output)), Error::Geometry)?;
            check_that(!op.output.is_empty(), Error::Geometry)?;
            // `infer` borrows both operands at once, or one of them for both.
            let [a, b] = [op.inputs[0].range(1)?, op.inputs[1].range(1)?];
            check_that(a == b || a.end <= b.start || b.end <= a.start, Error::Overlap)?;
            check_that(op.rescale.is_valid(), Error::Requantization)
        }
        Op::MaxPool(op) => check_pool(&op.input, &op.output, &op.window),
        Op::AveragePool(op) => {
            check_pool(&op.input, &op.output, &op.window)?;
            check_that((1..=MAX_SHIFT).contains(&op.shift), Error::Requantization)
        }
        Op::Slice(op) => {
            check_that(!op.output.is_empty() && !op.step.contains(&0), Error::Geometry)?;
            let last =
                |start: u16, step: u16, count: u16| u64::from(start) + u64::from(count - 1) * u64::from(step);
            let [to, from] = [&op.output, &op.input].map(|t| [t.height, t.width, t.channels]);
            let inside = (0..3).all(|i| last(op.start[i], op.step[i], to[i]) < u64::from(from[i]));
            check_that(inside, Error::Geometry)
        }
        Op::Pad(op) => {
            let [to, from] = [&op.output, &op.input].map(|t| [t.height, t.width, t.channels]);
            let inside = (0..3).all(|i| u32::from(op.before[i]) + u32::from(from[i]) <= u32::from(to[i]));
            check_that(inside && !op.output.is_empty(), Error::Geometry)
        }
    }
}

fn check_conv(op: &Conv2d, data: &ConvData) -> Result<(), Error> {
    check_window(&op.window)?;
    check_that(!op.input.is_empty() && !op.output.is_empty() && op.groups > 0, Error::Geometry)?;
    let groups_divide =
        op.input.channels.is_multiple_of(op.groups) && op.output.channels.is_multiple_of(op.groups);
    check_that(groups_divide, Error::Geometry)?;
    let taps = op.taps().ok_or(Error::Geometry)?;
    let outputs = usize::from(op.output.channels);
    check_that(taps.checked_mul(outputs) == Some(data.weights.len()), Error::Section)?;
    check_that(taps.checked_mul(BLOCK) == Some(op.scratch.bytes as usize), Error::Geometry)?;
    let lengths = [data.bias.len(), data.multipliers.len(), data.shifts.len()];
    check_that(lengths == [outputs; 3], Error::Section)?;
    check_that(data.activation_sums.is_none_or(|s| s.len() == outputs), Error::Section)?;
    check_that(data.shifts.iter().all(|s| (1..=MAX_SHIFT).contains(s)), Error::Requantization)?;
    let highest_row = match op.weight_coding {
        WeightCoding::Row => data.weights.iter().map(|&w| usize::from(w)).max(),
        // No row is named where all weights are 0.
        WeightCoding::SignedRow => {
            data.weights.iter().filter_map(|&w| usize::from((w as i8).unsigned_abs()).checked_sub(1)).max()
        }
    };
    check_that(highest_row.is_none_or(|row| row < data.rows.len()), Error::Table)
}

fn check_pool(input: &Tensor, output: &Tensor, window: &Window) -> Result<(), Error> {
    check_window(window)?;
    check_that(!input.is_empty() && !output.is_empty() && input.channels == output.channels, Error::Geometry)
}

fn check_window(window: &Window) -> Result<(), Error> {
    check_that(!window.kernel.contains(&0) && !window.stride.contains(&0), Error::Geometry)
}

fn check_that(holds: bool, otherwise: Error) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(otherwise) }
}
