//! Files of tables, and folders of such files, as multipliers with names and costs.

mod candidates;
mod costs;
mod file;
mod finish;
mod folder;
mod names;
mod plausible;
mod signedness;

pub(super) use costs::gate_model;
pub use folder::Skipped;

use super::{Format, IndexOrder};
use crate::error::{Error, Result};
use crate::multiplier::verilog::CellLibrary;
use crate::multiplier::{Costs, NetlistRecord, Statistics, TruthTable};
use costs::Beside;
use finish::finish;
use folder::Files;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// How to read files whose content leaves questions open.
#[derive(Debug, Clone, Default)]
pub struct Importing {
    /// Whether tables are signed; recognised where it is not given.
    pub signed: Option<bool>,
    /// The order of rows and columns of signed tables; recognised where it is not given.
    pub index: Option<IndexOrder>,
    /// Whether the weight is the first operand in the files.
    pub swap_operands: bool,
    /// The name of the multiplier, if not the file's. For one file.
    pub name: Option<String>,
    /// Its costs. For one file.
    pub costs: Option<Costs>,
    /// The cells that Verilog may use; the built-in ones where it is not given.
    pub cells: Option<CellLibrary>,
    /// A folder that is not looked for files in where it lies in another one: that which is to be written.
    pub out: Option<PathBuf>,
}

/// A multiplier as imported.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its name, which begins with `mul8u_` or `mul8s_`.
    pub name: String,
    /// The file it was in.
    pub path: PathBuf,
    /// That file's format.
    pub format: Format,
    /// Its products.
    pub table: TruthTable,
    /// Their errors.
    pub statistics: Statistics,
    /// Its costs.
    pub costs: Costs,
    /// The order of a signed table's rows and columns in the file.
    pub index: Option<IndexOrder>,
    /// What a Verilog module calls the activation and the weight.
    pub operands: Option<[String; 2]>,
    /// Its gates, under its name, where the file has them.
    pub circuit: Option<NetlistRecord>,
    /// What a user should know about how the file was read.
    pub notes: Vec<String>,
}

/// What was imported, and what was not.
#[derive(Debug, Clone)]
pub struct Imports {
    /// The multipliers, in the order of their files.
    pub multipliers: Vec<Imported>,
    /// Files and folders within the given folders that plainly are none, or not of the signedness asked for.
    pub skipped: Vec<Skipped>,
}

/// Imports files, and folders full of them, with the folders in them. Multipliers of one name must be the same
/// everywhere, and are then imported once. A file that is named must be a multiplier; of a folder's files those
/// that plainly are none are skipped.
pub fn import(paths: &[PathBuf], how: &Importing) -> Result<Imports> {
    let (mut files, mut skipped) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            let mut found = Files::of(path, how)?;
            files.append(&mut found.files);
            skipped.append(&mut found.skipped);
        } else {
            files.push(path.clone());
        }
    }
    if files.len() != 1 && (how.name.is_some() || how.costs.is_some()) {
        let reason = "a name or costs by hand are for one multiplier; import its file alone";
        return Err(Error::Argument(format!("{reason} ({} files are given)", files.len())));
    }
    let mut beside = HashMap::new();
    let mut all: Vec<Imported> = Vec::new();
    for path in files {
        for one in import_file(&path, how, &mut beside)? {
            join(&mut all, one)?;
        }
    }
    if let Some(odd) = all.iter().find(|one| one.table.is_signed() != all[0].table.is_signed()) {
        let reason = format!(
            "{} and {} differ in signedness; import them into folders of their own",
            all[0].name, odd.name
        );
        return Err(Error::file(&odd.path, reason));
    }
    plausible::doubt_powers(&mut all);
    Ok(Imports { multipliers: all, skipped })
}

/// Adds a multiplier to the others unless it is there already.
fn join(all: &mut Vec<Imported>, mut one: Imported) -> Result<()> {
    match all.iter_mut().find(|other| other.name.eq_ignore_ascii_case(&one.name)) {
        None => all.push(one),
        Some(other) if other.name != one.name => {
            let reason = format!(
                "{} and {}, which is in {}, differ by case alone; import one of them with --name",
                one.name,
                other.name,
                other.path.display()
            );
            return Err(Error::file(&one.path, reason));
        }
        Some(other) if other.table == one.table && other.costs == one.costs => {
            other.notes.push(format!("{} holds the same", one.path.display()));
            one.notes.retain(|note| !other.notes.contains(note));
            other.notes.append(&mut one.notes);
            // A table may lie beside its circuit.
            other.circuit = other.circuit.take().or(one.circuit);
        }
        Some(other) => {
            let reason = format!(
                "another multiplier named {} is in {}; import one of them with --name",
                one.name,
                other.path.display()
            );
            return Err(Error::file(&one.path, reason));
        }
    }
    Ok(())
}

fn import_file(path: &Path, how: &Importing, beside: &mut Beside) -> Result<Vec<Imported>> {
    let Some(format) = Format::of(path) else {
        let kinds = "tables are .bin, .npy, .h or .c, .csv or .txt, and circuits .v or .jsonl";
        return Err(Error::file(path, format!("its extension tells no format; {kinds}")));
    };
    let found = file::read(path, format, how)?;
    found.into_iter().map(|found| finish(path, format, found, how, beside)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomically as write;
    use crate::multiplier::Figure;
    use crate::multiplier::formats::origin::Origin;
    use crate::multiplier::formats::{Exporting, bin, c_header};

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn costs_come_from_beside_the_file() {
        let table = bin::write(&TruthTable::exact(false));
        let from = |files: &[(&str, &[u8])]| {
            let files: Vec<_> = files.iter().copied().chain([("x.bin", &table[..])]).collect();
            let folder = folder(&files);
            let how = Importing { signed: Some(false), ..Importing::default() };
            import(&[folder.path().to_owned()], &how)
                .map(|all| all.multipliers[0].costs.power)
                .map_err(|e| e.to_string())
        };
        let csv: (&str, &[u8]) = ("costs.csv", b"name,power_mw\nx,2\n");
        let json: (&str, &[u8]) = ("costs.json", b"{\"mul8u_x\": {\"power_mw\": 3}}");
        assert_eq!(from(&[csv]), Ok(Figure::Absolute(2.0)));
        assert_eq!(from(&[json]), Ok(Figure::Absolute(3.0)));
        assert!(from(&[csv, json]).unwrap_err().contains("both there"));
        assert!(from(&[]).unwrap_err().contains("no costs for mul8u_x: give --power-mw"));
        let header = c_header::write(
            "x",
            &TruthTable::exact(false),
            Exporting::new(Format::CHeader),
            Origin::default(),
        );
        let header = format!("// PDK45_PWR = 0.5 mW\n// WCE = 9\n{header}");
        let folder = folder(&[("mul8u_y.h", header.as_bytes())]);
        let imported = import(&[folder.path().join("mul8u_y.h")], &Importing::default()).unwrap().multipliers;
        assert_eq!(imported[0].costs.power, Figure::Absolute(0.5));
        assert!(imported[0].notes[0].contains("worst-case error of 9, its products have 0"));
    }

    #[test]
    fn one_name_stands_for_one_multiplier() {
        let [exact, other] =
            [TruthTable::exact(false), TruthTable::exact(false).swapped()].map(|t| bin::write(&t));
        let zero = bin::write(&TruthTable::from_fn(false, |_, _| 0).unwrap());
        let costs: (&str, &[u8]) = ("costs.csv", b"name,power_mw\nmul8u_x,2\n");
        let one = folder(&[costs, ("mul8u_x.bin", &exact)]);
        let same = folder(&[costs, ("mul8u_x.bin", &other)]);
        let different = folder(&[costs, ("mul8u_x.bin", &zero)]);
        let both = |second: &tempfile::TempDir| {
            import(&[one.path().to_owned(), second.path().to_owned()], &Importing::default())
        };
        let imported = both(&same).unwrap().multipliers;
        assert!(imported.len() == 1 && imported[0].notes[0].ends_with("holds the same"));
        let shouted = folder(&[("costs.csv", b"name,power_mw\nmul8u_X,2\n"), ("mul8u_X.bin", &exact)]);
        let message = both(&shouted).unwrap_err().to_string();
        assert!(message.contains("mul8u_X.bin: mul8u_X and mul8u_x, which is in "), "{message}");
        assert!(message.contains("differ by case alone"), "{message}");
        let message = both(&different).unwrap_err().to_string();
        assert!(message.contains("another multiplier named mul8u_x is in "), "{message}");
    }
}
