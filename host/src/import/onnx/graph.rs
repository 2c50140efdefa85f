//! The network while it is being built, and the values that flow through the file's graph.

use super::attributes::Call;
use super::constant::Array;
use crate::network::{Node, Op, Shape, Tensor, TensorCoding, TensorId};
use std::rc::Rc;

/// What a name in the file stands for.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Constant(Rc<Array>),
    Image(Image),
}

/// A value computed from the network's input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Image {
    /// The tensor that holds it, height x width x channels.
    pub(super) id: TensorId,
    /// How the file sees it.
    pub(super) layout: Layout,
    /// Whether anything else reads it, so that it can't be changed in place.
    pub(super) shared: bool,
}

/// The axes a tensor has in the file. The batch, always 1 here, comes first in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Batch, channels, height, width.
    Nchw,
    /// Batch, height, width, channels: TensorFlow's order, before and after a `Transpose`.
    Nhwc,
    /// Batch and features. The file's feature order is channels x height x width of `from`, ours is
    /// height x width x channels: the two agree where `from` is one pixel.
    Flat {
        /// Shape before flattening.
        from: Shape,
    },
}

impl Layout {
    /// Features in the same order here and in the file.
    pub(super) fn flat(features: usize) -> Self {
        Layout::Flat { from: Shape::new(1, 1, features) }
    }

    /// For each axis in the file, ours (0 height, 1 width, 2 channels), or `None` for the batch; the error
    /// is for features in another order, whose axis is none of ours.
    pub(super) fn axes(self) -> Result<&'static [Option<usize>], String> {
        match self {
            Layout::Nchw => Ok(&[None, Some(2), Some(0), Some(1)]),
            Layout::Nhwc => Ok(&[None, Some(0), Some(1), Some(2)]),
            Layout::Flat { from } if from.height * from.width == 1 => Ok(&[None, Some(2)]),
            Layout::Flat { .. } => Err("a flattened image may only go into a dense layer".into()),
        }
    }
}

/// Tensors and nodes so far.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) tensors: Vec<Tensor>,
    pub(super) nodes: Vec<Node>,
    /// How each tensor is coded, as far as the file says so.
    pub(super) codings: Vec<Option<TensorCoding>>,
    /// Scales of the weights by output channel, of each node whose weights came in 8 bits.
    pub(super) weight_scales: Vec<Option<Vec<f64>>>,
    /// Index of the node that writes each tensor; none for the input.
    producers: Vec<Option<usize>>,
    /// Elements copied into constants and weights so far.
    spent: usize,
}

/// Most elements that constants and weights may have together. A small file could otherwise name one large
/// tensor again and again.
const MAX_SPENT: usize = 1 << 26;

impl Graph {
    /// Adds the network's input.
    pub(super) fn input(&mut self, name: &str, shape: Shape, layout: Layout) -> Image {
        self.tensors.push(Tensor { name: name.to_owned(), shape });
        self.producers.push(None);
        self.codings.push(None);
        Image { id: self.tensors.len() - 1, layout, shared: false }
    }

    /// The shape of `image` in our order.
    pub(super) fn shape(&self, image: Image) -> Shape {
        self.tensors[image.id].shape
    }

    /// The sides of `image` in the file's order, batch included.
    pub(super) fn dims(&self, image: Image) -> Vec<usize> {
        let Shape { height, width, channels } = self.shape(image);
        match image.layout {
            Layout::Nchw => vec![1, channels, height, width],
            Layout::Nhwc => vec![1, height, width, channels],
            Layout::Flat { .. } => vec![1, channels],
        }
    }

    /// Input `i` of `call` as height, width and channels; the error is for flat or TensorFlow-ordered ones.
    pub(super) fn spatial(&self, call: &Call, i: usize) -> Result<(Image, Shape), String> {
        let image = call.image(i)?;
        match image.layout {
            Layout::Nchw => Ok((image, self.shape(image))),
            _ => Err("input must have the four dimensions batch, channels, height and width".into()),
        }
    }

    /// Counts `elements` more constants or weights; the error is for too many of them.
    pub(super) fn spend(&mut self, elements: usize) -> Result<(), String> {
        self.spent = self.spent.saturating_add(elements);
        if self.spent <= MAX_SPENT { Ok(()) } else { Err("the model has too many parameters".into()) }
    }

    /// Adds the node that `call` turns into.
    pub(super) fn push(
        &mut self,
        call: &Call,
        op: Op,
        inputs: &[Image],
        shape: Shape,
        layout: Layout,
    ) -> Result<Value, String> {
        if !shape.is_sensible() {
            return Err(format!("its output of {shape} is empty or too large"));
        }
        let output = self.tensors.len();
        self.tensors.push(Tensor { name: call.output.to_owned(), shape });
        self.producers.push(Some(self.nodes.len()));
        self.codings.push(None);
        self.weight_scales.push(None);
        let inputs = inputs.iter().map(|image| image.id).collect();
        self.nodes.push(Node { name: call.name().to_owned(), op, inputs, output });
        Ok(Value::Image(Image { id: output, layout, shared: false }))
    }

    /// Gives the node added last the scales of its weights.
    pub(super) fn set_weight_scales(&mut self, scales: Option<Vec<f64>>) {
        if let Some(last) = self.weight_scales.last_mut() {
            *last = scales;
        }
    }

    /// The operation that computes `image`, to be changed in place, if nothing else reads its result.
    pub(super) fn exclusive(&mut self, image: Image) -> Option<&mut Op> {
        let producer = self.producers[image.id].filter(|_| !image.shared)?;
        Some(&mut self.nodes[producer].op)
    }

    /// Says that `image`, changed in place by `call`, is what the file calls `call.output`.
    pub(super) fn renamed(&mut self, call: &Call, image: Image) -> Value {
        call.output.clone_into(&mut self.tensors[image.id].name);
        Value::Image(image)
    }
}
