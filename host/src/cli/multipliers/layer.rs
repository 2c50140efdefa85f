//! Layers as users name them, and what multipliers see there or in a file of users' own.

use crate::compensate::LayerDistribution;
use crate::error::{Error, Result};
use crate::multiplier::{CodeDistribution, Distribution, TruthTable, WeightedStatistics};
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

/// What the layer called `wanted`, or every layer, multiplies on the images whose codes are given.
pub fn measure(
    network: &QuantizedNetwork,
    images: &[u8],
    wanted: Option<&str>,
) -> Result<Vec<LayerDistribution>> {
    match wanted {
        Some(wanted) => Ok(vec![LayerDistribution::measure_one(network, images, find(network, wanted)?)?]),
        None => LayerDistribution::measure(network, images),
    }
}

/// What a multiplier sees: a layer's codes, which still have the signs that a scheme keeps from the multiplier, or
/// operands.
pub enum Seen {
    /// Codes of a layer.
    Codes(CodeDistribution),
    /// Operands.
    Operands(Distribution),
}

impl Seen {
    /// The errors of `table` there, with its operands exchanged if `swapped`.
    pub fn errors(&self, table: &TruthTable, swapped: bool) -> Result<WeightedStatistics> {
        match self {
            Seen::Codes(codes) => WeightedStatistics::of_layer(table, swapped, codes),
            Seen::Operands(operands) if swapped => Ok(WeightedStatistics::of(&table.swapped(), operands)),
            Seen::Operands(operands) => Ok(WeightedStatistics::of(table, operands)),
        }
    }

    /// Multiplications by operand.
    pub fn operands(&self) -> Distribution {
        match self {
            Seen::Codes(codes) => codes.operands(),
            Seen::Operands(operands) => operands.clone(),
        }
    }
}
