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

use super::genome::{FIRST_GATE, Genome};
use super::mutate::{Change, mutate};
use super::objective::{Figures, Objective, Tally};
use super::operands::BLOCKS;
use crate::kernels::{self, Instruction, Isa, Lanes, PRODUCT_BITS};
use crate::multiplier::TruthTable;
use crate::multiplier::cost::{GatePower, fan_in};
use crate::multiplier::netlist::{GateKind, INPUTS};
use rand::Rng;

/// Blocks on which the parent's values are kept: a quarter to half of a megabyte.
const KEPT_BLOCKS: usize = 16;

/// After how many blocks a candidate's chances are looked at, and how much of its difference from the parent
/// it is expected to keep.
const LOOKS: [(usize, f64); 11] = [
    (1, 0.3),
    (2, 0.4),
    (4, 0.5),
    (8, 0.6),
    (KEPT_BLOCKS, 0.8),
    (32, 0.9),
    (48, 0.95),
    (64, 0.95),
    (80, 0.95),
    (96, 1.0),
    (112, 1.0),
];

/// How much more power than allowed the estimate of the first blocks may come to.
const POWER_MARGIN: f64 = 1.02;

/// The same for the guess before any simulation, which takes the parent's activities for the candidate's.
const GUESS_MARGIN: f64 = 1.02;

/// The activity guessed for a gate that the parent had no need of.
const GUESSED_ONES: u32 = TruthTable::ENTRIES as u32 / 4;

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
    /// For each wire an output needs, for how many pairs it is 1.
    ones: Vec<u32>,
    /// Its figures at every look, and on all blocks.
    figures: ([Figures; LOOKS.len()], Figures),
    power_uw: f64,
    limit_uw: f64,
    /// What has happened so far.
    pub outcomes: Outcomes,
    work: Work,
}

/// What is needed for one candidate at a time.
#[derive(Default)]
struct Work {
    active: Vec<bool>,
    /// Where each wire's value is on a kept block: the parent's, or the candidate's if it differs.
    slots: Vec<u16>,
    /// The gates that differ from the parent's or lie behind such a gate.
    changed: Vec<u16>,
    cone: Vec<Instruction>,
    cone_outputs: Vec<u16>,
    whole: Vec<Instruction>,
    changed_wires: Vec<u16>,
    changed_ones: Vec<u32>,
    values: Vec<Lanes>,
    figures: [Figures; LOOKS.len()],
    changes: Vec<Change>,
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
        let mut ones = vec![0; wires];
        ones[1] = TruthTable::ENTRIES as u32;
        ones[2..FIRST_GATE].fill(TruthTable::ENTRIES as u32 / 2);
        let mut climb = Climb {
            objective,
            isa,
            active: vec![false; genome.genes.len()],
            kept: kept.collect(),
            ones,
            figures: Default::default(),
            power_uw: f64::INFINITY,
            limit_uw: 0.0,
            outcomes: Outcomes::default(),
            work: Work { values: vec![Lanes::default(); wires], ..Work::default() },
            genome,
        };
        climb.work.values[1] = Lanes::ONES;
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
        mutate(&mut self.genome, &self.active, sample, random, &mut self.work.changes);
        if !self.consider() {
            for change in self.work.changes.drain(..).rev() {
                change.undo(&mut self.genome);
            }
        }
    }

    /// Looks at the circuit once more as if all its gates were new, on all pairs: what a candidate costs that no
    /// shortcut helps with. Whether it keeps to the bounds, which it does.
    pub fn look_again(&mut self) -> bool {
        self.work.changes.clear();
        self.active.fill(false);
        // As at the beginning, whatever the power.
        self.power_uw = f64::INFINITY;
        self.consider()
    }

    /// Makes the genome, mutated as in `work.changes`, the parent if it deserves it.
    fn consider(&mut self) -> bool {
        self.plan();
        if self.work.changed.is_empty()
            && !self.work.changes.iter().any(Change::is_of_output)
            && self.power_uw.is_finite()
        {
            // The gates that were needed are those that are; or fewer, had an output been changed.
            self.outcomes.neutral += 1;
            return true;
        }
        let Some((power_uw, in_all)) = self.evaluate() else { return false };
        self.outcomes.accepted += 1;
        self.figures = (self.work.figures, in_all);
        self.power_uw = power_uw;
        let wires = FIRST_GATE + self.genome.genes.len();
        for values in &mut self.kept {
            for &gate in &self.work.changed {
                values[FIRST_GATE + usize::from(gate)] = values[wires + usize::from(gate)];
            }
        }
        for (&wire, &ones) in self.work.changed_wires.iter().zip(&self.work.changed_ones) {
            self.ones[usize::from(wire)] = ones;
        }
        std::mem::swap(&mut self.active, &mut self.work.active);
        true
    }

    /// Finds out what to simulate.
    fn plan(&mut self) {
        let work = &mut self.work;
        let wires = FIRST_GATE + self.genome.genes.len();
        self.genome.mark_active(&mut work.active);
        work.slots.clear();
        work.slots.extend(0..wires as u16);
        work.changed.clear();
        work.changed_wires.clear();
        work.cone.clear();
        for change in &work.changes {
            if let Some(gate) = change.gate() {
                // A mark that it has changed, whatever its inputs.
                work.slots[FIRST_GATE + gate] = u16::MAX;
            }
        }
        for (index, gene) in self.genome.genes.iter().enumerate() {
            let wire = FIRST_GATE + index;
            if !work.active[index] {
                work.slots[wire] = wire as u16;
                continue;
            }
            let inputs = gene.inputs.map(|wire| work.slots[usize::from(wire)]);
            let behind_a_change = inputs.iter().any(|&slot| usize::from(slot) >= wires);
            if behind_a_change || work.slots[wire] == u16::MAX || !self.active[index] {
                let output = (wires + index) as u16;
                work.slots[wire] = output;
                work.changed.push(index as u16);
                work.changed_wires.push(wire as u16);
                work.cone.push(Instruction { inputs, output, terms: terms(gene.kind) });
            }
        }
    }

    /// The candidate's power in uW and figures if it keeps to the bounds and costs no more than the parent.
    fn evaluate(&mut self) -> Option<(f64, Figures)> {
        let (objective, isa, work) = (self.objective, self.isa, &mut self.work);
        let limit_uw = self.limit_uw.max(self.power_uw);
        work.changed_ones.clear();
        work.changed_ones.extend(work.changed.iter().map(|&gate| match self.active[usize::from(gate)] {
            true => self.ones[FIRST_GATE + usize::from(gate)],
            false => GUESSED_ONES,
        }));
        if power_uw(&self.genome, work, &self.ones, 1) > limit_uw * GUESS_MARGIN {
            return None;
        }
        let outputs: [u16; PRODUCT_BITS] = self.genome.outputs.map(|wire| work.slots[usize::from(wire)]);
        let mut tally = objective.tally();
        let parent = self.power_uw.is_finite().then_some(&self.figures);
        let mut looks = Looks { objective, parent, next: 0 };
        for (index, (block, values)) in objective.blocks.iter().zip(&mut self.kept).enumerate() {
            kernels::simulate(isa, &work.cone, values);
            if !objective.count(isa, block, values, &outputs, &mut tally) {
                return None;
            }
            if !looks.promise(&tally, index + 1, &mut work.figures) {
                return None;
            }
        }
        work.changed_ones.clear();
        work.changed_ones.resize(work.changed.len(), 0);
        work.cone_outputs.clear();
        work.cone_outputs.extend(work.cone.iter().map(|instruction| instruction.output));
        for values in &self.kept {
            kernels::count_ones(isa, &work.cone_outputs, values, &mut work.changed_ones);
        }
        let scale = (BLOCKS / KEPT_BLOCKS) as u32;
        let estimate = power_uw(&self.genome, work, &self.ones, scale);
        if estimate > limit_uw * POWER_MARGIN {
            return None;
        }
        work.whole.clear();
        for (index, gene) in self.genome.genes.iter().enumerate().filter(|&(i, _)| work.active[i]) {
            let output = (FIRST_GATE + index) as u16;
            work.whole.push(Instruction { inputs: gene.inputs, output, terms: terms(gene.kind) });
        }
        for (index, block) in objective.blocks.iter().enumerate().skip(KEPT_BLOCKS) {
            work.values[2..][..INPUTS].copy_from_slice(&block.inputs);
            kernels::simulate(isa, &work.whole, &mut work.values);
            if !objective.count(isa, block, &work.values, &self.genome.outputs, &mut tally) {
                return None;
            }
            if !looks.promise(&tally, index + 1, &mut work.figures) {
                return None;
            }
            kernels::count_ones(isa, &work.changed_wires, &work.values, &mut work.changed_ones);
        }
        if !objective.keeps(&tally) {
            return None;
        }
        self.outcomes.complete += 1;
        let in_all = objective.figures(&tally, BLOCKS);
        let power_uw = power_uw(&self.genome, work, &self.ones, 1);
        (power_uw <= limit_uw).then_some((power_uw, in_all))
    }
}

/// When to look at a candidate's chances.
struct Looks<'p> {
    objective: &'p Objective,
    /// The parent's figures at every look and in all, if there is one.
    parent: Option<&'p ([Figures; LOOKS.len()], Figures)>,
    next: usize,
}

impl Looks<'_> {
    /// Whether there is hope after `blocks` blocks, the only ones counted. Notes the figures.
    fn promise(&mut self, tally: &Tally, blocks: usize, figures: &mut [Figures; LOOKS.len()]) -> bool {
        let Some(&(at, trust)) = LOOKS.get(self.next).filter(|(at, _)| *at == blocks) else { return true };
        let own = self.objective.figures(tally, at);
        figures[self.next] = own;
        let hope = self.parent.is_none_or(|(at_looks, in_all)| {
            self.objective.promises(&own, &at_looks[self.next], in_all, trust)
        });
        self.next += 1;
        hope
    }
}

/// Power in uW of `genome`, a candidate whose changed gates are 1 for `scale` times `work.changed_ones`
/// pairs, all others for `ones`.
fn power_uw(genome: &Genome, work: &mut Work, ones: &[u32], scale: u32) -> f64 {
    let Work { active, changed_wires, changed_ones, .. } = work;
    let pairs = TruthTable::ENTRIES as f64;
    let activity = |ones: u32| {
        let share = f64::from(ones) / pairs;
        2.0 * share * (1.0 - share)
    };
    let mut activities: Vec<f64> = ones.iter().map(|&ones| activity(ones)).collect();
    for (&wire, &ones) in changed_wires.iter().zip(changed_ones.iter()) {
        activities[usize::from(wire)] = activity(ones * scale);
    }
    let mut power_uw = 0.0;
    for (index, gene) in genome.genes.iter().enumerate().filter(|&(index, _)| active[index]) {
        if gene.is_wire() {
            continue;
        }
        let gate = GatePower::of(gene.kind);
        power_uw += gate.leakage_uw + gate.output_uw * activities[FIRST_GATE + index];
        for &wire in &gene.inputs[..fan_in(gene.kind)] {
            power_uw += gate.input_uw * activities[usize::from(wire)];
        }
    }
    let outputs = genome.outputs.iter().map(|&wire| activities[usize::from(wire)]).sum::<f64>();
    power_uw + GatePower::NETLIST_OUTPUT_UW * outputs
}

/// What a gate adds up modulo 2: see [`Instruction`].
fn terms(kind: GateKind) -> u16 {
    match kind {
        GateKind::And => 0b100,
        GateKind::Or => 0b110,
        GateKind::Xor => 0b010,
        // The complement of x, whatever y: both inputs are made x.
        GateKind::Not | GateKind::Nand => 0b101,
        GateKind::Nor => 0b111,
        GateKind::Xnor => 0b011,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::Bounds;
    use crate::multiplier::cost::Cost;
    use crate::multiplier::{Design, Distribution, Statistics};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Climbs with every kind of bound, each now and then compared with a look at all pairs from scratch.
    #[test]
    fn what_a_climb_believes_is_true_of_its_circuit() {
        let mae = Bounds { mae_pct: Some(0.1), ..Bounds::default() };
        let wce = Bounds { wce_pct: Some(0.579), ..Bounds::default() };
        let all = [
            mae,
            wce,
            Bounds { bias: Some(2.0), ..mae },
            Bounds { zero_preserving: true, ..mae },
            Bounds { zero_preserving: true, bias: Some(40.0), mae_pct: Some(0.3), ..wce },
        ];
        for (index, bounds) in all.into_iter().enumerate() {
            let signed = index % 2 == 1;
            let mut random = ChaCha8Rng::seed_from_u64(index as u64);
            let objective = Objective::new(signed, bounds, None).unwrap();
            let genome = Genome::new(&Design::Exact.netlist(signed), 80, &mut random);
            let mut climb = Climb::new(&objective, genome, Isa::best()).unwrap();
            let begin_uw = climb.power_uw();
            for step in 1..=6000 {
                climb.allow(climb.power_uw() * 1.005);
                climb.step(&mut random);
                if step % 1000 == 0 {
                    let fresh = Climb::new(&objective, climb.genome().clone(), Isa::PORTABLE).unwrap();
                    assert!((fresh.power_uw() - climb.power_uw()).abs() < 1e-9, "{bounds:?} step {step}");
                    let before_uw = climb.power_uw();
                    assert!(climb.look_again() && climb.power_uw() == before_uw, "{bounds:?} step {step}");
                    let netlist = climb.genome().netlist();
                    let simulation = netlist.simulate();
                    let s = Statistics::of(&simulation.table);
                    assert!(bounds.mae_pct.is_none_or(|pct| s.mae_pct <= pct), "{bounds:?} {s:?}");
                    assert!(bounds.wce_pct.is_none_or(|pct| s.wce_pct <= pct), "{bounds:?} {s:?}");
                    assert!(bounds.bias.is_none_or(|bias| s.mean_error.abs() <= bias), "{bounds:?} {s:?}");
                    assert!(!bounds.zero_preserving || s.zero_preserving, "{bounds:?}");
                    // Folding can only save.
                    let folded_uw = Cost::of(&netlist, &simulation.activity).power_uw;
                    assert!(folded_uw <= climb.power_uw() + 1e-9, "{folded_uw} {}", climb.power_uw());
                }
            }
            assert!(climb.power_uw() < begin_uw, "{bounds:?}");
        }
    }

    #[test]
    fn noise_is_what_each_weights_bias_leaves() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut distribution = Distribution { activation: [0; 256], weight: [0; 256] };
        for i in 0..256 {
            distribution.activation[i] = if i < 100 { random.random_range(0..1000) } else { 0 };
            distribution.weight[i] = if i % 2 == 0 { random.random_range(0..1000) } else { 0 };
        }
        let bounds = Bounds { noise_pct: Some(0.3), ..Bounds::default() };
        let objective = Objective::new(false, bounds, Some(&distribution)).unwrap();
        let genome = Genome::new(&Design::Exact.netlist(false), 80, &mut random);
        let mut climb = Climb::new(&objective, genome, Isa::best()).unwrap();
        let begin_uw = climb.power_uw();
        for _ in 0..5000 {
            climb.step(&mut random);
        }
        assert!(climb.power_uw() < 0.9 * begin_uw, "{} of {begin_uw}", climb.power_uw());
        let table = climb.genome().netlist().simulate().table;
        let (p, q) = (distribution.activation_shares(), distribution.weight_shares());
        let mut variance = 0.0;
        for w in 0..=255u8 {
            let error = |a: u8| f64::from(table.product(a, w) - i32::from(a) * i32::from(w));
            let moment =
                |power: i32| (0..=255u8).map(|a| p[usize::from(a)] * error(a).powi(power)).sum::<f64>();
            variance += q[usize::from(w)] * (moment(2) - moment(1).powi(2));
        }
        let noise_pct = 100.0 * variance.sqrt() / 65536.0;
        // Shares are counted in 65,536ths.
        assert!(noise_pct <= 0.3 * 1.002, "{noise_pct}");
    }

    #[test]
    fn circuits_out_of_bounds_are_no_beginning() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let objective =
            Objective::new(false, Bounds { wce_pct: Some(0.0), ..Bounds::default() }, None).unwrap();
        let mut begins = |design: Design| {
            let genome = Genome::new(&design.netlist(false), 5, &mut random);
            Climb::new(&objective, genome, Isa::best()).is_some()
        };
        assert!(begins(Design::Exact));
        assert!(!begins(Design::Truncated { columns: 1 }));
    }
}
