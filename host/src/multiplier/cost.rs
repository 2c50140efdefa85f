//! The cost model of netlists: area, delay and power in one set of standard cells.
//!
//! # Cells
//! The smallest ones of the NanGate FreePDK45 Open Cell Library (`INV_X1`, `NAND2_X1`, ...; typical corner,
//! 1.1 V), whose areas, pin capacitances and leakages are its data sheets'. What a cell's own transistors
//! load its output with is taken from the theory of logical effort (Sutherland, Sproull and Harris, "Logical
//! Effort", 1999, chapters 1 and 4) instead of the data sheets' tables by slope and load: an inverter's
//! parasitic capacitance equals that of its input, other gates have that times their parasitic delay.
//!
//! # Figures
//! * Area: the sum of the cells'.
//! * Power, at 1 GHz: for every net (the operands' bits too) `activity * C V^2 / 2 * f`, `C` being its
//!   driver's parasitic and all pins it leads to, plus leakage. The activity is the chance that the net
//!   changes between two independent operand pairs, drawn uniformly or from a layer's distribution.
//! * Delay: the slowest path, each cell's by its effort, load and parasitics, times [`TAU_PS`].
//!
//! # What is left out
//! Wires, glitches, cell sizing, compound cells (a full-adder cell is a quarter smaller than the gates it
//! is counted as here) and logic optimization. Figures are for comparing multipliers that were built and
//! costed in the same way, relative to the exact one. They are not a synthesis's, and are never mixed with
//! published ones without saying so. How far the two differ for the same circuits is measured in
//! `models/multipliers/README.md`, which has the cells' figures as a table too.
//!
//! For scale, an 8-bit multiplication costs about 0.2 pJ at 45 nm (Horowitz, "Computing's Energy Problem",
//! ISSCC 2014).

use super::netlist::{Gate, GateKind, Netlist, Wire};

/// What a netlist costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Power at 1 GHz, in uW.
    pub power_uw: f64,
    /// Cell area in um2.
    pub area_um2: f64,
    /// Delay of the longest path, in ps.
    pub delay_ps: f64,
}

/// The delay unit of logical effort: a fifth of the delay of an inverter that drives four like it, some
/// 25 ps at 45 nm.
pub const TAU_PS: f64 = 5.0;

/// Half the square of the supply voltage, 1.1 V: fF times this are fJ a change.
const HALF_SQUARE_V2: f64 = 0.605;

/// The input of an inverter in fF. Every output of the netlist drives one.
const INVERTER_FF: f64 = 1.700;

/// A standard cell.
struct Cell {
    area_um2: f64,
    /// Capacitance of an input pin, the mean of both.
    pin_ff: f64,
    /// Parasitic capacitance at its output and inside, in inverter inputs.
    parasitic: f64,
    leakage_nw: f64,
    /// Delay in tau without any load.
    intrinsic_delay: f64,
    /// Additional delay in tau for each fF of load.
    delay_per_ff: f64,
}

/// The cell that computes `kind`.
///
/// `AND2_X1` and `OR2_X1` are a half-sized NAND or NOR and an inverter; `XOR2_X1` is a half-sized NOR whose
/// output joins an AND-OR-inverter, `XNOR2_X1` its dual.
fn cell(kind: GateKind) -> Cell {
    const NAND_EFFORT: f64 = 4.0 / 3.0;
    const NOR_EFFORT: f64 = 5.0 / 3.0;
    // The first stage of a two-stage cell: half an inverter's input drives a whole one's.
    let first_stage = |effort: f64| effort * 2.0 + 2.0;
    let one_stage = |area_um2, pin_ff, parasitic, leakage_nw, effort: f64| Cell {
        area_um2,
        pin_ff,
        parasitic,
        leakage_nw,
        intrinsic_delay: parasitic,
        delay_per_ff: effort / pin_ff,
    };
    let buffered = |pin_ff, leakage_nw, effort| Cell {
        area_um2: 1.064,
        pin_ff,
        parasitic: 3.0,
        leakage_nw,
        intrinsic_delay: first_stage(effort) + 1.0,
        delay_per_ff: 1.0 / INVERTER_FF,
    };
    let exclusive = |leakage_nw| Cell {
        area_um2: 1.596,
        pin_ff: 2.322,
        parasitic: 4.0,
        leakage_nw,
        intrinsic_delay: first_stage(NOR_EFFORT) + 7.0 / 3.0,
        delay_per_ff: 2.0 / INVERTER_FF,
    };
    match kind {
        GateKind::Not => one_stage(0.532, INVERTER_FF, 1.0, 14.35, 1.0),
        GateKind::Nand => one_stage(0.798, 1.632, 2.0, 17.39, NAND_EFFORT),
        GateKind::Nor => one_stage(0.798, 1.683, 2.0, 21.20, NOR_EFFORT),
        GateKind::And => buffered(0.946, 25.07, NAND_EFFORT),
        GateKind::Or => buffered(0.944, 22.69, NOR_EFFORT),
        GateKind::Xor => exclusive(36.16),
        GateKind::Xnor => exclusive(36.44),
    }
}

/// What a gate of a kind adds to the power of a netlist.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GatePower {
    /// In uW at 1 GHz if its output changed in every clock period.
    pub output_uw: f64,
    /// In uW at 1 GHz for each input that changed in every clock period.
    pub input_uw: f64,
    /// In uW.
    pub leakage_uw: f64,
}

impl GatePower {
    /// The figures of the cell that computes `kind`.
    pub fn of(kind: GateKind) -> GatePower {
        let cell = cell(kind);
        GatePower {
            output_uw: HALF_SQUARE_V2 * cell.parasitic * INVERTER_FF,
            input_uw: HALF_SQUARE_V2 * cell.pin_ff,
            leakage_uw: cell.leakage_nw / 1000.0,
        }
    }

    /// What an output of the netlist adds, in uW at 1 GHz, if it changed in every clock period.
    pub const NETLIST_OUTPUT_UW: f64 = HALF_SQUARE_V2 * INVERTER_FF;
}

/// Number of inputs a gate of `kind` looks at.
pub fn fan_in(kind: GateKind) -> usize {
    if kind == GateKind::Not { 1 } else { 2 }
}

impl Cost {
    /// The cost of `netlist`, each of whose wires changes with the chance `activity[wire]` from one operand
    /// pair to the next (see [`Simulation`](super::Simulation)).
    ///
    /// # Panics
    /// If there are fewer activities than wires.
    pub fn of(netlist: &Netlist, activity: &[f64]) -> Cost {
        let of_gate = |(index, gate): (usize, &Gate)| {
            let power = GatePower::of(gate.kind);
            let inputs = &gate.inputs[..fan_in(gate.kind)];
            power.leakage_uw
                + power.output_uw * activity[Wire::of_gate(index).index()]
                + inputs.iter().map(|wire| power.input_uw * activity[wire.index()]).sum::<f64>()
        };
        let of_output = |wire: &Wire| GatePower::NETLIST_OUTPUT_UW * activity[wire.index()];
        // Adding to zero by hand: the sum of no floats at all is -0.
        let total = |sum: f64, figure: f64| sum + figure;
        let gates = netlist.gates().iter().enumerate().map(of_gate);
        Cost {
            power_uw: gates.chain(netlist.outputs().iter().map(of_output)).fold(0.0, total),
            area_um2: netlist.gates().iter().map(|gate| cell(gate.kind).area_um2).fold(0.0, total),
            delay_ps: TAU_PS * longest_path(netlist),
        }
    }
}

/// In tau.
fn longest_path(netlist: &Netlist) -> f64 {
    let mut load_ff = vec![0.0; Wire::of_gate(netlist.gates().len()).index()];
    for gate in netlist.gates() {
        for wire in &gate.inputs[..fan_in(gate.kind)] {
            load_ff[wire.index()] += cell(gate.kind).pin_ff;
        }
    }
    for wire in netlist.outputs() {
        load_ff[wire.index()] += INVERTER_FF;
    }
    let mut arrivals = vec![0.0; load_ff.len()];
    for (index, gate) in netlist.gates().iter().enumerate() {
        let (cell, output) = (cell(gate.kind), Wire::of_gate(index).index());
        let latest = gate.inputs.iter().map(|wire| arrivals[wire.index()]).fold(0.0, f64::max);
        arrivals[output] = latest + cell.intrinsic_delay + cell.delay_per_ff * load_ff[output];
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
        let netlist = builder.finish(false, outputs);
        let simulation = netlist.simulate();
        let cost = Cost::of(&netlist, &simulation.activity);
        assert!((cost.area_um2 - 2.66).abs() < 1e-12);
        // Chances of change: 1/2 for the operands' bits, 3/8 for the AND, 1/2 for the XOR.
        let switched_ff =
            (0.946 * 0.5 * 2.0 + 3.0 * 1.7 * 0.375) + (2.322 * (0.375 + 0.5) + 4.0 * 1.7 * 0.5) + 1.7 * 0.5;
        assert!((cost.power_uw - (0.605 * switched_ff + 0.02507 + 0.03616)).abs() < 1e-12);
        let and = 8.0 / 3.0 + 2.0 + 1.0 + 2.322 / 1.7;
        let xor = 10.0 / 3.0 + 2.0 + 7.0 / 3.0 + 2.0;
        assert!((cost.delay_ps - 5.0 * (and + xor)).abs() < 1e-9, "{cost:?}");
    }

    #[test]
    fn the_document_has_the_cells_figures() {
        let document = include_str!("../../../models/multipliers/README.md");
        for kind in GateKind::ALL {
            let name = kind.name().to_uppercase();
            let row = document.lines().find_map(|line| line.strip_prefix(&format!("| {name} | ")));
            let row = row.unwrap_or_else(|| panic!("no row of {name}"));
            let figures: Vec<f64> = row.split('|').skip(1).filter_map(|f| f.trim().parse().ok()).collect();
            let (cell, power) = (cell(kind), GatePower::of(kind));
            let expected = [
                cell.area_um2,
                cell.leakage_nw,
                cell.pin_ff,
                power.input_uw,
                power.output_uw,
                TAU_PS * cell.intrinsic_delay,
                TAU_PS * cell.delay_per_ff,
            ];
            assert_eq!(figures.len(), expected.len(), "{name}");
            for (figure, expected) in figures.iter().zip(expected) {
                assert!((figure - expected).abs() <= 6e-4 * expected, "{name}: {figure}, not {expected}");
            }
        }
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
                assert!(less.power_uw < more.power_uw, "{pair:?} {more:?} {less:?}");
                assert!(less.area_um2 < more.area_um2, "{pair:?} {more:?} {less:?}");
            }
        }
    }

    #[test]
    fn nothing_costs_nothing() {
        assert_eq!(
            cost(Design::Truncated { columns: 15 }, false),
            Cost { power_uw: 0.0, area_um2: 0.0, delay_ps: 0.0 }
        );
    }
}
