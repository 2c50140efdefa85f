//! Builds netlists, and folds constants away.
//!
//! A multiplier without some of its partial products is built like the whole one, with the constant zero in
//! their places: the builder then never makes the adders they would have fed, and [`Builder::finish`]
//! drops the gates that no output depends on. What remains is what the cost model should charge.

use super::netlist::{Gate, GateKind, Netlist, OUTPUTS, Wire};
use std::collections::HashMap;

/// Builds a [`Netlist`] gate by gate; gates whose output is a constant or another wire are not made.
///
/// A gate asked for twice is made once.
#[derive(Debug, Default)]
pub struct Builder {
    gates: Vec<Gate>,
    made: HashMap<(GateKind, [Wire; 2]), Wire>,
}

impl Builder {
    /// No gates yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A gate over `x` and `y`, or the wire it is the same as.
    pub fn gate(&mut self, kind: GateKind, x: Wire, y: Wire) -> Wire {
        use GateKind::*;
        // A constant input, or the same wire twice, leaves at most a complement to do.
        let (kept, other) = if x == Wire::ZERO || x == Wire::ONE { (y, x) } else { (x, y) };
        match (kind, other) {
            (And, Wire::ZERO) | (Nor, Wire::ONE) => return Wire::ZERO,
            (Or, Wire::ONE) | (Nand, Wire::ZERO) => return Wire::ONE,
            (And | Xnor, Wire::ONE) | (Or | Xor, Wire::ZERO) => return kept,
            (Nand | Xor, Wire::ONE) | (Nor | Xnor, Wire::ZERO) => return self.not(kept),
            (Not, _) => return self.not(x),
            _ => {}
        }
        match kind {
            And | Or if x == y => x,
            Nand | Nor if x == y => self.not(x),
            Xor if x == y => Wire::ZERO,
            Xnor if x == y => Wire::ONE,
            _ => self.push(kind, [x, y]),
        }
    }

    /// The complement of `x`.
    pub fn not(&mut self, x: Wire) -> Wire {
        match x {
            Wire::ZERO => Wire::ONE,
            Wire::ONE => Wire::ZERO,
            _ => match x.gate().map(|gate| self.gates[gate]) {
                Some(Gate { kind: GateKind::Not, inputs }) => inputs[0],
                _ => self.push(GateKind::Not, [x, x]),
            },
        }
    }

    /// The circuit with these product bits, the lowest first, without the gates none of them needs.
    pub fn finish(self, signed: bool, outputs: [Wire; OUTPUTS]) -> Netlist {
        let mut needed = vec![false; self.gates.len()];
        for gate in outputs.iter().filter_map(|wire| wire.gate()) {
            needed[gate] = true;
        }
        // Gates read only earlier ones, so one pass from the last to the first finds all that is needed.
        for index in (0..self.gates.len()).rev() {
            if needed[index] {
                for gate in self.gates[index].inputs.iter().filter_map(|wire| wire.gate()) {
                    needed[gate] = true;
                }
            }
        }
        let mut renamed = vec![Wire::ZERO; self.gates.len()];
        let mut gates = Vec::new();
        let rename = |renamed: &[Wire], wire: Wire| wire.gate().map_or(wire, |gate| renamed[gate]);
        for (index, gate) in self.gates.iter().enumerate().filter(|&(index, _)| needed[index]) {
            renamed[index] = Wire::of_gate(gates.len());
            gates.push(Gate { kind: gate.kind, inputs: gate.inputs.map(|wire| rename(&renamed, wire)) });
        }
        Netlist::from_parts(signed, gates, outputs.map(|wire| rename(&renamed, wire)))
    }

    fn push(&mut self, kind: GateKind, inputs: [Wire; 2]) -> Wire {
        // No gate cares for the order of its inputs, but they stay in the order first asked for.
        let [x, y] = inputs;
        let key = (kind, if x.index() <= y.index() { [x, y] } else { [y, x] });
        *self.made.entry(key).or_insert_with(|| {
            self.gates.push(Gate { kind, inputs });
            Wire::of_gate(self.gates.len() - 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of `wire` when the inputs are the bits of `inputs`.
    fn value(gates: &[Gate], wire: Wire, inputs: u64) -> u64 {
        match wire {
            Wire::ZERO => 0,
            Wire::ONE => 1,
            _ => match wire.gate() {
                None => inputs >> (wire.index() - Wire::FIRST_INPUT) & 1,
                Some(gate) => {
                    let [x, y] = gates[gate].inputs.map(|wire| value(gates, wire, inputs));
                    gates[gate].kind.apply(x, y) & 1
                }
            },
        }
    }

    fn some_wires() -> [Wire; 4] {
        [Wire::ZERO, Wire::ONE, Wire::a(0), Wire::w(7)]
    }

    const OPERANDS: [u64; 4] = [0, 1, 1 << 15, 1 << 15 | 1];

    #[test]
    fn folding_keeps_every_gate_s_function() {
        for kind in GateKind::ALL {
            for x in some_wires() {
                for y in some_wires() {
                    let mut builder = Builder::new();
                    let out = builder.gate(kind, x, y);
                    for inputs in OPERANDS {
                        let expected = kind.apply(value(&[], x, inputs), value(&[], y, inputs)) & 1;
                        assert_eq!(value(&builder.gates, out, inputs), expected, "{kind:?} {x:?} {y:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn full_adders_add_whatever_their_inputs_are() {
        for x in some_wires() {
            for y in some_wires() {
                for z in some_wires() {
                    let mut builder = Builder::new();
                    let (sum, carry) = builder.full_adder(x, y, z);
                    for inputs in OPERANDS {
                        let of = |wire| value(&builder.gates, wire, inputs);
                        assert_eq!(of(sum) + 2 * of(carry), of(x) + of(y) + of(z), "{x:?} {y:?} {z:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn complementing_twice_and_constants_make_no_gates() {
        let mut builder = Builder::new();
        let once = builder.not(Wire::a(3));
        assert_eq!(builder.not(once), Wire::a(3));
        assert_eq!(builder.full_adder(Wire::ZERO, Wire::a(1), Wire::ZERO), (Wire::a(1), Wire::ZERO));
        assert_eq!(builder.gates.len(), 1);
    }

    #[test]
    fn a_gate_asked_for_twice_is_made_once() {
        let mut builder = Builder::new();
        let first = builder.gate(GateKind::Nand, Wire::a(0), Wire::w(0));
        assert_eq!(builder.gate(GateKind::Nand, Wire::w(0), Wire::a(0)), first);
        assert_ne!(builder.gate(GateKind::And, Wire::a(0), Wire::w(0)), first);
        assert_eq!(builder.gates.len(), 2);
    }

    #[test]
    fn finishing_drops_gates_no_output_needs() {
        let mut builder = Builder::new();
        let dead = builder.gate(GateKind::And, Wire::a(0), Wire::w(0));
        builder.not(dead);
        let alive = builder.gate(GateKind::Or, Wire::a(1), Wire::w(1));
        let out = builder.gate(GateKind::Xor, alive, Wire::a(2));
        let mut outputs = [Wire::ZERO; OUTPUTS];
        outputs[4] = out;
        let netlist = builder.finish(false, outputs);
        assert_eq!(netlist.gates().len(), 2);
        assert_eq!(netlist.outputs()[4], Wire::of_gate(1));
        assert_eq!(netlist.gates()[1].inputs, [Wire::of_gate(0), Wire::a(2)]);
    }
}
