//! A circuit's gates as a program for blocks side by side, in as few places as it takes.

use super::genome::{FIRST_GATE, Genome};
use crate::kernels::{self, Counter, Instruction, Isa, Lanes, PRODUCT_BITS};
use crate::multiplier::netlist::INPUTS;

use super::operands::Block;

/// Blocks simulated side by side: what a gate costs besides its values is spent once for all of them.
pub const SIDE_BY_SIDE: usize = 4;

/// The gates that outputs need, on values that are written over once nothing reads them any more: a circuit of
/// 400 gates then lives in the first-level cache.
#[derive(Debug, Default)]
pub struct Program {
    instructions: Vec<Instruction>,
    outputs: [u16; PRODUCT_BITS],
    /// Constants, inputs, then whatever gates put there.
    values: Vec<[Lanes; SIDE_BY_SIDE]>,
    /// For each wire, where its value is.
    places: Vec<u16>,
    /// For each wire, the last gate that reads it; [`KEPT`] for those that must stay.
    last_readers: Vec<u16>,
    free: Vec<u16>,
}

/// Read for ever.
const KEPT: u16 = u16::MAX;

impl Program {
    /// Becomes the program of `genome`'s gates that are `active`, whose counters are `counters`.
    pub fn compile(&mut self, genome: &Genome, active: &[bool], counters: &[u16]) {
        self.find_last_readers(genome, active);
        self.instructions.clear();
        self.free.clear();
        self.places.clear();
        self.places.extend(0..FIRST_GATE as u16);
        let mut places = FIRST_GATE as u16;
        for (index, gene) in genome.genes.iter().enumerate() {
            if !active[index] {
                self.places.push(0);
                continue;
            }
            let inputs = gene.inputs.map(|wire| self.places[usize::from(wire)]);
            for (position, &wire) in gene.inputs.iter().enumerate() {
                let read_twice = position == 1 && gene.inputs[0] == wire;
                if usize::from(self.last_readers[usize::from(wire)]) == index && !read_twice {
                    self.free.push(self.places[usize::from(wire)]);
                }
            }
            // A result may take the place of what it is made of.
            let output = self.free.pop().unwrap_or_else(|| {
                places += 1;
                places - 1
            });
            self.places.push(output);
            let (terms, counter) = (gene.kind.terms(), counters[index]);
            self.instructions.push(Instruction { inputs, output, terms, counter });
        }
        self.outputs = genome.outputs.map(|wire| self.places[usize::from(wire)]);
        let needed = usize::from(places);
        if self.values.len() < needed {
            self.values.resize(needed, [Lanes::default(); SIDE_BY_SIDE]);
            self.values[1] = [Lanes::ONES; SIDE_BY_SIDE];
        }
    }

    fn find_last_readers(&mut self, genome: &Genome, active: &[bool]) {
        self.last_readers.clear();
        // Constants and inputs stay.
        self.last_readers.resize(FIRST_GATE + genome.genes.len(), KEPT);
        for (index, gene) in genome.genes.iter().enumerate().filter(|&(index, _)| active[index]) {
            for wire in gene.inputs.map(usize::from).into_iter().filter(|&wire| wire >= FIRST_GATE) {
                self.last_readers[wire] = index as u16;
            }
        }
        for &wire in &genome.outputs {
            self.last_readers[usize::from(wire)] = KEPT;
        }
    }

    /// Computes the products of `blocks`; counts for how many pairs the gates are 1.
    pub fn run(&mut self, isa: Isa, blocks: &[Block; SIDE_BY_SIDE], counters: &mut [Counter]) {
        for (input, values) in self.values[2..][..INPUTS].iter_mut().enumerate() {
            *values = std::array::from_fn(|block| blocks[block].inputs[input]);
        }
        kernels::simulate(isa, &self.instructions, &mut self.values, counters);
    }

    /// The bits of the products of one of the blocks.
    pub fn product(&self, block: usize) -> [&Lanes; PRODUCT_BITS] {
        self.outputs.map(|place| &self.values[usize::from(place)][block])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::operands;
    use crate::multiplier::{Design, TruthTable};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn programs_compute_their_circuits_in_few_places() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut program = Program::default();
        for (design, signed) in [(Design::Exact, true), (Design::Truncated { columns: 6 }, false)] {
            let netlist = design.netlist(signed);
            let genome = Genome::new(&netlist, 200, &mut random);
            let mut active = Vec::new();
            genome.mark_active(&mut active);
            let gates = netlist.gates().len();
            let mut counted = vec![Instruction::UNCOUNTED; active.len()];
            for (counter, gate) in (0..active.len()).filter(|&gate| active[gate]).enumerate() {
                counted[gate] = counter as u16;
            }
            program.compile(&genome, &active, &counted);
            assert!(program.values.len() < FIRST_GATE + gates / 2, "{} for {gates}", program.values.len());

            let mut counters = vec![Counter::default(); gates];
            let simulation = netlist.simulate();
            for blocks in operands::blocks(signed).as_chunks::<SIDE_BY_SIDE>().0 {
                program.run(Isa::best(), blocks, &mut counters);
                for (index, block) in blocks.iter().enumerate() {
                    let product = program.product(index);
                    for lane in [0, 77, 511] {
                        let bit = |lanes: &Lanes| i32::from(lanes[lane / 64] >> (lane % 64) & 1 == 1);
                        let value = |bits: &[Lanes]| {
                            bits.iter().enumerate().map(|(i, lanes)| bit(lanes) << i).sum::<i32>() as u8
                        };
                        let (a, w) = (value(&block.inputs[..8]), value(&block.inputs[8..]));
                        let found: i32 = product.iter().enumerate().map(|(i, lanes)| bit(lanes) << i).sum();
                        let found = if signed { i32::from(found as i16) } else { found };
                        assert_eq!(found, simulation.table.product(a, w), "{a} {w}");
                    }
                }
            }
            // The gates in use are the netlist's, in its order.
            for (counter, activity) in counters.iter().zip(&simulation.activity[FIRST_GATE..]) {
                let share = f64::from(kernels::ones_counted(counter)) / TruthTable::ENTRIES as f64;
                assert_eq!(2.0 * share * (1.0 - share), *activity);
            }
        }
    }
}
