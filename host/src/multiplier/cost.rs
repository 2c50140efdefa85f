//! A first cost model of netlists: standard cells, switching activity, no wires.
//!
//! Figures are for comparing multipliers built and mapped in the same way, relative to the exact one; they
//! are not those of a synthesis. Glitches, wires, fan-out and cell sizing are left out, and compound cells
//! (a full-adder cell is about a quarter smaller than the gates it is counted as here) are not used.
//! Where a signed EvoApproxLib circuit computes the same table as a built-in one (ten designs), relative
//! areas agree within 0.06 with the published synthesis, relative powers within 0.06 but for the cheapest
//! (`mul8s_w2`: 0.22 here, 0.12 published). The small ones come out too expensive, never too cheap: deep
//! arrays glitch more than shallow ones, which this model does not see.
//!
//! For scale, an 8-bit multiplication costs about 0.2 pJ at 45 nm (Horowitz, "Computing's Energy Problem",
//! ISSCC 2014).

use super::netlist::{Gate, GateKind, Netlist};

/// What a netlist costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Power at a fixed clock and supply, in um2 of switched cell area a clock period: only ratios count.
    pub power: f64,
    /// Cell area in um2 of the NanGate library.
    pub area: f64,
    /// Delay of the longest path in units of tau, the delay of an ideal inverter driving its like without
    /// parasitics (a fifth of a fan-out-of-four delay: about 4 to 5 ps at 45 nm).
    pub delay: f64,
}

/// Leakage, as the switching activity that costs as much: NanGate's two-input cells leak about 20 nW/um2,
/// some 4 % of what the published exact 8x8-bit multipliers draw at 45 nm, whose gates have activities
/// around 0.4.
const LEAKAGE_ACTIVITY: f64 = 0.02;

/// Cell area in um2 at drive strength 1: NanGate FreePDK45 Open Cell Library, cells AND2_X1 and so on. It
/// also stands for the capacitance a cell switches, to which it is roughly proportional.
fn area(kind: GateKind) -> f64 {
    match kind {
        GateKind::Not => 0.532,
        GateKind::Nand | GateKind::Nor => 0.798,
        GateKind::And | GateKind::Or => 1.064,
        GateKind::Xor | GateKind::Xnor => 1.596,
    }
}

/// Delay in tau by logical effort (Sutherland, Sproull and Harris, "Logical Effort", 1999, chapters 1 and
/// 4): `g h + p` with an electrical effort `h` of 2 for every gate; AND and OR are a NAND or NOR with
/// `h = 1` followed by an inverter.
fn delay(kind: GateKind) -> f64 {
    let inverter = 2.0 + 1.0;
    match kind {
        GateKind::Not => inverter,
        GateKind::Nand => 2.0 * 4.0 / 3.0 + 2.0,
        GateKind::Nor => 2.0 * 5.0 / 3.0 + 2.0,
        GateKind::And => 4.0 / 3.0 + 2.0 + inverter,
        GateKind::Or => 5.0 / 3.0 + 2.0 + inverter,
        GateKind::Xor | GateKind::Xnor => 2.0 * 4.0 + 4.0,
    }
}

impl Cost {
    /// The cost of `netlist` whose gates switch with the chances `activity`
    /// (see [`Simulation`](super::Simulation)). A gate without an entry only leaks.
    pub fn of(netlist: &Netlist, activity: &[f64]) -> Cost {
        let switching = activity.iter().copied().chain(std::iter::repeat(0.0));
        let of_gate = |(gate, activity): (&Gate, f64)| area(gate.kind) * (activity + LEAKAGE_ACTIVITY);
        // Adding to zero by hand: the sum of no floats at all is -0.
        let total = |sum: f64, figure: f64| sum + figure;
        Cost {
            power: netlist.gates().iter().zip(switching).map(of_gate).fold(0.0, total),
            area: netlist.gates().iter().map(|gate| area(gate.kind)).fold(0.0, total),
            delay: longest_path(netlist),
        }
    }
}

fn longest_path(netlist: &Netlist) -> f64 {
    let mut arrivals: Vec<f64> = Vec::with_capacity(netlist.gates().len());
    for gate in netlist.gates() {
        let inputs = gate.inputs.iter().filter_map(|wire| wire.gate());
        let latest = inputs.map(|input| arrivals[input]).fold(0.0, f64::max);
        arrivals.push(latest + delay(gate.kind));
    }
    // Every gate left leads to an output, so the latest one is at the end of a path.
    arrivals.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::Design;
    use crate::multiplier::netlist::{Builder, OUTPUTS, Wire};

    fn cost(design: Design, signed: bool) -> Cost {
        let netlist = design.netlist(signed);
        Cost::of(&netlist, &netlist.simulate().activity)
    }

    #[test]
    fn two_gates_in_a_row_cost_what_the_cells_say() {
        let mut builder = Builder::new();
        let both = builder.gate(GateKind::And, Wire::a(0), Wire::w(0));
        let mut outputs = [Wire::ZERO; OUTPUTS];
        outputs[0] = builder.gate(GateKind::Xor, both, Wire::a(1));
        let cost = Cost::of(&builder.finish(false, outputs), &[0.375, 0.5]);
        assert!((cost.area - 2.66).abs() < 1e-12);
        assert!((cost.power - (1.064 * 0.395 + 1.596 * 0.52)).abs() < 1e-12);
        assert!((cost.delay - (19.0 / 3.0 + 12.0)).abs() < 1e-12);
    }

    #[test]
    fn leaving_more_out_never_costs_more() {
        for signed in [false, true] {
            let chains: [Vec<Design>; 3] = [
                (0..=15).map(|columns| Design::Truncated { columns }).collect(),
                (1..=8).rev().map(|weight| Design::LowBit { activation: 8, weight }).collect(),
                (0..8).map(|h| Design::BrokenArray { horizontal: h, vertical: 2 * h }).collect(),
            ];
            for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
                let (more, less) = (cost(pair[0], signed), cost(pair[1], signed));
                assert!(less.power < more.power, "{pair:?} {more:?} {less:?}");
                assert!(less.area < more.area && less.delay <= more.delay, "{pair:?} {more:?} {less:?}");
            }
        }
    }

    #[test]
    fn nothing_costs_nothing() {
        assert_eq!(
            cost(Design::Truncated { columns: 15 }, false),
            Cost { power: 0.0, area: 0.0, delay: 0.0 }
        );
    }
}
