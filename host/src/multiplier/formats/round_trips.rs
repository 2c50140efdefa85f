//! What is exported is imported again as it was, in every format.

use super::{Exporting, Format, Importing, Written, export, import, write_library};
use crate::multiplier::testing::multiplier;
use crate::multiplier::{Library, Multiplier, TruthTable, name_prefix};
use proptest::prelude::*;
use std::path::Path;

const CIRCUITS: [Format; 2] = [Format::Verilog, Format::Netlists];
const TABLES: [Format; 4] = [Format::Bin, Format::Npy, Format::CHeader, Format::Csv];

/// Writes `multipliers` in `format`, imports them into another folder and loads that.
#[track_caller]
fn there_and_back(multipliers: &[&Multiplier], sources: &str, format: Format, swap: bool) -> Library {
    let folder = tempfile::tempdir().unwrap();
    let [out, back] = ["out", "back"].map(|name| folder.path().join(name));
    let written = Written::of(sources, multipliers[0].table.is_signed()).unwrap();
    export(multipliers, &written, Exporting { swap_operands: swap, ..Exporting::new(format) }, &out).unwrap();
    let imported =
        import(&[out], &Importing { swap_operands: swap, ..Importing::default() }).unwrap().multipliers;
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
        for format in CIRCUITS {
            let back = there_and_back(&all, "builtin", format, false);
            assert_same(&back, &library);
            for multiplier in &all {
                let other = back.get(&multiplier.name).unwrap();
                if format == Format::Netlists {
                    assert_eq!(other.netlist, multiplier.netlist, "{}", multiplier.name);
                    assert_eq!(other.family, multiplier.family);
                } else {
                    // Reading Verilog may find that two gates are the same.
                    let gates = |m: &Multiplier| m.netlist.as_ref().unwrap().gates().len();
                    assert!(gates(other) <= gates(multiplier), "{}", multiplier.name);
                }
            }
        }
    }
}

#[test]
fn circuits_with_exchanged_operands_keep_their_gates() {
    let folder = tempfile::tempdir().unwrap();
    let [out, back] = ["out", "back"].map(|name| folder.path().join(name));
    let library = Library::builtin(false);
    let chosen = [library.exact(), library.get("w4").unwrap()];
    let how = Exporting::new(Format::Verilog);
    export(&chosen, &Written::default(), how, &out).unwrap();
    let how = Importing { swap_operands: true, ..Importing::default() };
    let imported = import(std::slice::from_ref(&out), &how).unwrap().multipliers;
    let w4 = imported.iter().find(|one| one.name == "mul8u_w4").unwrap();
    assert_eq!(w4.operands, Some(["w".to_owned(), "a".to_owned()]));
    write_library(&back, &imported, false).unwrap();
    let back = Library::load_folder(back).unwrap();
    let (other, w4) = (back.get("w4").unwrap(), chosen[1]);
    assert_eq!(other.table, w4.table.swapped());
    assert_eq!(other.netlist.as_ref().unwrap().swapped().simulate().table, w4.table);
    assert_eq!(other.provenance.as_deref(), Some("mul8u_w4.v with its operands exchanged"));
}

#[test]
fn gates_that_compute_another_table_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let library = Library::builtin(false);
    let chosen = [library.exact(), library.get("w4").unwrap()];
    for format in [Format::Bin, Format::Netlists] {
        export(&chosen, &Written::default(), Exporting::new(format), out).unwrap();
    }
    let loaded = Library::load_folder(out).unwrap();
    assert_eq!(loaded.get("w4").unwrap().netlist, chosen[1].netlist);
    // A folder of tables and circuits is imported with both.
    let imported = import(&[out.to_owned()], &Importing::default()).unwrap().multipliers;
    assert!(imported.len() == 2 && imported.iter().all(|one| one.circuit.is_some()));
    // Gates beside a table of another multiplier make a folder that can't be used: whoever put them there.
    let records = std::fs::read_to_string(out.join("netlists.jsonl")).unwrap();
    std::fs::write(
        out.join("netlists.jsonl"),
        records.replace("mul8u_w4", "mul8u_exact_").replace("mul8u_exact\"", "mul8u_w4\""),
    )
    .unwrap();
    let message = Library::load_folder(out).unwrap_err().to_string();
    assert!(message.contains("netlists.jsonl: mul8u_w4: its gates do not compute mul8u_w4.bin"), "{message}");
    std::fs::write(out.join("netlists.jsonl"), records).unwrap();
    // A table that takes the place of a circuit leaves no gates behind.
    let mut table = import(&[out.join("mul8u_w4.bin")], &Importing::default()).unwrap().multipliers;
    table[0].circuit = None;
    write_library(out, &table, true).unwrap();
    assert_eq!(Library::load_folder(out).unwrap().get("w4").unwrap().netlist, None);
    let signed = Library::builtin(true);
    let how = Exporting::new(Format::Netlists);
    let message = export(&[signed.exact()], &Written::default(), how, out).unwrap_err().to_string();
    assert!(message.contains("differ in signedness"), "{message}");
}

#[test]
fn exports_leave_a_library_folder_whole() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let library = Library::builtin(false);
    let chosen = [library.exact(), library.get("w4").unwrap(), library.get("trunc6").unwrap()];
    let written = Written::default();
    for format in [Format::Bin, Format::Netlists] {
        export(&chosen, &written, Exporting::new(format), out).unwrap();
    }
    let refused = |multipliers: &[&Multiplier], how: Exporting| {
        let message = export(multipliers, &written, how, out).unwrap_err().to_string();
        assert_eq!(Library::load_folder(out).unwrap().multipliers().len(), 3);
        message
    };
    let swapped = Exporting { swap_operands: true, ..Exporting::new(Format::Bin) };
    let message = refused(&chosen[1..2], swapped);
    assert!(message.contains("mul8u_w4.bin: is there already; --replace"), "{message}");
    // The gates of a table that is replaced go, those of others stay.
    let odd = library.multipliers().iter().find(|m| m.table.swapped() != m.table).unwrap();
    let renamed = Multiplier { name: "mul8u_w4".into(), ..odd.clone() };
    let replacing = Exporting { replace: true, ..swapped };
    let message = refused(&[&renamed], Exporting::new(Format::Netlists));
    assert!(message.contains("has another circuit called mul8u_w4 already; --replace"), "{message}");
    export(&[&renamed], &written, replacing, out).unwrap();
    let loaded = Library::load_folder(out).unwrap();
    assert_eq!(loaded.get("w4").unwrap().table, odd.table.swapped());
    assert!(loaded.get("w4").unwrap().netlist.is_none() && loaded.get("trunc6").unwrap().netlist.is_some());
    assert_eq!(loaded.get("w4").unwrap().power_rel, odd.power_rel);
    // Gates that replace a table bring their own; other costs are not written over unasked.
    let message = refused(&chosen[1..2], Exporting::new(Format::Netlists));
    assert!(message.contains("mul8u_w4.bin: is not what the gates"), "{message}");
    let message = refused(&chosen[1..2], Exporting::new(Format::Npy));
    assert!(message.contains("costs.csv: line") && message.contains("other costs for mul8u_w4"), "{message}");
    export(&chosen[1..2], &written, Exporting { replace: true, ..Exporting::new(Format::Netlists) }, out)
        .unwrap();
    assert_eq!(Library::load_folder(out).unwrap().get("w4").unwrap().netlist, chosen[1].netlist);
    // The other signedness, and names that differ by case alone.
    let message = refused(&[Library::builtin(true).exact()], Exporting::new(Format::Bin));
    assert!(message.contains("differ in signedness"), "{message}");
    let shouted = Multiplier { name: "mul8u_W4".into(), ..chosen[1].clone() };
    let message = refused(&[&shouted], replacing);
    assert!(message.contains("mul8u_w4.bin differ by case alone"), "{message}");
}

/// A library of the exact multiplier and one with these products.
fn library_with(table: TruthTable) -> Library {
    let prefix = name_prefix(table.is_signed());
    let exact = TruthTable::exact(table.is_signed());
    let of = |(name, table, power_rel)| Multiplier {
        area_rel: Some(1.0 / 3.0),
        ..multiplier(&format!("{prefix}{name}"), power_rel, table)
    };
    let multipliers = [("exact", exact, 1.0), ("random", table, 0.1 + 0.2)].map(of);
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
        let how = Exporting::new(TABLES[which]);
        let files = export(&random, &Written::default(), how, folder.path()).unwrap();
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
    let how = Exporting::new(Format::Npy);
    let files = export(&all, &Written::default(), how, &folder.path().join("from")).unwrap();
    let out = folder.path().join("to");
    let tables: Vec<_> = files.iter().filter(|path| path.extension().is_some_and(|e| e == "npy")).collect();
    for path in &tables {
        let one = import(&[path.to_path_buf()], &Importing::default()).unwrap().multipliers;
        write_library(&out, &one, false).unwrap();
        let message = write_library(&out, &one, false).unwrap_err().to_string();
        assert!(message.contains("is there already; --replace"), "{message}");
        write_library(&out, &one, true).unwrap();
    }
    assert_same(&Library::load_folder(&out).unwrap(), &library);
    let signed = folder.path().join("signed");
    let other = Library::builtin(true);
    export(&[other.exact()], &Written::default(), how, &signed).unwrap();
    let one = import(&[signed], &Importing::default()).unwrap().multipliers;
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
