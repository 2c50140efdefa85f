//! NSGA-II over the multipliers of tiles and the tiles of layers.

use super::evaluator::{Evaluator, Measured};
use super::seeds::{Model, Probe, probes};
use super::shortlist::Shortlist;
use super::walk::LayerRuns;
use crate::accelerator::{AcceleratorModel, EnergyReport, MacCosts, TileCost, Workload};
use crate::error::Result;
use crate::multiplier::{Choice, Library};
use crate::search::{self, Evaluation, Genome, GenomeSpace, Mapping, Problem, Settings, State, Stream};
use std::collections::{HashMap, HashSet};
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
    /// Whether all multipliers of the library are tried; otherwise those that in some layer no cheaper one beats.
    pub every_choice: bool,
    /// The most memory for what assignments that begin alike have in common; 0 runs each from its first layer.
    pub memory_bytes: usize,
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
    /// Points none of which is better in divergence and energy than another, from the least saving to the most.
    pub front: Vec<Candidate>,
    /// Assignments of one multiplier to every layer that were evaluated, with energy saved in percent and
    /// loss in percentage points.
    pub uniform: Vec<(Choice, f64, f64)>,
    /// Every point that was evaluated, as (energy saved in percent, loss in percentage points).
    pub evaluated: Vec<(f64, f64)>,
    /// Assignments evaluated, probes among them.
    pub evaluations: usize,
    /// Those that only told how sensitive each layer is.
    pub probes: usize,
    /// Evaluations saved because a genome, or another one with the same assignment, came up again.
    pub memo_hits: usize,
    /// The work of the evaluator's batches.
    pub layer_runs: LayerRuns,
}

/// How far a search is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Generations done, the initial one not counted.
    pub generation: usize,
    /// Assignments evaluated.
    pub evaluations: usize,
    /// The largest saving within the loss budget so far, in percent.
    pub best_saved_pct: f64,
}

/// On how many images operands are counted to tell which choices are worth a search.
const SHORTLIST_IMAGES: usize = 64;

/// What is added to a divergence (nats) before its logarithm is taken: less is no difference worth a point.
const LEAST_DIVERGENCE: f64 = 1e-4;

/// Searches `library` for `evaluator`'s network.
pub fn search(
    evaluator: &Evaluator,
    library: &Library,
    multiplications: &[u64],
    options: &Options,
    mut on_progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Selection> {
    let mut evaluated = Vec::new();
    let all = Shortlist::all(library, &evaluator.operands(SHORTLIST_IMAGES)?)?;
    let shortlist = if options.every_choice { all } else { all.worth_a_search(library) };
    let mapping = match options.accelerator {
        AcceleratorModel::PowerGated => Mapping::Free,
        AcceleratorModel::Pipelined { .. } => Mapping::Contiguous,
    };
    let space = GenomeSpace::new(multiplications.len(), options.tiles, &shortlist.powers, mapping)?;
    let known = Mutex::default();
    let assignments = Assignments { evaluator, library, multiplications, options, shortlist, space, known };
    let settings = Settings {
        population: options.population,
        generations: options.generations,
        seed: options.seed,
        screen: 1,
    };
    let mut initial = assignments.proposed(options.population / 2, mapping)?;
    initial.extend(assignments.uniform(options.population / 4)?);
    let outcome = search::run(&assignments, &settings, &initial, |state| {
        let points = assignments.points(state);
        let affordable = points.iter().filter(|(_, loss)| *loss <= options.max_loss_pp);
        let progress = Progress {
            generation: state.generation(),
            evaluations: assignments.lock().measured.len(),
            best_saved_pct: affordable.map(|(saved, _)| *saved).fold(0.0, f64::max),
        };
        evaluated = points;
        on_progress(progress)
    })?;
    let mut front: Vec<Candidate> =
        outcome.front.iter().map(|point| assignments.known(&point.genome)).collect();
    front.sort_by(|a, b| a.energy.saved_pct.total_cmp(&b.energy.saved_pct));
    let (evaluations, probes, same_assignment) = {
        let known = assignments.lock();
        (known.measured.len(), known.probes, known.same_assignment)
    };
    Ok(Selection {
        front,
        uniform: assignments.uniform_points(),
        evaluated,
        evaluations,
        probes,
        memo_hits: outcome.memo_hits + same_assignment,
        layer_runs: evaluator.layer_runs(),
    })
}

/// The search problem: genomes are assignments, objectives are divergence from the exact network and energy.
struct Assignments<'a> {
    evaluator: &'a Evaluator<'a>,
    library: &'a Library,
    multiplications: &'a [u64],
    options: &'a Options,
    /// What the numbers in a genome stand for.
    shortlist: Shortlist,
    space: GenomeSpace,
    known: Mutex<Known>,
}

/// Everything evaluated.
#[derive(Default)]
struct Known {
    candidates: HashMap<Genome, Candidate>,
    measured: HashMap<Vec<Choice>, Measured>,
    /// How many of these were measured before there were genomes.
    probes: usize,
    /// Genomes whose assignment another genome had before.
    same_assignment: usize,
}

impl Assignments<'_> {
    /// Genomes that a model of the network thinks good, at most `count` from little energy to much.
    fn proposed(&self, count: usize, mapping: Mapping) -> Result<Vec<Genome>> {
        let exact = Choice::exact(self.library);
        let probes = probes(&self.shortlist, self.multiplications.len());
        let assignment = |probe: &Probe| {
            let mut assignment = vec![exact; self.multiplications.len()];
            assignment[probe.layer] = self.shortlist.choices[probe.choice];
            assignment
        };
        let assignments: Vec<Vec<Choice>> = probes.iter().map(assignment).collect();
        self.measure_new(&assignments)?;
        let divergences: Vec<f64> = {
            let mut known = self.lock();
            (known.probes, known.same_assignment) = (known.measured.len(), 0);
            assignments.iter().map(|assignment| known.measured[assignment].kl).collect()
        };
        let model = Model::new(&self.shortlist, self.multiplications, &probes, &divergences);
        let encode = |assignment: &Vec<usize>| {
            let genes: Vec<u16> = assignment.iter().map(|&position| position as u16).collect();
            self.space.encode(&genes)
        };
        model.proposals(self.options.tiles, mapping, count).iter().map(encode).collect()
    }

    /// Genomes with one multiplier everywhere, `count` of them evenly spread from the cheapest to the dearest.
    fn uniform(&self, count: usize) -> Result<Vec<Genome>> {
        let count = count.min(self.shortlist.choices.len());
        // The library is sorted by power.
        let place = |i: usize| i * (self.shortlist.choices.len() - 1) / (count - 1).max(1);
        (0..count).map(|i| self.space.uniform(place(i) as u16)).collect()
    }

    /// What was evaluated of one multiplier everywhere, in the library's order.
    fn uniform_points(&self) -> Vec<(Choice, f64, f64)> {
        let known = self.lock();
        let uniform =
            known.candidates.values().filter(|c| c.assignment.windows(2).all(|pair| pair[0] == pair[1]));
        let mut points: Vec<(Choice, f64, f64)> =
            uniform.map(|c| (c.assignment[0], c.energy.saved_pct, c.measured.loss_pp)).collect();
        // Several genomes may have a multiplier everywhere, on one tile or on more.
        points.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        points
    }

    fn choice(&self, gene: u16) -> Choice {
        self.shortlist.choices[usize::from(gene)]
    }

    fn assignment(&self, genome: &Genome) -> Vec<Choice> {
        genome.assignment().into_iter().map(|gene| self.choice(gene)).collect()
    }

    fn energy(&self, genome: &Genome) -> Result<EnergyReport> {
        let cost = |&gene: &u16| TileCost::of(&self.library.multipliers()[self.choice(gene).multiplier]);
        let tiles: Vec<TileCost> = genome.tiles().iter().map(cost).collect();
        self.options.accelerator.report(&Workload {
            multiplications: self.multiplications,
            layers: genome.layers(),
            tiles: &tiles,
            array_size: self.options.array_size,
            mac: MacCosts::of(self.evaluator.scheme()),
        })
    }

    /// Measures those assignments that were never measured before, each once.
    fn measure_new(&self, assignments: &[Vec<Choice>]) -> Result<()> {
        let mut new: Vec<Vec<Choice>> = Vec::new();
        {
            let known = self.lock();
            let mut seen = HashSet::new();
            for assignment in assignments {
                if !known.measured.contains_key(assignment) && seen.insert(assignment) {
                    new.push(assignment.clone());
                }
            }
        }
        let measured = self.evaluator.measure_all(&new)?;
        let mut known = self.lock();
        known.same_assignment += assignments.len() - new.len();
        known.measured.extend(new.into_iter().zip(measured));
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn known(&self, genome: &Genome) -> Candidate {
        self.lock().candidates[genome].clone()
    }

    /// (energy saved, loss) of everything evaluated, in the order of evaluation.
    fn points(&self, state: &State<Genome>) -> Vec<(f64, f64)> {
        let known = self.lock();
        let point = |c: &Candidate| (c.energy.saved_pct, c.measured.loss_pp);
        state.evaluated().iter().map(|p| point(&known.candidates[&p.genome])).collect()
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
        let assignments: Vec<Vec<Choice>> = genomes.iter().map(|genome| self.assignment(genome)).collect();
        let energies = genomes.iter().map(|genome| self.energy(genome)).collect::<Result<Vec<_>>>()?;
        self.measure_new(&assignments)?;
        let mut known = self.lock();
        let mut evaluations = Vec::with_capacity(genomes.len());
        for ((genome, assignment), energy) in genomes.iter().zip(assignments).zip(energies) {
            let measured = known.measured[&assignment].clone();
            // The divergence orders assignments that lose nothing or a lucky less than that on few images. By its
            // logarithm points spread over small divergences, where the budget is, as over large ones.
            let error = (measured.kl.max(0.0) + LEAST_DIVERGENCE).ln();
            evaluations.push(Evaluation::new(vec![error, energy.relative_energy]));
            known.candidates.insert(genome.clone(), Candidate { assignment, energy, measured });
        }
        Ok(evaluations)
    }
}
