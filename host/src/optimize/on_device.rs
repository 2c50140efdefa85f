//! The image of a point, and what it takes on a board.

use super::assignments::Candidate;
use super::finalists::Finalist;
use super::objectives::Objective;
use super::options::Options as Search;
use super::run::names;
use crate::board::latency::LayerCost;
use crate::board::prediction::predict;
use crate::board::{Board, check_fit, image_forms};
use crate::compensate::{Compensator, Steps};
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::execute::AlignedImage;
use crate::image::{self, FlashImage, Footprint, OperatingPoint, Options, TableForm};
use crate::multiplier::{Choice, ProductCache};
use crate::prepare::Prepared;
use crate::quantize::QuantizedNetwork;

/// How far beyond the limit a point's latency may be while searching: full compensation changes weights, and with them
/// how layers multiply.
const SLACK: f64 = 1.05;

/// What images are built for.
#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    /// The board, if there is one.
    pub board: Option<&'static Board>,
    /// What is minimised beside error and energy.
    pub objectives: Vec<Objective>,
    /// The longest that an inference may take on the board (ms).
    pub max_latency_ms: Option<f64>,
}

/// What is known of an image before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnDevice {
    /// Its size.
    pub flash_bytes: usize,
    /// What an inference is predicted to take on the board.
    pub latency: Option<LayerCost>,
    board: Option<&'static Board>,
    /// Whether the board has room for it; true without a board.
    pub fits: bool,
}

impl OnDevice {
    /// What an inference is predicted to take: milliseconds at the board's clock.
    pub fn ms(&self) -> f64 {
        let cycles = self.latency.map(Objective::time);
        self.board.zip(cycles).map_or(0.0, |(board, cycles)| board.ms(cycles))
    }
}

impl Target {
    /// What `options` ask for.
    pub fn of(options: &Search) -> Target {
        Target {
            board: options.board,
            objectives: options.other_objectives.clone(),
            max_latency_ms: options.max_latency_ms,
        }
    }

    /// Whether anything is asked of points that only their image tells.
    pub fn is_needed(&self) -> bool {
        self.board.is_some() || !self.objectives.is_empty()
    }

    /// Refuses a network that no multipliers make fit the board's RAM, before anything is searched.
    pub fn check_memory(&self, prepared: &Prepared, products: &ProductCache) -> Result<()> {
        let (Some(board), network) = (self.board, &prepared.quantized) else { return Ok(()) };
        let exact = vec![Choice::exact(products.library()); network.convs().count()];
        let convs = Compensator::new(network, products, Steps::NONE, &[])?.compensate(&exact)?;
        let multipliers = names(products.library(), &exact);
        let point = OperatingPoint { name: "", convs: &convs, multipliers: &multipliers };
        let (image, _) = self.build(network, &[point])?;
        let (needed, there_is) = (Footprint::of(&image)?.memory_bytes, board.memory_bytes);
        if needed <= there_is as usize {
            return Ok(());
        }
        Err(Error::Mismatch(format!(
            "{} needs {needed} bytes of RAM, whatever its multipliers; the {} has {there_is} bytes for it: take another \
             --board or a smaller network",
            network.name, board.name
        )))
    }

    /// Whether a point may be chosen: the board has room for it and is quick enough.
    pub fn takes(&self, point: &Finalist) -> bool {
        point
            .image
            .is_none_or(|image| image.fits && self.max_latency_ms.is_none_or(|most| image.ms() <= most))
    }

    /// The points of a search that can still be quick enough once they are compensated in full, or else the quickest.
    pub fn quick_enough<'c>(&self, points: Vec<&'c Candidate>) -> Vec<&'c Candidate> {
        let latency = self.objectives.iter().position(|&objective| objective == Objective::Latency);
        let (Some(place), Some(board), Some(most)) = (latency, self.board, self.max_latency_ms) else {
            return points;
        };
        let ms = |point: &&Candidate| point.costs.get(place).map_or(0.0, |&cycles| board.ms(cycles));
        let quickest = points.iter().copied().min_by(|a, b| ms(a).total_cmp(&ms(b)));
        let quick: Vec<_> = points.into_iter().filter(|point| ms(point) <= most * SLACK).collect();
        if quick.is_empty() { Vec::from_iter(quickest) } else { quick }
    }

    /// Why none of `points` may be chosen, although some lose little enough.
    pub fn refusal<'f>(
        &self,
        board: &Board,
        budget_pp: f64,
        points: impl Iterator<Item = &'f Finalist> + Clone,
    ) -> String {
        let name = board.name;
        let images = points.filter_map(|point| point.image).filter(|image| image.fits);
        let Some(quickest) = images.map(|image| image.ms()).min_by(f64::total_cmp) else {
            return format!(
                "the {name} has no room for any point of the front; minimise flash too (--objectives), bound tables \
                 with --max-weight-codes, or take another --board"
            );
        };
        format!(
            "no point of the front that fits the {name} loses at most {budget_pp} points of accuracy and takes at most \
             {} ms; the quickest takes {quickest:.1} ms: allow more with --max-loss or --max-latency-ms",
            self.max_latency_ms.unwrap_or(f64::INFINITY)
        )
    }

    /// How an image is built, the fastest form that there may be room for first: only the smallest where size is minimised,
    /// or nothing is known of where it goes.
    pub fn forms(&self, network: &QuantizedNetwork) -> Vec<Options> {
        let Some(board) = self.board else { return vec![Options::default()] };
        let mut forms = Vec::from(image_forms(network, board));
        if self.objectives.contains(&Objective::Flash) {
            forms.retain(|form| form.table_form == TableForm::Smallest);
        }
        forms
    }

    /// Builds an image in the fastest form that fits the board, or else the smallest, and tells what it lacks to fit.
    fn build(
        &self,
        network: &QuantizedNetwork,
        points: &[OperatingPoint],
    ) -> Result<(FlashImage, Option<Error>)> {
        let mut last = None;
        for form in self.forms(network) {
            let image = image::build_points(network, points, &form)?;
            match self.board.map(|board| check_fit(&image, board)) {
                None | Some(Ok(())) => return Ok((image, None)),
                Some(Err(reason)) => last = Some((image, Some(reason))),
            }
        }
        last.ok_or_else(|| Error::Mismatch("there is no form to build the image in".into()))
    }

    /// Builds the image, or refuses it if the board has no room for it.
    pub fn build_to_fit(&self, network: &QuantizedNetwork, points: &[OperatingPoint]) -> Result<FlashImage> {
        match self.build(network, points)? {
            (image, None) => Ok(image),
            (_, Some(reason)) => Err(reason),
        }
    }

    /// What the image of a point will take.
    pub fn look(
        &self,
        network: &QuantizedNetwork,
        convs: &[ApproximateConv],
        multipliers: &[String],
    ) -> Result<OnDevice> {
        let (image, lack) = self.build(network, &[OperatingPoint { name: "", convs, multipliers }])?;
        let predicted = |board| Ok(predict(&AlignedImage::new(&image.bytes).load()?, board)?.total());
        let latency = self.board.map(predicted).transpose()?;
        Ok(OnDevice { flash_bytes: image.bytes.len(), board: self.board, latency, fits: lack.is_none() })
    }
}
