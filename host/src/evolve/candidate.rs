//! A mutated circuit beside the one it comes from: what differs, what to simulate, what power it needs.

use super::genome::{FIRST_GATE, Genome};
use super::mutate::Change;
use crate::kernels::{Counter, Instruction, PRODUCT_BITS, ones_counted};
use crate::multiplier::cost::{GatePower, fan_in};
use crate::multiplier::{TruthTable, activity};

/// For how many pairs a gate that the parent had no need of is guessed to be 1.
const GUESSED_ONES: u32 = TruthTable::ENTRIES as u32 / 4;

/// One candidate at a time; the memory serves all in turn.
#[derive(Debug, Default)]
pub struct Candidate {
    /// What was mutated.
    pub changes: Vec<Change>,
    /// Which gates an output needs.
    pub active: Vec<bool>,
    /// The gates needed that differ from the parent's or lie behind such a gate.
    pub changed: Vec<u16>,
    /// Their program on a kept block.
    pub cone: Vec<Instruction>,
    /// For each gate, its place among the changed ones; [`Instruction::UNCOUNTED`] if it is none.
    pub counted: Vec<u16>,
    /// Of the changed gates.
    pub counters: Vec<Counter>,
    /// Where each wire's value is on a kept block: the parent's, or the candidate's if it differs.
    places: Vec<u16>,
    /// For each wire that an output needs, how active it is.
    pub activities: Vec<f64>,
}

impl Candidate {
    /// Finds out what to simulate of `genome`, mutated as in [`Candidate::changes`] from a parent whose needed
    /// gates were `parent_active`.
    pub fn plan(&mut self, genome: &Genome, parent_active: &[bool]) {
        let wires = FIRST_GATE + genome.genes.len();
        genome.mark_active(&mut self.active);
        self.places.clear();
        self.places.extend(0..wires as u16);
        self.changed.clear();
        self.cone.clear();
        self.counted.clear();
        self.counted.resize(genome.genes.len(), Instruction::UNCOUNTED);
        for gate in self.changes.iter().filter_map(Change::gate) {
            // A mark that it has changed, whatever its inputs.
            self.places[FIRST_GATE + gate] = u16::MAX;
        }
        for (index, gene) in genome.genes.iter().enumerate() {
            let wire = FIRST_GATE + index;
            if !self.active[index] {
                self.places[wire] = wire as u16;
                continue;
            }
            let inputs = gene.inputs.map(|wire| self.places[usize::from(wire)]);
            let behind_a_change = inputs.iter().any(|&place| usize::from(place) >= wires);
            if behind_a_change || self.places[wire] == u16::MAX || !parent_active[index] {
                let (output, counter) = ((wires + index) as u16, self.changed.len() as u16);
                self.places[wire] = output;
                self.counted[index] = counter;
                self.changed.push(index as u16);
                self.cone.push(Instruction { inputs, output, terms: gene.kind.terms(), counter });
            }
        }
    }

    /// Where the product's bits are on a kept block.
    pub fn outputs(&self, genome: &Genome) -> [u16; PRODUCT_BITS] {
        genome.outputs.map(|wire| self.places[usize::from(wire)])
    }

    /// Sets the changed gates' counters to zero.
    pub fn begin_counting(&mut self) {
        self.counters.clear();
        self.counters.resize(self.changed.len(), Counter::default());
    }

    /// How active each wire is, guessed before any simulation: as in the parent.
    pub fn guess_activities(&mut self, parent_active: &[bool], parent_activities: &[f64]) {
        self.activities.clear();
        self.activities.extend_from_slice(parent_activities);
        for gate in self.changed.iter().map(|&gate| usize::from(gate)).filter(|&gate| !parent_active[gate]) {
            self.activities[FIRST_GATE + gate] = activity(GUESSED_ONES);
        }
    }

    /// How active the changed gates are if they are 1 for `scale` times as many pairs as was counted.
    pub fn count_activities(&mut self, scale: u32) {
        for (&gate, counter) in self.changed.iter().zip(&self.counters) {
            self.activities[FIRST_GATE + usize::from(gate)] = activity(ones_counted(counter) * scale);
        }
    }

    /// Power in uW, as of [`Cost`](crate::multiplier::cost::Cost), with the activities guessed or counted last.
    pub fn power_uw(&self, genome: &Genome) -> f64 {
        let mut power_uw = 0.0;
        for (index, gene) in genome.genes.iter().enumerate().filter(|&(index, _)| self.active[index]) {
            if gene.is_wire() {
                continue;
            }
            let gate = GatePower::of(gene.kind);
            power_uw += gate.leakage_uw + gate.output_uw * self.activities[FIRST_GATE + index];
            for &wire in &gene.inputs[..fan_in(gene.kind)] {
                power_uw += gate.input_uw * self.activities[usize::from(wire)];
            }
        }
        let outputs = genome.outputs.iter().map(|&wire| self.activities[usize::from(wire)]).sum::<f64>();
        power_uw + GatePower::NETLIST_OUTPUT_UW * outputs
    }
}
