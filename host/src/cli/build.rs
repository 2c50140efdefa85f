//! From a network and the names of multipliers to a flash image, for every subcommand that makes one.

use super::common::{HowArgs, MultiplierArgs};
use crate::board::{Board, check_fit, image_forms};
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
    /// Store multiplier tables as small as possible, or so that they are looked up fastest, or in between: up to four
    /// times the flash for two thirds of the time. For a board, the fastest that fits; else smallest.
    #[arg(long, value_enum, value_name = "FORM")]
    tables: Option<Tables>,
    /// Look every product up, even those that could be multiplied: to measure what lookup costs.
    #[arg(long)]
    lookup_only: bool,
    /// Copy tables into RAM as long as the arena stays within so many bytes. For a board whose flash is slower,
    /// as many as it has.
    #[arg(long, value_name = "BYTES")]
    copy_tables_within: Option<usize>,
}

/// How tables are stored.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Tables {
    /// One row for a weight and its negative where the multiplier allows it, and a byte for a product that is near
    /// an exact one's multiple.
    Smallest,
    /// One row for a weight and its negative where the multiplier allows it.
    Compact,
    /// One row for each weight; for large dense layers, one for each activation.
    Fastest,
}

impl ImageArgs {
    /// The forms to try in this order, for a board or for none.
    fn options(&self, network: &QuantizedNetwork, board: Option<&Board>) -> Vec<Options> {
        let of_board = board.map(|board| image_forms(network, board));
        let mut forms = of_board.map_or(vec![Options::default()], Vec::from);
        if let Some(tables) = self.tables {
            forms.truncate(1);
            forms[0].table_form = match tables {
                Tables::Smallest => TableForm::Smallest,
                Tables::Compact => TableForm::Compact,
                Tables::Fastest => TableForm::Fastest,
            };
        }
        for form in &mut forms {
            form.tables_only = self.lookup_only;
            form.copy_tables_within_bytes = self.copy_tables_within.or(form.copy_tables_within_bytes);
        }
        forms
    }

    /// Builds the image in the first form that fits the board, or in the one for no board.
    fn build(
        &self,
        network: &QuantizedNetwork,
        points: &[OperatingPoint],
        board: Option<&Board>,
    ) -> Result<FlashImage> {
        let mut reason = Error::Argument("there is no form to build the image in".into());
        for options in self.options(network, board) {
            let image = image::build_points(network, points, &options)?;
            match board.map(|board| check_fit(&image, board)) {
                None | Some(Ok(())) => return Ok(image),
                Some(Err(error)) => reason = error,
            }
        }
        Err(reason)
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

/// Builds the image of `model` with the operating points `chosen`, for a board or for none.
pub fn build(
    model: &str,
    how: &HowArgs,
    multipliers: &MultiplierArgs,
    chosen: &[Chosen],
    form: &ImageArgs,
    board: Option<&Board>,
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
        form.build(compensator.network(), &points, board)
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
