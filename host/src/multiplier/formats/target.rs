//! The folder that multipliers are written to, and what must not be lost or contradicted there.

use super::bin;
use crate::error::{Error, Result};
use crate::multiplier::costs_csv::{self, Row};
use crate::multiplier::{Costs, Netlist, NetlistFile, NetlistRecord, TruthTable, folder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A folder, which need not be there yet, as it is before anything is written.
pub(super) struct Target<'o> {
    out: &'o Path,
    /// Whether what has the same name may be replaced.
    replace: bool,
    /// The names of everything in it, by what they are where case does not matter.
    entries: HashMap<String, String>,
    costs_text: String,
    costs: HashMap<String, Row>,
    circuits: Option<NetlistFile>,
}

impl<'o> Target<'o> {
    /// Looks at `out`.
    pub fn read(out: &'o Path, replace: bool) -> Result<Target<'o>> {
        let mut entries = HashMap::new();
        if out.exists() {
            for entry in std::fs::read_dir(out).map_err(Error::io(out))? {
                let name = entry.map_err(Error::io(out))?.file_name().to_string_lossy().into_owned();
                entries.insert(name.to_lowercase(), name);
            }
        }
        let costs_path = out.join(folder::COSTS);
        let costs_text = if costs_path.exists() { folder::costs_text(out)? } else { String::new() };
        let costs =
            if costs_text.is_empty() { HashMap::new() } else { costs_csv::parse(&costs_path, &costs_text)? };
        Ok(Target { out, replace, entries, costs_text, costs, circuits: folder::circuits(out)? })
    }

    /// Refuses to write over files that are there, unless that was asked for, and files whose names differ from
    /// others by case alone: where case does not matter they would be one.
    pub fn check_files<'f>(&self, files: impl IntoIterator<Item = &'f PathBuf>) -> Result<()> {
        let mut taken = self.entries.clone();
        for path in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match taken.insert(name.to_lowercase(), name.clone()) {
                Some(other) if other != name => {
                    let reason = format!("and {other} differ by case alone; rename one of them");
                    return Err(Error::file(path, reason));
                }
                Some(_) if !self.replace => {
                    return Err(Error::file(path, "is there already; --replace replaces it"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a table beside ones of the other signedness; those called `replaced` do not count.
    pub fn check_signedness(&self, table: &TruthTable, named: &str, replaced: &[&str]) -> Result<()> {
        let tables = if self.out.exists() { folder::table_files(self.out)? } else { Vec::new() };
        for (name, path) in tables.iter().filter(|(name, _)| !replaced.contains(&&**name)) {
            if folder::signedness(self.out, name, path)? != table.is_signed() {
                let reason =
                    format!("{named} and {name} differ in signedness; keep signed and unsigned tables apart");
                return Err(Error::file(self.out, reason));
            }
        }
        Ok(())
    }

    /// The folder's `costs.csv` with these lines. A line that says something else of one of them is refused unless
    /// it may be replaced.
    pub fn costs(&self, lines: &[(&str, Costs)]) -> Result<(PathBuf, Vec<u8>)> {
        let path = self.out.join(folder::COSTS);
        let differs = |&&(name, costs): &&(&str, Costs)| {
            self.costs.get(name).is_some_and(|row| row.costs != costs) && !self.replace
        };
        if let Some((name, _)) = lines.iter().find(differs) {
            let line = self.costs[*name].line;
            let reason = format!("line {line} has other costs for {name} already; --replace replaces it");
            return Err(Error::file(path, reason));
        }
        Ok((path, costs_csv::updated(&self.costs_text, lines).into_bytes()))
    }

    /// The circuit that the folder has under `name`.
    pub fn circuit(&self, name: &str) -> Option<&NetlistRecord> {
        self.circuits.as_ref()?.records.iter().find(|record| record.name == name)
    }

    /// Whether the folder has gates under `name` that do not compute `table`.
    pub fn has_other_gates(&self, name: &str, table: &TruthTable) -> bool {
        self.circuit(name).is_some_and(|record| {
            let netlist = Netlist::from_text(table.is_signed(), &record.gates);
            !netlist.is_ok_and(|netlist| netlist.simulate().table == *table)
        })
    }

    /// The path of the folder's table called `name`, if it has one and that is not `table`.
    pub fn other_table(&self, name: &str, table: &TruthTable) -> Option<PathBuf> {
        let file = format!("{name}.bin");
        let there = self.entries.get(&file.to_lowercase()) == Some(&file);
        let path = self.out.join(file);
        (there && !std::fs::read(&path).is_ok_and(|bytes| bytes == bin::write(table))).then_some(path)
    }
}
