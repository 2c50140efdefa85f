//! Approximate 8x8-bit multipliers: their truth tables, errors, costs and the libraries they come in.
//!
//! Everywhere the activation comes first: entry `a * 256 + w` of a table is `M(a, w)`.

mod blocks;
mod builder;
mod builtin;
mod choice;
mod classical;
mod comparison;
pub mod cost;
mod costs_csv;
mod distribution;
mod distribution_file;
mod dominance;
pub mod families;
mod folder;
pub mod formats;
mod front;
mod gates;
mod library;
mod low_bit;
pub mod netlist;
mod netlist_file;
mod netlist_text;
mod product_table;
#[cfg(test)]
mod reference_tests;
mod scheme;
mod signedness;
mod simulate;
mod statistics;
mod structure;
mod table;
mod terms;
#[cfg(test)]
pub(crate) mod testing;
pub mod verilog;
mod weighted;

pub(crate) use builtin::exact_cost;
pub use choice::{Choice, ProductCache};
pub use comparison::{AtError, AtPower, Comparison, Hypervolumes, Pair, cost_caveat, mixed_cost_caveat};
pub use costs_csv::{Costs, Figure};
pub use distribution::{CodeDistribution, Distribution};
pub use distribution_file::DistributionFile;
pub use dominance::{Ties, non_dominated};
pub use families::{Design, Family};
pub use front::{Best, ErrorAxis, ErrorMeasure, Front, PowerRange};
pub use gates::GateCounts;
pub use library::{CostSource, Library, Multiplier};
pub use netlist::Netlist;
pub use netlist_file::{NetlistFile, NetlistRecord};
pub use product_table::{ProductTable, scheme_product};
pub use scheme::Scheme;
pub(crate) use signedness::{name_prefix, signed_by_folder, signed_by_name, signed_or_unsigned};
pub use simulate::Simulation;
pub(crate) use simulate::activity;
pub use statistics::Statistics;
pub use structure::{Masks, Structure};
pub use table::TruthTable;
pub use terms::{MAX_TERMS, Term};
pub use weighted::WeightedStatistics;
