//! The network while it is being built.

use super::importer::Call;
use super::schema::{Kind, Tensor as Stored};
use crate::network::{ConvCodes, Network, Node, Op, OwnCodes, Shape, Tensor, TensorCoding, TensorId};
use std::collections::HashMap;

/// Tensors and nodes so far.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) tensors: Vec<Tensor>,
    pub(super) nodes: Vec<Node>,
    /// How each tensor is coded, where it is.
    codings: Vec<Option<TensorCoding>>,
    /// Codes of weights by node, where there are any.
    convs: Vec<Option<ConvCodes>>,
    /// Our tensor for each of the file's that was computed.
    images: HashMap<usize, TensorId>,
    /// Elements copied into weights so far.
    spent: usize,
    /// Whether a softmax was dropped, so that nothing may be computed any more.
    ended: bool,
}

/// Most elements that weights may have together. A small file could otherwise name one large tensor again and again.
const MAX_SPENT: usize = 1 << 26;

/// Height, width and channels of a tensor of the file.
pub(super) fn shape(dims: &[usize]) -> Result<Shape, String> {
    match *dims {
        [1, channels] => Ok(Shape::new(1, 1, channels)),
        [1, height, width, channels] => Ok(Shape::new(height, width, channels)),
        _ => Err(format!(
            "a tensor of {dims:?} is not supported; it must have 4 dimensions or 2, the first of them a batch of 1"
        )),
    }
}

/// How `tensor` is coded; `None` if it has floats.
pub(super) fn coding(tensor: &Stored) -> Result<Option<TensorCoding>, String> {
    let name = &tensor.name;
    match tensor.kind {
        Kind::Float32 => return Ok(None),
        Kind::Int8 => {}
        other => {
            return Err(format!(
                "tensor \"{name}\" has {}; convert the model with activations of int8 or float32",
                other.name()
            ));
        }
    }
    let (&[scale], &[zero_point]) = (tensor.scales.as_slice(), tensor.zero_points.as_slice()) else {
        return Err(format!("tensor \"{name}\" has {} scales instead of one", tensor.scales.len()));
    };
    if !(scale.is_finite() && scale > 0.0) {
        return Err(format!("tensor \"{name}\" has a scale of {scale}"));
    }
    let zero_point =
        zero_point.try_into().map_err(|_| format!("tensor \"{name}\" has a zero point of {zero_point}"))?;
    Ok(Some(TensorCoding { scale: scale.into(), zero_point }))
}

impl Graph {
    /// Adds our tensor for the file's tensor `id`.
    pub(super) fn add(&mut self, id: usize, stored: &Stored, shape: Shape) -> Result<TensorId, String> {
        let coding = coding(stored)?;
        if self.images.contains_key(&id) {
            return Err(format!("computes \"{}\", which exists already", stored.name));
        }
        if !shape.is_sensible() {
            return Err(format!("\"{}\" of {shape} is empty or too large", stored.name));
        }
        self.images.insert(id, self.tensors.len());
        Ok(self.tensor(short(&stored.name), shape, coding))
    }

    fn tensor(&mut self, name: &str, shape: Shape, coding: Option<TensorCoding>) -> TensorId {
        self.tensors.push(Tensor { name: name.to_owned(), shape });
        self.codings.push(coding);
        self.tensors.len() - 1
    }

    /// Our tensor for the file's tensor `id`, if it was computed.
    pub(super) fn image(&self, id: usize) -> Option<TensorId> {
        self.images.get(&id).copied()
    }

    /// How our tensor `id` is coded.
    pub(super) fn coding(&self, id: TensorId) -> Option<TensorCoding> {
        self.codings[id]
    }

    /// Says how our tensor `id`, which was one of floats, is coded.
    pub(super) fn set_coding(&mut self, id: TensorId, coding: Option<TensorCoding>) {
        self.codings[id] = coding;
    }

    /// The shape of our tensor `id`.
    pub(super) fn shape(&self, id: TensorId) -> Shape {
        self.tensors[id].shape
    }

    /// Counts `elements` more weights; the error is for too many of them.
    pub(super) fn spend(&mut self, elements: usize) -> Result<(), String> {
        self.spent = self.spent.saturating_add(elements);
        if self.spent <= MAX_SPENT { Ok(()) } else { Err("the model has too many parameters".into()) }
    }

    /// Adds the node that `call` turns into, whose result has `shape`.
    pub(super) fn push(
        &mut self,
        call: &Call,
        op: Op,
        inputs: &[TensorId],
        shape: Shape,
    ) -> Result<(), String> {
        if self.ended {
            return Err("comes after a SOFTMAX, which is supported at the end only".into());
        }
        let (id, stored) = call.output()?;
        if self::shape(&stored.dims)? != shape {
            return Err(format!("gives {shape}, but the file says {:?}", stored.dims));
        }
        let output = self.add(id, &stored, shape)?;
        self.nodes.push(Node { name: call.name().to_owned(), op, inputs: inputs.to_vec(), output });
        self.convs.push(None);
        Ok(())
    }

    /// Gives the node added last the codes of its weights.
    pub(super) fn set_codes(&mut self, codes: Option<ConvCodes>) {
        if let Some(last) = self.convs.last_mut() {
            *last = codes;
        }
    }

    /// `image` as one pixel.
    pub(super) fn flattened(&mut self, call: &Call, image: TensorId) -> TensorId {
        let shape = self.shape(image);
        if shape.height * shape.width == 1 {
            return image;
        }
        let name = format!("{}/flat", call.name());
        let output = self.tensor(&name, Shape::new(1, 1, shape.elements()), self.codings[image]);
        self.nodes.push(Node { name, op: Op::Flatten, inputs: vec![image], output });
        self.convs.push(None);
        output
    }

    /// Says that the result of `call` is `image`, whose codes mean the same there.
    pub(super) fn alias(&mut self, call: &Call, image: TensorId) -> Result<(), String> {
        let (id, stored) = call.output()?;
        if coding(&stored)? != self.codings[image] {
            return Err("changes the scale or zero point of its input, which is not supported".into());
        }
        self.rename(id, image)
    }

    /// Says that the file's tensor `id` is `image`, whatever it says of its codes.
    pub(super) fn rename(&mut self, id: usize, image: TensorId) -> Result<(), String> {
        match self.images.insert(id, image) {
            Some(_) => Err("computes a tensor that exists already".into()),
            None => Ok(()),
        }
    }

    /// Says that `call` gives `image` as far as the network goes, which ends there.
    pub(super) fn end(&mut self, call: &Call, image: TensorId) -> Result<(), String> {
        self.ended = true;
        self.rename(call.output()?.0, image)
    }

    /// Whether the network ends before this.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The network, with its own codes if all tensors and weights came in 8 bits.
    pub(super) fn finish(self, name: &str, input: TensorId, output: TensorId) -> Network {
        let is_conv = |i: usize| matches!(self.nodes[i].op, Op::Conv2d(_));
        let all_coded = (0..self.nodes.len()).all(|i| self.convs[i].is_some() == is_conv(i));
        let tensors: Option<Vec<TensorCoding>> = self.codings.into_iter().collect();
        let own_codes = tensors.filter(|_| all_coded).map(|tensors| OwnCodes { tensors, convs: self.convs });
        Network { name: name.to_owned(), tensors: self.tensors, nodes: self.nodes, input, output, own_codes }
    }
}

/// What the converter calls a fused operator is a list of all that went into it; the first is its result.
pub(super) fn short(name: &str) -> &str {
    name.split(';').next().unwrap_or(name)
}
