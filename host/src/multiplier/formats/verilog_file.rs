//! Circuits as Verilog: the one place where formats meet the reader and the writer of netlists.

use crate::error::{Error, Result};
use crate::multiplier::{Netlist, TruthTable};
use std::path::Path;

/// The circuit of a structural module.
pub(super) fn read(path: &Path, _text: &str, _signed: bool) -> Result<Netlist> {
    Err(Error::file(path, "structural Verilog is not read yet"))
}

/// The module of a circuit, and a test bench that compares it with its table.
pub(super) fn write(name: &str, _netlist: &Netlist, _table: &TruthTable) -> Result<[String; 2]> {
    Err(Error::Argument(format!("{name}: structural Verilog is not written yet")))
}
