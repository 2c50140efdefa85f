//! TensorFlow Lite models, in floats or in 8 bits.
//!
//! Files come from TensorFlow's converter, which has fused batch normalization and activations already, and orders
//! images as [`Network`] does: height x width x channels. The batch is 1. A `SOFTMAX` at the very end is dropped, as
//! are `QUANTIZE` and `DEQUANTIZE` at the ends: the network's output are the logits.
//!
//! A model in 8 bits (int8 activations, symmetric int8 weights, int32 biases) becomes the float network that its codes
//! stand for, with the codes themselves beside it ([`Network::own_codes`]). Weights alone may be int8 too, for floats to
//! be computed with.

mod constant;
mod conv;
mod flatbuffer;
mod graph;
mod importer;
mod schema;
mod shape;
mod simple;
#[cfg(test)]
mod testing;

use crate::error::{Error, Result};
use crate::network::Network;
use std::path::Path;

/// Operators that can be imported, each with restrictions that its error message explains.
pub const SUPPORTED: &[&str] = &[
    "ADD",
    "AVERAGE_POOL_2D",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEQUANTIZE",
    "FULLY_CONNECTED",
    "MAX_POOL_2D",
    "MEAN",
    "PAD",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "RESHAPE",
    "SOFTMAX",
    "SQUEEZE",
];

/// Reads the TensorFlow Lite model at `path`; the network gets the file's name without its extension.
///
/// # Errors
/// [`Error::Io`] if the file can't be read, [`Error::File`] if it is no complete model of one image input and one
/// output, [`Error::Node`] if an operator can't be imported.
pub fn tflite(path: &Path) -> Result<Network> {
    let mut network = from_bytes(&super::read(path)?, &path.display().to_string())?;
    network.name = super::network_name(path);
    Ok(network)
}

/// Reads a TensorFlow Lite model from memory; `name` becomes the network's name and stands in error messages.
///
/// # Errors
/// As [`tflite()`].
pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Network> {
    let model = schema::Model::read(bytes)
        .map_err(|reason| Error::file(name, format!("not a TensorFlow Lite model: {reason}")))?;
    importer::import(&model, name)
}

#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod tests;
