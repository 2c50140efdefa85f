//! The search problem: genomes are assignments, objectives are error and energy.

use super::evaluator::{Evaluator, Measured};
use super::known::Known;
use super::model::{Model, Positions, Probe, probes};
use super::objectives::{Cost, costs};
use super::options::{ErrorMeasure, Options};
use super::shortlist::Shortlist;
use crate::accelerator::{AcceleratorModel, EnergyReport, MacCosts, TileCost, Workload};
use crate::error::{Error, Result};
use crate::multiplier::{Choice, Library};
use crate::search::{Evaluation, Genome, GenomeSpace, Mapping, Problem, Stream};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// What is added to a divergence (nats) before its logarithm is taken: less is no difference worth a point.
const LEAST_DIVERGENCE: f64 = 1e-4;

/// One genome, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The multiplier of each layer.
    pub assignment: Vec<Choice>,
    /// What it costs.
    pub energy: EnergyReport,
    /// What it does on the search's images.
    pub measured: Measured,
    /// What the further objectives come to, in the order of the options, as far as the search knows.
    pub costs: Vec<f64>,
}

/// The problem.
pub(super) struct Assignments<'a> {
    evaluator: &'a Evaluator<'a>,
    library: &'a Library,
    multiplications: Vec<u64>,
    options: &'a Options,
    /// What the numbers in a genome stand for.
    shortlist: &'a Shortlist,
    pub space: GenomeSpace,
    /// Layers whose choice is no question.
    fixed: Vec<(usize, usize)>,
    known: Mutex<Known>,
    /// What is expected of assignments; none if nothing is known of the multipliers' noise.
    model: Mutex<Option<Model<'a>>>,
    /// Of the further objectives, in the order of the options.
    costs: Vec<Box<dyn Cost>>,
}

impl<'a> Assignments<'a> {
    /// The problem of choosing from `shortlist`, of which `known` was measured before.
    pub(super) fn new(
        evaluator: &'a Evaluator,
        library: &'a Library,
        options: &'a Options,
        shortlist: &'a Shortlist,
        mut known: Known,
    ) -> Result<Self> {
        let multiplications = evaluator.network().multiplications();
        let exact = shortlist.position(Choice::exact(library));
        let exact =
            exact.ok_or_else(|| Error::Mismatch("the exact multiplier is not in its library".into()))?;
        let fixed: Vec<(usize, usize)> = options.keep_exact.iter().map(|&layer| (layer, exact)).collect();
        if let Some(layer) = options.keep_exact.iter().find(|&&layer| layer >= multiplications.len()) {
            return Err(Error::Argument(format!(
                "layer {layer} can't keep its multiplier: {} layers multiply",
                multiplications.len()
            )));
        }
        let space =
            GenomeSpace::new(multiplications.len(), options.tiles, &shortlist.powers, mapping(options))?
                .with_fixed(fixed.iter().map(|&(layer, choice)| (layer, choice as u16)))?
                .with_max_distinct(options.max_distinct)?;
        let costs = costs(options, evaluator.compensator(), library, shortlist)?;
        known.index();
        let (known, model) = (Mutex::new(known), Mutex::new(None));
        Ok(Assignments {
            evaluator,
            library,
            multiplications,
            options,
            shortlist,
            space,
            fixed,
            known,
            model,
            costs,
        })
    }

    /// Measures the layers' sensitivities and makes the model of them.
    pub(super) fn make_model(&self) -> Result<()> {
        let exact = Choice::exact(self.library);
        let layers = self.multiplications.len();
        let probes = probes(self.shortlist, layers, &self.options.keep_exact);
        let assignment = |probe: &Probe| {
            let mut assignment = vec![exact; layers];
            assignment[probe.layer] = self.shortlist.choices[probe.choice];
            assignment
        };
        let assignments: Vec<Vec<Choice>> = probes.iter().map(assignment).collect();
        let begun = self.lock().len() > 0;
        self.measure_new(&assignments)?;
        let divergences: Vec<f64> = {
            let mut known = self.lock();
            if !begun {
                (known.probes, known.same_assignment) = (known.len(), 0);
            }
            assignments.iter().map(|assignment| known.get(assignment).map_or(0.0, |m| m.kl)).collect()
        };
        let model = Model::new(self.shortlist, &self.multiplications, &self.fixed, &probes, &divergences);
        *self.lock_model() = Some(model);
        self.fit_model();
        Ok(())
    }

    /// Fits the model to everything that was measured.
    pub(super) fn fit_model(&self) {
        let positions: HashMap<Choice, usize> =
            self.shortlist.choices.iter().enumerate().map(|(place, &choice)| (choice, place)).collect();
        let known = self.lock();
        let measured: Vec<(Positions, f64)> = (known.measured.iter())
            .filter_map(|(assignment, measured)| {
                let assignment: Option<Positions> =
                    assignment.iter().map(|choice| positions.get(choice).copied()).collect();
                Some((assignment?, measured.kl))
            })
            .collect();
        if let Some(model) = &mut *self.lock_model() {
            model.fit(measured.iter().map(|(assignment, kl)| (assignment, *kl)));
        }
    }

    /// Genomes that the model thinks good, at most `count` from little energy to much; none without a model.
    pub(super) fn proposed(&self, count: usize) -> Vec<Genome> {
        let Some(model) = &*self.lock_model() else { return Vec::new() };
        let proposals = model.proposals(self.options.tiles, mapping(self.options), count);
        // One with too many different multipliers is left out.
        let encode = |assignment: &Positions| {
            let genes: Vec<u16> = assignment.iter().map(|&position| position as u16).collect();
            self.space.encode(&genes).ok()
        };
        proposals.iter().filter_map(encode).collect()
    }

    /// Genomes with one multiplier everywhere, `count` of them evenly spread from the cheapest to the dearest.
    pub(super) fn uniform(&self, count: usize) -> Vec<Genome> {
        let count = count.min(self.shortlist.choices.len());
        // The library is sorted by power.
        let place = |i: usize| i * (self.shortlist.choices.len() - 1) / (count - 1).max(1);
        (0..count).filter_map(|i| self.space.uniform(place(i) as u16).ok()).collect()
    }

    /// What was measured of one multiplier everywhere, in the library's order.
    pub(super) fn uniform_points(&self) -> Result<Vec<Candidate>> {
        let assignments: Vec<Vec<Choice>> = {
            let known = self.lock();
            let all = known.measured.iter().map(|(assignment, _)| assignment);
            all.filter(|assignment| assignment.windows(2).all(|pair| pair[0] == pair[1])).cloned().collect()
        };
        let one_tile = |assignment: &Vec<Choice>| {
            let gene = self.shortlist.position(assignment[0]);
            gene.and_then(|gene| self.space.uniform(gene as u16).ok())
        };
        let points = assignments.iter().filter_map(one_tile).map(|genome| self.candidate(&genome));
        let mut points = points.collect::<Result<Vec<Candidate>>>()?;
        points.sort_by(|a, b| a.assignment.cmp(&b.assignment));
        points.dedup_by(|a, b| a.assignment == b.assignment);
        Ok(points)
    }

    /// A genome that was evaluated, with what is known of it.
    pub(super) fn candidate(&self, genome: &Genome) -> Result<Candidate> {
        let assignment = self.assignment(genome);
        let measured = self.lock().get(&assignment).cloned();
        let measured =
            measured.ok_or_else(|| Error::Mismatch("the saved search is damaged: start a new one".into()))?;
        Ok(Candidate { energy: self.energy(genome)?, assignment, measured, costs: self.costs(genome) })
    }

    /// Everything known.
    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn lock_model(&self) -> std::sync::MutexGuard<'_, Option<Model<'a>>> {
        self.model.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
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
            multiplications: &self.multiplications,
            layers: genome.layers(),
            tiles: &tiles,
            array_size: self.options.array_size,
            mac: MacCosts::of(self.evaluator.network().scheme),
        })
    }

    /// Measures those assignments that were never measured before, each once.
    fn measure_new(&self, assignments: &[Vec<Choice>]) -> Result<()> {
        let mut new: Vec<Vec<Choice>> = Vec::new();
        {
            let known = self.lock();
            let mut seen = HashSet::new();
            for assignment in assignments {
                if known.get(assignment).is_none() && seen.insert(assignment) {
                    new.push(assignment.clone());
                }
            }
        }
        let measured = self.evaluator.measure_all(&new)?;
        let mut known = self.lock();
        known.same_assignment += assignments.len() - new.len();
        new.into_iter().zip(measured).for_each(|(assignment, measured)| known.put(assignment, measured));
        Ok(())
    }

    fn costs(&self, genome: &Genome) -> Vec<f64> {
        if self.costs.is_empty() {
            return Vec::new();
        }
        let positions: Positions = genome.assignment().into_iter().map(usize::from).collect();
        self.costs.iter().map(|cost| cost.of(&positions)).collect()
    }

    fn evaluation(&self, error: f64, energy: &EnergyReport, costs: Vec<f64>) -> Evaluation {
        let mut objectives = vec![error, energy.relative_energy];
        if self.options.area {
            objectives.push(energy.area_rel.unwrap_or(f64::INFINITY));
        }
        objectives.extend(costs);
        Evaluation::new(objectives)
    }
}

/// Which layers may share a tile on the accelerator.
pub(super) fn mapping(options: &Options) -> Mapping {
    match options.accelerator {
        AcceleratorModel::PowerGated => Mapping::Free,
        AcceleratorModel::Pipelined { .. } => Mapping::Contiguous,
    }
}

/// By its logarithm points spread over small divergences, where the budget is, as over large ones.
fn error_of(kl: f64) -> f64 {
    (kl.max(0.0) + LEAST_DIVERGENCE).ln()
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

    fn predict(&self, genome: &Genome) -> Option<Evaluation> {
        let positions: Positions = genome.assignment().into_iter().map(usize::from).collect();
        let expected = self.lock_model().as_ref()?.expected(&positions);
        let energy = self.energy(genome).ok()?;
        Some(self.evaluation(error_of(expected), &energy, self.costs(genome)))
    }

    fn evaluate(&self, genomes: &[Genome]) -> Result<Vec<Evaluation>> {
        let assignments: Vec<Vec<Choice>> = genomes.iter().map(|genome| self.assignment(genome)).collect();
        self.measure_new(&assignments)?;
        let evaluation = |genome| {
            let candidate = self.candidate(genome)?;
            let error = match self.options.error {
                ErrorMeasure::Kl => error_of(candidate.measured.kl),
                ErrorMeasure::Loss => candidate.measured.loss_pp,
            };
            Ok(self.evaluation(error, &candidate.energy, candidate.costs))
        };
        genomes.iter().map(evaluation).collect()
    }
}
