//! From what a file holds to a multiplier with its name, its errors and its costs.

use super::costs::{Beside, costs_beside, gate_model, no_costs};
use super::file::{Circuit, Found};
use super::names::full_name;
use super::{Imported, Importing, plausible};
use crate::error::Result;
use crate::multiplier::formats::{Format, netlists};
use crate::multiplier::{Family, Statistics};
use std::path::Path;

/// The multiplier with its full name, its errors and its costs.
pub(super) fn finish(
    path: &Path,
    format: Format,
    found: Found,
    how: &Importing,
    beside: &mut Beside,
) -> Result<Imported> {
    let Found { base, table, index, operands, circuit, published, mut notes } = found;
    let statistics = Statistics::of(&table);
    // In units of the product; both figures are whole.
    let worst = statistics.wce_pct * 65536.0 / 100.0;
    if let Some(wanted) = published.worst
        && (worst - wanted).abs() > 0.5
    {
        notes.push(format!(
            "its comments give a worst-case error of {wanted}, its products have {worst}: check how it was read"
        ));
    }
    let confirmed = published.worst.is_some_and(|wanted| (worst - wanted).abs() <= 0.5);
    if !confirmed {
        notes.extend(plausible::doubt_of_errors(&table, statistics.mae_pct, format, index));
    }
    let name = full_name(&base, table.is_signed());
    let costs = match how.costs {
        Some(costs) => costs,
        None => match costs_beside(path, [&base, &name], beside)?.or(published.costs()) {
            Some(costs) => costs,
            None => match &circuit {
                Some(circuit) => {
                    if format == Format::Verilog {
                        notes.push("no published costs: charged by the gate model".into());
                    }
                    gate_model(&circuit.netlist)
                }
                None => return Err(no_costs(path, &name)),
            },
        },
    };
    let circuit = circuit.map(|Circuit { netlist, family, provenance }| {
        let family = if statistics.is_exact() { Family::Exact } else { family };
        netlists::record(&name, family, &provenance, &netlist, &statistics)
    });
    let path = path.to_owned();
    Ok(Imported { name, path, format, table, statistics, costs, index, operands, circuit, notes })
}
