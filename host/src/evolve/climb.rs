//! A circuit on its way down: mutated at random, kept where it has not become more expensive.
//!
//! A (1 + 1) evolution strategy. Four shortcuts make a candidate cost far less than simulating it on all
//! operand pairs; none of them changes what is accepted but the guess named in
//! [`Objective::promises`]:
//!
//! * where no gate that an output needs has changed, nothing is simulated;
//! * on the first blocks of pairs the parent's values are kept, and only gates behind a change simulated;
//! * a candidate whose errors exceed a bound on the blocks seen so far is given up;
//! * so is one whose power, guessed from the parent's activities and then estimated on the first blocks, is
//!   well above what is allowed.

use super::candidate::Candidate;
use super::genome::{FIRST_GATE, Genome};
use super::looks::{Looks, Record};
use super::mutate::{Change, mutate};
use super::objective::Objective;
use super::operands::BLOCKS;
use super::program::{Program, SIDE_BY_SIDE};
use crate::kernels::{self, Isa, Lanes};
use crate::multiplier::netlist::INPUTS;
use crate::multiplier::{TruthTable, activity};
use rand::Rng;

/// Blocks on which the parent's values are kept: a quarter to half of a megabyte.
const KEPT_BLOCKS: usize = 8;

/// On how many of them a candidate's gates are not counted before it has got through all: most do not.
const UNCOUNTED_BLOCKS: usize = 4;

/// How much more power than allowed the estimate of the first blocks may come to.
const POWER_MARGIN: f64 = 1.02;

/// The same for the guess before any simulation, which takes the parent's activities for the candidate's.
const GUESS_MARGIN: f64 = 1.02;

/// What became of candidates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// All candidates.
    pub candidates: u64,
    /// Those that changed nothing an output needs.
    pub neutral: u64,
    /// Those simulated on all pairs.
    pub complete: u64,
    /// Those that took the parent's place after a simulation.
    pub accepted: u64,
}

impl Outcomes {
    /// Adds another climb's.
    pub fn add(&mut self, other: &Outcomes) {
        self.candidates += other.candidates;
        self.neutral += other.neutral;
        self.complete += other.complete;
        self.accepted += other.accepted;
    }
}

/// A circuit, its power and its values on the first blocks.
pub struct Climb<'o> {
    objective: &'o Objective,
    isa: Isa,
    genome: Genome,
    active: Vec<bool>,
    /// For each kept block, the values of all wires, then room for those of a candidate's changed gates.
    kept: Vec<Vec<Lanes>>,
    /// For each wire that an output needs, how active it is.
    activities: Vec<f64>,
    record: Record,
    power_uw: f64,
    limit_uw: f64,
    /// What has happened so far.
    pub outcomes: Outcomes,
    candidate: Candidate,
    /// The whole candidate, for the blocks that are not kept.
    program: Program,
}

impl<'o> Climb<'o> {
    /// Begins at `genome`. `None` if it does not keep to the objective's bounds.
    pub fn new(objective: &'o Objective, genome: Genome, isa: Isa) -> Option<Climb<'o>> {
        let wires = FIRST_GATE + genome.genes.len();
        let kept = objective.blocks[..KEPT_BLOCKS].iter().map(|block| {
            let mut values = vec![Lanes::default(); wires + genome.genes.len()];
            values[1] = Lanes::ONES;
            values[2..][..INPUTS].copy_from_slice(&block.inputs);
            values
        });
        let mut activities = vec![0.0; wires];
        activities[2..FIRST_GATE].fill(activity(TruthTable::ENTRIES as u32 / 2));
        let mut climb = Climb {
            objective,
            isa,
            active: vec![false; genome.genes.len()],
            kept: kept.collect(),
            activities,
            record: Record::default(),
            power_uw: f64::INFINITY,
            limit_uw: 0.0,
            outcomes: Outcomes::default(),
            candidate: Candidate::default(),
            program: Program::default(),
            genome,
        };
        // As a candidate all of whose gates are new.
        climb.consider().then_some(climb)
    }

    /// The circuit.
    pub fn genome(&self) -> &Genome {
        &self.genome
    }

    /// Allows candidates whose power is up to `limit_uw` although the circuit they come from needs less. The
    /// circuit's own is always allowed.
    pub fn allow(&mut self, limit_uw: f64) {
        self.limit_uw = limit_uw;
    }

    /// Its power in uW, as of [`Cost`](crate::multiplier::cost::Cost).
    pub fn power_uw(&self) -> f64 {
        self.power_uw
    }

    /// Tries one candidate.
    pub fn step(&mut self, random: &mut impl Rng) {
        self.outcomes.candidates += 1;
        let sample = &self.kept[0];
        mutate(&mut self.genome, &self.active, sample, random, &mut self.candidate.changes);
        if !self.consider() {
            for change in self.candidate.changes.drain(..).rev() {
                change.undo(&mut self.genome);
            }
        }
    }

    /// Looks at the circuit once more as if all its gates were new, on all pairs: what a candidate costs that no
    /// shortcut helps with. Whether it keeps to the bounds, which it does.
    pub fn look_again(&mut self) -> bool {
        self.candidate.changes.clear();
        self.active.fill(false);
        // As at the beginning, whatever the power.
        self.power_uw = f64::INFINITY;
        self.consider()
    }

    /// Makes the genome, mutated as in `candidate.changes`, the parent if it deserves it.
    fn consider(&mut self) -> bool {
        self.candidate.plan(&self.genome, &self.active);
        if self.candidate.changed.is_empty()
            && !self.candidate.changes.iter().any(Change::is_of_output)
            && self.power_uw.is_finite()
        {
            // The gates that were needed are those that are; or fewer, had an output been changed.
            self.outcomes.neutral += 1;
            return true;
        }
        let Some((power_uw, record)) = self.evaluate() else { return false };
        self.outcomes.accepted += 1;
        self.record = record;
        self.power_uw = power_uw;
        let gates = self.genome.genes.len();
        for gate in self.candidate.changed.iter().map(|&gate| FIRST_GATE + usize::from(gate)) {
            for values in &mut self.kept {
                values[gate] = values[gates + gate];
            }
        }
        std::mem::swap(&mut self.activities, &mut self.candidate.activities);
        std::mem::swap(&mut self.active, &mut self.candidate.active);
        true
    }

    /// The candidate's power in uW and figures if it keeps to the bounds and costs no more than the parent.
    fn evaluate(&mut self) -> Option<(f64, Record)> {
        let Climb { objective, isa, candidate, genome, program, .. } = self;
        let isa = *isa;
        let limit_uw = self.limit_uw.max(self.power_uw);
        candidate.guess_activities(&self.active, &self.activities);
        if candidate.power_uw(genome) > limit_uw * GUESS_MARGIN {
            return None;
        }
        let outputs = candidate.outputs(genome);
        let mut tally = objective.tally();
        let mut looks = Looks::new(objective, self.power_uw.is_finite().then_some(&self.record));
        let (first, rest) = objective.blocks.split_at(KEPT_BLOCKS);
        candidate.begin_counting();
        for (index, (block, values)) in first.iter().zip(&mut self.kept).enumerate() {
            let counters = if index < UNCOUNTED_BLOCKS { &mut [] } else { &mut candidate.counters[..] };
            kernels::simulate(isa, &candidate.cone, one_by_one(values), counters);
            let product = outputs.map(|place| &values[usize::from(place)]);
            if !objective.count(isa, block, &product, &mut tally) || !looks.promise(&tally, index + 1) {
                return None;
            }
        }
        for values in &mut self.kept[..UNCOUNTED_BLOCKS] {
            kernels::simulate(isa, &candidate.cone, one_by_one(values), &mut candidate.counters);
        }
        candidate.count_activities((BLOCKS / KEPT_BLOCKS) as u32);
        if candidate.power_uw(genome) > limit_uw * POWER_MARGIN {
            return None;
        }
        program.compile(genome, &candidate.active, &candidate.counted);
        for (group, blocks) in rest.as_chunks::<SIDE_BY_SIDE>().0.iter().enumerate() {
            program.run(isa, blocks, &mut candidate.counters);
            for (index, block) in blocks.iter().enumerate() {
                let counted = KEPT_BLOCKS + SIDE_BY_SIDE * group + index + 1;
                if !objective.count(isa, block, &program.product(index), &mut tally)
                    || !looks.promise(&tally, counted)
                {
                    return None;
                }
            }
        }
        if !objective.keeps(&tally) {
            return None;
        }
        self.outcomes.complete += 1;
        candidate.count_activities(1);
        let power_uw = candidate.power_uw(genome);
        (power_uw <= limit_uw).then(|| (power_uw, looks.record(&tally)))
    }
}

/// The values of a single block.
fn one_by_one(values: &mut [Lanes]) -> &mut [[Lanes; 1]] {
    values.as_chunks_mut().0
}

#[cfg(test)]
mod tests;
