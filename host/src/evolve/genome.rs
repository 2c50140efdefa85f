//! Circuits as evolution sees them: a row of gates, some of which nothing needs.
//!
//! Cartesian genetic programming with one row and unlimited levels back (Miller and Thomson, "Cartesian
//! Genetic Programming", EuroGP 2000). A gate that no output depends on costs nothing and may drift until a
//! mutation makes use of it.

use crate::multiplier::Netlist;
use crate::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};
use rand::{Rng, RngExt};

/// Position of the first gate among the wires: behind both constants and the inputs.
pub const FIRST_GATE: usize = Wire::FIRST_GATE;

/// A gate: its kind and the wires it reads, all before itself. An AND of a wire with itself is no gate but
/// that wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gene {
    /// Its function.
    pub kind: GateKind,
    /// Positions of the wires it reads.
    pub inputs: [u16; 2],
}

impl Gene {
    /// What stands for `wire` itself.
    pub fn wire(wire: u16) -> Gene {
        Gene { kind: GateKind::And, inputs: [wire; 2] }
    }

    /// The gene with the second input of an inverter made its first: what computes an inverter looks at both.
    pub fn tidy(self) -> Gene {
        match self.kind {
            GateKind::Not => Gene { inputs: [self.inputs[0]; 2], ..self },
            _ => self,
        }
    }

    /// Whether it is a wire.
    pub fn is_wire(&self) -> bool {
        matches!(self.kind, GateKind::And | GateKind::Or) && self.inputs[0] == self.inputs[1]
    }
}

/// A circuit. Wires are numbered as in [`Wire`]: constants, inputs, gates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genome {
    /// Whether operands and product are two's complement.
    pub signed: bool,
    /// The gates; gate `i` is wire `FIRST_GATE + i`.
    pub genes: Vec<Gene>,
    /// The wires that are the product's bits, the lowest first.
    pub outputs: [u16; OUTPUTS],
}

impl Genome {
    /// `netlist` with `spare` gates that nothing needs yet, spread at random.
    pub fn new(netlist: &Netlist, spare: usize, random: &mut impl Rng) -> Genome {
        let mut before = vec![0usize; netlist.gates().len() + 1];
        for _ in 0..spare {
            before[random.random_range(0..=netlist.gates().len())] += 1;
        }
        let mut position = vec![0u16; netlist.gates().len()];
        let mut genes = Vec::with_capacity(netlist.gates().len() + spare);
        let place = |position: &[u16], wire: Wire| match wire.gate() {
            Some(gate) => position[gate],
            None => wire.index() as u16,
        };
        for (index, &spare) in before.iter().enumerate() {
            for _ in 0..spare {
                let kind = GateKind::ALL[random.random_range(0..GateKind::ALL.len())];
                let wires = (FIRST_GATE + genes.len()) as u16;
                let inputs = [(); 2].map(|()| random.random_range(0..wires));
                genes.push(Gene { kind, inputs }.tidy());
            }
            if let Some(gate) = netlist.gates().get(index) {
                position[index] = (FIRST_GATE + genes.len()) as u16;
                let inputs = gate.inputs.map(|wire| place(&position, wire));
                genes.push(Gene { kind: gate.kind, inputs }.tidy());
            }
        }
        let outputs = netlist.outputs().map(|wire| place(&position, wire));
        Genome { signed: netlist.is_signed(), genes, outputs }
    }

    /// The circuit without what it does not need.
    pub fn netlist(&self) -> Netlist {
        let mut builder = Builder::new();
        let mut wires: Vec<Wire> = vec![Wire::ZERO, Wire::ONE];
        wires.extend((0..8).map(Wire::a));
        wires.extend((0..8).map(Wire::w));
        let mut active = Vec::new();
        self.mark_active(&mut active);
        for (gene, active) in self.genes.iter().zip(active) {
            let [x, y] = gene.inputs.map(|wire| wires[usize::from(wire)]);
            wires.push(if active { builder.gate(gene.kind, x, y) } else { Wire::ZERO });
        }
        builder.finish(self.signed, self.outputs.map(|wire| wires[usize::from(wire)]))
    }

    /// Sets `active` to whether each gate is needed.
    pub fn mark_active(&self, active: &mut Vec<bool>) {
        active.clear();
        active.resize(self.genes.len(), false);
        for &wire in &self.outputs {
            if let Some(gate) = usize::from(wire).checked_sub(FIRST_GATE) {
                active[gate] = true;
            }
        }
        for gate in (0..self.genes.len()).rev() {
            if active[gate] {
                for wire in self.genes[gate].inputs {
                    if let Some(gate) = usize::from(wire).checked_sub(FIRST_GATE) {
                        active[gate] = true;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::Design;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn spare_gates_change_nothing_and_are_not_kept() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for signed in [false, true] {
            let netlist = Design::Exact.netlist(signed);
            let genome = Genome::new(&netlist, 100, &mut random);
            assert_eq!(genome.genes.len(), netlist.gates().len() + 100);
            assert_eq!(genome.netlist(), netlist);
        }
    }

    #[test]
    fn wires_and_constants_are_folded_away() {
        let a0 = 2;
        let genes = vec![
            Gene::wire(a0),
            Gene { kind: GateKind::Xor, inputs: [FIRST_GATE as u16, 1] },
            Gene { kind: GateKind::Or, inputs: [FIRST_GATE as u16 + 1, 0] },
        ];
        let outputs = [FIRST_GATE as u16 + 2; OUTPUTS];
        let netlist = Genome { signed: false, genes, outputs }.netlist();
        assert_eq!(netlist.gates().len(), 1);
        assert_eq!(netlist.gates()[0].kind, GateKind::Not);
    }
}
