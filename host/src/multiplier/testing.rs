//! Multipliers for tests.

use super::{CostSource, Family, Multiplier, Statistics, TruthTable};

/// A multiplier of which no more than its table and its relative power are known.
pub(crate) fn multiplier(name: &str, power_rel: f64, table: TruthTable) -> Multiplier {
    Multiplier {
        name: name.into(),
        family: Family::Imported,
        statistics: Statistics::of(&table),
        table,
        power_rel,
        area_rel: None,
        delay_rel: None,
        cost_source: CostSource::Published,
        netlist: None,
        provenance: None,
    }
}
