//! Approximate 8x8-bit multipliers: their truth tables, errors, costs and the libraries they come in.
//!
//! Everywhere the activation comes first: entry `a * 256 + w` of a table is `M(a, w)`.

pub mod netlist;
mod simulate;
mod table;

pub use netlist::Netlist;
pub use simulate::Simulation;
pub use table::TruthTable;
