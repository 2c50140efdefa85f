//! Files of tables, and folders of such files, as multipliers with names and costs.

use super::evoapprox::Published;
use super::import_costs::{Beside, costs_beside, gate_model, no_costs, parent};
use super::import_folder::files_of;
use super::numbers::{IndexOrder, Numbers, Reading, table};
use super::{Format, bin, c_header, netlists, npy, read_bounded, text, verilog_file};
use crate::error::{Error, Result};
use crate::multiplier::verilog::{self, CellLibrary};
use crate::multiplier::{Costs, Netlist, Statistics, TruthTable, folder, name_prefix};
use crate::multiplier::{Family, NetlistRecord};
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

/// A multiplier as its file has it.
struct Found {
    base: String,
    table: TruthTable,
    index: Option<IndexOrder>,
    operands: Option<[String; 2]>,
    circuit: Option<Circuit>,
    published: Published,
    notes: Vec<String>,
}

/// Gates and what is known of them.
struct Circuit {
    netlist: Netlist,
    family: Family,
    provenance: String,
}

fn import_file(path: &Path, how: &Importing, beside: &mut Beside) -> Result<Vec<Imported>> {
    let Some(format) = Format::of(path) else {
        let kinds = "tables are .bin, .npy, .h or .c, .csv or .txt, and circuits .v or .jsonl";
        return Err(Error::file(path, format!("its extension tells no format; {kinds}")));
    };
    let bytes = read_bounded(path)?;
    if format.is_circuit() && how.index.is_some() {
        return Err(Error::file(path, "--index is for tables; these are circuits"));
    }
    let found = match format {
        Format::Netlists => circuits(path, &bytes, how)?,
        _ => vec![single(path, format, &bytes, how)?],
    };
    found.into_iter().map(|found| finish(path, format, found, how, beside)).collect()
}

/// The circuits of a file of netlists.
fn circuits(path: &Path, bytes: &[u8], how: &Importing) -> Result<Vec<Found>> {
    let (signed, circuits) = netlists::read(path, bytes)?;
    if circuits.len() != 1 && (how.name.is_some() || how.costs.is_some()) {
        let reason = format!("holds {} circuits; a name or costs by hand are for one", circuits.len());
        return Err(Error::file(path, reason));
    }
    if how.signed.is_some_and(|wanted| wanted != signed) {
        let kind = if signed { "signed" } else { "unsigned" };
        return Err(Error::file(path, format!("its first line says that it is {kind}")));
    }
    let how = &Importing { signed: Some(signed), ..how.clone() };
    let found = circuits.into_iter().map(|(record, netlist)| {
        let base = how.name.clone().unwrap_or(record.name);
        check_name(path, &base)?;
        signedness(path, &base, None, how)?;
        let netlist = if how.swap_operands { netlist.swapped() } else { netlist };
        Ok(Found {
            base,
            table: netlist.simulate().table,
            index: None,
            operands: None,
            circuit: Some(Circuit { netlist, family: record.family, provenance: record.provenance }),
            published: Published::default(),
            notes: Vec::new(),
        })
    });
    found.collect()
}

/// The multiplier of a file that holds one.
fn single(path: &Path, format: Format, bytes: &[u8], how: &Importing) -> Result<Found> {
    let base = how.name.clone().map_or_else(|| base_name(path, format), Ok)?;
    check_name(path, &base)?;
    let mut notes = Vec::new();
    if format == Format::Verilog {
        let text = text::decode(path, bytes)?;
        let published = Published::read(path, text)?;
        let signed = signedness(path, &base, None, how)?;
        let verilog::Circuit { netlist, operands } = verilog_file::read(path, text, signed, how)?;
        let [activation, weight] = &operands;
        notes.push(format!("input {activation} is the activation, {weight} the weight"));
        let mut provenance = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if how.swap_operands {
            provenance.push_str(" with its operands exchanged");
        }
        let table = netlist.simulate().table;
        let circuit = Some(Circuit { netlist, family: Family::Imported, provenance });
        return Ok(Found { base, table, index: None, operands: Some(operands), circuit, published, notes });
    }
    let numbers = match format {
        Format::Bin => bin::read(path, bytes),
        Format::Npy => npy::read(path, bytes),
        Format::CHeader => c_header::read(path, bytes),
        Format::Csv | Format::Verilog | Format::Netlists => text::read(path, bytes),
    }?;
    let published = match format {
        Format::CHeader => Published::read(path, text::decode(path, bytes)?)?,
        _ => Published::default(),
    };
    let signed = signedness(path, &base, Some(&numbers), how)?;
    let reading = Reading { signed, index: how.index, swap: how.swap_operands };
    let (table, index) = table(path, numbers, reading)?;
    if let (Some(index), None) = (index, how.index) {
        notes.push(format!("rows and columns in {index} order, under which products are nearest"));
    }
    Ok(Found { base, table, index, operands: None, circuit: None, published, notes })
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

/// Whether a table is signed (see the [module](super)).
fn signedness(path: &Path, base: &str, numbers: Option<&Numbers>, how: &Importing) -> Result<bool> {
    let named = [false, true].into_iter().find(|&signed| base.starts_with(name_prefix(signed)));
    if let (Some(named), Some(wanted)) = (named, how.signed)
        && named != wanted
    {
        let wanted = if wanted { "signed" } else { "unsigned" };
        let reason =
            format!("is to be {wanted}, but the name {base} says otherwise; give another with --name");
        return Err(Error::file(path, reason));
    }
    let told = how.signed.or(named).or(numbers.and_then(|numbers| numbers.signed));
    told.map_or_else(
        || {
            folder::signedness(parent(path), base, path).map_err(|_| {
                Error::file(path, "is it signed? say --signed or --unsigned: neither name nor numbers tell")
            })
        },
        Ok,
    )
}

/// The name in a file's name.
fn base_name(path: &Path, format: Format) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or_else(|| Error::file(path, "the file's name is not UTF-8; give one with --name"))?;
    Ok(if format == Format::Verilog { circuit_name(stem) } else { stem }.to_owned())
}

/// EvoApproxLib has some circuits twice, as generic gates and mapped to cells of a library.
pub(super) fn circuit_name(stem: &str) -> &str {
    let stripped = ["_pdk45", "_gen"].iter().find_map(|suffix| stem.strip_suffix(suffix));
    stripped.unwrap_or(stem)
}

/// Names are file names, columns of CSV and words on the command line.
fn check_name(path: &Path, name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 100 || name.starts_with(['.', '-']) || !name.chars().all(fits) {
        let reason = format!(
            "\"{name}\" can't be a multiplier's name: letters, digits, _, - and . only; give one with --name"
        );
        return Err(Error::file(path, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomically as write;
    use crate::multiplier::Figure;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn signedness_is_what_is_said_named_or_seen() {
        let of = |name: &str, seen: Option<bool>, said: Option<bool>| {
            let numbers = Numbers { products: vec![], signed: seen, by_value: false };
            let how = Importing { signed: said, ..Importing::default() };
            signedness(Path::new("/no/such/x.npy"), name, Some(&numbers), &how).map_err(|e| e.to_string())
        };
        assert_eq!(of("x", Some(false), Some(true)), Ok(true));
        assert_eq!(of("mul8s_x", Some(false), None), Ok(true));
        assert_eq!(of("x", Some(true), None), Ok(true));
        assert!(of("x", None, None).unwrap_err().contains("is it signed?"));
        assert!(of("mul8s_x", None, Some(false)).unwrap_err().contains("mul8s_x says otherwise"));
    }

    #[test]
    fn names_that_no_file_or_column_can_have_are_refused() {
        for name in ["", "a,b", "a b", "../x", ".x", "-x", "x~", "é"] {
            assert!(check_name(Path::new("x"), name).is_err(), "{name}");
        }
        assert!(check_name(Path::new("x"), "mul8u_1-a.b").is_ok());
        assert_eq!(base_name(Path::new("a/mul8u_DAF1_pdk45.v"), Format::Verilog).unwrap(), "mul8u_DAF1");
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
        let header = super::super::c_header::write("x", &TruthTable::exact(false));
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
