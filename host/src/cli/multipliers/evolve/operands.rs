//! The operands that bounds on the noise are about.

use super::Args;
use crate::cli::common::quoted;
use crate::cli::multipliers::layer;
use crate::compensate::LayerDistribution;
use crate::data::Count;
use crate::error::{Error, Result};
use crate::evolve::Metric;
use crate::multiplier::{Distribution, DistributionFile};

/// The options that decide the operands, as they would be typed, if any are needed; an error if they suit
/// nothing.
pub(super) fn options(args: &Args) -> Result<Option<String>> {
    if args.metric != Some(Metric::Noise) {
        let flag = match (&args.network, &args.distribution) {
            (None, None) => return Ok(None),
            (Some(_), _) => "--network",
            (None, Some(_)) => "--distribution",
        };
        return Err(Error::Argument(format!("{flag} is about a bound on the noise: give --metric noise")));
    }
    if let Some(path) = &args.distribution {
        return Ok(Some(format!("--distribution {}", quoted(&path.display().to_string()))));
    }
    let Some(model) = &args.network else {
        let reason = "--metric noise is about what a layer multiplies: give --network, or --distribution";
        return Err(Error::Argument(reason.into()));
    };
    let scheme = args.how.scheme;
    if scheme.wants_signed_table() != args.signed {
        let wanted = if args.signed { "give --scheme signed too, or leave out" } else { "give" };
        return Err(Error::Argument(format!(
            "the {scheme} scheme multiplies with the other signedness: {wanted} --signed"
        )));
    }
    let layer = args.layer.as_ref().map_or_else(String::new, |layer| format!(" --layer {}", quoted(layer)));
    Ok(Some(format!("--network {}{layer} {}", quoted(model), args.how.options())))
}

/// The operands of the file, or those that multipliers see in the layer or in all layers; none if the goals need
/// none.
pub(super) fn measure(args: &Args) -> Result<Option<Distribution>> {
    if let Some(path) = &args.distribution {
        return DistributionFile::read(path, args.signed).map(Some);
    }
    let Some(model) = &args.network else { return Ok(None) };
    let prepared = args.how.prepare(model, Count::default())?;
    let (network, images) = (&prepared.quantized, &prepared.all_calibration_codes());
    let layers = layer::measure(network, images, args.layer.as_deref())?;
    Ok(Some(LayerDistribution::operands_of_all(&layers)))
}
