//! ONNX models.
//!
//! The importer keeps what a network computes, not how the file says it: batch normalization is folded into
//! the convolution before it, activations into the node they follow, constant subgraphs into attributes,
//! and `Identity`, `Dropout` and layout changes disappear. A `Softmax` at the very end is dropped too: the
//! network's output are the logits, whose order is the same.
//!
//! A model in 8 bits, with `QuantizeLinear` and `DequantizeLinear` around its operators, keeps its codes beside the floats
//! that these stand for ([`Network::own_codes`]).
//!
//! Images become height x width x channels, convolution weights `[o][kh][kw][i]`. The batch dimension,
//! whether symbolic or fixed, is taken to be 1.

mod attributes;
mod constant;
mod conv;
mod dense;
mod elementwise;
mod fold;
mod graph;
mod importer;
mod pool;
mod quantized;
mod reshape;
mod slice;
#[cfg(test)]
mod testing;
mod wire;

use crate::error::{Error, Result};
use crate::network::Network;
use rten_onnx::onnx::ModelProto;
use std::path::Path;

/// Operators that can be imported, each with restrictions that its error message explains.
pub const SUPPORTED: &[&str] = &[
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "DequantizeLinear",
    "Dropout",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "Identity",
    "MatMul",
    "MaxPool",
    "Pad",
    "QuantizeLinear",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Shape",
    "Slice",
    "Softmax",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

/// Reads the ONNX model at `path`; the network gets the file's name without its extension.
///
/// # Errors
/// [`Error::Io`] if the file can't be read, [`Error::File`] if it is no complete ONNX model of one image
/// input and one output, [`Error::Node`] if a node can't be imported.
pub fn onnx(path: &Path) -> Result<Network> {
    let mut network = from_bytes(&super::read(path)?, &path.display().to_string())?;
    network.name = super::network_name(path);
    Ok(network)
}

/// Reads an ONNX model from memory; `name` becomes the network's name and stands in error messages.
///
/// # Errors
/// As [`onnx()`].
pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Network> {
    let unusable = |reason: String| Error::file(name, reason);
    wire::check(bytes).map_err(|reason| unusable(format!("not an ONNX model: {reason}")))?;
    let model = ModelProto::parse_buf(bytes).map_err(|e| unusable(format!("not an ONNX model: {e}")))?;
    let graph = model.graph.ok_or_else(|| unusable("not an ONNX model: it has no graph".into()))?;
    importer::import(&graph, name)
}

#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod tests;
