//! From a network and the names of multipliers to a flash image, for every subcommand that makes one.

use super::common::{HowArgs, MultiplierArgs};
use crate::compensate::Compensator;
use crate::data::Count;
use crate::error::{Error, Result};
use crate::image::{self, FlashImage};
use crate::multiplier::{Choice, ProductCache};
use crate::optimize::names;
use crate::prepare::Prepared;

/// What was built, and what from.
pub struct Built {
    /// The image.
    pub image: FlashImage,
    /// The network and its images.
    pub prepared: Prepared,
}

/// Builds the image of `model`. `chosen` names a multiplier for all layers that multiply, or one for each;
/// `flag` is how the user gave them.
pub fn build(
    model: &str,
    how: &HowArgs,
    multipliers: &MultiplierArgs,
    flag: &str,
    chosen: &[String],
) -> Result<Built> {
    let library = multipliers.library(how.scheme)?;
    let products = ProductCache::new(&library, how.scheme)?;
    let choices = chosen.iter().map(|name| Choice::parse(&library, name)).collect::<Result<Vec<Choice>>>()?;
    let prepared = how.prepare(model, Count::default())?;
    let network = &prepared.quantized;
    let layers = network.convs().count();
    let assignment = match choices.as_slice() {
        &[choice] => vec![choice; layers],
        _ if choices.len() == layers => choices,
        _ => {
            let named: Vec<&str> = network.convs().map(|(layer, _)| layer.name.as_str()).collect();
            return Err(Error::Argument(format!(
                "{flag} names {} multipliers, but {layers} layers multiply: {}",
                choices.len(),
                named.join(", ")
            )));
        }
    };
    let calibration = &prepared.calibration.codes;
    let steps = multipliers.compensation;
    let convs = Compensator::new(network, &products, steps, calibration)?.compensate(&assignment)?;
    let image = image::build(network, &convs, &names(&library, &assignment))?;
    Ok(Built { image, prepared })
}
