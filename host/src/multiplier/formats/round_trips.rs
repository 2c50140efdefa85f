//! What is exported is imported again as it was, in every format.

use super::{Exporting, Format, Importing, export, import, write_library, written_costs};
use crate::multiplier::library::CostSource;
use crate::multiplier::{Family, Library, Multiplier, Statistics, TruthTable, name_prefix};
use proptest::prelude::*;
use std::collections::HashMap;
use std::path::Path;

const TABLES: [Format; 4] = [Format::Bin, Format::Npy, Format::CHeader, Format::Csv];

/// Writes `multipliers` in `format`, imports them into another folder and loads that.
#[track_caller]
fn there_and_back(multipliers: &[&Multiplier], sources: &str, format: Format, swap: bool) -> Library {
    let folder = tempfile::tempdir().unwrap();
    let [out, back] = ["out", "back"].map(|name| folder.path().join(name));
    let written = written_costs(sources).unwrap();
    export(multipliers, &written, Exporting { format, swap_operands: swap }, &out).unwrap();
    let imported = import(&[out], &Importing { swap_operands: swap, ..Importing::default() }).unwrap();
    write_library(&back, &imported, false).unwrap();
    Library::load_folder(back).unwrap()
}

#[track_caller]
fn assert_same(back: &Library, library: &Library) {
    assert_eq!(back.multipliers().len(), library.multipliers().len());
    for multiplier in library.multipliers() {
        let other = back.get(&multiplier.name).unwrap();
        assert_eq!(other.table, multiplier.table, "{}", multiplier.name);
        assert_eq!(other.statistics, multiplier.statistics);
        assert_eq!(other.power_rel, multiplier.power_rel, "{}", multiplier.name);
        assert_eq!([other.area_rel, other.delay_rel], [multiplier.area_rel, multiplier.delay_rel]);
        assert_eq!(other.cost_source, multiplier.cost_source);
    }
}

#[test]
fn built_in_multipliers_keep_products_and_costs() {
    for signed in [false, true] {
        let library = Library::builtin(signed);
        let all: Vec<&Multiplier> = library.multipliers().iter().collect();
        for format in TABLES {
            assert_same(&there_and_back(&all, "builtin", format, false), &library);
        }
        assert_same(&there_and_back(&all, "builtin", Format::Npy, true), &library);
    }
}

/// A library of the exact multiplier and one with these products.
fn library_with(table: TruthTable) -> Library {
    let prefix = name_prefix(table.is_signed());
    let exact = TruthTable::exact(table.is_signed());
    let multipliers =
        [("exact", exact, 1.0), ("random", table, 0.1 + 0.2)].map(|(name, table, power_rel)| {
            let statistics = Statistics::of(&table);
            Multiplier {
                name: format!("{prefix}{name}"),
                family: Family::Imported,
                table,
                power_rel,
                area_rel: Some(1.0 / 3.0),
                delay_rel: None,
                cost_source: CostSource::Published,
                statistics,
                netlist: None,
                provenance: None,
            }
        });
    Library::new(multipliers.into()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn random_tables_survive_every_format(signed: bool, seed: u64, noise in 0u32..16) {
        // Near the exact product, as a multiplier's are: the order of rows and columns has to be recognised.
        let noisy = |i: usize, product: i32| {
            let hash = (i as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let range = if signed { -32768..=32767 } else { 0..=65535 };
            (product + (hash as i32 & ((1 << noise) - 1)) - (1 << noise) / 2).clamp(*range.start(), *range.end())
        };
        let exact = TruthTable::exact(signed);
        let products = exact.products().iter().enumerate().map(|(i, &product)| noisy(i, product));
        let library = library_with(TruthTable::new(signed, products.collect()).unwrap());
        let all: Vec<&Multiplier> = library.multipliers().iter().collect();
        for format in TABLES {
            assert_same(&there_and_back(&all, "builtin", format, seed % 2 == 0), &library);
        }
    }

    #[test]
    fn damaged_files_are_refused_or_read_but_never_panic(
        which in 0usize..4, at in 0usize..100_000, byte: u8, cut: bool
    ) {
        let folder = tempfile::tempdir().unwrap();
        let library = library_with(TruthTable::exact(true));
        let random: Vec<&Multiplier> = library.multipliers().iter().skip(1).collect();
        let how = Exporting { format: TABLES[which], swap_operands: false };
        let files = export(&random, &HashMap::new(), how, folder.path()).unwrap();
        let mut bytes = std::fs::read(&files[0]).unwrap();
        // Mostly near the beginning, where headers are.
        let at = if at % 2 == 0 { at % 200 } else { at } % bytes.len();
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        std::fs::write(&files[0], bytes).unwrap();
        let result = import(&files[..1], &Importing::default());
        if cut {
            prop_assert!(result.is_err());
        }
    }
}

#[test]
fn several_files_are_added_to_a_folder_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::builtin(false);
    let all: Vec<&Multiplier> = library.multipliers().iter().collect();
    let how = Exporting { format: Format::Npy, swap_operands: false };
    let files = export(&all, &HashMap::new(), how, &folder.path().join("from")).unwrap();
    let out = folder.path().join("to");
    let tables: Vec<_> = files.iter().filter(|path| path.extension().is_some_and(|e| e == "npy")).collect();
    for path in &tables {
        let one = import(&[path.to_path_buf()], &Importing::default()).unwrap();
        write_library(&out, &one, false).unwrap();
        let message = write_library(&out, &one, false).unwrap_err().to_string();
        assert!(message.contains("is there already; --replace"), "{message}");
        write_library(&out, &one, true).unwrap();
    }
    assert_same(&Library::load_folder(&out).unwrap(), &library);
    let signed = folder.path().join("signed");
    let other = Library::builtin(true);
    export(&[other.exact()], &HashMap::new(), how, &signed).unwrap();
    let one = import(&[signed], &Importing::default()).unwrap();
    let message = write_library(&out, &one, false).unwrap_err().to_string();
    assert!(message.contains("differ in signedness"), "{message}");
}

#[test]
#[ignore = "needs the reference tables; see .ci/run"]
fn reference_tables_keep_products_and_costs() {
    let mut count = 0;
    for folder in crate::multiplier::reference_tests::folders() {
        let library = Library::load_folder(&folder).unwrap();
        let all: Vec<&Multiplier> = library.multipliers().iter().collect();
        count += all.len();
        for format in TABLES {
            for swap in [false, true] {
                assert_same(&there_and_back(&all, folder.to_str().unwrap(), format, swap), &library);
            }
        }
        assert!(Path::new(all[0].provenance.as_ref().unwrap()).exists());
    }
    assert!(count >= 49, "only {count} tables");
}
