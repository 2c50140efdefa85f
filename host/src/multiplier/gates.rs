//! How many gates a netlist has, and how deep they are.

use super::Netlist;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a netlist is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateCounts {
    /// All gates.
    pub total: usize,
    /// Gates of each kind there is, by its name in lower case, such as `nand`.
    pub by_kind: BTreeMap<String, usize>,
    /// Gates on the longest path from an operand to the product, inverters too.
    pub depth: usize,
}

impl GateCounts {
    /// Counts the gates of `netlist`.
    pub fn of(netlist: &Netlist) -> GateCounts {
        let mut by_kind = BTreeMap::new();
        let mut depths: Vec<usize> = Vec::with_capacity(netlist.gates().len());
        for gate in netlist.gates() {
            let inputs = gate.inputs.iter().filter_map(|wire| wire.gate());
            depths.push(1 + inputs.map(|input| depths[input]).max().unwrap_or(0));
            *by_kind.entry(gate.kind.name().to_owned()).or_default() += 1;
        }
        // Every gate left leads to an output, so the deepest one is at the end of a path.
        let depth = depths.into_iter().max().unwrap_or(0);
        GateCounts { total: netlist.gates().len(), by_kind, depth }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};

    #[test]
    fn gates_are_counted_by_kind_and_along_the_longest_path() {
        let mut builder = Builder::new();
        let both = builder.gate(GateKind::And, Wire::a(0), Wire::w(0));
        let odd = builder.gate(GateKind::Xor, both, Wire::a(1));
        let mut outputs = [Wire::ZERO; OUTPUTS];
        outputs[0] = builder.gate(GateKind::And, odd, Wire::w(3));
        outputs[1] = both;
        let by_kind = [("and".to_owned(), 2), ("xor".to_owned(), 1)].into();
        let counts = GateCounts::of(&builder.finish(false, outputs));
        assert_eq!(counts, GateCounts { total: 3, by_kind, depth: 3 });
        let none = Builder::new().finish(true, [Wire::ZERO; OUTPUTS]);
        let counts = GateCounts::of(&none);
        assert_eq!(counts, GateCounts { total: 0, by_kind: BTreeMap::new(), depth: 0 });
    }
}
