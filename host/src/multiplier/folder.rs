//! Loads a folder of truth tables and their published costs.

use super::costs_csv::{self, Costs};
use super::library::CostSource;
use super::{Family, Library, Multiplier, Statistics, TruthTable, name_prefix};
use crate::error::{Error, Result};
use crate::file;
use std::path::{Path, PathBuf};

/// The file beside the tables.
const COSTS: &str = "costs.csv";

/// See [`Library::load_folder`].
pub(super) fn load(folder: &Path) -> Result<Library> {
    let tables = table_files(folder)?;
    if tables.is_empty() {
        return Err(Error::file(folder, "no multipliers here: tables are files NAME.bin of 131072 bytes"));
    }
    let costs_path = folder.join(COSTS);
    let text = String::from_utf8(file::read(&costs_path)?)
        .map_err(|_| Error::file(&costs_path, "not text in UTF-8"))?;
    let costs = costs_csv::parse(&costs_path, &text)?;

    let mut loaded: Vec<(String, TruthTable, Statistics, Costs)> = Vec::with_capacity(tables.len());
    for (name, path) in tables {
        let signed = signedness(folder, &name, &path)?;
        let Some(&costs) = costs.get(&name) else {
            return Err(Error::file(
                &costs_path,
                format!("no line for {name}, whose table is in the folder"),
            ));
        };
        if let Some((other, ..)) = loaded.iter().find(|(_, table, ..)| table.is_signed() != signed) {
            return Err(Error::file(
                folder,
                format!("{other} and {name} differ in signedness; keep signed and unsigned tables apart"),
            ));
        }
        let table = read_table(&path, signed)?;
        let statistics = Statistics::of(&table);
        loaded.push((name, table, statistics, costs));
    }

    let exact = loaded.iter().filter(|(_, _, statistics, _)| statistics.is_exact());
    let exact = exact.min_by(|x, y| x.3.power_mw.total_cmp(&y.3.power_mw)).map(|(.., costs)| *costs);
    let Some(exact) = exact else {
        return Err(Error::file(folder, "no table is exact; relative costs need one that is, with its cost"));
    };
    if exact.power_mw == 0.0 {
        let reason = format!("line {}: the exact multiplier cannot have no power", exact.line);
        return Err(Error::file(&costs_path, reason));
    }
    let multipliers = loaded.into_iter().map(|(name, table, statistics, costs)| Multiplier {
        name,
        family: if statistics.is_exact() { Family::Exact } else { Family::Imported },
        table,
        power_rel: costs.power_mw / exact.power_mw,
        area_rel: ratio(costs.area_um2, exact.area_um2),
        delay_rel: ratio(costs.delay_ns, exact.delay_ns),
        cost_source: CostSource::Published,
        statistics,
        netlist: None,
        provenance: None,
    });
    Library::new(multipliers.collect())
}

fn ratio(figure: Option<f64>, exact: Option<f64>) -> Option<f64> {
    Some(figure? / exact.filter(|&exact| exact > 0.0)?)
}

/// The folder's `*.bin` and the multipliers' names, in order of name.
fn table_files(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
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
fn signedness(folder: &Path, name: &str, path: &Path) -> Result<bool> {
    if let Some(signed) = [false, true].into_iter().find(|&signed| name.starts_with(name_prefix(signed))) {
        return Ok(signed);
    }
    // A folder given as "." has a name too.
    let folder = folder.canonicalize().map_err(Error::io(folder))?;
    let folder = folder.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if folder.contains("unsigned") {
        Ok(false)
    } else if folder.contains("signed") {
        Ok(true)
    } else {
        Err(Error::file(
            path,
            "is it signed? begin the name with mul8u_ (unsigned) or mul8s_ (signed), or put it in a folder \
             whose name says unsigned or signed",
        ))
    }
}

fn read_table(path: &Path, signed: bool) -> Result<TruthTable> {
    let bytes = file::read(path)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomically as write;

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
