//! What [`Network::load`](crate::Network::load) checks beyond the checksum, so that running a layer needs
//! no further decisions. Bytes with a right checksum can still be hostile or written by a faulty tool.

use super::{
    ALIGNMENT_BYTES, Conv2d, Head, Kernel, Layer, Op, OutputKind, Reader, RowSource, Scratch, Section,
    Tensor, WeightCoding, Window,
};
use crate::Error;
use crate::arithmetic::MAX_SHIFT;
use crate::kernels::NamedRows;
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

impl RowSource {
    /// The bytes of the arena that hold the copy, if there is one.
    pub(crate) fn copy_range(&self, reader: &Reader) -> Result<Option<Range<usize>>, Error> {
        let Some(start) = self.copy else { return Ok(None) };
        let start = start as usize;
        let bytes = reader.table(self.table)?.entries.bytes as usize;
        Ok(Some(start..start.checked_add(bytes).ok_or(Error::Tensor)?))
    }
}

impl Kernel {
    /// The table it looks up, if it does.
    pub fn rows(&self) -> Option<RowSource> {
        match self {
            Kernel::Table { rows, .. }
            | Kernel::DepthwiseTable { rows, .. }
            | Kernel::TableByActivation { rows, .. } => Some(*rows),
            Kernel::Product { .. } | Kernel::DepthwiseProduct { .. } => None,
        }
    }
}

/// Checks every record against the others, the sections and the arena.
pub(crate) fn check(head: &Head, reader: &Reader) -> Result<(), Error> {
    let arena = head.arena_bytes as usize;
    let fits = |range: &Range<usize>| if range.end <= arena { Ok(()) } else { Err(Error::Tensor) };
    fits(&head.input.range(1)?)?;
    fits(&head.output.range(head.output_kind.element_bytes())?)?;
    for table in reader.tables() {
        reader.rows(&table?)?;
    }
    for point in reader.points() {
        for layer in point?.1.iter() {
            let layer = layer?;
            let (output, read) = buffers(&layer, reader)?;
            fits(&output)?;
            for (i, range) in read.iter().enumerate() {
                fits(range)?;
                let in_place = matches!(layer.op, Op::Add(_)) && *range == output;
                check_that(in_place || apart(range, &output), Error::Overlap)?;
                // What is read may lie together, but for scratch memory, which is written too.
                let scratch = matches!(layer.op, Op::Conv2d(_)) && i == 1;
                let others = read.iter().enumerate().filter(|&(j, _)| scratch && j != i);
                check_that(others.into_iter().all(|(_, other)| apart(range, other)), Error::Overlap)?;
            }
            check_layer(&layer, reader)?;
        }
    }
    Ok(())
}

fn apart(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.end <= b.start || b.end <= a.start || a.is_empty() || b.is_empty()
}

/// The arena ranges a layer writes its result to, and those it reads or, a convolution's second, works in.
fn buffers(layer: &Layer, reader: &Reader) -> Result<(Range<usize>, [Range<usize>; 3]), Error> {
    Ok(match &layer.op {
        Op::Conv2d(op) => {
            let copy = op.kernel.rows().map(|rows| rows.copy_range(reader)).transpose()?.flatten();
            let read = [op.input.range(1)?, op.scratch.range()?, copy.unwrap_or(0..0)];
            (op.output.range(op.output_kind.element_bytes())?, read)
        }
        Op::Add(op) => (op.output.range(1)?, [op.inputs[0].range(1)?, op.inputs[1].range(1)?, 0..0]),
        Op::MaxPool(op) => (op.output.range(1)?, [op.input.range(1)?, 0..0, 0..0]),
        Op::AveragePool(op) => (op.output.range(1)?, [op.input.range(1)?, 0..0, 0..0]),
        Op::Slice(op) => (op.output.range(1)?, [op.input.range(1)?, 0..0, 0..0]),
        Op::Pad(op) => (op.output.range(1)?, [op.input.range(1)?, 0..0, 0..0]),
        Op::CopyTable(op) => (op.to.range()?, [0..0, 0..0, 0..0]),
    })
}

fn check_layer(layer: &Layer, reader: &Reader) -> Result<(), Error> {
    match &layer.op {
        op if !op.is_supported() => Err(Error::Unsupported),
        Op::Conv2d(op) => check_conv(op, reader),
        Op::Add(op) => {
            check_that(op.inputs.iter().all(|input| input.same_shape(&op.output)), Error::Geometry)?;
            check_that(!op.output.is_empty(), Error::Geometry)?;
            // `infer` borrows both operands at once, or one of them for both.
            let [a, b] = [op.inputs[0].range(1)?, op.inputs[1].range(1)?];
            check_that(a == b || apart(&a, &b), Error::Overlap)?;
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
        Op::CopyTable(op) => {
            check_that(op.to.bytes == reader.table(op.table)?.entries.bytes, Error::Table)?;
            check_that(is_aligned(op.to.offset), Error::Misaligned)
        }
    }
}

fn is_aligned(offset: u32) -> bool {
    (offset as usize).is_multiple_of(ALIGNMENT_BYTES)
}

fn check_conv(op: &Conv2d, reader: &Reader) -> Result<(), Error> {
    check_window(&op.window)?;
    check_that(!op.input.is_empty() && !op.output.is_empty() && op.groups > 0, Error::Geometry)?;
    let groups_divide =
        op.input.channels.is_multiple_of(op.groups) && op.output.channels.is_multiple_of(op.groups);
    check_that(groups_divide, Error::Geometry)?;
    check_that(op.scratch_bytes() == Some(op.scratch.bytes as usize), Error::Geometry)?;
    check_that(is_aligned(op.scratch.offset), Error::Misaligned)?;
    let depthwise = op.groups == op.input.channels && op.groups == op.output.channels;
    let weights = match &op.kernel {
        Kernel::Table { rows, coding, weights } => check_rows(rows, *coding, *weights, reader)?,
        Kernel::TableByActivation { rows, weights } => {
            check_that(op.groups == 1, Error::Geometry)?;
            check_that(rows.copy.is_none_or(is_aligned), Error::Misaligned)?;
            check_that(reader.table(rows.table)?.rows == 256, Error::Table)?;
            reader.weight_blocks(*weights)?.as_flattened().len()
        }
        Kernel::DepthwiseTable { rows, coding, weights } => {
            check_that(depthwise, Error::Geometry)?;
            check_rows(rows, *coding, *weights, reader)?
        }
        Kernel::Product { operand, width, weights } => {
            reader.factor(*operand)?;
            reader.product_weights(*width, *weights)?.len()
        }
        Kernel::DepthwiseProduct { operand, width, weights } => {
            check_that(depthwise, Error::Geometry)?;
            reader.factor(*operand)?;
            reader.depthwise_weights(*width, *weights)?.len()
        }
    };
    check_that(op.stored_weights() == Some(weights), Error::Section)?;
    let outputs = usize::from(op.output.channels);
    let finish = reader.requantization(op)?;
    let lengths = [finish.bias.len(), finish.multipliers.len(), finish.shifts.len()];
    check_that(lengths == [outputs; 3], Error::Section)?;
    check_that(finish.activation_sums.is_none_or(|s| s.len() == outputs), Error::Section)?;
    check_that(finish.shifts.iter().all(|s| (1..=MAX_SHIFT).contains(s)), Error::Requantization)
}

/// Checks that every weight names a row that exists, and returns the number of weights. Kernels rely on it.
fn check_rows(
    source: &RowSource,
    coding: WeightCoding,
    weights: Section,
    reader: &Reader,
) -> Result<usize, Error> {
    check_that(source.copy.is_none_or(is_aligned), Error::Misaligned)?;
    let rows = reader.rows(&reader.table(source.table)?)?;
    let weights = reader.section(weights)?;
    NamedRows::new(rows, coding, weights).map(|named| named.len()).ok_or(Error::Table)
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
