//! From a network and the names of multipliers to a flash image, for every subcommand that makes one.

use super::common::{HowArgs, MultiplierArgs};
use crate::compensate::Compensator;
use crate::data::Count;
use crate::error::{Error, Result};
use crate::image::{self, FlashImage, OperatingPoint, Options, TableForm};
use crate::multiplier::{Choice, ProductCache};
use crate::optimize::names;
use crate::prepare::Prepared;
use crate::quantize::QuantizedNetwork;

/// How an image is built.
#[derive(Debug, Clone, clap::Args)]
pub struct ImageArgs {
    /// Store multiplier tables as small as possible, or so that they are looked up fastest: up to twice the
    /// flash for a tenth of the time.
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    tables: Tables,
    /// Look every product up, even those that could be multiplied: to measure what lookup costs.
    #[arg(long)]
    lookup_only: bool,
    /// Copy tables into RAM as long as the arena stays within so many bytes: for boards whose RAM is faster
    /// than their flash.
    #[arg(long, value_name = "BYTES")]
    copy_tables_within: Option<usize>,
}

/// How tables are stored.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Tables {
    /// One row for a weight and its negative where the multiplier allows it.
    #[default]
    Smallest,
    /// One row for each weight.
    Fastest,
}

impl ImageArgs {
    fn options(&self) -> Options {
        Options {
            table_form: match self.tables {
                Tables::Smallest => TableForm::Smallest,
                Tables::Fastest => TableForm::Fastest,
            },
            tables_only: self.lookup_only,
            copy_tables_within_bytes: self.copy_tables_within,
        }
    }
}

/// The multipliers of an operating point, as they were asked for.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// How the user gave them.
    pub flag: &'static str,
    /// What the point is called.
    pub name: String,
    /// One for all layers that multiply, or one for each.
    pub multipliers: Vec<String>,
}

impl Chosen {
    /// The only point of an image.
    pub fn only(flag: &'static str, multipliers: &[String]) -> Vec<Chosen> {
        vec![Chosen { flag, name: String::new(), multipliers: multipliers.to_vec() }]
    }

    /// A point given as `NAME=MULTIPLIER,...`.
    pub fn parse(flag: &'static str, text: &str) -> Result<Chosen> {
        let (name, multipliers) =
            text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
                Error::Argument(format!("{flag} {text}: an operating point is given as NAME=MULTIPLIER,..."))
            })?;
        let multipliers = multipliers.split(',').map(str::to_owned).collect();
        Ok(Chosen { flag, name: name.to_owned(), multipliers })
    }
}

/// What was built, and what from.
pub struct Built {
    /// The image.
    pub image: FlashImage,
    /// The network and its images.
    pub prepared: Prepared,
}

/// Builds the image of `model` with the operating points `chosen`.
pub fn build(
    model: &str,
    how: &HowArgs,
    multipliers: &MultiplierArgs,
    chosen: &[Chosen],
    form: &ImageArgs,
) -> Result<Built> {
    if form.lookup_only && multipliers.steps()?.max_codes.is_some() {
        return Err(Error::Argument(
            "--lookup-only gives tables to layers that need none, which --max-weight-codes leaves as they are: leave \
             out one of them"
                .into(),
        ));
    }
    let (image, prepared) = with_network(model, how, multipliers, chosen, |compensator, assigned| {
        let compensated = assigned
            .iter()
            .map(|point| compensator.compensate(&point.assignment))
            .collect::<Result<Vec<_>>>()?;
        let points: Vec<OperatingPoint> = chosen
            .iter()
            .zip(assigned)
            .zip(&compensated)
            .map(|((point, assigned), convs)| OperatingPoint {
                name: &point.name,
                convs,
                multipliers: &assigned.names,
            })
            .collect();
        image::build_points(compensator.network(), &points, &form.options())
    })?;
    Ok(Built { image, prepared })
}

/// An operating point's multipliers, found in the library.
pub struct Assigned {
    /// One for each layer that multiplies.
    pub assignment: Vec<Choice>,
    /// Their names.
    pub names: Vec<String>,
}

/// Prepares `model` and whoever compensates it, and gives them with the assignments of the points `chosen` to
/// `then`.
pub fn with_network<T>(
    model: &str,
    how: &HowArgs,
    multipliers: &MultiplierArgs,
    chosen: &[Chosen],
    then: impl FnOnce(&Compensator, &[Assigned]) -> Result<T>,
) -> Result<(T, Prepared)> {
    let steps = multipliers.steps()?;
    let library = multipliers.library(how.scheme)?;
    let products = ProductCache::new(&library, how.scheme)?;
    let choices = chosen
        .iter()
        .map(|point| point.multipliers.iter().map(|name| Choice::parse(&library, name)).collect())
        .collect::<Result<Vec<Vec<Choice>>>>()?;
    let prepared = how.prepare(model, Count::default())?;
    let network = &prepared.quantized;
    let assigned = chosen.iter().zip(choices).map(|(point, choices)| {
        let assignment = assignment(network, point.flag, choices)?;
        let names = names(&library, &assignment);
        Ok(Assigned { assignment, names })
    });
    let assigned = assigned.collect::<Result<Vec<Assigned>>>()?;
    let compensator = Compensator::new(network, &products, steps, &prepared.calibration.codes)?;
    let result = then(&compensator, &assigned)?;
    drop(compensator);
    Ok((result, prepared))
}

/// A multiplier for each layer that multiplies.
fn assignment(network: &QuantizedNetwork, flag: &str, choices: Vec<Choice>) -> Result<Vec<Choice>> {
    let layers = network.convs().count();
    match choices.as_slice() {
        &[choice] => Ok(vec![choice; layers]),
        _ if choices.len() == layers => Ok(choices),
        _ => {
            let named: Vec<&str> = network.convs().map(|(layer, _)| layer.name.as_str()).collect();
            Err(Error::Argument(format!(
                "{flag} names {} multipliers, but {layers} layers multiply: {}",
                choices.len(),
                named.join(", ")
            )))
        }
    }
}
