//! Rivals of approximate multipliers chosen layer by layer, searched for and measured on the same images.

use super::entrant::Entrant;
use super::evaluator::Evaluator;
use super::judge::{Images, Judge, Reference, compensators};
use super::judged::Judged;
use super::options::{ErrorMeasure, Options};
use super::ranges::Ranged;
use super::run::cost_sources;
use super::scheme_search::{Left, SchemeSearch};
use super::search::search_among;
use super::shortlist::Shortlist;
use super::stage::{Stage, Tell};
use super::verify::{Searched, Step, Verified, best_by_saving, verify};
use crate::compensate::Steps;
use crate::error::Result;
use crate::multiplier::{CostSource, Library, ProductCache, Scheme};
use crate::prepare::Prepared;
use serde::Serialize;
use std::ops::ControlFlow;

/// Losses (percentage points) that every method is reported at.
pub const BUDGETS_PP: [f64; 4] = [0.2, 0.6, 1.0, 2.0];

/// Points of a rival's front that are compensated in full.
const RIVAL_FINALISTS: usize = 8;

/// A way to choose multipliers, and how far it gets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Method {
    /// What it is called.
    pub name: &'static str,
    /// What it does.
    pub what: String,
    /// How products are formed; with + between them where points differ.
    pub scheme: String,
    /// Where its costs come from.
    pub cost_source: String,
    /// Accuracy on the test images, in percent, of the exact 8-bit network that losses are counted against.
    pub accuracy_8bit: f64,
    /// Assignments measured.
    pub evaluations: usize,
    /// For each of [`BUDGETS_PP`] the point that saves most of those that lose no more on the training images that
    /// points are chosen on: what a user gets.
    pub chosen: Vec<Option<Within>>,
    /// The same by the losses on the test images: the measured front, read at the budget.
    pub front: Vec<Option<Within>>,
}

/// The point of a front that saves most within a loss budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Within {
    /// The budget, in percentage points.
    pub budget_pp: f64,
    /// Multiplication energy saved, percent.
    pub energy_saved_pct: f64,
    /// Energy of whole multiply-accumulates saved, percent.
    pub mac_energy_saved_pct: f64,
    /// Loss on the images for choosing, percentage points.
    pub loss_choice_pp: f64,
    /// Loss on the test images, percentage points.
    pub loss_test_pp: f64,
    /// Its paired standard error.
    pub loss_test_se_pp: f64,
    /// Divergence on the test images, nats.
    pub kl_test: f64,
    /// The multiplier of each layer.
    pub assignment: Vec<String>,
    /// How products are formed.
    pub scheme: String,
    /// How ranges of activations were chosen.
    pub range: String,
}

impl Method {
    /// A method that measured so many assignments, and whose points `verified` are. Losses are counted against an exact
    /// network of this accuracy (percent).
    pub(super) fn new(
        (name, what): (&'static str, String),
        (evaluations, accuracy_8bit): (usize, f64),
        verified: &[Verified],
    ) -> Method {
        let within = |place: Option<usize>, budget_pp: f64| {
            let point = &verified[place?];
            let energy = &point.finalist.candidate.energy;
            Some(Within {
                budget_pp,
                energy_saved_pct: energy.saved_pct,
                mac_energy_saved_pct: energy.mac_saved_pct,
                loss_choice_pp: point.finalist.choice.loss_pp,
                loss_test_pp: point.test.loss_pp,
                loss_test_se_pp: point.test.loss_se_pp,
                kl_test: point.test.kl,
                assignment: point.assignment.clone(),
                scheme: point.scheme.to_string(),
                range: point.range.to_string(),
            })
        };
        let last = |budget| verified.iter().rposition(|point| point.test.loss_pp <= budget);
        let mut schemes: Vec<String> = verified.iter().map(|point| point.scheme.to_string()).collect();
        schemes.sort();
        schemes.dedup();
        let sources = cost_sources(verified.iter().map(|point| point.library));
        let sources: Vec<String> = sources.iter().map(CostSource::to_string).collect();
        Method {
            name,
            what,
            scheme: schemes.join("+"),
            cost_source: sources.join("+"),
            accuracy_8bit,
            evaluations,
            chosen: BUDGETS_PP.iter().map(|&b| within(best_by_saving(verified, b, |_| true), b)).collect(),
            front: BUDGETS_PP.iter().map(|&b| within(last(b), b)).collect(),
        }
    }
}

/// A rival, from its fronts.
fn rival(
    (name, what): (&'static str, String),
    (evaluations, accuracy_8bit): (usize, f64),
    searched: &[Searched],
    tell: &Tell,
) -> Result<Method> {
    let of = RIVAL_FINALISTS * searched.len();
    let verified = verify(searched, &BUDGETS_PP, RIVAL_FINALISTS, &|step| {
        // Testing takes a moment for each.
        if let Step::Compensated(done) = step {
            tell(None, Stage::Rival { name, done, of });
        }
    })?;
    Ok(Method::new((name, what), (evaluations, accuracy_8bit), &verified))
}

/// One multiplier in every layer, with the same compensation: the fronts of all schemes that were searched.
pub(super) fn uniform(searched: &[Searched], accuracy_8bit: f64, tell: &Tell) -> Result<Method> {
    let evaluations = searched.iter().map(|searched| searched.front.len()).sum();
    let what = "one multiplier in every layer, with the same compensation".to_owned();
    rival(("uniform", what), (evaluations, accuracy_8bit), searched, tell)
}

/// Exact multipliers of fewer bits, with the same search, ranges and compensation.
pub(super) fn low_bit(
    prepared: &Prepared,
    networks: &[Ranged],
    steps: Steps,
    (images, reference): (&Images, &Reference),
    options: &Options,
    tell: &Tell,
) -> Result<Method> {
    let name = "low-bit";
    let scheme = prepared.quantized.scheme;
    let library = Library::low_bit(scheme.wants_signed_table());
    let products = ProductCache::new(&library, scheme)?;
    let entrant = Entrant { prepared, products: &products, checkpoint: None };
    let options = Options { baselines: false, ..options.clone() };
    let mut search = SchemeSearch::run(
        &entrant,
        (networks, None),
        images,
        (steps, &options),
        Left::default(),
        &|stage| {
            if let Stage::Search(progress) = stage {
                tell(None, Stage::RivalSearch { name, progress });
            }
        },
    )?;
    let what = "exact multipliers of fewer bits, with the same search and compensation".to_owned();
    let fits = search.fits(steps)?;
    let judge = search.judge(&fits, reference)?;
    let effort = (search.selection.evaluations + search.trials, reference.accuracy_pct());
    rival((name, what), effort, &[search.searched(&judge, &search.selection.front)], tell)
}

/// ALWANN as published: unsigned multipliers on asymmetric codes, its weight map and nothing else, NSGA-II on
/// accuracy from random genomes. `library` is unsigned.
pub(super) fn alwann(
    prepared: &Prepared,
    library: &Library,
    options: &Options,
    tell: &Tell,
) -> Result<Method> {
    let name = "ALWANN";
    let scheme = Scheme::Unsigned;
    let prepared = prepared.with_scheme(scheme)?;
    // Codes of images are others under another scheme.
    let images = Images::new(&prepared, options.search_images);
    let products = ProductCache::new(library, scheme)?;
    let reference = Reference::new(&prepared, &products, &images)?;
    let options = Options {
        error: ErrorMeasure::Loss,
        area: false,
        other_objectives: Vec::new(),
        board: None,
        ..options.clone()
    };
    let fits = compensators(&prepared.quantized, &products, Steps::ALWANN, &prepared.calibration)?;
    let shortlist = Shortlist::all(library, prepared.quantized.convs().count());
    let selection = {
        let evaluator = Evaluator::new(&fits[0], &images.search)?.with_memory(options.memory_bytes);
        search_among(&evaluator, library, &shortlist, &options, (None, None), |progress| {
            tell(None, Stage::RivalSearch { name, progress });
            ControlFlow::Continue(())
        })?
    };
    let what =
        "as published: its weight map, NSGA-II on accuracy, unsigned multipliers, nothing fitted".to_owned();
    let judge = Judge::new((&prepared, &products), &fits, &images, &reference, Judged::default())?;
    let range = prepared.range_method();
    let searched = Searched { scheme, range, library, judge: &judge, front: &selection.front };
    rival((name, what), (selection.evaluations, reference.accuracy_pct()), &[searched], tell)
}
