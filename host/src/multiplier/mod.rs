//! Approximate 8x8-bit multipliers: their truth tables, errors, costs and the libraries they come in.
//!
//! Everywhere the activation comes first: entry `a * 256 + w` of a table is `M(a, w)`.

mod table;

pub use table::TruthTable;
