//! How a model that came in 8 bits codes its values.
//!
//! Real values are `scale * (code - zero_point)` with i8 codes, as TensorFlow Lite and ONNX's quantized models
//! have them. The network's floats are what the codes stand for; this is kept beside them, so that quantizing can
//! give the same codes again.

use super::{Network, Op, TensorId};

/// The codes of a whole network.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnCodes {
    /// How each tensor is coded, by tensor.
    pub tensors: Vec<TensorCoding>,
    /// Codes of weights and biases, by node; `None` for all but convolutions.
    pub convs: Vec<Option<ConvCodes>>,
}

/// Scale and zero point of a tensor's i8 codes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorCoding {
    /// Real value of one step.
    pub scale: f64,
    /// Code of the real value 0.
    pub zero_point: i8,
}

impl TensorCoding {
    /// The zero point of the same codes stored as u8, 128 higher.
    pub fn unsigned_zero_point(self) -> u8 {
        self.zero_point as u8 ^ 0x80
    }
}

/// Codes of a convolution's weights and biases.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvCodes {
    /// Symmetric weight codes, laid out as the float weights.
    pub weights: Vec<i8>,
    /// Real value of one step of a weight, by output channel.
    pub weight_scales: Vec<f64>,
    /// Biases in steps of input scale times weight scale, by output channel.
    pub bias: Vec<i32>,
}

impl OwnCodes {
    /// Checks that there are codes for all of `network`'s parts, whose shapes and tensors exist already, and that
    /// operators that copy codes do not change what these mean; says what does not fit.
    pub(super) fn check(&self, network: &Network) -> Result<(), String> {
        if self.tensors.len() != network.tensors.len() || self.convs.len() != network.nodes.len() {
            return Err("8-bit codes are not those of its tensors and nodes".into());
        }
        let name = |id: TensorId| &network.tensors[id].name;
        let sensible = |scale: f64| scale.is_finite() && scale > 0.0;
        if let Some(id) = (0..self.tensors.len()).find(|&id| !sensible(self.tensors[id].scale)) {
            return Err(format!("tensor \"{}\" has a scale of {}", name(id), self.tensors[id].scale));
        }
        for (node, codes) in network.nodes.iter().zip(&self.convs) {
            let fits = match (&node.op, codes) {
                (Op::Conv2d(conv), Some(codes)) => {
                    codes.weights.len() == conv.weights.len()
                        && [codes.bias.len(), codes.weight_scales.len()] == [conv.bias.len(); 2]
                        && codes.weight_scales.iter().all(|&scale| sensible(scale))
                }
                (op, None) => !matches!(op, Op::Conv2d(_)),
                (_, Some(_)) => false,
            };
            if !fits {
                return Err(format!("8-bit codes of node \"{}\" do not fit it", node.name));
            }
            let copies = node.op.copies_elements();
            if copies && self.tensors[node.inputs[0]] != self.tensors[node.output] {
                return Err(format!(
                    "node \"{}\" copies \"{}\" to \"{}\", which are coded by different scales or zero points",
                    node.name,
                    name(node.inputs[0]),
                    name(node.output)
                ));
            }
        }
        Ok(())
    }
}
