//! Runs a netlist on all 65,536 operand pairs, 512 at a time.

use super::netlist::{INPUTS, Netlist, Wire};
use super::{Distribution, TruthTable};
use crate::kernels::{self, Counter, Instruction, Isa, LANES, Lanes, transpose};

/// What a netlist does over all operand pairs.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// All products.
    pub table: TruthTable,
    /// For every wire (both constants, the inputs, the gates), the chance that it differs between two
    /// independent, uniformly drawn operand pairs: `2 p (1 - p)` where it is 1 for a share `p` of all pairs.
    /// From 0 to 0.5; glitches are not seen.
    pub activity: Vec<f64>,
}

/// Words of a wire's values in a block of pairs.
const WORDS: usize = LANES / u64::BITS as usize;
/// Words of them that share an activation: one bit for each weight.
const ROW_WORDS: usize = 256 / u64::BITS as usize;
/// Activations of a block.
const ROWS: usize = WORDS / ROW_WORDS;
const BLOCKS: usize = TruthTable::ENTRIES / LANES;

/// The values that bits 0..=5 of the pair's index take over the 64 lanes of a word.
const LANE_BITS: [u64; 6] = [
    0xaaaa_aaaa_aaaa_aaaa,
    0xcccc_cccc_cccc_cccc,
    0xf0f0_f0f0_f0f0_f0f0,
    0xff00_ff00_ff00_ff00,
    0xffff_0000_ffff_0000,
    0xffff_ffff_0000_0000,
];

impl Netlist {
    /// The products and switching activities over all operand pairs.
    pub fn simulate(&self) -> Simulation {
        let mut simulator = Simulator::new(self);
        let mut products = Vec::with_capacity(TruthTable::ENTRIES);
        for block in 0..BLOCKS {
            let values = simulator.run(block);
            push_products(self.is_signed(), self.outputs().map(|wire| values[wire.index()]), &mut products);
        }
        let table = TruthTable::new(self.is_signed(), products).expect("sixteen bits always fit");
        let mut activities = vec![0.0; Wire::ONE.index() + 1];
        // Every operand bit is set in half of the pairs.
        activities.extend([activity(TruthTable::ENTRIES as u32 / 2); INPUTS]);
        activities.extend(simulator.counters.iter().map(|counter| activity(kernels::ones_counted(counter))));
        Simulation { table, activity: activities }
    }

    /// For every wire, in the order of [`Simulation::activity`], the chance that it differs between two operand
    /// pairs drawn from `operands`, everything independently: `2 p (1 - p)` where it is 1 with the chance `p`.
    /// None ever differs if nothing was counted.
    pub fn simulate_under(&self, operands: &Distribution) -> Vec<f64> {
        let mut simulator = Simulator::new(self);
        // In integers, which add up exactly: a product of two counts of 64 bits has 128.
        let mut ones = vec![0u128; simulator.values.len()];
        let weights = CountsByByte::new(&operands.weight);
        for (block, activations) in operands.activation.as_chunks::<ROWS>().0.iter().enumerate() {
            if activations.iter().all(|&count| count == 0) {
                continue;
            }
            for (ones, value) in ones.iter_mut().zip(simulator.run(block)) {
                for (row, &count) in value.as_chunks::<ROW_WORDS>().0.iter().zip(activations) {
                    *ones += u128::from(count) * u128::from(weights.sum(row));
                }
            }
        }
        let all = |counts: &[u64; 256]| counts.iter().map(|&count| u128::from(count)).sum::<u128>();
        let pairs = (all(&operands.activation) * all(&operands.weight)).max(1) as f64;
        ones.into_iter().map(|ones| activity_of_share(ones as f64 / pairs)).collect()
    }
}

/// How active a wire is that is 1 for `ones` of all 65,536 operand pairs.
pub(crate) fn activity(ones: u32) -> f64 {
    activity_of_share(f64::from(ones) / TruthTable::ENTRIES as f64)
}

/// Of a wire that is 1 with the chance `p`.
fn activity_of_share(p: f64) -> f64 {
    2.0 * p * (1.0 - p)
}

/// The values of all wires of a circuit, block by block.
struct Simulator {
    program: Vec<Instruction>,
    /// Of both constants, the inputs and the gates.
    values: Vec<Lanes>,
    /// For each gate, for how many of the pairs seen it is 1.
    counters: Vec<Counter>,
}

impl Simulator {
    fn new(netlist: &Netlist) -> Self {
        let mut values = vec![Lanes::default(); Wire::of_gate(netlist.gates().len()).index()];
        values[Wire::ONE.index()] = Lanes::ONES;
        let place = |wire: Wire| wire.index() as u16;
        let program = netlist.gates().iter().enumerate().map(|(index, gate)| Instruction {
            inputs: gate.inputs.map(place),
            output: place(Wire::of_gate(index)),
            terms: gate.kind.terms(),
            counter: index as u16,
        });
        Simulator {
            program: program.collect(),
            values,
            counters: vec![Counter::default(); netlist.gates().len()],
        }
    }

    /// The values for the pairs `512 * block ..`, pair `a * 256 + w`.
    fn run(&mut self, block: usize) -> &[Lanes] {
        let first_input = Wire::a(0).index();
        for (input, value) in self.values[first_input..][..INPUTS].iter_mut().enumerate() {
            *value = Lanes::from_fn(|word| input_lanes(input, WORDS * block + word));
        }
        let values = self.values.as_chunks_mut::<1>().0;
        kernels::simulate(Isa::best(), &self.program, values, &mut self.counters);
        &self.values
    }
}

/// The values of an input (`a0..a7`, `w0..w7`) for the pairs `64 * word ..`, pair `a * 256 + w`.
fn input_lanes(input: usize, word: usize) -> u64 {
    let index_bit = if input < 8 { input + 8 } else { input - 8 };
    match LANE_BITS.get(index_bit) {
        Some(&lanes) => lanes,
        None if word >> (index_bit - LANE_BITS.len()) & 1 == 1 => u64::MAX,
        None => 0,
    }
}

/// Adds a block's products, whose bits are `planes`, the lowest first.
fn push_products(signed: bool, mut planes: [Lanes; 16], products: &mut Vec<i32>) {
    transpose(&mut planes);
    // Plane `l` now has, in sixteen bits each, the products of every sixteenth pair from `l` on.
    for word in 0..WORDS {
        for shift in [0, 16, 32, 48] {
            products.extend(planes.iter().map(|plane| {
                let product = (plane[word] >> shift) as u16;
                if signed { i32::from(product as i16) } else { i32::from(product) }
            }));
        }
    }
}

/// Counts of 256 operands, added up for every selection of eight neighbours.
struct CountsByByte([[u64; 256]; 32]);

impl CountsByByte {
    fn new(counts: &[u64; 256]) -> Box<Self> {
        let mut sums = Box::new(CountsByByte([[0; 256]; 32]));
        for (sums, counts) in sums.0.iter_mut().zip(counts.as_chunks::<8>().0) {
            for selected in 1..256usize {
                // Without its lowest operand a selection is a smaller one, added up before.
                let lowest = counts[selected.trailing_zeros() as usize];
                sums[selected] = sums[selected & (selected - 1)] + lowest;
            }
        }
        sums
    }

    /// The counts of the operands whose bits are set.
    fn sum(&self, row: &[u64; ROW_WORDS]) -> u64 {
        let bytes = row.iter().flat_map(|word| word.to_le_bytes());
        self.0.iter().zip(bytes).map(|(sums, byte)| sums[usize::from(byte)]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::INPUTS;
    use crate::multiplier::netlist::{Builder, GateKind, Netlist, OUTPUTS, Wire};
    use crate::multiplier::{Design, Distribution};

    /// The values of all wires for one operand pair, gate by gate.
    fn values(netlist: &Netlist, a: usize, w: usize) -> Vec<u64> {
        let bits = |code: usize| (0..8).map(move |bit| (code >> bit & 1) as u64);
        let mut values: Vec<u64> = [0, 1].into_iter().chain(bits(a)).chain(bits(w)).collect();
        for gate in netlist.gates() {
            let [x, y] = gate.inputs.map(|wire| values[wire.index()]);
            values.push(gate.kind.apply(x, y) & 1);
        }
        values
    }

    /// Every kind of gate, all of them in the product.
    fn mixed(signed: bool) -> Netlist {
        use GateKind::*;
        let mut builder = Builder::new();
        let mut wires: Vec<Wire> = (0..8).flat_map(|i| [Wire::a(i), Wire::w(7 - i)]).collect();
        for (i, kind) in [Nand, Xor, Nor, And, Xnor, Or, Not].into_iter().cycle().take(70).enumerate() {
            wires.push(builder.gate(kind, wires[wires.len() - 1 - i % 3], wires[7 * i % wires.len()]));
        }
        let last = wires.len() - OUTPUTS;
        builder.finish(signed, wires[last..].try_into().unwrap())
    }

    #[test]
    fn every_input_reaches_the_entry_of_its_operands() {
        let bits: Vec<Wire> = (0..8).map(Wire::w).chain((0..8).map(Wire::a)).collect();
        let netlist = Builder::new().finish(false, bits.try_into().unwrap());
        let table = netlist.simulate().table;
        // Wired straight through, the product is a * 256 + w: the entry's own index.
        assert!(table.products().iter().enumerate().all(|(i, &p)| p == i as i32));
    }

    #[test]
    fn activities_follow_the_gates_probabilities() {
        let mut builder = Builder::new();
        let mut outputs = [Wire::ZERO; OUTPUTS];
        outputs[0] = builder.gate(GateKind::Xor, Wire::a(0), Wire::w(0));
        outputs[1] = builder.gate(GateKind::And, Wire::a(7), Wire::w(6));
        let simulation = builder.finish(true, outputs).simulate();
        assert_eq!(simulation.activity[..2], [0.0; 2]);
        assert_eq!(simulation.activity[2..][..INPUTS], [0.5; INPUTS]);
        assert_eq!(simulation.activity[2 + INPUTS..], [0.5, 2.0 * 0.25 * 0.75]);
        assert!(simulation.table.is_signed());
    }

    #[test]
    fn signed_products_are_two_s_complement() {
        let netlist = Builder::new().finish(true, [Wire::ONE; OUTPUTS]);
        assert!(netlist.simulate().table.products().iter().all(|&p| p == -1));
    }

    #[test]
    fn blocks_say_the_same_as_single_pairs() {
        for signed in [false, true] {
            for netlist in [mixed(signed), Design::Exact.netlist(signed)] {
                let simulation = netlist.simulate();
                let mut ones = vec![0u64; simulation.activity.len()];
                for (index, &product) in simulation.table.products().iter().enumerate() {
                    let values = values(&netlist, index >> 8, index & 255);
                    ones.iter_mut().zip(&values).for_each(|(ones, value)| *ones += value);
                    let bits = netlist.outputs().iter().enumerate();
                    let word: u64 = bits.map(|(bit, wire)| values[wire.index()] << bit).sum();
                    let expected = if signed { i32::from(word as i16) } else { word as i32 };
                    assert_eq!(product, expected, "entry {index}");
                }
                let shares = ones.iter().map(|&ones| ones as f64 / 65536.0);
                let activity: Vec<f64> = shares.map(|p| 2.0 * p * (1.0 - p)).collect();
                assert_eq!(simulation.activity, activity);
            }
        }
    }

    #[test]
    fn uniform_operands_give_the_plain_activities() {
        for netlist in [mixed(false), Design::Exact.netlist(true)] {
            assert_eq!(netlist.simulate_under(&Distribution::uniform()), netlist.simulate().activity);
        }
    }

    #[test]
    fn activities_weigh_operands_by_their_counts() {
        // Gaps, a zero in every other place, and counts that no 64 bits hold the product of.
        let counts = |factor: u64| std::array::from_fn(|i| factor * (i as u64 * 37 % 101) * (i as u64 & 1));
        let mut operands = Distribution { activation: counts(1 << 40), weight: counts(3 << 38) };
        operands.weight[200] = 1 << 47;
        let (activation, weight) = (operands.activation_shares(), operands.weight_shares());
        for netlist in [mixed(true), Design::Exact.netlist(false)] {
            let activity = netlist.simulate_under(&operands);
            let mut shares = vec![0.0; activity.len()];
            for (a, p) in activation.iter().enumerate() {
                for (w, q) in weight.iter().enumerate() {
                    let values = values(&netlist, a, w);
                    shares.iter_mut().zip(values).for_each(|(share, value)| *share += p * q * value as f64);
                }
            }
            for (wire, (&activity, p)) in activity.iter().zip(shares).enumerate() {
                assert!((activity - 2.0 * p * (1.0 - p)).abs() < 1e-12, "wire {wire}");
            }
        }
    }

    #[test]
    fn what_never_changes_is_never_active() {
        let netlist = Design::Exact.netlist(false);
        let mut constant = Distribution { activation: [0; 256], weight: [0; 256] };
        assert!(netlist.simulate_under(&constant).iter().all(|&activity| activity == 0.0));
        (constant.activation[173], constant.weight[90]) = (7, 7);
        assert!(netlist.simulate_under(&constant).iter().all(|&activity| activity == 0.0));
        constant.weight[91] = 7;
        let activity = netlist.simulate_under(&constant);
        assert_eq!((activity[Wire::w(0).index()], activity[Wire::w(1).index()]), (0.5, 0.0));
    }
}
