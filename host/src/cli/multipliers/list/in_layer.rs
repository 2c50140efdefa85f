//! What multipliers do in a layer of a network.

use crate::cli::common::HowArgs;
use crate::cli::multipliers::layer;
use crate::compensate::LayerDistribution;
use crate::error::Result;
use crate::multiplier::{CodeDistribution, Multiplier, WeightedStatistics};
use serde::Serialize;

/// The codes that the layer's multiplications see.
pub(super) fn codes(model: &str, layer: &str, how: &HowArgs) -> Result<CodeDistribution> {
    let prepared = how.prepare(model, 0)?;
    let network = &prepared.quantized;
    let index = layer::find(network, layer)?;
    Ok(LayerDistribution::measure_one(network, &prepared.calibration.codes, index)?.codes)
}

/// What a multiplier does in a layer, in the better order of its operands.
#[derive(Clone, Copy, Serialize)]
pub(super) struct InLayer {
    /// What is left when each weight's mean error is made up for, in percent of 65,536.
    pub noise_pct: f64,
    /// The same as a share of what the layer's products vary by themselves, in percent.
    pub relative_noise_pct: Option<f64>,
    /// Whether the better order is the exchanged one.
    pub operands_exchanged: bool,
}

impl InLayer {
    pub(super) fn of(multiplier: &Multiplier, codes: &CodeDistribution) -> Result<InLayer> {
        let order = |operands_exchanged: bool| {
            let errors = WeightedStatistics::of_layer(&multiplier.table, operands_exchanged, codes)?;
            Ok(InLayer {
                noise_pct: 100.0 * errors.corrected_variance.sqrt() / 65536.0,
                relative_noise_pct: errors.relative_noise.map(|noise| 100.0 * noise),
                operands_exchanged,
            })
        };
        let (plain, exchanged) = (order(false)?, order(true)?);
        Ok(if exchanged.noise_pct < plain.noise_pct { exchanged } else { plain })
    }
}
