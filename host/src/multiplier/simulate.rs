//! Runs a netlist on all 65,536 operand pairs, 64 at a time.

use super::TruthTable;
use super::netlist::{INPUTS, Netlist};

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

const LANES: usize = u64::BITS as usize;
const WORDS: usize = TruthTable::ENTRIES / LANES;

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
        let mut products = Vec::with_capacity(TruthTable::ENTRIES);
        let mut ones = vec![0u32; 2 + INPUTS + self.gates().len()];
        let mut values = vec![0, u64::MAX];
        for word in 0..WORDS {
            values.truncate(2);
            values.extend((0..INPUTS).map(|input| input_lanes(input, word)));
            for gate in self.gates() {
                let [x, y] = gate.inputs.map(|wire| values[wire.index()]);
                values.push(gate.kind.apply(x, y));
            }
            for (ones, value) in ones.iter_mut().zip(&values) {
                *ones += value.count_ones();
            }
            let outputs = self.outputs().map(|wire| values[wire.index()]);
            products.extend((0..LANES).map(|lane| {
                let bit = |(c, output): (usize, &u64)| ((output >> lane & 1) as u16) << c;
                let product: u16 = outputs.iter().enumerate().map(bit).sum();
                if self.is_signed() { i32::from(product as i16) } else { i32::from(product) }
            }));
        }
        let table = TruthTable::new(self.is_signed(), products).expect("sixteen bits always fit");
        let activity = ones.iter().map(|&ones| f64::from(ones) / TruthTable::ENTRIES as f64);
        Simulation { table, activity: activity.map(|p| 2.0 * p * (1.0 - p)).collect() }
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

#[cfg(test)]
mod tests {
    use super::INPUTS;
    use crate::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};

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
}
