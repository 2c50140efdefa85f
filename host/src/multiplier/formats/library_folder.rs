//! Writes what was imported as a folder that [`Library::load_folder`](crate::multiplier::Library::load_folder)
//! reads.

use super::{Imported, bin, netlists};
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::{Costs, costs_csv, folder};
use std::path::{Path, PathBuf};

/// Adds multipliers to the folder `out`, which is made if it is missing: a table `NAME.bin` each, their circuits,
/// where known, in `netlists.jsonl`, and their lines in `costs.csv`. What was there stays; a name that is taken
/// is refused unless `replace`.
///
/// Every file appears whole or not at all, `costs.csv` last.
pub fn write_library(out: &Path, imported: &[Imported], replace: bool) -> Result<()> {
    let costs_path = out.join(folder::COSTS);
    let old = if costs_path.exists() { folder::costs_text(out)? } else { String::new() };
    let rows = if old.is_empty() { Default::default() } else { costs_csv::parse(&costs_path, &old)? };
    let tables = if out.exists() { folder::table_files(out)? } else { Vec::new() };
    for (name, path) in &tables {
        if imported.iter().any(|one| one.name == *name) {
            if !replace {
                let reason = "is there already; --replace replaces it, --name gives another name";
                return Err(Error::file(path, reason));
            }
            continue;
        }
        let signed = folder::signedness(out, name, path)?;
        if let Some(one) = imported.iter().find(|one| one.table.is_signed() != signed) {
            let reason = format!(
                "{} and {name} differ in signedness; keep signed and unsigned tables apart",
                one.name
            );
            return Err(Error::file(out, reason));
        }
    }
    if let Some(one) = imported.iter().find(|one| !replace && rows.contains_key(&one.name)) {
        let reason = format!("has a line for {} already; --replace replaces it", one.name);
        return Err(Error::file(&costs_path, reason));
    }
    let lines: Vec<(&str, Costs)> = imported.iter().map(|one| (&*one.name, one.costs)).collect();
    let costs = costs_csv::updated(&old, &lines);
    let names: Vec<&str> = imported.iter().map(|one| &*one.name).collect();
    let circuits = imported.iter().filter_map(|one| one.circuit.clone()).collect();
    let signed = imported.first().is_some_and(|one| one.table.is_signed());
    let circuits = netlists::updated(out, signed, &names, circuits)?;
    let contents: Vec<(PathBuf, Vec<u8>)> = imported
        .iter()
        .map(|one| (out.join(format!("{}.bin", one.name)), bin::write(&one.table)))
        .chain(circuits)
        .chain([(costs_path, costs.into_bytes())])
        .collect();
    file::write_all_atomically(&contents)
}
