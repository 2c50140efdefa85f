//! Loading an image and running it.

use crate::Error;
use crate::image::{
    self, ALIGNMENT_BYTES, Add, Conv2d, Head, Kernel, Layer, Layers, Op, OutputKind, Point, Reader, Table,
};
use crate::kernels::{self, NamedRows, Rows, conv};
use core::ops::Range;

/// Called around every layer, for timing and progress.
pub trait Observer {
    /// Layer `index` is about to run.
    fn before_layer(&mut self, index: usize) {
        let _ = index;
    }
    /// Layer `index` has run.
    fn after_layer(&mut self, index: usize) {
        let _ = index;
    }
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// Working memory for a network: as an array with the alignment that kernels need.
#[derive(Debug, Clone)]
#[repr(C, align(8))]
pub struct Arena<const BYTES: usize>(pub [u8; BYTES]);

impl<const BYTES: usize> Default for Arena<BYTES> {
    fn default() -> Self {
        Arena([0; BYTES])
    }
}

/// A checked image at one of its operating points, ready to run.
#[derive(Clone)]
pub struct Network<'a> {
    head: Head<'a>,
    reader: Reader<'a>,
    point: Point<'a>,
    layers: Layers<'a>,
}

impl<'a> Network<'a> {
    /// Checks an image from its first byte on. `flash` may be longer than the image; it must be 4-byte
    /// aligned. The cost is a pass over all bytes; nothing is copied. The network is at its first operating
    /// point.
    pub fn load(flash: &'a [u8]) -> Result<Network<'a>, Error> {
        let (head, reader) = Reader::open(flash)?;
        image::check(&head, &reader)?;
        let (point, layers) = reader.points().next().ok_or(Error::NoSuchPoint)??;
        Ok(Network { head, reader, point, layers })
    }

    /// The same network at operating point `index`. Nothing is checked again: it costs next to nothing.
    pub fn at_point(&self, index: usize) -> Result<Network<'a>, Error> {
        let (point, layers) = self.reader.points().nth(index).ok_or(Error::NoSuchPoint)??;
        Ok(Network { point, layers, ..self.clone() })
    }

    /// Number of operating points.
    pub fn point_count(&self) -> usize {
        self.head.point_count.into()
    }

    /// The name of the operating point.
    pub fn point_name(&self) -> &'a str {
        self.point.name
    }

    /// The network's name.
    pub fn name(&self) -> &'a str {
        self.head.name
    }

    /// The description's head: shapes, scales and zero points of input and output.
    pub fn head(&self) -> &Head<'a> {
        &self.head
    }

    /// Bytes of working memory an inference needs, at any operating point.
    pub fn arena_bytes(&self) -> usize {
        self.head.arena_bytes as usize
    }

    /// Bytes of an input: one activation code an element, height x width x channels.
    pub fn input_bytes(&self) -> usize {
        // Loading has checked that this fits the arena.
        self.head.input.elements().unwrap_or(0)
    }

    /// Number of logits.
    pub fn output_len(&self) -> usize {
        self.head.output.elements().unwrap_or(0)
    }

    /// Number of layers at this operating point.
    pub fn layer_count(&self) -> usize {
        self.layers.count.into()
    }

    /// The layers in running order.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'a>> + use<'a> {
        self.layers.iter().filter_map(Result::ok)
    }

    /// The multiplier tables, of all operating points.
    pub fn tables(&self) -> impl Iterator<Item = Table<'a>> + use<'a> {
        self.reader.tables().filter_map(Result::ok)
    }

    /// The requantization shifts of a convolution of this network, one an output channel.
    pub fn shifts(&self, conv: &Conv2d) -> &'a [u8] {
        // Loading has checked the sections of its own layers.
        self.reader.section(conv.shifts).unwrap_or(&[])
    }

    /// Runs one inference.
    ///
    /// `arena` is working memory of at least [`arena_bytes`](Self::arena_bytes), 4-byte aligned like an
    /// [`Arena`]; `input` the image's [`input_bytes`](Self::input_bytes) codes; `logits` gets
    /// [`output_len`](Self::output_len) values in units of [`Head::output_scale`]. Fails only if one of the
    /// three has the wrong length or place (or if the flash has changed since it was loaded).
    pub fn infer(
        &self,
        arena: &mut [u8],
        input: &[u8],
        logits: &mut [i32],
        observer: &mut impl Observer,
    ) -> Result<(), Error> {
        let arena = arena.get_mut(..self.arena_bytes()).ok_or(Error::ArenaTooSmall)?;
        if arena.as_ptr().align_offset(ALIGNMENT_BYTES) != 0 {
            return Err(Error::ArenaMisaligned);
        }
        if input.len() != self.input_bytes() {
            return Err(Error::InputLength);
        }
        if logits.len() != self.output_len() {
            return Err(Error::LogitsLength);
        }
        copy(input, arena.get_mut(self.head.input.range(1)?).ok_or(Error::Tensor)?)?;
        for (index, layer) in self.layers.iter().enumerate() {
            let layer = layer?;
            observer.before_layer(index);
            self.run(&layer.op, arena)?;
            observer.after_layer(index);
        }
        let kind = self.head.output_kind;
        let output = arena.get(self.head.output.range(kind.element_bytes())?).ok_or(Error::Tensor)?;
        match kind {
            OutputKind::Codes(range) => {
                for (logit, &code) in logits.iter_mut().zip(output) {
                    *logit = i32::from(code) - i32::from(range.zero_point);
                }
            }
            OutputKind::Logits => {
                for (logit, bytes) in logits.iter_mut().zip(output.as_chunks::<4>().0) {
                    *logit = i32::from_le_bytes(*bytes);
                }
            }
        }
        Ok(())
    }

    fn run(&self, op: &Op, arena: &mut [u8]) -> Result<(), Error> {
        match op {
            op if !op.is_supported() => return Err(Error::Unsupported),
            Op::Conv2d(op) => return self.run_conv(op, arena),
            Op::Add(op) => return run_add(op, arena),
            Op::CopyTable(op) => {
                let entries: &[u8] = self.reader.section(self.reader.table(op.table)?.entries)?;
                copy(entries, arena.get_mut(op.to.range()?).ok_or(Error::Tensor)?)?;
            }
            Op::MaxPool(op) => {
                let [output, input] = disjoint(arena, [op.output.range(1)?, op.input.range(1)?])?;
                kernels::max_pool(op, input, output);
            }
            Op::AveragePool(op) => {
                let [output, input] = disjoint(arena, [op.output.range(1)?, op.input.range(1)?])?;
                kernels::average_pool(op, input, output);
            }
            Op::Slice(op) => {
                let [output, input] = disjoint(arena, [op.output.range(1)?, op.input.range(1)?])?;
                kernels::slice(op, input, output);
            }
            Op::Pad(op) => {
                let [output, input] = disjoint(arena, [op.output.range(1)?, op.input.range(1)?])?;
                kernels::pad(op, input, output);
            }
        }
        Ok(())
    }

    fn run_conv(&self, op: &Conv2d, arena: &mut [u8]) -> Result<(), Error> {
        let reader = &self.reader;
        let finish = reader.requantization(op)?;
        let output = op.output.range(op.output_kind.element_bytes())?;
        let (input, scratch) = (op.input.range(1)?, op.scratch.range()?);
        match &op.kernel {
            Kernel::Table { rows, coding, weights } => {
                let weights = reader.section(*weights)?;
                if let Some(copy) = rows.copy_range(reader)? {
                    let [output, input, scratch, copy] = disjoint(arena, [output, input, scratch, copy])?;
                    let rows = Rows::new(&reader.table(rows.table)?, copy).ok_or(Error::Section)?;
                    let rows = NamedRows::accepted_before(rows, *coding, weights);
                    conv::table(op, &rows, &finish, input, output, scratch);
                } else {
                    let [output, input, scratch] = disjoint(arena, [output, input, scratch])?;
                    let rows = reader.rows(&reader.table(rows.table)?)?;
                    let rows = NamedRows::accepted_before(rows, *coding, weights);
                    conv::table(op, &rows, &finish, input, output, scratch);
                }
            }
            Kernel::TableByActivation { rows, weights } => {
                let weights = reader.weight_blocks(*weights)?;
                if let Some(copy) = rows.copy_range(reader)? {
                    let [output, input, scratch, copy] = disjoint(arena, [output, input, scratch, copy])?;
                    let rows = Rows::new(&reader.table(rows.table)?, copy).ok_or(Error::Section)?;
                    conv::table_by_activation(op, rows, weights, &finish, input, output, scratch);
                } else {
                    let [output, input, scratch] = disjoint(arena, [output, input, scratch])?;
                    let rows = reader.rows(&reader.table(rows.table)?)?;
                    conv::table_by_activation(op, rows, weights, &finish, input, output, scratch);
                }
            }
            Kernel::DepthwiseTable { rows, coding, weights } => {
                let weights = reader.section(*weights)?;
                if let Some(copy) = rows.copy_range(reader)? {
                    let [output, input, scratch, copy] = disjoint(arena, [output, input, scratch, copy])?;
                    let rows = Rows::new(&reader.table(rows.table)?, copy).ok_or(Error::Section)?;
                    let rows = NamedRows::accepted_before(rows, *coding, weights);
                    conv::depthwise_table(op, &rows, &finish, input, output, words(scratch)?);
                } else {
                    let [output, input, scratch] = disjoint(arena, [output, input, scratch])?;
                    let rows = reader.rows(&reader.table(rows.table)?)?;
                    let rows = NamedRows::accepted_before(rows, *coding, weights);
                    conv::depthwise_table(op, &rows, &finish, input, output, words(scratch)?);
                }
            }
            Kernel::Product { operand, width, weights } => {
                let [output, input, scratch] = disjoint(arena, [output, input, scratch])?;
                let weights = reader.product_weights(*width, *weights)?;
                let factor = reader.factor(*operand)?;
                conv::product(op, factor, weights, &finish, input, output, words(scratch)?);
            }
            Kernel::DepthwiseProduct { operand, width, weights } => {
                let [output, input, scratch] = disjoint(arena, [output, input, scratch])?;
                let weights = reader.depthwise_weights(*width, *weights)?;
                let factor = reader.factor(*operand)?;
                conv::depthwise_product(op, factor, weights, &finish, input, output, words(scratch)?);
            }
        }
        Ok(())
    }
}

fn run_add(op: &Add, arena: &mut [u8]) -> Result<(), Error> {
    let output = op.output.range(1)?;
    let [a, b] = [op.inputs[0].range(1)?, op.inputs[1].range(1)?];
    if a == output && b == output {
        kernels::add_to_itself(op, arena.get_mut(output).ok_or(Error::Tensor)?);
    } else if a == output {
        let [output, b] = disjoint(arena, [output, b])?;
        kernels::add_onto(op, 0, b, output);
    } else if b == output {
        let [output, a] = disjoint(arena, [output, a])?;
        kernels::add_onto(op, 1, a, output);
    } else if a == b {
        let [output, input] = disjoint(arena, [output, a])?;
        kernels::add(op, input, input, output);
    } else {
        let [output, a, b] = disjoint(arena, [output, a, b])?;
        kernels::add(op, a, b, output);
    }
    Ok(())
}

/// Copies bytes to a place of their length: loading has checked that it is.
fn copy(from: &[u8], to: &mut [u8]) -> Result<(), Error> {
    if from.len() != to.len() {
        return Err(Error::Tensor);
    }
    to.copy_from_slice(from);
    Ok(())
}

/// Scratch memory that holds words: loading has checked that it is aligned.
fn words(scratch: &mut [u8]) -> Result<&mut [u32], Error> {
    bytemuck::try_cast_slice_mut(scratch).map_err(|_| Error::Tensor)
}

fn disjoint<const N: usize>(arena: &mut [u8], ranges: [Range<usize>; N]) -> Result<[&mut [u8]; N], Error> {
    arena.get_disjoint_mut(ranges).map_err(|_| Error::Overlap)
}
