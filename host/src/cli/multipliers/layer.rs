//! Layers as users name them.

use crate::error::{Error, Result};
use crate::quantize::QuantizedNetwork;

/// The place of a layer among those that multiply, by its name or that place itself.
pub fn find(network: &QuantizedNetwork, wanted: &str) -> Result<usize> {
    let names: Vec<&str> = network.convs().map(|(layer, _)| &*layer.name).collect();
    if let Some(index) = names.iter().position(|&name| name == wanted) {
        return Ok(index);
    }
    if let Some(index) = wanted.parse().ok().filter(|&index: &usize| index < names.len()) {
        return Ok(index);
    }
    let list: Vec<String> = names.iter().enumerate().map(|(i, name)| format!("  {i} {name}")).collect();
    Err(Error::Argument(format!(
        "{} has no layer \"{wanted}\" that multiplies; it has, by number and name:\n{}",
        network.name,
        list.join("\n")
    )))
}
