//! The float network: what importers produce and the quantizer reads.
//!
//! A network is a list of nodes in the order they run, over tensors of height x width x channels (one
//! image; batches are the caller's loop). Importers have already folded batch normalization into
//! convolutions, constants into attributes, and activations into the node before them where they could.

mod float;

pub use float::FloatNetwork;

use crate::error::{Error, Result};

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

    /// Number of elements.
    pub const fn elements(&self) -> usize {
        self.height * self.width * self.channels
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
    /// Output height and width over an input of `height` x `width`; `None` if the kernel does not fit.
    pub fn output(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let side = |i: usize, size: usize| {
            let padded = size + self.padding_before[i] + self.padding_after[i];
            Some(padded.checked_sub(self.kernel[i])? / self.stride[i] + 1)
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

    /// Checks that every node's inputs exist, are written before they are read, and have the shapes
    /// its output implies. Importers call it last, so that whoever reads a network may trust it.
    pub fn check(&self) -> Result<()> {
        let mut written = vec![false; self.tensors.len()];
        let exists = |id: TensorId| id < self.tensors.len();
        if !exists(self.input) || !exists(self.output) {
            return Err(Error::Mismatch(format!("{}: input or output tensor does not exist", self.name)));
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
            written[node.output] = true;
        }
        if !written[self.output] {
            return Err(Error::Mismatch(format!("{}: no node computes the output", self.name)));
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
                if groups == 0 || input.channels % groups != 0 || output.channels % groups != 0 {
                    return Err(format!(
                        "{groups} groups do not divide {} and {} channels",
                        input.channels, output.channels
                    ));
                }
                let taps = conv.window.kernel[0] * conv.window.kernel[1] * (input.channels / groups);
                if conv.weights.len() != output.channels * taps {
                    return Err(format!(
                        "has {} weights instead of {}",
                        conv.weights.len(),
                        output.channels * taps
                    ));
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
            Op::MaxPool(window) | Op::AveragePool(window) => windowed(window, input.channels),
            Op::Flatten if output != Shape::new(1, 1, input.elements()) => {
                Err(format!("turns {input} into {output}"))
            }
            Op::Slice { start, step } => {
                let (from, to) = (input.sides(), output.sides());
                let fits =
                    (0..3).all(|i| step[i] > 0 && to[i] > 0 && start[i] + (to[i] - 1) * step[i] < from[i]);
                if fits { Ok(()) } else { Err(format!("does not cut {output} out of {input}")) }
            }
            Op::Pad { before } => {
                let (from, to) = (input.sides(), output.sides());
                if (0..3).all(|i| before[i] + from[i] <= to[i]) {
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
