//! What a search minimises beside error and energy.
//!
//! Each further objective is a [`Cost`]: something known of an assignment without running it. To add one, give
//! [`Objective`] another member, name it in its text forms, and make its cost in [`costs`]; what it comes to at points
//! that were compensated in full is read off their image, by [`Objective::at`].

use super::on_device::{OnDevice, Target};
use super::options::Options;
use super::run::names;
use super::shortlist::Shortlist;
use crate::board::Board;
use crate::board::latency::LayerCost;
use crate::board::prediction::AssignmentCosts;
use crate::compensate::Compensator;
use crate::error::{Error, Result};
use crate::image::{self, FlashModel};
use crate::multiplier::{Choice, Library};
use serde::Serialize;
use std::str::FromStr;

/// An objective beside error and energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The bytes of the flash image.
    Flash,
    /// The cycles of an inference on the board of the options, as they are predicted.
    Latency,
}

impl Objective {
    /// What it comes to for an image: to be minimised, in any unit.
    pub(super) fn at(self, image: &OnDevice) -> f64 {
        match self {
            Objective::Flash => image.flash_bytes as f64,
            Objective::Latency => image.latency.map_or(f64::INFINITY, Objective::time),
        }
    }

    /// Cycles, or instructions where no cycles are estimated.
    pub(super) fn time(cost: LayerCost) -> f64 {
        cost.cycles.unwrap_or(cost.insns) as f64
    }
}

/// Names of objectives as a user types them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectiveName {
    /// The error, which always is one.
    Error,
    /// Energy, likewise.
    Energy,
    /// The area of all tiles.
    Area,
    /// Another.
    Other(Objective),
}

impl FromStr for ObjectiveName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "error" => Ok(ObjectiveName::Error),
            "energy" => Ok(ObjectiveName::Energy),
            "area" => Ok(ObjectiveName::Area),
            "flash" => Ok(ObjectiveName::Other(Objective::Flash)),
            "latency" => Ok(ObjectiveName::Other(Objective::Latency)),
            _ => Err(format!("\"{text}\" is no objective; use error, energy, area, flash and latency")),
        }
    }
}

/// What an assignment costs, known without running it.
pub(super) trait Cost: Send + Sync {
    /// What the assignment of the choices at these places of the shortlist, one for each layer that multiplies, costs:
    /// to be minimised, in any unit.
    fn of(&self, assignment: &[usize]) -> f64;
}

/// The costs of the further objectives of `options`, in their order.
pub(super) fn costs(
    options: &Options,
    compensator: &Compensator,
    library: &Library,
    shortlist: &Shortlist,
) -> Result<Vec<Box<dyn Cost>>> {
    let target = Target::of(options);
    let cost = |objective: &Objective| -> Result<Box<dyn Cost>> {
        match objective {
            Objective::Flash => Ok(Box::new(Flash::new(compensator, library, shortlist)?)),
            Objective::Latency => {
                let board = options.board.ok_or_else(|| {
                    Error::Argument("latency is an objective only for a board: say which with --board".into())
                })?;
                let forms = target.forms(compensator.network());
                Ok(Box::new(Latency::new(compensator, (board, &forms[0]), shortlist)?))
            }
        }
    };
    options.other_objectives.iter().map(cost).collect()
}

/// Bytes of flash, with the weights that the search's compensation makes before anything is fitted to the layers before;
/// full compensation goes on from these, so that images differ a little.
struct Flash(FlashModel);

impl Flash {
    fn new(compensator: &Compensator, library: &Library, shortlist: &Shortlist) -> Result<Flash> {
        let exact = shortlist
            .position(Choice::exact(library))
            .ok_or_else(|| Error::Mismatch("the exact multiplier is not in its library".into()))?;
        let of = |layer: usize, place: usize| compensator.unfitted_conv(layer, shortlist.choices[place]);
        let names = names(library, &shortlist.choices);
        Ok(Flash(FlashModel::new(compensator.network(), &names, exact, &of)?))
    }
}

impl Cost for Flash {
    fn of(&self, assignment: &[usize]) -> f64 {
        self.0.flash_bytes(assignment) as f64
    }
}

/// What an inference takes, with the same weights.
struct Latency(AssignmentCosts);

impl Latency {
    fn new(
        compensator: &Compensator,
        on: (&Board, &image::Options),
        shortlist: &Shortlist,
    ) -> Result<Latency> {
        let of = |layer: usize, place: usize| compensator.unfitted_conv(layer, shortlist.choices[place]);
        Ok(Latency(AssignmentCosts::new(compensator.network(), on, shortlist.choices.len(), &of)?))
    }
}

impl Cost for Latency {
    fn of(&self, assignment: &[usize]) -> f64 {
        Objective::time(self.0.total(assignment))
    }
}

/// Which of several points none other beats: no figure larger and one smaller. Of equals the first.
pub(super) fn unbeaten(figures: &[Vec<f64>]) -> Vec<usize> {
    let beats = |(a, i): (&[f64], usize), (b, j): (&[f64], usize)| {
        a.iter().zip(b).all(|(a, b)| a <= b) && (a.iter().zip(b).any(|(a, b)| a < b) || i < j)
    };
    let is_kept =
        |&j: &usize| !(0..figures.len()).any(|i| i != j && beats((&figures[i], i), (&figures[j], j)));
    (0..figures.len()).filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stay_that_are_best_in_something() {
        let figures = |points: &[[f64; 3]]| points.iter().map(|point| point.to_vec()).collect::<Vec<_>>();
        let points = [[1.0, 5.0, 9.0], [2.0, 4.0, 9.0], [2.0, 5.0, 9.0], [3.0, 6.0, 1.0], [1.0, 5.0, 9.0]];
        assert_eq!(unbeaten(&figures(&points)), [0, 1, 3]);
        assert_eq!(unbeaten(&[]), [0; 0]);
    }

    #[test]
    fn names_are_known_or_refused_with_a_reason() {
        assert_eq!("flash".parse(), Ok(ObjectiveName::Other(Objective::Flash)));
        assert_eq!("latency".parse(), Ok(ObjectiveName::Other(Objective::Latency)));
        assert!("speed".parse::<ObjectiveName>().unwrap_err().contains("\"speed\""));
    }
}
