//! NSGA-II over the multipliers of tiles and the tiles of layers.

use super::assignments::{Assignments, Candidate};
use super::checkpoint::CheckpointFile;
use super::evaluator::Evaluator;
use super::known::Known;
use super::options::Options;
use super::shortlist::Shortlist;
use super::walk::LayerRuns;
use crate::error::{Error, Result};
use crate::multiplier::{Library, Ties, non_dominated};
use crate::search::{self, Genome, Outcome, Point, Problem, Settings, State};
use std::ops::ControlFlow;

/// Children bred for each one that is measured: the others are those the model thinks poor.
const SCREEN: usize = 8;

/// Assignments measured at a time when all are.
const EXHAUSTIVE_BATCH: usize = 256;

/// The most assignments of which all are measured.
const MOST_ASSIGNMENTS: u128 = 1_000_000;

/// The result of a search.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Points none of which is better in error and energy than another, from the least saving to the most.
    pub front: Vec<Candidate>,
    /// What was measured of one multiplier in every layer.
    pub uniform: Vec<Candidate>,
    /// Every point that was evaluated, as (energy saved in percent, loss in percentage points).
    pub evaluated: Vec<(f64, f64)>,
    /// Multipliers tried, in both operand orders where those differ.
    pub choices: usize,
    /// Assignments measured, probes among them.
    pub evaluations: usize,
    /// Those that only told how sensitive each layer is.
    pub probes: usize,
    /// Evaluations saved because a genome, or another one with the same assignment, came up again.
    pub memo_hits: usize,
    /// The work of the evaluator's batches.
    pub layer_runs: LayerRuns,
    /// Whether the search was stopped before its last generation.
    pub interrupted: bool,
}

/// How far a search is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Generations done, the initial one not counted.
    pub generation: usize,
    /// Assignments measured.
    pub evaluations: usize,
    /// The largest saving within the loss budget so far, in percent.
    pub best_saved_pct: f64,
}

/// Searches `library` for `evaluator`'s network; with `checkpoint`, every generation is saved.
pub fn search(
    evaluator: &Evaluator,
    library: &Library,
    options: &Options,
    checkpoint: Option<&CheckpointFile>,
    on_progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Selection> {
    let saved = saved(checkpoint)?;
    let shortlist = Shortlist::measured(library, evaluator.compensator(), options.every_choice, &|_| {})?;
    search_among(evaluator, library, &shortlist, options, (checkpoint, saved), on_progress)
}

/// Where a search was when it was saved.
pub(super) type Saved = (State<Genome>, Known);

/// What `checkpoint` holds, if it is to be used.
pub(super) fn saved(checkpoint: Option<&CheckpointFile>) -> Result<Option<Saved>> {
    Ok(checkpoint.map(CheckpointFile::load).transpose()?.flatten())
}

/// Searches for `evaluator`'s network among the choices of `shortlist`, whose library is `library`, going on from where it
/// was `saved`.
pub(super) fn search_among(
    evaluator: &Evaluator,
    library: &Library,
    shortlist: &Shortlist,
    options: &Options,
    (checkpoint, saved): (Option<&CheckpointFile>, Option<Saved>),
    mut on_progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Selection> {
    let (state, known) = saved.map_or((None, Known::default()), |(state, known)| (Some(state), known));
    let problem = Assignments::new(evaluator, library, options, shortlist, known)?;
    let mut tell = |generation: usize, points: &[Point<Genome>]| -> Result<ControlFlow<()>> {
        let points =
            points.iter().map(|point| problem.candidate(&point.genome)).collect::<Result<Vec<_>>>()?;
        let affordable = points.iter().filter(|point| point.measured.loss_pp <= options.max_loss_pp);
        Ok(on_progress(Progress {
            generation,
            evaluations: problem.lock().len(),
            best_saved_pct: affordable.map(|point| point.energy.saved_pct).fold(0.0, f64::max),
        }))
    };
    let (outcome, evaluated) = if options.exhaustive {
        exhaustive(&problem, &mut tell)?
    } else {
        guided(&problem, options, shortlist, checkpoint, state, &mut tell)?
    };
    let front = outcome.front.iter().map(|point| problem.candidate(&point.genome));
    let mut front = front.collect::<Result<Vec<_>>>()?;
    front.sort_by(|a, b| a.energy.saved_pct.total_cmp(&b.energy.saved_pct));
    let point = |genome: &Genome| {
        let candidate = problem.candidate(genome)?;
        Ok((candidate.energy.saved_pct, candidate.measured.loss_pp))
    };
    let evaluated = evaluated.iter().map(point).collect::<Result<_>>()?;
    let uniform = problem.uniform_points()?;
    let known = problem.lock();
    Ok(Selection {
        front,
        uniform,
        evaluated,
        choices: shortlist.choices.len(),
        evaluations: known.len(),
        probes: known.probes,
        memo_hits: outcome.memo_hits + known.same_assignment,
        layer_runs: evaluator.layer_runs(),
        interrupted: outcome.interrupted,
    })
}

/// The points of one multiplier in every layer that no other such point beats in divergence and energy, from the
/// least saving to the most.
pub(super) fn uniform(
    evaluator: &Evaluator,
    library: &Library,
    shortlist: &Shortlist,
    options: &Options,
) -> Result<Vec<Candidate>> {
    let free = Options { keep_exact: Vec::new(), ..options.clone() };
    let problem = Assignments::new(evaluator, library, &free, shortlist, Known::default())?;
    problem.evaluate(&problem.uniform(shortlist.choices.len()))?;
    let points = problem.uniform_points()?;
    let figures = |&i: &usize| [points[i].energy.relative_energy, points[i].measured.kl];
    let kept = non_dominated(0..points.len(), figures, Ties::First);
    let mut points: Vec<Candidate> = kept.into_iter().map(|i| points[i].clone()).collect();
    points.sort_by(|a, b| a.energy.saved_pct.total_cmp(&b.energy.saved_pct));
    Ok(points)
}

type Tell<'t> = dyn FnMut(usize, &[Point<Genome>]) -> Result<ControlFlow<()>> + 't;

/// NSGA-II, begun with and helped by a model where the multipliers' noise is known. Also the genomes that were
/// evaluated.
fn guided(
    problem: &Assignments,
    options: &Options,
    shortlist: &Shortlist,
    checkpoint: Option<&CheckpointFile>,
    state: Option<State<Genome>>,
    tell: &mut Tell,
) -> Result<(Outcome<Genome>, Vec<Genome>)> {
    let settings = Settings {
        population: options.population,
        generations: options.generations,
        seed: options.seed,
        screen: SCREEN,
    };
    if shortlist.noises.iter().flatten().any(|&noise| noise > 0.0) {
        problem.make_model()?;
    }
    let mut state = match state {
        Some(state) => state,
        None => {
            let mut initial = problem.proposed(options.population / 2);
            initial.extend(problem.uniform(options.population / 4));
            State::start(problem, &settings, &initial)?
        }
    };
    loop {
        if let Some(checkpoint) = checkpoint {
            checkpoint.save(&(&state, &*problem.lock()))?;
        }
        let flow = tell(state.generation(), state.evaluated())?;
        if flow.is_break() || state.generation() >= options.generations {
            break;
        }
        problem.fit_model();
        // What the model has learned: its new proposals compete with the population.
        state.inject(problem, &settings, &problem.proposed(options.population / 4))?;
        state.advance(problem, &settings)?;
    }
    let evaluated = state.evaluated().iter().map(|point| point.genome.clone()).collect();
    let done = Settings { generations: state.generation(), ..settings };
    let mut outcome = search::resume(problem, &done, state, |_| ControlFlow::Continue(()))?;
    outcome.interrupted = outcome.generations < options.generations;
    Ok((outcome, evaluated))
}

/// All assignments. Also the genomes of the front.
fn exhaustive(problem: &Assignments, tell: &mut Tell) -> Result<(Outcome<Genome>, Vec<Genome>)> {
    match problem.space.count() {
        Some(count) if count <= MOST_ASSIGNMENTS => {}
        count => {
            let count = count.map_or("more than 2^127".to_owned(), |count| count.to_string());
            return Err(Error::Argument(format!(
                "there are {count} assignments, too many for all of them (at most {MOST_ASSIGNMENTS}): take fewer \
                 multipliers or tiles, or keep layers exact, or leave out --exhaustive"
            )));
        }
    }
    let mut failed = None;
    let outcome = search::exhaustive(problem, problem.space.all(), EXHAUSTIVE_BATCH, |_, front| {
        tell(0, front).unwrap_or_else(|error| {
            failed = Some(error);
            ControlFlow::Break(())
        })
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    let evaluated = outcome.front.iter().map(|point| point.genome.clone()).collect();
    Ok((outcome, evaluated))
}
