//! Files of tables, and folders of such files, as multipliers with names and costs.

mod costs;
mod file;
mod folder;
mod names;

pub(super) use costs::gate_model;

use super::{Format, IndexOrder, netlists};
use crate::error::{Error, Result};
use crate::multiplier::verilog::CellLibrary;
use crate::multiplier::{Costs, Family, NetlistRecord, Statistics, TruthTable, name_prefix};
use costs::{Beside, costs_beside, no_costs};
use file::{Circuit, Found};
use folder::files_of;
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

/// Imports files, and folders full of them. Multipliers of one name must be the same everywhere, and are then
/// imported once.
pub fn import(paths: &[PathBuf], how: &Importing) -> Result<Vec<Imported>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_of(path)?);
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
    Ok(all)
}

/// Adds a multiplier to the others unless it is there already.
fn join(all: &mut Vec<Imported>, mut one: Imported) -> Result<()> {
    match all.iter_mut().find(|other| other.name == one.name) {
        None => all.push(one),
        Some(other) if other.table == one.table && other.costs == one.costs => {
            other.notes.push(format!("{} holds the same", one.path.display()));
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

/// The multiplier with its full name, its errors and its costs.
fn finish(
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
    let prefix = name_prefix(table.is_signed());
    let name = if base.starts_with(prefix) { base.clone() } else { format!("{prefix}{base}") };
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
            import(&[folder.path().to_owned()], &how).map(|all| all[0].costs.power).map_err(|e| e.to_string())
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
        let imported = import(&[folder.path().join("mul8u_y.h")], &Importing::default()).unwrap();
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
        let imported = both(&same).unwrap();
        assert!(imported.len() == 1 && imported[0].notes[0].ends_with("holds the same"));
        let message = both(&different).unwrap_err().to_string();
        assert!(message.contains("another multiplier named mul8u_x is in "), "{message}");
    }
}
