//! Rivals of approximate multipliers chosen layer by layer, searched for and measured on the same images.

use super::assignments::Candidate;
use super::evaluator::{Evaluator, Measured};
use super::finalists::{Finalist, best_within, finalists};
use super::judge::{Images, Judge, compensators};
use super::options::{ErrorMeasure, Options};
use super::run::{Stage, Tell, names};
use super::search::{search, search_among};
use super::shortlist::Shortlist;
use crate::compensate::{Compensator, Steps};
use crate::error::Result;
use crate::multiplier::{Library, ProductCache, Scheme};
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
    /// How products are formed.
    pub scheme: String,
    /// Where its costs come from.
    pub cost_source: String,
    /// Accuracy of the scheme's exact 8-bit network on the test images, in percent.
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
}

impl Method {
    /// A method whose points `finalists`, from the least saving to the most, were measured on the test images.
    pub(super) fn new(
        (name, what): (&'static str, String),
        (prepared, library): (&Prepared, &Library),
        (evaluations, accuracy_8bit): (usize, f64),
        finalists: &[Finalist],
        tested: &[Measured],
    ) -> Method {
        let within = |place: Option<usize>, budget_pp: f64| {
            let (finalist, test) = (&finalists[place?], &tested[place?]);
            let energy = &finalist.candidate.energy;
            Some(Within {
                budget_pp,
                energy_saved_pct: energy.saved_pct,
                mac_energy_saved_pct: energy.mac_saved_pct,
                loss_choice_pp: finalist.choice.loss_pp,
                loss_test_pp: test.loss_pp,
                loss_test_se_pp: test.loss_se_pp,
                kl_test: test.kl,
                assignment: names(library, &finalist.candidate.assignment),
            })
        };
        let chosen = BUDGETS_PP.map(|budget| within(best_within(finalists, budget), budget));
        let front = BUDGETS_PP.map(|budget| within(tested.iter().rposition(|t| t.loss_pp <= budget), budget));
        let sources: Vec<String> = library.cost_sources().iter().map(|source| source.to_string()).collect();
        Method {
            name,
            what,
            scheme: prepared.quantized.scheme.to_string(),
            cost_source: sources.join("+"),
            accuracy_8bit,
            evaluations,
            chosen: chosen.to_vec(),
            front: front.to_vec(),
        }
    }
}

/// A rival's candidates, from the least saving to the most, judged.
struct Rival<'a> {
    name: &'static str,
    what: String,
    prepared: &'a Prepared,
    library: &'a Library,
    images: &'a Images,
    evaluations: usize,
    front: Vec<Candidate>,
}

impl Rival<'_> {
    /// Measures the points nearest to each budget.
    fn judged(&self, fits: &[Compensator], tell: &Tell) -> Result<Method> {
        let judge = Judge::new(self.prepared, fits, self.images)?;
        let done = |done| tell(Stage::Rival { name: self.name, done, of: RIVAL_FINALISTS });
        let finalists = finalists(&self.front, &judge, &BUDGETS_PP, RIVAL_FINALISTS, done)?;
        let tested: Vec<Measured> =
            finalists.iter().map(|finalist| judge.test(&finalist.fitted)).collect::<Result<_>>()?;
        Ok(Method::new(
            (self.name, self.what.clone()),
            (self.prepared, self.library),
            (self.evaluations, judge.exact_accuracy_pct()),
            &finalists,
            &tested,
        ))
    }
}

/// One multiplier in every layer, with the same compensation.
pub(super) fn uniform(
    prepared: &Prepared,
    library: &Library,
    images: &Images,
    fits: &[Compensator],
    front: Vec<Candidate>,
    tell: &Tell,
) -> Result<Method> {
    let evaluations = front.len();
    let what = "one multiplier in every layer, with the same compensation".to_owned();
    Rival { name: "uniform", what, prepared, library, images, evaluations, front }.judged(fits, tell)
}

/// Exact multipliers of fewer bits, with the same search and the same compensation.
pub(super) fn low_bit(
    prepared: &Prepared,
    steps: Steps,
    images: &Images,
    options: &Options,
    tell: &Tell,
) -> Result<Method> {
    let name = "low-bit";
    let scheme = prepared.quantized.scheme;
    let library = Library::low_bit(scheme.wants_signed_table());
    let products = ProductCache::new(&library, scheme)?;
    let searcher =
        Compensator::new(&prepared.quantized, &products, steps.with_kept_codes(), &images.search_fit.codes)?;
    let selection = {
        let evaluator = Evaluator::new(&searcher, &images.search)?.with_memory(options.memory_bytes);
        search(&evaluator, &library, options, None, |progress| {
            tell(Stage::RivalSearch { name, progress });
            ControlFlow::Continue(())
        })?
    };
    drop(searcher);
    let what = "exact multipliers of fewer bits, with the same search and compensation".to_owned();
    let fits = compensators(prepared, &products, steps)?;
    Rival {
        name,
        what,
        prepared,
        library: &library,
        images,
        evaluations: selection.evaluations,
        front: selection.front,
    }
    .judged(&fits, tell)
}

/// ALWANN as published: unsigned multipliers on asymmetric codes, its weight map and nothing else, NSGA-II on
/// accuracy from random genomes. `None` if the library is signed.
pub(super) fn alwann(
    prepared: &Prepared,
    library: &Library,
    options: &Options,
    tell: &Tell,
) -> Result<Option<Method>> {
    if library.is_signed() {
        return Ok(None);
    }
    let name = "ALWANN";
    let prepared = prepared.with_scheme(Scheme::Unsigned)?;
    // Codes of images are others under another scheme.
    let images = Images::new(&prepared, options.search_images);
    let products = ProductCache::new(library, Scheme::Unsigned)?;
    let options = Options { error: ErrorMeasure::Loss, area: false, ..options.clone() };
    let fits = compensators(&prepared, &products, Steps::ALWANN)?;
    let shortlist = Shortlist::all(library, prepared.quantized.convs().count());
    let selection = {
        let evaluator = Evaluator::new(&fits[0], &images.search)?.with_memory(options.memory_bytes);
        search_among(&evaluator, library, &shortlist, &options, None, |progress| {
            tell(Stage::RivalSearch { name, progress });
            ControlFlow::Continue(())
        })?
    };
    let what =
        "as published: its weight map, NSGA-II on accuracy, unsigned multipliers, nothing fitted".to_owned();
    Rival {
        name,
        what,
        prepared: &prepared,
        library,
        images: &images,
        evaluations: selection.evaluations,
        front: selection.front,
    }
    .judged(&fits, tell)
    .map(Some)
}
