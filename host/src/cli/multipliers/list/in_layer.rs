//! What multipliers do in a layer of a network, or on operands of users' own.

use super::Args;
use crate::cli::multipliers::layer::{self, Seen};
use crate::data::Count;
use crate::error::{Error, Result};
use crate::multiplier::{DistributionFile, Multiplier};
use serde::Serialize;

/// What multipliers see in the layer or file that was asked for, if one was. `signed` is the library's.
pub(super) fn seen(args: &Args, signed: bool) -> Result<Option<Seen>> {
    if let Some(path) = &args.distribution {
        return Ok(Some(Seen::Operands(DistributionFile::read(path, signed)?)));
    }
    let (Some(model), Some(_)) = (&args.network, &args.layer) else { return Ok(None) };
    let prepared = args.how.prepare(model, Count::default())?;
    let images = &prepared.all_calibration_codes();
    let layer = layer::measure(&prepared.quantized, images, args.layer.as_deref())?.pop();
    layer
        .map(|layer| Some(Seen::Codes(layer.codes)))
        .ok_or_else(|| Error::Mismatch(format!("{model} has no layer that multiplies")))
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
    pub(super) fn of(multiplier: &Multiplier, seen: &Seen) -> Result<InLayer> {
        let order = |operands_exchanged: bool| {
            let errors = seen.errors(&multiplier.table, operands_exchanged)?;
            Ok(InLayer {
                noise_pct: errors.noise_pct(),
                relative_noise_pct: errors.relative_noise.map(|noise| 100.0 * noise),
                operands_exchanged,
            })
        };
        let (plain, exchanged) = (order(false)?, order(true)?);
        Ok(if exchanged.noise_pct < plain.noise_pct { exchanged } else { plain })
    }
}
