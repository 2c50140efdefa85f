//! From a network and the names of multipliers to a flash image, for every subcommand that makes one.

use super::common::{HowArgs, MultiplierArgs};
use crate::compensate::Compensator;
use crate::data::Count;
use crate::error::{Error, Result};
use crate::image::{self, FlashImage, OperatingPoint, Options, TableForm};
use crate::multiplier::{Choice, ProductCache};
use crate::optimize::names;
use crate::prepare::Prepared;

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

/// The multipliers that were asked for.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// How the user gave them.
    pub flag: &'static str,
    /// One for all layers that multiply, or one for each.
    pub names: &'a [String],
}

/// What was built, and what from.
pub struct Built {
    /// The image.
    pub image: FlashImage,
    /// The network and its images.
    pub prepared: Prepared,
}

/// Builds the image of `model` with the multipliers `chosen`.
pub fn build(
    model: &str,
    how: &HowArgs,
    multipliers: &MultiplierArgs,
    chosen: Chosen,
    form: &ImageArgs,
) -> Result<Built> {
    if form.lookup_only && multipliers.steps()?.max_codes.is_some() {
        return Err(Error::Argument(
            "--lookup-only gives tables to layers that need none, which --max-weight-codes leaves as they are: leave \
             out one of them"
                .into(),
        ));
    }
    let (image, prepared) =
        with_network(model, how, multipliers, chosen, |compensator, assignment, names| {
            let convs = compensator.compensate(assignment)?;
            let point = OperatingPoint { name: "", convs: &convs, multipliers: names };
            image::build_points(compensator.network(), &[point], &form.options())
        })?;
    Ok(Built { image, prepared })
}

/// Prepares `model` and whoever compensates it, and gives them with the assignment of the multipliers `chosen` and
/// their names to `then`.
pub fn with_network<T>(
    model: &str,
    how: &HowArgs,
    multipliers: &MultiplierArgs,
    chosen: Chosen,
    then: impl FnOnce(&Compensator, &[Choice], &[String]) -> Result<T>,
) -> Result<(T, Prepared)> {
    let steps = multipliers.steps()?;
    let library = multipliers.library(how.scheme)?;
    let products = ProductCache::new(&library, how.scheme)?;
    let choices =
        chosen.names.iter().map(|name| Choice::parse(&library, name)).collect::<Result<Vec<Choice>>>()?;
    let prepared = how.prepare(model, Count::default())?;
    let network = &prepared.quantized;
    let layers = network.convs().count();
    let assignment = match choices.as_slice() {
        &[choice] => vec![choice; layers],
        _ if choices.len() == layers => choices,
        _ => {
            let named: Vec<&str> = network.convs().map(|(layer, _)| layer.name.as_str()).collect();
            return Err(Error::Argument(format!(
                "{} names {} multipliers, but {layers} layers multiply: {}",
                chosen.flag,
                choices.len(),
                named.join(", ")
            )));
        }
    };
    let compensator = Compensator::new(network, &products, steps, &prepared.calibration.codes)?;
    let result = then(&compensator, &assignment, &names(&library, &assignment))?;
    drop(compensator);
    Ok((result, prepared))
}
