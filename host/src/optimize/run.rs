//! From a prepared network to a verified image.

use super::checkpoint::CheckpointFile;
use super::evaluator::{Evaluator, Measured};
use super::finalists::{Finalist, best_within, finalists};
use super::judge::{Images, Judge, compensators};
use super::methods::{self, BUDGETS_PP, Method};
use super::options::Options;
use super::search::{Progress, Selection, search_among, uniform};
use super::shortlist::Shortlist;
use crate::compensate::{Compensator, Steps};
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::image::{self, FlashImage};
use crate::multiplier::{Choice, Library, ProductCache};
use crate::prepare::Prepared;
use crate::report::FrontPoint;
use std::ops::ControlFlow;

/// How many times a loss budget points of the front may lose on training images, to be sure of all that keep it on
/// test images.
const BEYOND: f64 = 1.6;

/// What an optimization ends with.
pub struct Optimized {
    /// The search's result.
    pub selection: Selection,
    /// The front: compensated in full and measured on the test images, from the least saving to the most.
    pub front: Vec<FrontPoint>,
    /// Which point of the front was picked.
    pub chosen: usize,
    /// Names of the layers that multiply.
    pub layers: Vec<String>,
    /// The chosen point's convolutions.
    pub convs: Vec<ApproximateConv>,
    /// The chosen point on the test images.
    pub verified: Measured,
    /// Accuracy of the exact 8-bit network on the test images, in percent.
    pub exact_accuracy_pct: f64,
    /// The chosen point's image.
    pub image: FlashImage,
    /// This method and its rivals, if those were asked for, at each of [`BUDGETS_PP`].
    pub methods: Vec<Method>,
}

/// What an optimization is doing.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// Multipliers are tried in each layer; the share that is done.
    Shortlist(f64),
    /// The search.
    Search(Progress),
    /// Points of the front are compensated in full.
    Finalists {
        /// So many are done.
        done: usize,
        /// Of at most so many.
        of: usize,
    },
    /// The front is measured on the test images.
    Test {
        /// So many points are done.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// A rival is searched for.
    RivalSearch {
        /// The method.
        name: &'static str,
        /// How far the search is.
        progress: Progress,
    },
    /// A rival's points are compensated in full.
    Rival {
        /// The method.
        name: &'static str,
        /// So many points are done.
        done: usize,
        /// Of at most so many.
        of: usize,
    },
}

/// Whoever is told the stages.
pub type Tell<'t> = dyn Fn(Stage) + Sync + 't;

/// Searches on some of the selection images, compensates points of the front in full, chooses one on the other
/// selection images, verifies the front on the test images and builds the chosen point's image.
pub fn optimize(
    prepared: &Prepared,
    products: &ProductCache,
    steps: Steps,
    options: &Options,
    checkpoint: Option<&CheckpointFile>,
    tell: &Tell,
) -> Result<Optimized> {
    let (network, library) = (&prepared.quantized, products.library());
    let images = Images::new(prepared, options.search_images);
    let (selection, uniform) = {
        let searcher =
            Compensator::new(network, products, steps.with_kept_codes(), &images.search_fit.codes)?;
        let done = |share| tell(Stage::Shortlist(share));
        let shortlist = Shortlist::measured(library, &searcher, options.every_choice, &done)?;
        let evaluator = Evaluator::new(&searcher, &images.search)?.with_memory(options.memory_bytes);
        let selection = search_among(&evaluator, library, &shortlist, options, checkpoint, |progress| {
            tell(Stage::Search(progress));
            ControlFlow::Continue(())
        })?;
        let uniform = match options.baselines {
            true => uniform(&evaluator, library, &shortlist, options)?,
            false => Vec::new(),
        };
        (selection, uniform)
    };
    let fits = compensators(prepared, products, steps)?;
    let judge = Judge::new(prepared, &fits, &images)?;
    let mut budgets_pp = vec![options.max_loss_pp];
    budgets_pp.extend(BUDGETS_PP);
    // Losses on new images are mostly smaller, so that points beyond a budget are of interest as well.
    budgets_pp.extend(BUDGETS_PP.map(|budget| budget * BEYOND));
    let of = options.finalists;
    let done = |done| tell(Stage::Finalists { done, of });
    let finalists = finalists(&selection.front, &judge, &budgets_pp, of, done)?;
    let chosen = best_within(&finalists, options.max_loss_pp).ok_or_else(|| {
        Error::Argument(format!(
            "no point of the front loses at most {} points of accuracy; allow more with --max-loss",
            options.max_loss_pp
        ))
    })?;
    let mut tested = Vec::new();
    for (i, finalist) in finalists.iter().enumerate() {
        tested.push(judge.test(&finalist.fitted)?);
        tell(Stage::Test { done: i + 1, of: finalists.len() });
    }
    let exact_accuracy_pct = judge.exact_accuracy_pct();
    let mut methods = vec![Method::new(
        ("skimp", "a multiplier for each layer, compensated".to_owned()),
        (prepared, library),
        (selection.evaluations, exact_accuracy_pct),
        &finalists,
        &tested,
    )];
    if options.baselines {
        methods.push(methods::uniform(prepared, library, &images, &fits, uniform, tell)?);
        methods.push(methods::low_bit(prepared, steps, &images, options, tell)?);
        methods.extend(methods::alwann(prepared, library, options, tell)?);
    }
    let front = front(prepared, library, &finalists, &tested, chosen);
    let convs = finalists.into_iter().nth(chosen).map(|finalist| finalist.fitted.convs).unwrap_or_default();
    Ok(Optimized {
        layers: network.convs().map(|(layer, _)| layer.name.clone()).collect(),
        verified: tested.swap_remove(chosen),
        exact_accuracy_pct,
        image: image::build(network, &convs, &front[chosen].assignment)?,
        convs,
        chosen,
        front,
        methods,
        selection,
    })
}

/// The points as they are reported.
fn front(
    prepared: &Prepared,
    library: &Library,
    finalists: &[Finalist],
    tested: &[Measured],
    chosen: usize,
) -> Vec<FrontPoint> {
    let point = |(i, (finalist, test)): (usize, (&Finalist, &Measured))| {
        let Finalist { candidate, fitted, choice } = finalist;
        FrontPoint {
            label: i.to_string(),
            chosen: i == chosen,
            assignment: names(library, &candidate.assignment),
            scheme: prepared.quantized.scheme.to_string(),
            compensation: fitted.steps.to_string(),
            energy_saved_pct: candidate.energy.saved_pct,
            mac_energy_saved_pct: candidate.energy.mac_saved_pct,
            area_rel: candidate.energy.area_rel,
            loss_search_pp: candidate.measured.loss_pp,
            kl_search: candidate.measured.kl,
            loss_choice_pp: choice.loss_pp,
            loss_choice_se_pp: choice.loss_se_pp,
            kl_choice: choice.kl,
            loss_test_pp: test.loss_pp,
            loss_test_se_pp: test.loss_se_pp,
            kl_test: test.kl,
        }
    };
    finalists.iter().zip(tested).enumerate().map(point).collect()
}

/// Refuses a library whose costs come from several sources: a saving by one is no saving by the other.
pub fn check_cost_sources(library: &Library) -> Result<()> {
    let of =
        |source| library.multipliers().iter().find(|m| m.cost_source == source).map(|m| (source, &m.name));
    let examples: Vec<_> = library.cost_sources().into_iter().filter_map(of).collect();
    let [(one, first), (other, second), ..] = examples[..] else { return Ok(()) };
    Err(Error::Argument(format!(
        "the library mixes {one} costs (such as {first}'s) with {other} ones ({second}'s), which do not compare; \
         use one source, or allow it with --mix-cost-sources"
    )))
}

/// Names of the multipliers of an assignment.
pub fn names(library: &Library, assignment: &[Choice]) -> Vec<String> {
    assignment.iter().map(|choice| choice.name(library)).collect()
}
