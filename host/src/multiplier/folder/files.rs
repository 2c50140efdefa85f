//! The files of a folder: what they are called and what is in each.

use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::costs_csv::{self, Row};
use crate::multiplier::{NetlistFile, TruthTable, signed_by_folder, signed_by_name};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The file beside the tables.
pub(crate) const COSTS: &str = "costs.csv";

/// The file of those circuits that are known; it may be missing.
pub(crate) const NETLISTS: &str = "netlists.jsonl";

/// The text of the folder's `costs.csv`.
pub(crate) fn costs_text(folder: &Path) -> Result<String> {
    let path = folder.join(COSTS);
    file::check_regular(&path)?;
    file::read_text(path)
}

/// The costs written in a folder, by multiplier.
pub(crate) fn costs(folder: &Path) -> Result<HashMap<String, Row>> {
    costs_csv::parse(&folder.join(COSTS), &costs_text(folder)?)
}

/// The circuits written in a folder, if any.
pub(crate) fn circuits(folder: &Path) -> Result<Option<NetlistFile>> {
    let path = folder.join(NETLISTS);
    path.exists().then(|| NetlistFile::read(&path)).transpose()
}

/// The folder's `*.bin` and the multipliers' names, in order of name.
pub(crate) fn table_files(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let name = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            let name = name.ok_or_else(|| Error::file(&path, "the file's name is not UTF-8"))?;
            tables.push((name, path));
        }
    }
    tables.sort();
    Ok(tables)
}

/// Whether a table is signed, by its name or else by the folder's.
pub(crate) fn signedness(folder: &Path, name: &str, path: &Path) -> Result<bool> {
    if let Some(signed) = signed_by_name(name) {
        return Ok(signed);
    }
    // A folder given as "." has a name too.
    let folder = folder.canonicalize().map_err(Error::io(folder))?;
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    signed_by_folder(&folder).ok_or_else(|| {
        Error::file(
            path,
            "is it signed? begin the name with mul8u_ (unsigned) or mul8s_ (signed), or put it in a folder \
             whose name says unsigned or signed",
        )
    })
}

/// The products of a table of 65,536 words of 16 bits.
pub(super) fn read_table(path: &Path, signed: bool) -> Result<TruthTable> {
    let bytes = file::read_regular(path)?;
    if bytes.len() != 2 * TruthTable::ENTRIES {
        let reason = format!("{} bytes, not the 131072 of 65536 products of 16 bits", bytes.len());
        return Err(Error::file(path, reason));
    }
    let (words, _) = bytes.as_chunks::<2>();
    let product = |&word: &[u8; 2]| match signed {
        true => i32::from(i16::from_le_bytes(word)),
        false => i32::from(u16::from_le_bytes(word)),
    };
    TruthTable::new(signed, words.iter().map(product).collect())
}
