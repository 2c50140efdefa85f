//! Writes what was imported as a folder that [`Library::load_folder`](crate::multiplier::Library::load_folder)
//! reads.

use super::target::Target;
use super::{Imported, bin, netlists};
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::Costs;
use std::path::{Path, PathBuf};

/// Adds multipliers to the folder `out`, which is made if it is missing: a table `NAME.bin` each, their circuits,
/// where known, in `netlists.jsonl`, and their lines in `costs.csv`. What was there stays; a name that is taken
/// is refused unless `replace`.
///
/// Every file appears whole or not at all, `costs.csv` last.
pub fn write_library(out: &Path, imported: &[Imported], replace: bool) -> Result<()> {
    let target = Target::read(out, replace)?;
    let names: Vec<&str> = imported.iter().map(|one| &*one.name).collect();
    let mut contents: Vec<(PathBuf, Vec<u8>)> =
        imported.iter().map(|one| (out.join(format!("{}.bin", one.name)), bin::write(&one.table))).collect();
    target.check_files(contents.iter().map(|(path, _)| path))?;
    let Some(first) = imported.first() else {
        return Err(Error::file(out, "nothing to write: no multiplier was imported"));
    };
    target.check_signedness(&first.table, &first.name, &names)?;
    let circuits = imported.iter().filter_map(|one| one.circuit.clone()).collect();
    contents.extend(netlists::updated(out, first.table.is_signed(), &names, circuits)?);
    let lines: Vec<(&str, Costs)> = imported.iter().map(|one| (&*one.name, one.costs)).collect();
    contents.push(target.costs(&lines)?);
    file::write_all_atomically(&contents)
}
