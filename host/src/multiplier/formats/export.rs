//! Writes a library's tables for other tools.

use super::origin::Origin;
use super::target::Target;
use super::{Format, Written, bin, c_header, netlists, npy, text, verilog_file};
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::{Costs, Figure, Multiplier, TruthTable, folder};
use std::path::{Path, PathBuf};

/// How to write tables.
#[derive(Debug, Clone, Copy)]
pub struct Exporting {
    /// The format.
    pub format: Format,
    /// Whether the weight is to come first: row `w`, column `a`.
    pub swap_operands: bool,
    /// Whether to replace what has the same name in the folder.
    pub replace: bool,
    /// Whether arrays of C are called after their multipliers, so that a program can include several.
    pub unique_arrays: bool,
}

impl Exporting {
    /// The activation first, nothing replaced, every array called `lut`.
    pub fn new(format: Format) -> Exporting {
        Exporting { format, swap_operands: false, replace: false, unique_arrays: false }
    }
}

/// Writes each multiplier into `out` as `NAME` with the format's extension, or all into `netlists.jsonl`, and
/// all costs into `costs.csv`: those in `written` as they are there, others relative. Lines of other multipliers
/// in a `costs.csv` or `netlists.jsonl` that is there already stay, and what has the name of an exported one is
/// refused unless it may be replaced; gates of a replaced table go with it. Returns the files, `costs.csv` last,
/// in which order they are written.
pub fn export(
    multipliers: &[&Multiplier],
    written: &Written,
    how: Exporting,
    out: &Path,
) -> Result<Vec<PathBuf>> {
    if how.format.is_circuit() {
        check_circuits(multipliers, how)?;
    }
    if how.format == Format::CHeader {
        c_header::check_identifiers(multipliers.iter().map(|m| &*m.name))?;
    }
    let target = Target::read(out, how.replace)?;
    let mut contents: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for multiplier in multipliers.iter().filter(|_| how.format != Format::Netlists) {
        contents.extend(files(multiplier, written, how, out)?);
    }
    target.check_files(contents.iter().map(|(path, _)| path))?;
    if matches!(how.format, Format::Bin | Format::Netlists) {
        contents.extend(circuits(multipliers, how, &target, out)?);
    }
    let lines: Vec<(&str, Costs)> = multipliers
        .iter()
        .map(|multiplier| {
            let costs = written.costs.get(&multiplier.name).copied();
            (&*multiplier.name, costs.unwrap_or_else(|| relative_costs(multiplier)))
        })
        .collect();
    contents.push(target.costs(&lines)?);
    file::write_all_atomically(&contents)?;
    Ok(contents.into_iter().map(|(path, _)| path).collect())
}

/// The files of one multiplier's own.
fn files(
    multiplier: &Multiplier,
    written: &Written,
    how: Exporting,
    out: &Path,
) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let name = &multiplier.name;
    let path = out.join(format!("{name}.{}", how.format.extension()));
    if path.file_name().is_some_and(|file| file == folder::COSTS) {
        return Err(Error::Argument(format!("{name} can't be exported as {}", folder::COSTS)));
    }
    let table = table(multiplier, how);
    let origin = Origin {
        provenance: multiplier.provenance.as_deref(),
        licence: written.licences.get(name).map(String::as_str),
    };
    let bytes = match (how.format, &multiplier.netlist) {
        (Format::Bin, _) => bin::write(&table),
        (Format::Npy, _) => npy::write(&table),
        (Format::CHeader, _) => c_header::write(name, &table, how, origin).into_bytes(),
        (Format::Csv, _) => text::write(&table).into_bytes(),
        (Format::Verilog, Some(netlist)) => {
            let [module, bench] = verilog_file::write(name, netlist, &table, origin);
            let bench = (out.join(format!("{name}_tb.v")), bench.into_bytes());
            return Ok(vec![bench, (path, module.into_bytes())]);
        }
        (Format::Verilog | Format::Netlists, _) => unreachable!("checked before"),
    };
    Ok(vec![(path, bytes)])
}

/// The table in the operand order that is asked for.
fn table(multiplier: &Multiplier, how: Exporting) -> TruthTable {
    if how.swap_operands { multiplier.table.swapped() } else { multiplier.table.clone() }
}

/// What becomes of a library folder's `netlists.jsonl`, and of tables that circuits replace: tables and gates of one
/// name must agree, and all have one signedness, or the folder could not be loaded again.
fn circuits(
    multipliers: &[&Multiplier],
    how: Exporting,
    target: &Target,
    out: &Path,
) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let Some(first) = multipliers.first() else { return Ok(Vec::new()) };
    let names: Vec<&str> = multipliers.iter().map(|m| &*m.name).collect();
    target.check_signedness(&first.table, &first.name, &names)?;
    let (mut gone, mut records, mut tables) = (Vec::new(), Vec::new(), Vec::new());
    for multiplier in multipliers {
        let (name, table) = (&*multiplier.name, table(multiplier, how));
        if how.format == Format::Bin {
            gone.extend(target.has_other_gates(name, &table).then_some(name));
            continue;
        }
        let Some(netlist) = &multiplier.netlist else { unreachable!("checked before") };
        let provenance = multiplier.provenance.as_deref().unwrap_or_default();
        let record = netlists::record(name, multiplier.family, provenance, netlist, &multiplier.statistics);
        if !how.replace && target.circuit(name).is_some_and(|old| old.gates != record.gates) {
            let reason = format!("has another circuit called {name} already; --replace replaces it");
            return Err(Error::file(out.join(folder::NETLISTS), reason));
        }
        if let Some(path) = target.other_table(name, &table) {
            if !how.replace {
                let reason = format!("is not what the gates of {name} compute; --replace replaces it");
                return Err(Error::file(path, reason));
            }
            tables.push((path, bin::write(&table)));
        }
        records.push(record);
    }
    if !(gone.is_empty() && records.is_empty()) || how.format == Format::Netlists {
        tables.extend(netlists::updated(out, first.table.is_signed(), &gone, records)?);
    }
    Ok(tables)
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
