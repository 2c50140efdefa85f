//! What to search for.

use super::objectives::Objective;
use super::operating_points::PointBudget;
use crate::accelerator::AcceleratorModel;
use crate::board::Board;
use crate::quantize::RangeMethod;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a search takes for an assignment's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorMeasure {
    /// The divergence of the answers from the exact network's, which tells assignments apart that lose nothing.
    Kl,
    /// The accuracy lost, as ALWANN has it.
    Loss,
}

impl FromStr for ErrorMeasure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "kl" => Ok(ErrorMeasure::Kl),
            "loss" => Ok(ErrorMeasure::Loss),
            _ => Err(format!("\"{text}\" is no measure of error; use kl or loss")),
        }
    }
}

impl fmt::Display for ErrorMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ErrorMeasure::Kl => "kl",
            ErrorMeasure::Loss => "loss",
        })
    }
}

/// A board as its name, which says all about it.
fn by_name<S: serde::Serializer>(board: &Option<&Board>, serializer: S) -> Result<S::Ok, S::Error> {
    board.map(|board| board.name).serialize(serializer)
}

/// What to search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Options {
    /// How ranges of activations may be chosen, besides the way they were when the network was prepared.
    pub other_ranges: Vec<RangeMethod>,
    /// Tiles of the accelerator.
    pub tiles: usize,
    /// The most different multipliers, if there is a bound besides the tiles.
    pub max_distinct: Option<usize>,
    /// Places, among the layers that multiply, of those that keep the exact multiplier.
    pub keep_exact: Vec<usize>,
    /// Genomes in a generation.
    pub population: usize,
    /// Generations after the first.
    pub generations: usize,
    /// Seed of every random decision.
    pub seed: u64,
    /// How energy is counted.
    pub accelerator: AcceleratorModel,
    /// Multipliers in each tile's array.
    pub array_size: u32,
    /// Largest accuracy loss of the point that is picked, in percentage points.
    pub max_loss_pp: f64,
    /// The operating points of the image if it has several: the first is the one that is picked, and has that loss.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointBudget>,
    /// How error is measured while searching.
    pub error: ErrorMeasure,
    /// Whether the area of all tiles is a third objective.
    pub area: bool,
    /// What else is minimised, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_objectives: Vec<Objective>,
    /// The board that the image is for, if it is for one: the point to choose fits it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "by_name")]
    pub board: Option<&'static Board>,
    /// The longest that an inference of the point to choose may take on the board, as predicted (ms).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_latency_ms: Option<f64>,
    /// How many of the selection images candidates are scored on; points of the front are picked on the others.
    /// Where that would leave none, on half of them.
    pub search_images: usize,
    /// Whether all multipliers of the library are tried; otherwise those that in some layer no cheaper one beats.
    pub every_choice: bool,
    /// Whether every assignment is evaluated instead of a search.
    pub exhaustive: bool,
    /// How many points of the search's front are compensated in full and measured anew.
    pub finalists: usize,
    /// Whether rivals are searched for in the same way.
    pub baselines: bool,
    /// The most memory for what assignments that begin alike have in common; 0 runs each from its first layer.
    #[serde(skip)]
    pub memory_bytes: usize,
}
