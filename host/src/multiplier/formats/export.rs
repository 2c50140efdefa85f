//! Writes a library's tables for other tools.

use super::{Format, bin, c_header, netlists, npy, text, verilog_file};
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::library::split_sources;
use crate::multiplier::{Costs, Figure, Multiplier, costs_csv, folder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// How to write tables.
#[derive(Debug, Clone, Copy)]
pub struct Exporting {
    /// The format.
    pub format: Format,
    /// Whether the weight is to come first: row `w`, column `a`.
    pub swap_operands: bool,
}

/// The costs as written in the folders among `sources`
/// (see [`Library::from_sources`](crate::multiplier::Library::from_sources)), by multiplier.
pub fn written_costs(sources: &str) -> Result<HashMap<String, Costs>> {
    let mut costs = HashMap::new();
    // What comes as circuits is charged by the gate model.
    let charged = |source: &str| matches!(source, "builtin" | "classical") || source.ends_with(".jsonl");
    for source in split_sources(sources).into_iter().filter(|&source| !charged(source)) {
        costs.extend(folder::costs(Path::new(source))?.into_iter().map(|(name, row)| (name, row.costs)));
    }
    Ok(costs)
}

/// Writes each multiplier into `out` as `NAME` with the format's extension, or all into `netlists.jsonl`, and
/// all costs into `costs.csv`: those in `written` as they are there, others relative. Lines of other multipliers
/// in a `costs.csv` or `netlists.jsonl` that is there already stay. Returns the files, `costs.csv` last, in which order they are written.
pub fn export(
    multipliers: &[&Multiplier],
    written: &HashMap<String, Costs>,
    how: Exporting,
    out: &Path,
) -> Result<Vec<PathBuf>> {
    if how.format.is_circuit() {
        check_circuits(multipliers, how)?;
    }
    let mut contents: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    let mut records = Vec::new();
    for multiplier in multipliers {
        let name = &multiplier.name;
        let swapped;
        let table = if how.swap_operands {
            swapped = multiplier.table.swapped();
            &swapped
        } else {
            &multiplier.table
        };
        let path = out.join(format!("{name}.{}", how.format.extension()));
        if path.file_name().is_some_and(|file| file == folder::COSTS) {
            return Err(Error::Argument(format!("{name} can't be exported as {}", folder::COSTS)));
        }
        let bytes = match (how.format, &multiplier.netlist) {
            (Format::Bin, _) => bin::write(table),
            (Format::Npy, _) => npy::write(table),
            (Format::CHeader, _) => c_header::write(name, table).into_bytes(),
            (Format::Csv, _) => text::write(table).into_bytes(),
            (Format::Verilog, Some(netlist)) => {
                let [module, bench] = verilog_file::write(name, netlist, table);
                contents.push((out.join(format!("{name}_tb.v")), bench.into_bytes()));
                module.into_bytes()
            }
            (Format::Netlists, Some(netlist)) => {
                let provenance = multiplier.provenance.as_deref().unwrap_or_default();
                let (family, statistics) = (multiplier.family, &multiplier.statistics);
                records.push(netlists::record(name, family, provenance, netlist, statistics));
                continue;
            }
            (Format::Verilog | Format::Netlists, None) => unreachable!("checked before"),
        };
        contents.push((path, bytes));
    }
    if let Some(first) = multipliers.first().filter(|_| how.format == Format::Netlists) {
        contents.extend(netlists::updated(out, first.table.is_signed(), &[], records)?);
    }
    let costs_path = out.join(folder::COSTS);
    let old = if costs_path.exists() { folder::costs_text(out)? } else { String::new() };
    if !old.is_empty() {
        costs_csv::parse(&costs_path, &old)?;
    }
    let lines: Vec<(&str, Costs)> = multipliers
        .iter()
        .map(|multiplier| {
            let costs = written.get(&multiplier.name).copied();
            (&*multiplier.name, costs.unwrap_or_else(|| relative_costs(multiplier)))
        })
        .collect();
    contents.push((costs_path, costs_csv::updated(&old, &lines).into_bytes()));
    file::write_all_atomically(&contents)?;
    Ok(contents.into_iter().map(|(path, _)| path).collect())
}

/// Only circuits can be written as such, operands as they are.
fn check_circuits(multipliers: &[&Multiplier], how: Exporting) -> Result<()> {
    if how.swap_operands {
        let reason = "--swap-operands is for tables; a circuit's operands are swapped by wiring them so";
        return Err(Error::Argument(reason.into()));
    }
    let without: Vec<&str> = multipliers.iter().filter(|m| m.netlist.is_none()).map(|m| &*m.name).collect();
    if without.is_empty() {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "no gates are known of {}: only their tables can be exported; choose others with --names",
        without.join(", ")
    )))
}

/// Costs as the library has them: relative.
fn relative_costs(multiplier: &Multiplier) -> Costs {
    Costs {
        power: Figure::Relative(multiplier.power_rel),
        area: multiplier.area_rel.map(Figure::Relative),
        delay: multiplier.delay_rel.map(Figure::Relative),
        source: multiplier.cost_source,
    }
}
