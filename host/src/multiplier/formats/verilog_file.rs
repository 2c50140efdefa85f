//! Circuits as Verilog: the one place where formats meet the reader and the writer of netlists.

use super::Importing;
use super::origin::Origin;
use crate::error::Result;
use crate::multiplier::verilog::{self, CellLibrary, Circuit};
use crate::multiplier::{Netlist, TruthTable};
use std::path::Path;

/// The circuit of a structural module, its operands in the order that `how` asks for.
/// Whether it is signed is for the caller to say.
pub(super) fn read(path: &Path, text: &str, how: &Importing) -> Result<Circuit> {
    let circuit = match &how.cells {
        Some(cells) => verilog::read_with(path, text, false, cells),
        None => verilog::read_with(path, text, false, &CellLibrary::builtin()),
    }?;
    if !how.swap_operands {
        return Ok(circuit);
    }
    let [first, second] = circuit.operands;
    Ok(Circuit { netlist: circuit.netlist.swapped(), operands: [second, first], ..circuit })
}

/// The module of a circuit, after comments on where it is from, and a test bench that compares it with its table.
pub(super) fn write(name: &str, netlist: &Netlist, table: &TruthTable, origin: Origin) -> [String; 2] {
    let origin: String = origin.lines().iter().map(|line| format!("// {line}\n")).collect();
    [origin + &verilog::write_module(name, netlist), verilog::write_test_bench(name, table)]
}
