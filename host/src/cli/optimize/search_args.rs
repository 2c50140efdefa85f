//! How to search.

use super::report::sources;
use crate::accelerator::AcceleratorModel;
use crate::board::Board;
use crate::cli::common::{self, DataArgs, FitArgs, HowArgs, MultiplierArgs, RangeArgs, distinct};
use crate::cli::memory::Memory;
use crate::data::Count;
use crate::error::{Error, Result};
use crate::multiplier::{Library, Scheme};
use crate::optimize::{
    ErrorMeasure, Objective, ObjectiveName, Options, PointBudget, check_cost_sources, cost_sources,
};
use crate::quantize::{QuantizedNetwork, RangeMethod};

/// Images to choose points on, if there are so many.
const CHOICE_IMAGES: usize = 4000;

/// Images to score candidates on, likewise.
const SELECTION_IMAGES: usize = 500;

/// How to search.
#[derive(Debug, clap::Args)]
pub struct SearchArgs {
    /// Largest accuracy loss of the point to choose, in percentage points against the 8-bit network.
    #[arg(long, default_value_t = 0.6, value_name = "POINTS", allow_negative_numbers = true)]
    pub max_loss: f64,
    /// An operating point of the image and its largest loss, instead of --max-loss; several may be given. Boards begin with
    /// the first, which is the chosen one, and go to another when asked.
    #[arg(long = "point", value_name = "NAME=POINTS", conflicts_with = "max_loss")]
    pub points: Vec<String>,
    /// How activation ranges may be chosen: minmax, mse, percentile:P, or model for one that came in 8 bits. Of several
    /// the search takes what a few multipliers diverge least with; losses are counted against the exact network of the
    /// first.
    #[arg(
        long,
        alias = "range",
        value_delimiter = ',',
        default_value = "minmax,percentile:99.99,percentile:99.9",
        value_name = "RANGE,..."
    )]
    pub ranges: Vec<RangeMethod>,
    /// Tiles of the accelerator: at most so many different multipliers.
    #[arg(long, default_value_t = 4, value_name = "T")]
    pub tiles: usize,
    /// Accelerator model: power-gated, pipelined or pipelined:IDLE_FRACTION.
    #[arg(long, default_value = "power-gated")]
    pub accelerator: AcceleratorModel,
    /// Multipliers in each tile's array (rounds a pipelined layer up to whole cycles).
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub array_size: u32,
    /// At most so many different multipliers (matters where tiles may share one: pipelined).
    #[arg(long, value_name = "N")]
    pub max_distinct: Option<usize>,
    /// Layers that keep the exact multiplier: names, or places among the layers that multiply, from 0.
    #[arg(long, value_delimiter = ',', value_name = "LAYER,...")]
    pub keep_exact: Vec<String>,
    /// What the search takes for error: kl (divergence from the exact network) or loss (accuracy).
    #[arg(long, default_value = "kl")]
    pub error: ErrorMeasure,
    /// Minimise the area of all tiles as well.
    #[arg(long)]
    pub area: bool,
    /// What is minimised: error and energy, with them area (of all tiles), flash (bytes of the image) and latency
    /// (cycles of an inference on --board, as `skimp image inspect` predicts them).
    #[arg(long, value_delimiter = ',', default_value = "error,energy", value_name = "OBJECTIVE,...")]
    pub objectives: Vec<ObjectiveName>,
    /// Longest inference of the point to choose, in milliseconds on --board as predicted; latency must be an objective.
    #[arg(long, value_name = "MS", requires = "board")]
    pub max_latency_ms: Option<f64>,
    /// Genomes in a generation.
    #[arg(long, default_value_t = 24, value_name = "N")]
    pub population: usize,
    /// Generations after the first.
    #[arg(long, default_value_t = 12, value_name = "N")]
    pub generations: usize,
    /// Measure all assignments instead of searching, if there are not too many.
    #[arg(long)]
    pub exhaustive: bool,
    /// Points of the front that are compensated in full and measured on images the search has not seen.
    #[arg(long, default_value_t = 24, value_name = "N")]
    pub finalists: usize,
    /// Training images that candidates are scored on [default: 500, or half of a smaller set].
    #[arg(long, value_name = "N")]
    pub selection_images: Option<usize>,
    /// Further training images for choosing a point of the front [default: 4000, or all there are].
    #[arg(long, value_name = "N")]
    pub choice_images: Option<usize>,
    /// Seed of the search; the same seed gives the same result on any number of threads.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Try every multiplier of the library; otherwise those that in some layer, under its own operands, no
    /// cheaper one beats.
    #[arg(long)]
    pub every_choice: bool,
    /// Most memory for results of first layers that later candidates begin with, in MiB or with a suffix
    /// (64K, 512M, 2G); 0 runs every candidate from its first layer. No value changes the result.
    #[arg(long, default_value = "1G", value_name = "SIZE")]
    pub memory: Memory,
    /// Search although costs come from several sources (published, gate-model), which do not compare.
    #[arg(long)]
    pub mix_cost_sources: bool,
}

impl SearchArgs {
    /// How the network is prepared: with the first of the ranges.
    pub fn how(&self, data: DataArgs, scheme: Scheme, fit: FitArgs) -> HowArgs {
        HowArgs { data, scheme, activations: RangeArgs { range: Some(self.ranges[0]) }, fit }
    }

    /// Training images needed beside those for calibration.
    pub fn images(&self) -> Count {
        let with = |choice: usize| self.search_images().saturating_add(choice);
        match (self.selection_images, self.choice_images) {
            (_, Some(choice)) => Count::exactly(with(choice)),
            (Some(_), None) => Count { least: with(1), most: with(CHOICE_IMAGES) },
            // One to score on, one to choose on.
            (None, None) => Count { least: 2, most: with(CHOICE_IMAGES) },
        }
    }

    /// How many of them candidates are scored on, if there are more.
    fn search_images(&self) -> usize {
        self.selection_images.unwrap_or(SELECTION_IMAGES)
    }

    /// The library to search, whose costs must come from one source unless more are allowed.
    pub fn library(&self, multipliers: &MultiplierArgs, scheme: Scheme) -> Result<Library> {
        let library = multipliers.library(scheme)?;
        self.check_costs(&[&library])?;
        Ok(library)
    }

    /// Refuses libraries whose costs come from several sources unless that is allowed.
    pub fn check_costs(&self, libraries: &[&Library]) -> Result<()> {
        if !self.mix_cost_sources {
            return check_cost_sources(libraries.iter().copied());
        }
        let all = cost_sources(libraries.iter().copied());
        if all.len() > 1 {
            let sources = sources(&all);
            eprintln!("  costs of several sources are mixed ({sources}): savings compare unlike figures");
        }
        Ok(())
    }

    /// What was asked for, perhaps for a board, checked as far as it can be without the network.
    pub fn check(&self, board: Option<&Board>) -> Result<()> {
        if !self.max_loss.is_finite() {
            return Err(Error::Argument(format!("--max-loss must be a number, not {}", self.max_loss)));
        }
        self.points()?;
        if let Some(count) = self.selection_images {
            common::at_least("--selection-images", count, 1)?;
        }
        if let Some(count) = self.choice_images {
            common::at_least("--choice-images", count, 1)?;
        }
        if let Some(count) = self.max_distinct {
            common::at_least("--max-distinct", count, 1)?;
        }
        for (name, text) in [(ObjectiveName::Error, "error"), (ObjectiveName::Energy, "energy")] {
            if !self.objectives.contains(&name) {
                return Err(Error::Argument(format!(
                    "--objectives: {text} always is one; begin with error,energy"
                )));
            }
        }
        let latency = self.objectives.contains(&ObjectiveName::Other(Objective::Latency));
        if latency && board.is_none() {
            return Err(Error::Argument(
                "--objectives: latency is that of a board, say which with --board".into(),
            ));
        }
        if let Some(ms) = self.max_latency_ms {
            if !latency {
                let objectives = "--objectives error,energy,latency";
                return Err(Error::Argument(format!("--max-latency-ms needs {objectives}")));
            }
            if !(ms.is_finite() && ms > 0.0) {
                return Err(Error::Argument(format!("--max-latency-ms must be more than 0, not {ms}")));
            }
        }
        common::at_least("--tiles", self.tiles, 1)?;
        common::at_least("--population", self.population, 2)?;
        common::at_least("--finalists", self.finalists, 1)?;
        common::at_least("--array-size", self.array_size as usize, 1)
    }

    /// The operating points that are asked for.
    fn points(&self) -> Result<Vec<PointBudget>> {
        let point = |text: &String| {
            let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
            let loss = parts.and_then(|(name, loss)| Some((name, loss.parse::<f64>().ok()?)));
            let (name, max_loss_pp) = loss.filter(|(_, loss)| loss.is_finite()).ok_or_else(|| {
                Error::Argument(format!("--point {text}: give a name and the largest loss, such as frugal=2"))
            })?;
            Ok(PointBudget { name: name.to_owned(), max_loss_pp })
        };
        let points = self.points.iter().map(point).collect::<Result<Vec<_>>>()?;
        match points.iter().enumerate().find(|(i, p)| points[..*i].iter().any(|other| other.name == p.name)) {
            Some((_, twice)) => Err(Error::Argument(format!("--point: {} is given twice", twice.name))),
            None => Ok(points),
        }
    }

    /// The objectives that there are beside error, energy and area.
    fn other_objectives(&self) -> Vec<Objective> {
        let other = self.objectives.iter().filter_map(|name| match name {
            ObjectiveName::Other(objective) => Some(*objective),
            _ => None,
        });
        distinct(other.collect(), |&objective| objective)
    }

    /// What was asked for, for `network`.
    pub fn options(
        &self,
        network: &QuantizedNetwork,
        board: Option<&'static Board>,
        baselines: bool,
    ) -> Result<Options> {
        let layers: Vec<&str> = network.convs().map(|(layer, _)| layer.name.as_str()).collect();
        let place = |name: &String| {
            let place = layers.iter().position(|layer| layer == name);
            place.or_else(|| name.parse().ok().filter(|&place: &usize| place < layers.len())).ok_or_else(
                || {
                    Error::Argument(format!(
                        "--keep-exact: {} has no layer \"{name}\" that multiplies; there are {}",
                        network.name,
                        layers.join(", ")
                    ))
                },
            )
        };
        let mut keep_exact = self.keep_exact.iter().map(place).collect::<Result<Vec<usize>>>()?;
        keep_exact.sort_unstable();
        keep_exact.dedup();
        let mut other_ranges = distinct(self.ranges.clone(), |&range| range);
        other_ranges.remove(0);
        let points = self.points()?;
        Ok(Options {
            other_ranges,
            tiles: self.tiles,
            max_distinct: self.max_distinct,
            keep_exact,
            population: self.population,
            generations: self.generations,
            seed: self.seed,
            accelerator: self.accelerator,
            array_size: self.array_size,
            max_loss_pp: points.first().map_or(self.max_loss, |point| point.max_loss_pp),
            points,
            error: self.error,
            area: self.area || self.objectives.contains(&ObjectiveName::Area),
            other_objectives: self.other_objectives(),
            board,
            max_latency_ms: self.max_latency_ms,
            search_images: self.search_images(),
            every_choice: self.every_choice,
            exhaustive: self.exhaustive,
            finalists: self.finalists,
            baselines,
            memory_bytes: self.memory.bytes,
        })
    }
}
