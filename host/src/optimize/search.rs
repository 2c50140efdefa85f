//! NSGA-II over the multipliers of tiles and the tiles of layers.

use super::evaluator::{Evaluator, Measured};
use crate::accelerator::{AcceleratorModel, EnergyReport, TileCost, Workload};
use crate::error::Result;
use crate::multiplier::{Choice, Library};
use crate::search::{self, Evaluation, Genome, GenomeSpace, Mapping, Problem, Settings, State, Stream};
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Mutex;

/// What to search.
#[derive(Debug, Clone)]
pub struct Options {
    /// Tiles of the accelerator.
    pub tiles: usize,
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
    /// How many of the selection images candidates are scored on; a point of the front is picked on all.
    pub search_images: usize,
}

/// One genome of the front, measured.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The multiplier of each layer.
    pub assignment: Vec<Choice>,
    /// What it costs.
    pub energy: EnergyReport,
    /// What it does on the search's images.
    pub measured: Measured,
}

/// The result of a search.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Points none of which is better in loss and energy than another, from the least saving to the most.
    pub front: Vec<Candidate>,
    /// Assignments of one multiplier to every layer that were evaluated, with energy saved in percent and
    /// loss in percentage points.
    pub uniform: Vec<(Choice, f64, f64)>,
    /// Every point that was evaluated, as (energy saved in percent, loss in percentage points).
    pub evaluated: Vec<(f64, f64)>,
    /// Evaluations made.
    pub evaluations: usize,
    /// Evaluations saved because a genome came up again.
    pub memo_hits: usize,
}

/// How far a search is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Generations done, the initial one not counted.
    pub generation: usize,
    /// Evaluations made.
    pub evaluations: usize,
    /// The largest saving within the loss budget so far, in percent.
    pub best_saved_pct: f64,
}

/// Weight of the divergence (nats) beside the loss (points): small enough only to tell apart points that
/// the number of images can't.
const KL_WEIGHT: f64 = 1e-2;

/// Searches `library` for `evaluator`'s network.
pub fn search(
    evaluator: &Evaluator,
    library: &Library,
    multiplications: &[u64],
    options: &Options,
    mut on_progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Selection> {
    let mut evaluated = Vec::new();
    let choices = Choice::all(library);
    let mapping = match options.accelerator {
        AcceleratorModel::PowerGated => Mapping::Free,
        AcceleratorModel::Pipelined { .. } => Mapping::Contiguous,
    };
    let costs: Vec<f64> = choices.iter().map(|c| library.multipliers()[c.multiplier].power_rel).collect();
    let space = GenomeSpace::new(multiplications.len(), options.tiles, &costs, mapping)?;
    let assignments =
        Assignments { evaluator, library, multiplications, options, choices, space, known: Mutex::default() };
    let settings =
        Settings { population: options.population, generations: options.generations, seed: options.seed };
    // Uniform assignments across the range of costs are where a designer would begin; the rest is random.
    let initial = assignments.uniform(options.population / 2)?;
    let outcome = search::run(&assignments, &settings, &initial, |state| {
        let points = assignments.points(state);
        let affordable = points.iter().filter(|(_, loss)| *loss <= options.max_loss_pp);
        let progress = Progress {
            generation: state.generation(),
            evaluations: state.evaluations(),
            best_saved_pct: affordable.map(|(saved, _)| *saved).fold(0.0, f64::max),
        };
        evaluated = points;
        on_progress(progress)
    })?;
    let mut front: Vec<Candidate> =
        outcome.front.iter().map(|point| assignments.known(&point.genome)).collect();
    front.sort_by(|a, b| a.energy.saved_pct.total_cmp(&b.energy.saved_pct));
    Ok(Selection {
        front,
        uniform: assignments.uniform_points(),
        evaluated,
        evaluations: outcome.evaluations,
        memo_hits: outcome.memo_hits,
    })
}

/// The search problem: genomes are assignments, objectives are loss and energy.
struct Assignments<'a> {
    evaluator: &'a Evaluator<'a>,
    library: &'a Library,
    multiplications: &'a [u64],
    options: &'a Options,
    /// What the numbers in a genome stand for.
    choices: Vec<Choice>,
    space: GenomeSpace,
    /// Everything evaluated, in full.
    known: Mutex<HashMap<Genome, Candidate>>,
}

impl Assignments<'_> {
    /// Genomes with one multiplier everywhere, `count` of them evenly spread from the cheapest to the dearest.
    fn uniform(&self, count: usize) -> Result<Vec<Genome>> {
        let count = count.min(self.choices.len());
        // The library is sorted by power.
        let place = |i: usize| i * (self.choices.len() - 1) / (count - 1).max(1);
        (0..count).map(|i| self.space.uniform(place(i) as u16)).collect()
    }

    /// What was evaluated of one multiplier everywhere, in the library's order.
    fn uniform_points(&self) -> Vec<(Choice, f64, f64)> {
        let known = self.lock();
        let uniform = known.values().filter(|c| c.assignment.windows(2).all(|pair| pair[0] == pair[1]));
        let mut points: Vec<(Choice, f64, f64)> =
            uniform.map(|c| (c.assignment[0], c.energy.saved_pct, c.measured.loss_pp)).collect();
        points.sort_by_key(|&(choice, ..)| choice);
        points
    }

    fn measure(&self, genome: &Genome) -> Result<Candidate> {
        let choice = |&gene: &u16| self.choices[usize::from(gene)];
        let assignment: Vec<Choice> = genome.assignment().iter().map(choice).collect();
        let cost = |gene: &u16| TileCost::of(&self.library.multipliers()[choice(gene).multiplier]);
        let tiles: Vec<TileCost> = genome.tiles().iter().map(cost).collect();
        let energy = self.options.accelerator.report(&Workload {
            multiplications: self.multiplications,
            layers: genome.layers(),
            tiles: &tiles,
            array_size: self.options.array_size,
        })?;
        let measured = self.evaluator.measure(&assignment)?;
        Ok(Candidate { assignment, energy, measured })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Genome, Candidate>> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn known(&self, genome: &Genome) -> Candidate {
        self.lock()[genome].clone()
    }

    /// (energy saved, loss) of everything evaluated, in the order of evaluation.
    fn points(&self, state: &State<Genome>) -> Vec<(f64, f64)> {
        let known = self.lock();
        let point = |c: &Candidate| (c.energy.saved_pct, c.measured.loss_pp);
        state.evaluated().iter().map(|p| point(&known[&p.genome])).collect()
    }
}

impl Problem for Assignments<'_> {
    type Genome = Genome;

    fn random(&self, stream: &mut Stream) -> Genome {
        self.space.random(stream)
    }

    fn crossover(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> (Genome, Genome) {
        self.space.crossover(a, b, stream)
    }

    fn mutate(&self, genome: &mut Genome, stream: &mut Stream) {
        self.space.mutate(genome, stream);
    }

    fn evaluate(&self, genomes: &[Genome]) -> Result<Vec<Evaluation>> {
        let candidates = genomes.par_iter().map(|g| self.measure(g)).collect::<Result<Vec<Candidate>>>()?;
        let mut known = self.lock();
        let objectives = |c: &Candidate| {
            Evaluation::new(vec![c.measured.loss_pp + KL_WEIGHT * c.measured.kl, c.energy.relative_energy])
        };
        let evaluations = candidates.iter().map(objectives).collect();
        known.extend(genomes.iter().cloned().zip(candidates));
        Ok(evaluations)
    }
}
