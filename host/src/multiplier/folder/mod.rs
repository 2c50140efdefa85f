//! Loads a folder of truth tables and their costs.

mod files;

pub(crate) use files::{COSTS, NETLISTS, circuits, costs, costs_text, signedness, table_files};

use super::costs_csv::{Costs, Figure, Row};
use super::library::CostSource;
use super::{Family, Multiplier, Netlist, NetlistFile, Statistics, TruthTable};
use crate::error::{Error, Result};
use files::read_table;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of a multiplier beside its table and costs.
struct Circuit {
    netlist: Arc<Netlist>,
    family: Family,
    provenance: String,
}

/// The circuit of the multiplier called `name`, if `file` has one. It must compute `table`.
fn circuit(
    folder: &Path,
    file: Option<&NetlistFile>,
    name: &str,
    table: &TruthTable,
) -> Result<Option<Circuit>> {
    let Some(file) = file else { return Ok(None) };
    let Some(record) = file.records.iter().find(|record| record.name == name) else { return Ok(None) };
    let wrong = |reason: String| Error::file(folder.join(NETLISTS), format!("{name}: {reason}"));
    let netlist = Netlist::from_text(table.is_signed(), &record.gates).map_err(wrong)?;
    if netlist.simulate().table != *table {
        let reason = format!("its gates do not compute {name}.bin; delete one of them and import it again");
        return Err(wrong(reason));
    }
    let (family, provenance) = (record.family, record.provenance.clone());
    Ok(Some(Circuit { netlist: Arc::new(netlist), family, provenance }))
}

/// A multiplier as it is found, before costs are made relative.
struct Found {
    name: String,
    path: PathBuf,
    table: TruthTable,
    statistics: Statistics,
    row: Row,
    circuit: Option<Circuit>,
}

/// The multipliers of a folder; see [`Library::load_folder`](super::Library::load_folder). None need be exact
/// if all costs are relative.
pub(super) fn load(folder: &Path) -> Result<Vec<Multiplier>> {
    let tables = table_files(folder)?;
    if tables.is_empty() {
        return Err(Error::file(
            folder,
            "no multipliers here: tables are files NAME.bin of 131072 bytes; `skimp multipliers import` \
             makes them of other formats",
        ));
    }
    let costs_path = folder.join(COSTS);
    let costs = costs(folder)?;
    let circuits = circuits(folder)?;
    let mut found: Vec<Found> = Vec::with_capacity(tables.len());
    for (name, path) in tables {
        let signed = signedness(folder, &name, &path)?;
        let Some(&row) = costs.get(&name) else {
            return Err(Error::file(
                &costs_path,
                format!("no line for {name}, whose table is in the folder"),
            ));
        };
        if let Some(other) = found.iter().find(|other| other.table.is_signed() != signed) {
            let other = &other.name;
            return Err(Error::file(
                folder,
                format!("{other} and {name} differ in signedness; keep signed and unsigned tables apart"),
            ));
        }
        let table = read_table(&path, signed)?;
        let statistics = Statistics::of(&table);
        let circuit = circuit(folder, circuits.as_ref(), &name, &table)?;
        found.push(Found { name, path, table, statistics, row, circuit });
    }
    let mut exact = HashMap::new();
    for source in CostSource::ALL {
        if let Some(reference) = reference(folder, &found, source)? {
            exact.insert(source, reference);
        }
    }
    let multipliers = found.into_iter().map(|found| {
        let Costs { power, area, delay, source } = found.row.costs;
        let exact = exact.get(&source);
        let (netlist, family, provenance) = match found.circuit {
            Some(circuit) => (Some(circuit.netlist), circuit.family, circuit.provenance),
            None => (None, Family::Imported, found.path.display().to_string()),
        };
        Multiplier {
            name: found.name,
            family: if found.statistics.is_exact() { Family::Exact } else { family },
            table: found.table,
            power_rel: relative(power, exact.map(|exact| exact.power))
                .expect("there is a reference where a power is absolute"),
            area_rel: area.and_then(|area| relative(area, exact.and_then(|exact| exact.area))),
            delay_rel: delay.and_then(|delay| relative(delay, exact.and_then(|exact| exact.delay))),
            cost_source: source,
            statistics: found.statistics,
            netlist,
            provenance: Some(provenance),
        }
    });
    Ok(multipliers.collect())
}

/// The costs of the exact multiplier that absolute figures of `source` are divided by: the one of least power.
/// None if no power of that source is absolute.
fn reference(folder: &Path, found: &[Found], source: CostSource) -> Result<Option<Costs>> {
    let absolute =
        |f: &&Found| f.row.costs.source == source && matches!(f.row.costs.power, Figure::Absolute(_));
    let Some(some) = found.iter().find(absolute) else { return Ok(None) };
    let power = |f: &&Found| match f.row.costs.power {
        Figure::Absolute(figure) | Figure::Relative(figure) => figure,
    };
    let exact = found.iter().filter(absolute).filter(|f| f.statistics.is_exact());
    let Some(exact) = exact.min_by(|x, y| power(x).total_cmp(&power(y))) else {
        let reason = format!(
            "no table is exact; the {source} power of {} in mW needs one that is, with its power in mW (or \
             give power_rel in {COSTS})",
            some.name
        );
        return Err(Error::file(folder, reason));
    };
    if power(&exact) == 0.0 {
        let reason = format!("line {}: the exact multiplier cannot have no power", exact.row.line);
        return Err(Error::file(folder.join(COSTS), reason));
    }
    Ok(Some(exact.row.costs))
}

/// A figure divided by the exact multiplier's, if that is known and can be divided by.
fn relative(figure: Figure, exact: Option<Figure>) -> Option<f64> {
    match (figure, exact) {
        (Figure::Relative(figure), _) => Some(figure),
        (Figure::Absolute(figure), Some(Figure::Absolute(exact))) if exact > 0.0 => Some(figure / exact),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomically as write;
    use crate::multiplier::{Library, name_prefix};

    fn bytes(table: &TruthTable) -> Vec<u8> {
        table.products().iter().flat_map(|&product| (product as u16).to_le_bytes()).collect()
    }

    fn odd(signed: bool) -> TruthTable {
        TruthTable::from_fn(signed, |a, w| (a & !1) * w).unwrap()
    }

    /// A folder called `name` with these files.
    fn folder(name: &str, files: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join(name);
        for (file, content) in files {
            write(folder.join(file), content).unwrap();
        }
        (temporary, folder)
    }

    fn refusal(name: &str, files: &[(&str, &[u8])]) -> String {
        let (_temporary, folder) = folder(name, files);
        Library::load_folder(folder).unwrap_err().to_string()
    }

    #[test]
    fn loads_both_signednesses_relative_to_the_exact_one() {
        for signed in [false, true] {
            let prefix = name_prefix(signed);
            let csv = format!("name,power_mw,delay_ns\n{prefix}X,0.4,2\n{prefix}Y,0.1,1\n{prefix}Z,9,9\n");
            let [exact, odd] = [TruthTable::exact(signed), odd(signed)];
            let (_temporary, folder) = folder(
                "tables",
                &[
                    ("costs.csv", csv.as_bytes()),
                    (&format!("{prefix}Y.bin"), &bytes(&odd)),
                    (&format!("{prefix}X.bin"), &bytes(&exact)),
                    ("README.md", b"something else"),
                ],
            );
            let library = Library::load_folder(folder).unwrap();
            assert_eq!(library.multipliers().len(), 2);
            assert_eq!(library.exact().name, format!("{prefix}X"));
            let y = library.get("Y").unwrap();
            assert_eq!((&y.table, y.power_rel, y.delay_rel), (&odd, 0.25, Some(0.5)));
            assert_eq!(
                (y.area_rel, y.family, y.cost_source),
                (None, Family::Imported, CostSource::Published)
            );
        }
    }

    #[test]
    fn costs_are_relative_to_the_exact_multiplier_of_their_source() {
        let csv = "name,power_mw,power_rel,area_um2,area_rel,cost_source\n\
                   mul8u_A,0.4,,700,,published\nmul8u_B,0.1,,,0.5,published\n\
                   mul8u_C,,0.75,,0.7,gate-model\nmul8u_D,20,,8,,gate-model\nmul8u_E,5,,2,,gate-model\n";
        let [exact, odd] = [TruthTable::exact(false), odd(false)].map(|table| bytes(&table));
        let (_temporary, folder) = folder(
            "tables",
            &[
                ("costs.csv", csv.as_bytes()),
                ("mul8u_A.bin", &exact),
                ("mul8u_B.bin", &odd),
                ("mul8u_C.bin", &odd),
                ("mul8u_D.bin", &exact),
                ("mul8u_E.bin", &odd),
            ],
        );
        let library = Library::load_folder(&folder).unwrap();
        assert_eq!(library.cost_sources(), CostSource::ALL);
        for (name, power, area) in
            [("A", 1.0, 1.0), ("B", 0.25, 0.5), ("C", 0.75, 0.7), ("D", 1.0, 1.0), ("E", 0.25, 0.25)]
        {
            let multiplier = library.get(name).unwrap();
            assert_eq!((multiplier.power_rel, multiplier.area_rel), (power, Some(area)), "{name}");
        }
        // Milliwatts of one source say nothing about those of the other.
        std::fs::remove_file(folder.join("mul8u_D.bin")).unwrap();
        let message = Library::load_folder(&folder).unwrap_err().to_string();
        assert!(message.contains("the gate-model power of mul8u_E"), "{message}");
    }

    #[test]
    fn the_folder_s_name_decides_where_the_file_s_does_not() {
        let (csv, exact): (&[u8], _) = (b"name,power_mw\nmine,1\n", bytes(&TruthTable::exact(true)));
        let (_temporary, signed) = folder("my_signed", &[("costs.csv", csv), ("mine.bin", &exact)]);
        assert!(Library::load_folder(signed).unwrap().is_signed());
        let message = refusal("tables", &[("costs.csv", csv), ("mine.bin", &exact)]);
        assert!(message.contains("mine.bin: is it signed?"), "{message}");
        let message = refusal("unsigned", &[("costs.csv", csv), ("mine.bin", &exact)]);
        assert!(message.contains("no table is exact"), "{message}");
    }

    #[test]
    fn faults_name_the_file_and_the_reason() {
        let exact = bytes(&TruthTable::exact(false));
        let (csv, x): (&[u8], _) = (b"name,power_mw\nmul8u_X,1\nmul8s_Y,1\n", ("mul8u_X.bin", &exact[..]));
        let costs = ("costs.csv", csv);
        for (files, expected) in [
            (vec![costs], "no multipliers here"),
            (vec![x], "costs.csv: "),
            (vec![("costs.csv", &b"\xff"[..]), x], "costs.csv: not text"),
            (vec![costs, x, ("mul8u_Z.bin", &exact)], "costs.csv: no line for mul8u_Z"),
            (vec![costs, x, ("mul8s_Y.bin", &exact)], "differ in signedness"),
            (vec![costs, ("mul8u_X.bin", b"short")], "mul8u_X.bin: 5 bytes, not the 131072"),
            (vec![costs, ("mul8u_X.bin", &bytes(&odd(false)))], "no table is exact"),
            (vec![("costs.csv", &b"name,power_mw\nmul8u_X,0\n"[..]), x], "costs.csv: line 2: the exact"),
        ] {
            let message = refusal("tables", &files);
            assert!(message.contains(expected), "{expected}: {message}");
        }
        assert!(Library::load_folder("/no/such/folder").unwrap_err().to_string().starts_with("/no/such/"));
    }
}
