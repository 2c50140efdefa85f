//! Random changes to a circuit, and how to take them back.

use super::genome::{FIRST_GATE, Gene, Genome};
use crate::kernels::Lanes;
use crate::multiplier::netlist::GateKind;
use rand::{Rng, RngExt};

/// Most genes changed at a time.
const MOST_CHANGES: usize = 4;

/// In how many of a hundred candidates a gate is replaced by another wire instead.
const SUBSTITUTIONS_PCT: u32 = 35;

/// How many wires are looked at for one that is like the gate to be replaced.
const SUBSTITUTES: usize = 12;

/// A change made, with what was there before.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// Of a gate.
    Gate(usize, Gene),
    /// Of an output.
    Output(usize, u16),
}

impl Change {
    /// Takes it back.
    pub fn undo(self, genome: &mut Genome) {
        match self {
            Change::Gate(gate, before) => genome.genes[gate] = before,
            Change::Output(output, before) => genome.outputs[output] = before,
        }
    }

    /// The gate changed, if it was one.
    pub fn gate(&self) -> Option<usize> {
        match *self {
            Change::Gate(gate, _) => Some(gate),
            Change::Output(..) => None,
        }
    }

    /// Whether an output was changed.
    pub fn is_of_output(&self) -> bool {
        self.gate().is_none()
    }
}

/// Changes `genome` and notes in `changes`, which is emptied before, what was there.
///
/// Either a few genes drawn at random, one of them of a gate in use (`active`), or one gate in use becomes a
/// wire to an earlier signal like it on `sample`: Venkataramani, Roy and Raghunathan, "Substitute-and-
/// Simplify", DATE 2013, show how far that goes alone.
pub fn mutate(
    genome: &mut Genome,
    active: &[bool],
    sample: &[Lanes],
    random: &mut impl Rng,
    changes: &mut Vec<Change>,
) {
    changes.clear();
    if genome.genes.is_empty() {
        return mutate_output(genome, random, changes);
    }
    let Some(gate) = pick_active(active, random) else { return mutate_output(genome, random, changes) };
    if random.random_ratio(SUBSTITUTIONS_PCT, 100) {
        let substitute = like(genome, active, gate, sample, random);
        changes.push(Change::Gate(gate, genome.genes[gate]));
        genome.genes[gate] = substitute;
        return;
    }
    let genes = genome.genes.len() + genome.outputs.len();
    match random.random_range(0..genes) < genome.outputs.len() {
        true => mutate_output(genome, random, changes),
        false => mutate_gate(genome, gate, random, changes),
    }
    for _ in 1..random.random_range(1..=MOST_CHANGES) {
        let gate = random.random_range(0..genome.genes.len());
        mutate_gate(genome, gate, random, changes);
    }
}

/// A gate in use, or `None` if none was found.
fn pick_active(active: &[bool], random: &mut impl Rng) -> Option<usize> {
    // Far more than half of the gates are in use unless hardly anything is left.
    (0..64).map(|_| random.random_range(0..active.len())).find(|&gate| active[gate])
}

fn mutate_output(genome: &mut Genome, random: &mut impl Rng, changes: &mut Vec<Change>) {
    let output = random.random_range(0..genome.outputs.len());
    changes.push(Change::Output(output, genome.outputs[output]));
    genome.outputs[output] = random.random_range(0..(FIRST_GATE + genome.genes.len()) as u16);
}

fn mutate_gate(genome: &mut Genome, gate: usize, random: &mut impl Rng, changes: &mut Vec<Change>) {
    changes.push(Change::Gate(gate, genome.genes[gate]));
    let gene = &mut genome.genes[gate];
    match random.random_range(0..3) {
        input @ 0..2 => gene.inputs[input] = random.random_range(0..(FIRST_GATE + gate) as u16),
        _ => gene.kind = GateKind::ALL[random.random_range(0..GateKind::ALL.len())],
    }
    *gene = gene.tidy();
}

/// The wire that, of a few drawn at random, differs least from `gate`.
fn like(genome: &Genome, active: &[bool], gate: usize, sample: &[Lanes], random: &mut impl Rng) -> Gene {
    let mut best = (u32::MAX, Gene::wire(0));
    let value = &sample[FIRST_GATE + gate];
    let [x, y] = genome.genes[gate].inputs;
    for draw in 0..SUBSTITUTES {
        // Its own inputs and both constants always.
        let wire = match draw {
            0 => x,
            1 => y,
            2 => 0,
            3 => 1,
            _ => random.random_range(0..(FIRST_GATE + gate) as u16),
        };
        let kept = usize::from(wire).checked_sub(FIRST_GATE).is_none_or(|other| active[other]);
        if !kept {
            continue;
        }
        let pairs = value.iter().zip(sample[usize::from(wire)].iter());
        let differing: u32 = pairs.map(|(x, y)| (x ^ y).count_ones()).sum();
        // Not always the likest: what is right here may be wrong elsewhere.
        let score = differing + random.random_range(0..64);
        if score < best.0 {
            best = (score, Gene::wire(wire));
        }
    }
    best.1
}
