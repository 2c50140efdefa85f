//! The float network: what importers produce and the quantizer reads.
//!
//! A network is a list of nodes in the order they run, over tensors of height x width x channels (one
//! image; batches are the caller's loop). Importers have already folded batch normalization into
//! convolutions, constants into attributes, and activations into the node before them where they could.

mod float;
mod kernels;
mod own_codes;

pub use float::{FloatNetwork, argmax};
pub use own_codes::{ConvCodes, OwnCodes, TensorCoding};

use crate::error::{Error, Result};

/// Most elements a tensor may have: far above what a microcontroller holds, low enough that a broken
/// model can't make the host allocate without bound.
pub const MAX_ELEMENTS: usize = 1 << 24;

/// Height, width and channels of one image's tensor, stored in that order (channels innermost).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, innermost in memory.
    pub channels: usize,
}

impl Shape {
    /// A shape from its three sides.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Shape { height, width, channels }
    }

    /// Number of elements; [`Network::check`] makes sure that it does not overflow.
    pub const fn elements(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether no side is 0 and the elements are at most [`MAX_ELEMENTS`].
    pub fn is_sensible(&self) -> bool {
        let product = self.height.checked_mul(self.width).and_then(|x| x.checked_mul(self.channels));
        product.is_some_and(|elements| (1..=MAX_ELEMENTS).contains(&elements))
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// Index of a tensor in its network.
pub type TensorId = usize;

/// A value that flows between nodes.
#[derive(Debug, Clone)]
pub struct Tensor {
    /// The model's name for it.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
}

/// A clamp applied to a node's result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// None.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `x` kept within the two bounds (ReLU6 is 0 and 6).
    Clip {
        /// Lower bound.
        min: f32,
        /// Upper bound.
        max: f32,
    },
}

impl Activation {
    /// The activation of one value.
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::Clip { min, max } => x.max(min).min(max),
        }
    }
}

/// Where a sliding window lands: kernel, stride and zero padding, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Padding at the top and at the left.
    pub padding_before: [usize; 2],
    /// Padding at the bottom and at the right.
    pub padding_after: [usize; 2],
}

impl Window {
    /// A window as large as an input of `height` x `width`, for global pooling.
    pub const fn global(height: usize, width: usize) -> Self {
        let kernel = [height, width];
        Window { kernel, stride: [1, 1], padding_before: [0, 0], padding_after: [0, 0] }
    }

    /// Output height and width over an input of `height` x `width`; `None` if the kernel does not fit,
    /// or if kernel or stride is 0.
    pub fn output(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let side = |i: usize, size: usize| {
            let padded = size.checked_add(self.padding_before[i])?.checked_add(self.padding_after[i])?;
            if self.kernel[i] == 0 {
                return None;
            }
            Some(padded.checked_sub(self.kernel[i])?.checked_div(self.stride[i])? + 1)
        };
        Some([side(0, height)?, side(1, width)?])
    }
}

/// A convolution, or a dense layer seen as a 1x1 convolution over one pixel.
#[derive(Debug, Clone)]
pub struct Conv2d {
    /// The window; padding is with zeros.
    pub window: Window,
    /// Channel groups: 1 for a full convolution, the channel count for a depthwise one.
    pub groups: usize,
    /// Weights as `[output channel][kernel row][kernel column][input channel of the group]`.
    pub weights: Vec<f32>,
    /// One bias per output channel.
    pub bias: Vec<f32>,
    /// Applied to the result.
    pub activation: Activation,
}

/// What a node computes.
#[derive(Debug, Clone)]
pub enum Op {
    /// Convolution or dense layer; one input.
    Conv2d(Conv2d),
    /// Element-wise sum of two inputs of equal shape.
    Add(Activation),
    /// Maximum over a window, padding ignored.
    MaxPool(Window),
    /// Mean over a window; padded zeros count. Global pooling is a window as large as the input.
    AveragePool(Window),
    /// Every `step`-th element from `start` on, along height, width and channels.
    Slice {
        /// First index along each axis.
        start: [usize; 3],
        /// Distance between indices along each axis, at least 1.
        step: [usize; 3],
    },
    /// Zeros added around the input along height, width and channels.
    Pad {
        /// Zeros before the input along each axis; the output's shape tells how many come after.
        before: [usize; 3],
    },
    /// An activation that could not be fused into the node before it.
    Activation(Activation),
    /// The same elements in the same order as one pixel of many channels.
    Flatten,
}

/// One step of the network.
#[derive(Debug, Clone)]
pub struct Node {
    /// The model's name for the node.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Tensors read, in the operator's order.
    pub inputs: Vec<TensorId>,
    /// Tensor written.
    pub output: TensorId,
}

/// A trained float network of one image input and one output.
#[derive(Debug, Clone)]
pub struct Network {
    /// File name or zoo name.
    pub name: String,
    /// All tensors.
    pub tensors: Vec<Tensor>,
    /// All nodes, in an order in which they can run.
    pub nodes: Vec<Node>,
    /// The image.
    pub input: TensorId,
    /// The logits.
    pub output: TensorId,
    /// The 8-bit codes that the model came in, if it did.
    pub own_codes: Option<OwnCodes>,
}

impl Network {
    /// Multiplications of each convolution or dense node, in order, padding counted as streamed.
    pub fn multiplications(&self) -> Vec<u64> {
        self.nodes
            .iter()
            .filter_map(|node| match &node.op {
                Op::Conv2d(conv) => {
                    let output = self.tensors[node.output].shape;
                    let pixels = (output.height * output.width) as u64;
                    Some(pixels * conv.weights.len() as u64)
                }
                _ => None,
            })
            .collect()
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.nodes
            .iter()
            .map(|node| match &node.op {
                Op::Conv2d(conv) => conv.weights.len() + conv.bias.len(),
                _ => 0,
            })
            .sum()
    }

    /// Checks that every tensor has a sensible shape, that every node's inputs exist, are written before
    /// they are read, and have the shapes its output implies, and that no tensor is written twice.
    /// Importers call it last, so that whoever reads a network may trust it.
    pub fn check(&self) -> Result<()> {
        if let Some(tensor) = self.tensors.iter().find(|tensor| !tensor.shape.is_sensible()) {
            return Err(Error::Mismatch(format!(
                "{}: tensor \"{}\" is {}; sides must be at least 1 and elements at most {MAX_ELEMENTS}",
                self.name, tensor.name, tensor.shape
            )));
        }
        let mut written = vec![false; self.tensors.len()];
        let exists = |id: TensorId| id < self.tensors.len();
        if !exists(self.input) || !exists(self.output) {
            return Err(Error::Mismatch(format!("{}: input or output tensor does not exist", self.name)));
        }
        // Each tensor has at most 2^24 elements, so the sum can't overflow.
        let total: usize = self.tensors.iter().map(|tensor| tensor.shape.elements()).sum();
        if total > 4 * MAX_ELEMENTS {
            return Err(Error::Mismatch(format!("{}: tensors have {total} elements, too many", self.name)));
        }
        written[self.input] = true;
        for node in &self.nodes {
            let fail = |reason: String| Error::Node {
                model: self.name.clone(),
                node: node.name.clone(),
                operator: node.op.name().to_owned(),
                reason,
            };
            if !node.inputs.iter().copied().chain([node.output]).all(exists) {
                return Err(fail("uses a tensor that does not exist".into()));
            }
            if let Some(&id) = node.inputs.iter().find(|&&id| !written[id]) {
                return Err(fail(format!("reads \"{}\" before it is computed", self.tensors[id].name)));
            }
            let inputs: Vec<Shape> = node.inputs.iter().map(|&id| self.tensors[id].shape).collect();
            node.op.check(&inputs, self.tensors[node.output].shape).map_err(fail)?;
            if written[node.output] {
                return Err(fail(format!("writes \"{}\" again", self.tensors[node.output].name)));
            }
            written[node.output] = true;
        }
        if !written[self.output] {
            return Err(Error::Mismatch(format!("{}: no node computes the output", self.name)));
        }
        if let Some(codes) = &self.own_codes {
            codes.check(self).map_err(|reason| Error::Mismatch(format!("{}: {reason}", self.name)))?;
        }
        Ok(())
    }
}

impl Op {
    /// The operator's name in messages and tables.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Conv2d(_) => "Conv2d",
            Op::Add(_) => "Add",
            Op::MaxPool(_) => "MaxPool",
            Op::AveragePool(_) => "AveragePool",
            Op::Slice { .. } => "Slice",
            Op::Pad { .. } => "Pad",
            Op::Activation(_) => "Activation",
            Op::Flatten => "Flatten",
        }
    }

    /// Whether every element of the output is one of the input, or zero.
    pub fn copies_elements(&self) -> bool {
        matches!(self, Op::MaxPool(_) | Op::Slice { .. } | Op::Pad { .. } | Op::Flatten)
    }

    /// Checks arity and shapes; the error says what does not fit.
    fn check(&self, inputs: &[Shape], output: Shape) -> Result<(), String> {
        let arity = if matches!(self, Op::Add(_)) { 2 } else { 1 };
        if inputs.len() != arity {
            return Err(format!("has {} inputs instead of {arity}", inputs.len()));
        }
        let input = inputs[0];
        let windowed = |window: &Window, channels: usize| {
            if window.kernel.contains(&0) || window.stride.contains(&0) {
                return Err("kernel and stride must be at least 1".to_owned());
            }
            match window.output(input.height, input.width) {
                Some([height, width]) if Shape::new(height, width, channels) == output => Ok(()),
                _ => Err(format!("window does not turn {input} into {output}")),
            }
        };
        match self {
            Op::Conv2d(conv) => {
                windowed(&conv.window, output.channels)?;
                let groups = conv.groups;
                if groups == 0
                    || !(input.channels.is_multiple_of(groups) && output.channels.is_multiple_of(groups))
                {
                    return Err(format!(
                        "{groups} groups do not divide {} and {} channels",
                        input.channels, output.channels
                    ));
                }
                let [height, width] = conv.window.kernel;
                let weights = [height, width, input.channels / groups]
                    .into_iter()
                    .try_fold(output.channels, usize::checked_mul)
                    .ok_or("has too many weights")?;
                if conv.weights.len() != weights {
                    return Err(format!("has {} weights instead of {weights}", conv.weights.len()));
                }
                if conv.bias.len() != output.channels {
                    return Err(format!("has {} biases instead of {}", conv.bias.len(), output.channels));
                }
                if let Some(bad) = conv.weights.iter().chain(&conv.bias).find(|x| !x.is_finite()) {
                    return Err(format!("has a weight or bias that is {bad}"));
                }
                Ok(())
            }
            Op::Add(_) if inputs[1] != input || output != input => {
                Err(format!("adds {input} and {} into {output}", inputs[1]))
            }
            Op::Activation(_) if output != input => Err(format!("turns {input} into {output}")),
            Op::MaxPool(window) => {
                // Otherwise a window could lie in the padding alone and have no maximum.
                let padded = |i: usize| window.padding_before[i].max(window.padding_after[i]);
                if (0..2).any(|i| padded(i) >= window.kernel[i]) {
                    return Err("padding must be smaller than the kernel".to_owned());
                }
                windowed(window, input.channels)
            }
            Op::AveragePool(window) => windowed(window, input.channels),
            Op::Flatten if output != Shape::new(1, 1, input.elements()) => {
                Err(format!("turns {input} into {output}"))
            }
            Op::Slice { start, step } => {
                let (from, to) = (input.sides(), output.sides());
                let last = |i: usize| (to[i] - 1).checked_mul(step[i])?.checked_add(start[i]);
                let fits = (0..3).all(|i| step[i] > 0 && last(i).is_some_and(|last| last < from[i]));
                if fits { Ok(()) } else { Err(format!("does not cut {output} out of {input}")) }
            }
            Op::Pad { before } => {
                let (from, to) = (input.sides(), output.sides());
                if (0..3).all(|i| before[i].checked_add(from[i]).is_some_and(|end| end <= to[i])) {
                    Ok(())
                } else {
                    Err(format!("does not fit {input} into {output}"))
                }
            }
            _ => Ok(()),
        }
    }
}

impl Shape {
    /// The three sides in storage order.
    pub const fn sides(&self) -> [usize; 3] {
        [self.height, self.width, self.channels]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_node(op: Op, input: Shape, output: Shape) -> Network {
        let tensor = |name: &str, shape| Tensor { name: name.into(), shape };
        let node = Node { name: "node".into(), op, inputs: vec![0], output: 1 };
        let tensors = vec![tensor("in", input), tensor("out", output)];
        Network { name: "test".into(), tensors, nodes: vec![node], input: 0, output: 1, own_codes: None }
    }

    #[test]
    fn check_refuses_what_does_not_fit() {
        let shape = Shape::new(4, 4, 2);
        one_node(Op::Activation(Activation::Relu), shape, shape).check().unwrap();
        one_node(Op::MaxPool(Window::global(4, 4)), shape, Shape::new(1, 1, 2)).check().unwrap();

        let zero_stride = Window { stride: [0, 1], ..Window::global(4, 4) };
        let padded = Window { padding_after: [4, 0], ..Window::global(4, 4) };
        let huge = Window { padding_after: [usize::MAX, 0], ..Window::global(4, 4) };
        let one = Shape::new(1, 1, 2);
        let bad = [
            one_node(Op::AveragePool(zero_stride), shape, one),
            one_node(Op::AveragePool(huge), shape, one),
            one_node(Op::MaxPool(padded), shape, Shape::new(5, 1, 2)),
            one_node(Op::Add(Activation::Identity), shape, shape),
            one_node(Op::Slice { start: [0; 3], step: [usize::MAX, 1, 1] }, shape, shape),
            one_node(Op::Pad { before: [usize::MAX, 0, 0] }, shape, shape),
            one_node(Op::Flatten, shape, shape),
            one_node(Op::Flatten, Shape::new(0, 1, 1), Shape::new(1, 1, 0)),
            one_node(Op::Flatten, Shape::new(usize::MAX, 2, 1), Shape::new(1, 1, 1)),
        ];
        for network in bad {
            assert!(network.check().is_err(), "{:?}", network.nodes[0].op);
        }
    }

    #[test]
    fn check_refuses_a_tensor_written_twice_or_read_too_early() {
        let shape = Shape::new(1, 1, 1);
        let mut network = one_node(Op::Activation(Activation::Relu), shape, shape);
        network.nodes.push(network.nodes[0].clone());
        assert!(network.check().unwrap_err().to_string().contains("again"));
        network.nodes.pop();
        network.nodes[0].inputs = vec![1];
        assert!(network.check().unwrap_err().to_string().contains("before it is computed"));
    }
}
