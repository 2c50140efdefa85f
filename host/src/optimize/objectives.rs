//! What a search minimises beside error and energy.
//!
//! Each further objective is a [`Cost`]: something known of an assignment without running it. To add one, give
//! [`Objective`] another member, name it in its text forms, and make its cost in [`costs`]; what it comes to at points
//! that were compensated in full is for [`at_point`] to say.

use super::run::names;
use super::shortlist::Shortlist;
use crate::compensate::Compensator;
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::image::{self, FlashModel};
use crate::multiplier::{Choice, Library};
use crate::quantize::QuantizedNetwork;
use serde::Serialize;
use std::str::FromStr;

/// An objective beside error and energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The bytes of the flash image.
    Flash,
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
            "latency" => Err(
                "latency can't be searched for yet: what an assignment takes on a board is measured with \
                              `skimp run` and `skimp bench device`; use error, energy, area and flash"
                    .to_owned(),
            ),
            _ => Err(format!("\"{text}\" is no objective; use error, energy, area and flash")),
        }
    }
}

/// What an assignment costs, known without running it.
pub(super) trait Cost: Send + Sync {
    /// What the assignment of the choices at these places of the shortlist, one for each layer that multiplies, costs:
    /// to be minimised, in any unit.
    fn of(&self, assignment: &[usize]) -> f64;
}

/// The costs of `objectives`, in their order.
pub(super) fn costs(
    objectives: &[Objective],
    compensator: &Compensator,
    library: &Library,
    shortlist: &Shortlist,
) -> Result<Vec<Box<dyn Cost>>> {
    let cost = |objective: &Objective| -> Result<Box<dyn Cost>> {
        match objective {
            Objective::Flash => Ok(Box::new(Flash::new(compensator, library, shortlist)?)),
        }
    };
    objectives.iter().map(cost).collect()
}

/// What `objectives` come to at a compensated assignment, in their order.
pub(super) fn at_point(
    objectives: &[Objective],
    network: &QuantizedNetwork,
    library: &Library,
    (assignment, convs): (&[Choice], &[ApproximateConv]),
) -> Result<Vec<f64>> {
    let cost = |objective: &Objective| match objective {
        Objective::Flash => Ok(image::build(network, convs, &names(library, assignment))?.bytes.len() as f64),
    };
    objectives.iter().map(cost).collect()
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
        assert!("latency".parse::<ObjectiveName>().unwrap_err().contains("yet"));
        assert!("speed".parse::<ObjectiveName>().unwrap_err().contains("\"speed\""));
    }
}
