//! Loading an image and running it.

use crate::Error;
use crate::image::{self, Head, Layer, Op, OutputKind, Reader, Table};
use crate::kernels;

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

/// A checked image, ready to run.
#[derive(Clone)]
pub struct Network<'a> {
    head: Head<'a>,
    reader: Reader<'a>,
}

impl<'a> Network<'a> {
    /// Checks an image from its first byte on. `flash` may be longer than the image; it must be 4-byte
    /// aligned. The cost is a pass over all bytes; nothing is copied.
    pub fn load(flash: &'a [u8]) -> Result<Network<'a>, Error> {
        let (head, reader) = Reader::open(flash)?;
        image::check(&head, &reader)?;
        Ok(Network { head, reader })
    }

    /// The network's name.
    pub fn name(&self) -> &'a str {
        self.head.name
    }

    /// The description's head: shapes, scales and zero points of input and output.
    pub fn head(&self) -> &Head<'a> {
        &self.head
    }

    /// Bytes of working memory an inference needs.
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

    /// Number of layers.
    pub fn layer_count(&self) -> usize {
        self.head.layer_count.into()
    }

    /// The layers in running order.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'a>> + use<'a> {
        self.reader.layers().filter_map(Result::ok)
    }

    /// The multiplier tables.
    pub fn tables(&self) -> impl Iterator<Item = Table<'a>> + use<'a> {
        self.reader.tables().filter_map(Result::ok)
    }

    /// Runs one inference.
    ///
    /// `arena` is working memory of at least [`arena_bytes`](Self::arena_bytes), `input` the image's
    /// [`input_bytes`](Self::input_bytes) codes, `logits` gets [`output_len`](Self::output_len) values in
    /// units of [`Head::output_scale`]. Fails only if one of the three has the wrong length (or if the
    /// flash has changed since it was loaded).
    pub fn infer(
        &self,
        arena: &mut [u8],
        input: &[u8],
        logits: &mut [i32],
        observer: &mut impl Observer,
    ) -> Result<(), Error> {
        let arena = arena.get_mut(..self.arena_bytes()).ok_or(Error::ArenaTooSmall)?;
        if input.len() != self.input_bytes() {
            return Err(Error::InputLength);
        }
        if logits.len() != self.output_len() {
            return Err(Error::LogitsLength);
        }
        arena.get_mut(self.head.input.range(1)?).ok_or(Error::Tensor)?.copy_from_slice(input);
        for (index, layer) in self.reader.layers().enumerate() {
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
            Op::Conv2d(op) => {
                let output = op.output.range(op.output_kind.element_bytes())?;
                let ranges = [output, op.input.range(1)?, op.scratch.range()?];
                let [output, input, scratch] = arena.get_disjoint_mut(ranges).map_err(|_| Error::Overlap)?;
                kernels::conv2d(op, &self.reader.conv(op)?, input, output, scratch);
            }
            Op::Add(op) if op.inputs[0] == op.inputs[1] => {
                let ranges = [op.output.range(1)?, op.inputs[0].range(1)?];
                let [output, input] = arena.get_disjoint_mut(ranges).map_err(|_| Error::Overlap)?;
                kernels::add(op, input, input, output);
            }
            Op::Add(op) => {
                let ranges = [op.output.range(1)?, op.inputs[0].range(1)?, op.inputs[1].range(1)?];
                let [output, a, b] = arena.get_disjoint_mut(ranges).map_err(|_| Error::Overlap)?;
                kernels::add(op, a, b, output);
            }
            Op::MaxPool(op) => {
                let ranges = [op.output.range(1)?, op.input.range(1)?];
                let [output, input] = arena.get_disjoint_mut(ranges).map_err(|_| Error::Overlap)?;
                kernels::max_pool(op, input, output);
            }
            Op::AveragePool(op) => {
                let ranges = [op.output.range(1)?, op.input.range(1)?];
                let [output, input] = arena.get_disjoint_mut(ranges).map_err(|_| Error::Overlap)?;
                kernels::average_pool(op, input, output);
            }
            Op::Slice(op) => {
                let ranges = [op.output.range(1)?, op.input.range(1)?];
                let [output, input] = arena.get_disjoint_mut(ranges).map_err(|_| Error::Overlap)?;
                kernels::slice(op, input, output);
            }
            Op::Pad(op) => {
                let ranges = [op.output.range(1)?, op.input.range(1)?];
                let [output, input] = arena.get_disjoint_mut(ranges).map_err(|_| Error::Overlap)?;
                kernels::pad(op, input, output);
            }
        }
        Ok(())
    }
}
