//! Circuits as Verilog: the one place where formats meet the reader and the writer of netlists.

use crate::error::Result;
use crate::multiplier::{Netlist, TruthTable, verilog};
use std::path::Path;

/// The circuit of a structural module.
pub(super) fn read(path: &Path, text: &str, signed: bool) -> Result<Netlist> {
    verilog::read(path, text, signed)
}

/// The module of a circuit, and a test bench that compares it with its table.
pub(super) fn write(name: &str, netlist: &Netlist, table: &TruthTable) -> [String; 2] {
    [verilog::write_module(name, netlist), verilog::write_test_bench(name, table)]
}
