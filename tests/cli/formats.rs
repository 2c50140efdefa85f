//! Multipliers in and out: `multipliers import`, `multipliers export`, and libraries of several sources.

use crate::harness::{Dir, Finished};
use crate::{TINY, list, number, texts};
use skimp::multiplier::{Library, TruthTable};

/// An approximate multiplier whose operands are not alike.
fn lopsided(signed: bool) -> TruthTable {
    TruthTable::from_fn(signed, |a, w| (a & !7) * w).unwrap()
}

fn bytes(table: &TruthTable) -> Vec<u8> {
    table.products().iter().flat_map(|&product| (product as u16).to_le_bytes()).collect()
}

/// A C header as AdaPT has them, rows and columns in the order of `code`.
fn header(table: &TruthTable, code: impl Fn(usize) -> usize) -> String {
    let row = |a: usize| {
        let products = (0..256).map(|w| table.product(code(a) as u8, code(w) as u8).to_string());
        format!("{{{}}}", products.collect::<Vec<_>>().join(", "))
    };
    let rows: Vec<String> = (0..256).map(row).collect();
    format!("#include <stdint.h>\n\nconst int16_t lut [256][256] = {{{}}};\n", rows.join(",\n"))
}

/// Lines `a,w,product`.
fn triples(table: &TruthTable) -> String {
    let line = |i: usize| {
        let of = |code: usize| if table.is_signed() { i32::from(code as u8 as i8) } else { code as i32 };
        format!("{},{},{}\n", of(i >> 8), of(i & 255), table.products()[i])
    };
    format!("a,w,product\n{}", (0..65536).map(line).collect::<String>())
}

#[track_caller]
fn import<'d>(dir: &'d Dir, rest: &str) -> crate::harness::Skimp<'d> {
    dir.skimp(&format!("multipliers import {rest}"))
}

#[track_caller]
fn says(run: &Finished, text: &str) {
    run.check(run.stdout.contains(text), &format!("should say \"{text}\""));
}

#[test]
fn exports_load_as_the_library_they_came_from() {
    for (flag, signed) in [("", false), ("--signed", true)] {
        let library = Library::builtin(signed);
        let dir = Dir::new();
        dir.skimp(&format!("multipliers export {flag} --format bin --out bin")).ok();
        for format in ["npy", "c-header", "csv"] {
            let line = format!("multipliers export {flag} --format {format} --out {format} --json");
            let report = dir.skimp(&line).json();
            assert_eq!(list(&report, "names").len(), library.multipliers().len());
            assert_eq!(list(&report, "files").len(), library.multipliers().len() + 1);
            let report = import(&dir, &format!("{format} --out back-{format} --json")).json();
            assert_eq!(report["ready"], true);
        }
        for folder in ["bin", "back-npy", "back-c-header", "back-csv"] {
            let loaded = Library::load_folder(dir.path(folder)).unwrap();
            assert_eq!(loaded.multipliers().len(), library.multipliers().len());
            for (loaded, multiplier) in loaded.multipliers().iter().zip(library.multipliers()) {
                assert_eq!((&loaded.name, &loaded.table), (&multiplier.name, &multiplier.table));
                assert_eq!(loaded.power_rel, multiplier.power_rel);
                assert_eq!(loaded.cost_source, multiplier.cost_source);
            }
        }
    }
}

#[test]
fn published_costs_leave_as_they_came() {
    let dir = Dir::new();
    dir.write("mine/mul8u_one.bin", bytes(&TruthTable::exact(false)));
    dir.write("mine/mul8u_two.bin", bytes(&lopsided(false)));
    dir.write("mine/costs.csv", "name,power_mw,area_um2\nmul8u_one,0.3,700\nmul8u_two,0.1,\n");
    dir.skimp("multipliers export --multipliers mine --format csv --out out").ok();
    let wanted =
        "name,power_mw,area_um2,cost_source\nmul8u_one,0.3,700,published\nmul8u_two,0.1,,published\n";
    assert_eq!(dir.text("out/costs.csv"), wanted);
    dir.skimp("multipliers export --multipliers mine --names two,TWO --format c-header --out one").ok();
    assert!(dir.text("one/mul8u_two.h").contains("const uint16_t lut [256][256] = {"));
    assert!(!dir.path("one/mul8u_one.h").exists());
    // Only what changes is written again.
    dir.skimp("multipliers export --multipliers mine --names one --format c-header --out one").ok();
    assert_eq!(dir.text("one/costs.csv").lines().count(), 3);
}

#[test]
fn a_folder_of_several_formats_becomes_a_library() {
    let dir = Dir::new();
    dir.write("from/mul8u_exact.bin", bytes(&TruthTable::exact(false)));
    dir.write("from/coarse.csv", triples(&lopsided(false)));
    dir.write("from/README.txt", "tables");
    dir.write("from/costs.json", r#"{"mul8u_exact": {"power_mw": 0.4}, "coarse": {"power_mw": 0.1}}"#);
    let run = import(&dir, "from --out mine").ok();
    says(&run, "imported 2 into mine, files read with the activation first");
    says(&run, "ready: --multipliers mine");
    let library = Library::load_folder(dir.path("mine")).unwrap();
    assert_eq!(library.get("mul8u_coarse").unwrap().table, lopsided(false));
    assert_eq!(library.get("mul8u_coarse").unwrap().power_rel, 0.25);

    let rows = dir.skimp("multipliers list --multipliers mine --json").json();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    import(&dir, "from --out mine").refused(&["mine/mul8u_", "is there already", "--replace"]);
    // Its columns are named, so there is nothing to choose.
    import(&dir, "from --out mine --replace --swap-operands")
        .refused(&["coarse.csv: its columns are named a,w,product", "--swap-operands"]);
    let unnamed = triples(&lopsided(false)).split_once('\n').unwrap().1.to_owned();
    dir.write("from/coarse.csv", unnamed);
    import(&dir, "from --out mine --replace --swap-operands").ok();
    let library = Library::load_folder(dir.path("mine")).unwrap();
    assert_eq!(library.get("mul8u_coarse").unwrap().table, lopsided(false).swapped());
}

#[test]
fn signed_headers_of_either_order_are_recognised() {
    let dir = Dir::new();
    let table = lopsided(true);
    dir.write("twos.h", header(&table, |code| code));
    dir.write("offset.h", header(&table, |code| code ^ 0x80));
    for (file, order) in [("twos", "twos-complement"), ("offset", "offset")] {
        let report = import(&dir, &format!("{file}.h --power-rel 0.5 --out mine --json")).json();
        let row = &list(&report, "imported")[0];
        assert_eq!((row["index"].as_str(), row["signed"].as_bool()), (Some(order), Some(true)));
        assert!(texts(list(row, "notes"))[0].contains(order));
        assert_eq!(dir.read(format!("mine/mul8s_{file}.bin")), bytes(&table));
        assert_eq!(report["ready"], false);
        assert!(report["hint"].as_str().unwrap().contains("exact"), "{report}");
    }
    import(&dir, "offset.h --index twos-complement --power-rel 0.5 --out mine --replace").ok();
    assert_ne!(dir.read("mine/mul8s_offset.bin"), bytes(&table));
    import(&dir, "offset.h --index sideways --power-rel 1 --out x").misused(&["twos-complement or offset"]);

    let run = import(&dir, "twos.h --name exactly --power-rel 1 --out mine").ok();
    says(&run, "not ready yet");
    dir.write("e.csv", triples(&TruthTable::exact(true)));
    let run = import(&dir, "e.csv --power-rel 1 --out mine").ok();
    says(&run, "ready: --multipliers mine");
}

#[test]
fn costs_by_hand_are_written_down() {
    let dir = Dir::new();
    dir.write("x.bin", bytes(&TruthTable::exact(false)));
    let line = "x.bin --unsigned --name best --power-mw 0.4 --area-um2 700 --delay-ns 1.4 --out mine";
    import(&dir, line).ok();
    let wanted = "name,power_mw,area_um2,delay_ns,cost_source\nmul8u_best,0.4,700,1.4,published\n";
    assert_eq!(dir.text("mine/costs.csv"), wanted);
    let by = |rest: &str| import(&dir, &format!("x.bin --unsigned --out other {rest}"));
    by("").refused(&["x.bin: no costs for mul8u_x", "--power-mw", "--power-rel", "costs.csv"]);
    by("--power-mw -1").refused(&["--power-mw", "-1"]);
    by("--power-mw nan").refused(&["--power-mw", "NaN"]);
    by("--delay-ns 1").refused(&["--delay-ns", "--power-rel"]);
    by("--power-mw 1 --power-rel 1").misused(&["--power-mw", "--power-rel"]);
    by("--power-rel 1 --name a,b").refused(&["\"a,b\"", "--name"]);
    by("--power-rel 1 --index offset").refused(&["x.bin: --index is for signed"]);
    import(&dir, "x.bin x.bin --unsigned --power-rel 1 --out other").refused(&["one multiplier", "2 files"]);
}

#[test]
fn files_that_are_no_tables_are_named() {
    let dir = Dir::new();
    let exact = TruthTable::exact(false);
    let refused = |name: &str, content: &[u8], mentions: &[&str]| {
        dir.write(name, content);
        let mentions: Vec<&str> = [name].into_iter().chain(mentions.iter().copied()).collect();
        import(&dir, &format!("{name} --unsigned --power-rel 1 --out mine")).refused(&mentions);
    };
    refused("a.bin", &bytes(&exact)[1..], &["131071 bytes", "131072"]);
    refused("a.npy", b"\x93NUMPY\x01", &["ends within its header"]);
    refused("a.csv", b"1,2,3\n", &["3 numbers"]);
    refused("a.txt", b"\xff\xfe1\x00", &["UTF-16"]);
    refused("a.h", b"int x = 3;", &["no initialiser"]);
    refused("a.c", b"uint16_t mul(uint8_t a, uint8_t b) { return a; }", &["no initialiser", "Verilog"]);
    refused("a.md", b"", &["extension"]);
    let negative = triples(&exact).replacen("\n2,3,6\n", "\n2,3,-6\n", 1);
    refused("b.csv", negative.as_bytes(), &["a = 2 and w = 3", "-6"]);
    let nan = triples(&exact).replacen("\n2,3,6\n", "\n2,3,NaN\n", 1);
    refused("c.csv", nan.as_bytes(), &["line 517: \"NaN\""]);
    import(&dir, "nosuch.bin --out mine").refused(&["nosuch.bin: "]);
    dir.write("x.bin", bytes(&exact));
    import(&dir, "x.bin --power-rel 1 --out mine").refused(&[
        "x.bin: is it signed?",
        "--signed",
        "--unsigned",
    ]);
    dir.write("mul8u_x.bin", bytes(&exact));
    import(&dir, "mul8u_x.bin --signed --power-rel 1 --out mine").refused(&["mul8u_x", "--name"]);
    import(&dir, "x.bin --signed --unsigned --power-rel 1 --out mine").misused(&["--unsigned"]);
    dir.folder("empty");
    import(&dir, "empty --out mine").refused(&["empty: no tables"]);
    import(&dir, "x.bin --unsigned --power-rel 1 --out x.bin").refused(&["x.bin"]);
}

#[test]
fn exports_that_make_no_sense_are_refused() {
    let dir = Dir::new();
    let export = |rest: &str| dir.skimp(&format!("multipliers export {rest}"));
    export("--format tiff --out x").misused(&["bin, npy, c-header, csv, verilog or netlists"]);
    export("--format npy --names nosuch --out x").refused(&["\"nosuch\"", "near it"]);
    export("--format npy --multipliers nosuch --out x").refused(&["nosuch: "]);
    dir.write("mine/mul8u_one.bin", bytes(&TruthTable::exact(false)));
    dir.write("mine/costs.csv", "name,power_mw\nmul8u_one,1\n");
    export("--multipliers mine --format verilog --out x")
        .refused(&["no gates are known of mul8u_one", "--names"]);
}

/// A multiplier of EvoApproxLib's kind: what it makes of the operands' three highest bits, with published figures.
const COARSE: &str = "\
// MAE = 1
// WCE = 63
// PDK45_PWR = 0.100 mW
// PDK45_AREA = 200.0 um2
// PDK45_DELAY = 0.90 ns

module mul8u_coarse (
    A,
    B,
    O
);

input [7:0] A;
input [7:0] B;
output [15:0] O;

wire sig_17,sig_18,sig_19;

assign sig_17 = B[7] & A[7];
assign sig_18 = ~(A[6] & B[7]);
CELL u (.X(A[6]), .Y(B[6]), .Z(sig_19));

assign O = {1'b0, sig_17, ~sig_18, sig_19, 12'b0};
endmodule
";

#[test]
fn verilog_keeps_its_gates_and_published_costs() {
    let dir = Dir::new();
    dir.write("from/mul8u_coarse.v", COARSE);
    dir.write("from/costs.csv", "name,power_mw\nmul8u_exact,0.4\n");
    dir.write("from/mul8u_exact.bin", bytes(&TruthTable::exact(false)));
    import(&dir, "from --out mine").refused(&["mul8u_coarse.v: line 21", "CELL"]);
    dir.write("my.cells", "CELL (X, Y, Z) Z = X & Y;");
    dir.write("wrong.cells", "CELL (X, Y, Z) Z = X + Y;");
    import(&dir, "from --out mine --cells wrong.cells").refused(&["wrong.cells: line 1"]);
    import(&dir, "from --out mine --cells nosuch").refused(&["nosuch: "]);
    let run = import(&dir, "from --out mine --cells my.cells").ok();
    says(&run, "mul8u_coarse: input A is the activation, B the weight");
    says(&run, "worst-case error of 63, its products have");

    let product = |a: i32, w: i32| {
        let bit = |value: i32, bit: i32| (value >> bit) & 1;
        (bit(w, 7) & bit(a, 7)) << 14 | (bit(a, 6) & bit(w, 7)) << 13 | (bit(a, 6) & bit(w, 6)) << 12
    };
    let table = TruthTable::from_fn(false, product).unwrap();
    let library = Library::load_folder(dir.path("mine")).unwrap();
    let coarse = library.get("coarse").unwrap();
    assert_eq!((&coarse.table, coarse.power_rel), (&table, 0.25));
    assert_eq!(coarse.netlist.as_ref().unwrap().simulate().table, table);
    assert_eq!(coarse.provenance.as_deref(), Some("mul8u_coarse.v"));
    assert!(library.exact().netlist.is_none());

    // Its gates leave as they came, in either format.
    for format in ["verilog", "netlists"] {
        let line =
            format!("multipliers export --multipliers mine --names coarse --format {format} --out {format}");
        dir.skimp(&line).ok();
        assert_eq!(
            dir.text(format!("{format}/costs.csv")),
            dir.text("mine/costs.csv").replace("mul8u_exact,0.4,,,published\n", "")
        );
        import(&dir, &format!("{format} --out back-{format}")).ok();
        assert_eq!(dir.read(format!("back-{format}/mul8u_coarse.bin")), bytes(&table));
    }
    assert!(dir.text("netlists/netlists.jsonl").contains("mul8u_coarse.v"));
    let report =
        import(&dir, "from/mul8u_coarse.v --cells my.cells --swap-operands --out swapped --json").json();
    assert_eq!(texts(list(&list(&report, "imported")[0], "operands")), ["B", "A"]);
    assert_eq!(dir.read("swapped/mul8u_coarse.bin"), bytes(&table.swapped()));
    import(&dir, "from/mul8u_coarse.v --cells my.cells --index offset --out x")
        .refused(&["--index is for tables"]);
}

#[test]
fn built_in_circuits_come_back_from_verilog_and_netlists() {
    for (flag, signed) in [("", false), ("--signed", true)] {
        let dir = Dir::new();
        let library = Library::builtin(signed);
        for format in ["verilog", "netlists"] {
            let line = format!("multipliers export {flag} --format {format} --names exact,w4 --out {format}");
            dir.skimp(&line).ok();
            let run = import(&dir, &format!("{format} --out back-{format}")).ok();
            says(&run, &format!("ready: --multipliers back-{format}"));
            let back = Library::load_folder(dir.path(format!("back-{format}"))).unwrap();
            assert_eq!(back.multipliers().len(), 2);
            for multiplier in back.multipliers() {
                let original = library.get(&multiplier.name).unwrap();
                assert_eq!(multiplier.table, original.table);
                assert_eq!(multiplier.power_rel, original.power_rel);
                assert!(multiplier.netlist.is_some());
            }
        }
        import(&dir, "netlists/netlists.jsonl --name one --out x").refused(&["holds 2 circuits"]);
        let wrong = if signed { "--unsigned" } else { "--signed" };
        import(&dir, &format!("netlists/netlists.jsonl {wrong} --out x")).refused(&["its first line says"]);
        let text = dir.text("netlists/netlists.jsonl");
        dir.write("damaged.jsonl", text.replace(" >", " Aa9,w0 >"));
        import(&dir, "damaged.jsonl --out x").refused(&["damaged.jsonl: mul8", "gate"]);
    }
}

#[test]
fn cost_sources_are_mixed_on_request_only() {
    let dir = Dir::new();
    dir.write("mine/mul8u_one.bin", bytes(&TruthTable::exact(false)));
    dir.write("mine/mul8u_two.bin", bytes(&lopsided(false)));
    dir.write("mine/costs.csv", "name,power_mw\nmul8u_one,0.4\nmul8u_two,0.1\n");
    let line = format!("optimize fashion-cnn {TINY} --max-loss 5 --multipliers low-bit,mine --out out");
    dir.skimp(&line).refused(&["gate-model", "published", "--mix-cost-sources"]);
    let run = dir.skimp(&format!("{line} --mix-cost-sources")).ok();
    says(&run, "costs are mixed: gate-model and published");
    assert_eq!(texts(list(&dir.json("out/front.json"), "cost_sources")), ["gate-model", "published"]);
    // One network with one multiplier compares nothing.
    let line = "evaluate fashion-cnn --no-float --json --test-images 50 --calibration-images 16";
    let report = dir.skimp(&format!("{line} --multipliers builtin,mine --multiplier two")).json();
    assert!((number(&report, "energy_saved_pct") - 75.0).abs() < 1e-9, "{report}");

    // The same multiplier twice is one; another of the same name is a mistake.
    dir.write("again/mul8u_one.bin", bytes(&TruthTable::exact(false)));
    dir.write("again/mul8u_two.bin", bytes(&lopsided(false)));
    dir.write("again/costs.csv", "name,power_mw\nmul8u_one,0.4\nmul8u_two,0.1\n");
    let twice = dir.skimp("multipliers list --multipliers mine,again --json").json();
    assert_eq!(twice.as_array().unwrap().len(), 2);
    dir.write("again/costs.csv", "name,power_mw\nmul8u_one,0.4\nmul8u_two,0.2\n");
    dir.skimp("multipliers list --multipliers mine,again").refused(&["two multipliers named mul8u_two"]);
    dir.skimp("multipliers list --multipliers mine,").refused(&["\"mine,\""]);
    let rows = dir.skimp("multipliers list --multipliers mine,builtin --json").json();
    assert_eq!(rows.as_array().unwrap().len(), 2 + Library::builtin(false).multipliers().len());
}

#[test]
fn exports_do_not_damage_what_is_there() {
    let dir = Dir::new();
    dir.skimp("multipliers export --format netlists --names exact,trunc6,w4 --out from").ok();
    import(&dir, "from --out q").ok();
    let name = &Library::builtin(false);
    let odd = name.multipliers().iter().find(|m| m.table.swapped() != m.table).unwrap().name.clone();
    let export = |rest: &str| dir.skimp(&format!("multipliers export {rest}"));
    export("--multipliers q --format bin --names w4 --swap-operands --out q")
        .refused(&["q/mul8u_w4.bin: is there already", "--replace"]);
    export(&format!("--format netlists --names {odd} --out q")).ok();
    export(&format!("--format bin --names {odd} --swap-operands --out q")).ok();
    let library = Library::load_folder(dir.path("q")).unwrap();
    assert!(library.get(&odd).unwrap().netlist.is_none() && library.get("w4").unwrap().netlist.is_some());
    export("--signed --format bin --out q").refused(&["q: ", "differ in signedness"]);
    export("--format bin --names trunc6 --out q").refused(&["q/mul8u_trunc6.bin", "--replace"]);
    export("--format bin --names trunc6 --out q --replace").ok();
    Library::load_folder(dir.path("q")).unwrap();
}

#[test]
fn exports_say_what_names_and_folders_lack() {
    let dir = Dir::new();
    let export = |rest: &str| dir.skimp(&format!("multipliers export {rest}"));
    export("--format npy --names trunc6~ --out x").refused(&["trunc6 with --swap-operands"]);
    export("--format npy --names mul8s_w4 --out x").ok();
    assert!(dir.path("x/mul8s_w4.npy").exists());
    dir.write("mine/mul8u_one.bin", bytes(&TruthTable::exact(false)));
    dir.write("mine/mul8u_two.bin", bytes(&lopsided(false)));
    dir.write("mine/costs.csv", "name,power_mw\nmul8u_one,0.3\nmul8u_two,0.1\n");
    let run = export("--multipliers mine --names two --format bin --out y").ok();
    says(&run, "no library yet: y: no table is exact");
    export("--format npy --unique-arrays --out x").refused(&["--unique-arrays", "c-header"]);
    export("--format c-header --names w4 --unique-arrays --swap-operands --out h").ok();
    let text = dir.text("h/mul8u_w4.h");
    assert!(text.starts_with("/* mul8u_w4: lut_mul8u_w4[w][a], "), "{}", &text[..80]);
    assert!(text.contains(" * From: ") && text.contains(" * Licence: MIT OR Apache-2.0 */\n#ifndef "));
    export("--format verilog --names w4 --out v").ok();
    let text = dir.text("v/mul8u_w4.v");
    assert!(text.starts_with("// From: ") && text.contains("\n// Licence: MIT OR Apache-2.0\n// mul8u_w4"));
}

#[test]
fn columns_labels_and_sizes_are_read_as_they_are_named() {
    let dir = Dir::new();
    let table = lopsided(false);
    let by_weight = triples(&table.swapped());
    dir.write("named.csv", by_weight.replacen("a,w,product", "w,x,y", 1));
    let run = import(&dir, "named.csv --unsigned --power-rel 0.5 --out mine").ok();
    says(&run, "mul8u_named: column x is the activation, w the weight");
    assert_eq!(dir.read("mine/mul8u_named.bin"), bytes(&table));
    dir.write("swapped.csv", by_weight.replacen("a,w,product", "w,a,p", 1));
    import(&dir, "swapped.csv --swap-operands --unsigned --power-rel 0.5 --out mine")
        .refused(&["swapped.csv: its columns are named w,a,p", "--swap-operands"]);
    let row = |a: i32| (0..256).map(|w| format!(",{}", table.product(a as u8, w as u8))).collect::<String>();
    let frame: String = (0..256).map(|a| format!("{a}{}\n", row(a))).collect();
    let header: String = (0..256).map(|w| format!(",{w}")).collect();
    dir.write("frame.csv", format!("{header}\n{frame}"));
    import(&dir, "frame.csv --unsigned --power-rel 0.5 --out mine").ok();
    assert_eq!(dir.read("mine/mul8u_frame.bin"), bytes(&table));
    dir.write("wrong.csv", format!("{}\n{frame}", header.replace(",7,", ",8,")));
    let by = |file: &str| import(&dir, &format!("{file} --unsigned --power-rel 0.5 --out mine"));
    by("wrong.csv").refused(&["wrong.csv: 66048 numbers", "a header row or an index column?"]);
    let flat = header_of_size("[128][512]", &table);
    dir.write("wide.h", &flat);
    by("wide.h").refused(&["wide.h: line 1: an array of [128][512]"]);
    dir.write("flat.h", flat.replace("[128][512]", "[65536]").replace("{0,", "{(uint16_t)0,"));
    by("flat.h").ok();
    let wide: Vec<String> = table.products().chunks(128).map(|row| format!("{row:?}")).collect();
    dir.write("wide.csv", wide.join("\n").replace(['[', ']'], ""));
    by("wide.csv").refused(&["wide.csv: line 1: 128 numbers", "256 lines of 256"]);
}

/// C with one flat initialiser, the array declared with these sizes.
fn header_of_size(sizes: &str, table: &TruthTable) -> String {
    let products: Vec<String> = table.products().iter().map(i32::to_string).collect();
    format!("const uint16_t lut{sizes} = {{{}}};\n", products.join(","))
}

#[test]
fn stray_files_in_folders_are_skipped_and_told() {
    let dir = Dir::new();
    dir.write("from/mul8u_one.bin", bytes(&TruthTable::exact(false)));
    dir.write("from/costs.csv", "name,power_mw\nmul8u_one,0.4\nmul8u_two,0.1\n");
    for (name, content) in [
        ("notes.txt", "made on a Monday"),
        ("CMakeLists.txt", "cmake_minimum_required(VERSION 3.10)"),
        ("results.csv", "multiplier,loss\none,0.5\n"),
        ("model.c", "unsigned mul(unsigned a, unsigned b) { return a * b; }"),
        ("log.jsonl", "{\"epoch\": 1}"),
        ("top.v", "module top; initial $finish; endmodule"),
        ("sub/firmware.bin", "tiny"),
    ] {
        dir.write(format!("from/{name}"), content);
    }
    let run = import(&dir, "from --out mine").ok();
    for told in ["notes.txt: no table in it", "top.v: no 8x8-bit", "sub/firmware.bin: 4 bytes", "log.jsonl"] {
        says(&run, &format!("skipped from/{told}"));
    }
    says(&run, "imported 1 into mine");
    let report = import(&dir, "from --out mine --replace --json").json();
    assert_eq!(list(&report, "skipped").len(), 7);
    // Named on the command line, each of them is a mistake; a damaged table is one anywhere.
    import(&dir, "from/notes.txt --out mine").refused(&["notes.txt: "]);
    dir.write("from/mul8u_two.bin", &bytes(&lopsided(false))[2..]);
    import(&dir, "from --out mine --replace").refused(&["mul8u_two.bin: 131070 bytes"]);
}

/// A circuit in EvoApproxLib's shape: the product of both highest bits.
fn circuit(name: &str, comments: &str) -> String {
    format!(
        "{comments}\nmodule {name}(A, B, O);\n  input [7:0] A;\n  input [7:0] B;\n  output [15:0] O;\n  \
         wire n;\n  NPDKGEPDKGENNAND2X1 g(.A(A[7]), .B(B[7]), .Y(n));\n  \
         assign O = {{1'b0, ~n, 14'b0}};\nendmodule\n"
    )
}

#[test]
fn evoapproxlib_is_imported_as_it_is_cloned() {
    let dir = Dir::new();
    let pareto = "// WCE = 48641\n// PDK45_PWR = 0.100 mW\n";
    dir.write("lib/multiplers/8x8_unsigned/pareto_pwr_mae/mul8u_1AB.v", circuit("mul8u_1AB", pareto));
    dir.write("lib/multiplers/8x8_unsigned/pareto_pwr_mae/mul8u_1AB.c", "int f(int a) { return a; }");
    dir.write("lib/multiplers/8x8_unsigned/pareto_pwr_wce/mul8u_1AB.v", circuit("mul8u_1AB", pareto));
    let legacy = "* This file contains a circuit from evoapprox8b dataset\n***/\n// Library = cgp-evoapproxlib\n\
                  // Power  (45) = 0.428700\n";
    let legacy = format!("/***\n* part of EvoApproxLib, distributed under The MIT License.\n{legacy}");
    dir.write("lib/multiplers/8x8_unsigned/legacy_evoapprox8b/mul8_000.v", circuit("mul8_000", &legacy));
    dir.write("lib/multiplers/12x12_signed/pareto_pwr_mae/mul12s_2KL.v", "module m; endmodule");
    dir.write("lib/adders/8_unsigned/add8u_1.v", "module add8u_1(input [7:0] A, output [8:0] O); endmodule");
    let run = import(&dir, "lib/multiplers/8x8_unsigned --out mine").ok();
    says(&run, "imported 2 into mine");
    says(&run, "mul8u_1AB: lib/multiplers/8x8_unsigned/pareto_pwr_wce/mul8u_1AB.v holds the same");
    assert!(dir.text("mine/costs.csv").contains("mul8u_000,0.4287,"));
    assert!(dir.text("mine/netlists.jsonl").contains("mul8_000.v of EvoApproxLib, MIT License"));
    // Both signednesses are there: one has to be chosen.
    dir.write(
        "lib/multiplers/8x8_signed/pareto_pwr_mae/mul8s_1CD.v",
        circuit("mul8s_1CD", "// PDK45_PWR = 1 mW\n"),
    );
    import(&dir, "lib/multiplers --out x").refused(&["8x8_unsigned", "8x8_signed", "--unsigned or --signed"]);
    let run = import(&dir, "lib --unsigned --out all").ok();
    says(&run, "skipped lib/multiplers/12x12_signed: not of 8x8 bits");
    says(&run, "skipped lib/multiplers/8x8_signed: signed by its name");
    says(&run, "imported 2 into all");
    import(&dir, "lib/multiplers --signed --out signed").ok();
    assert!(dir.path("signed/mul8s_1CD.bin").exists());
    // What has one name must be one circuit.
    dir.write(
        "lib/multiplers/8x8_unsigned/pareto_pwr_wce/mul8u_1AB.v",
        circuit("mul8u_1AB", pareto).replace("B[7]", "B[6]"),
    );
    import(&dir, "lib/multiplers/8x8_unsigned --out x").refused(&[
        "pareto_pwr_wce/mul8u_1AB.v",
        "pareto_pwr_mae/mul8u_1AB.v",
        "another multiplier",
    ]);
    // evoapprox8b's own repository: microwatts, and no folder or name that tells signed from unsigned.
    let first = "// Library = EvoApprox8b\n// Power  (45) = 130.10\n";
    dir.write("evoapprox8b/multipliers_8/mul8_003.v", circuit("mul8_003", first));
    import(&dir, "evoapprox8b --out first").ok();
    assert!(dir.text("first/costs.csv").contains("mul8u_003,0.1301,"), "{}", dir.text("first/costs.csv"));
}

#[test]
fn doubtful_readings_are_noted() {
    let dir = Dir::new();
    let exact = TruthTable::exact(false);
    let big: Vec<u8> = exact.products().iter().flat_map(|&p| (p as u16).to_be_bytes()).collect();
    dir.write("mul8u_big.bin", &big);
    let run = import(&dir, "mul8u_big.bin --power-rel 1 --out mine").ok();
    says(&run, "mul8u_big: a mean error of ");
    says(&run, "bytes exchanged (it looks big endian) it would be 0.00 %");
    dir.write("mul8s_x.bin", bytes(&exact));
    let run = import(&dir, "mul8s_x.bin --power-rel 30 --out signed").ok();
    says(&run, "as unsigned (--unsigned");
    says(&run, "its power is 30 times that of the exact multiplier");
    dir.write("power/mul8u_one.bin", bytes(&exact));
    dir.write("power/mul8u_two.bin", bytes(&lopsided(false)));
    dir.write("power/costs.csv", "name,power_mw\nmul8u_one,0.4\nmul8u_two,130\n");
    let run = import(&dir, "power --out other").ok();
    says(&run, "mul8u_two: its power is 325 times that of mul8u_one");
    let signed = circuit("mul8u_s", "").replace("input [7:0]", "input signed [7:0]");
    dir.write("s.v", &signed);
    import(&dir, "s.v --out by_ports").ok();
    assert!(dir.path("by_ports/mul8s_s.bin").exists());
    dir.write("mul8u_s.v", &signed);
    let run = import(&dir, "mul8u_s.v --out by_name").ok();
    says(&run, "declared signed, but its name says unsigned");
}

#[test]
fn names_that_clash_or_say_nothing_are_refused() {
    let dir = Dir::new();
    let exact = bytes(&TruthTable::exact(false));
    dir.write("mul8u_.bin", &exact);
    import(&dir, "mul8u_.bin --power-rel 1 --out x").refused(&["\"mul8u_\"", "nothing is left"]);
    let long = format!("{}.bin", "x".repeat(120));
    dir.write(&long, &exact);
    import(&dir, &format!("{long} --unsigned --power-rel 1 --out x")).refused(&["120 characters"]);
    dir.write("mul8u_a.bin", &exact);
    import(&dir, "mul8u_a.bin --power-rel 1 --out mine").ok();
    import(&dir, "mul8u_a.bin --unsigned --name A --power-rel 1 --out mine --replace")
        .refused(&["mul8u_A.bin", "mul8u_a.bin differ by case alone"]);
    // Tables whose costs are in the folder already can be imported into it.
    dir.write("same/b.csv", triples(&TruthTable::exact(false)));
    dir.write("same/costs.csv", "name,power_mw\nmul8u_b,1\n");
    import(&dir, "same/b.csv --unsigned --out same").ok();
    dir.write("same/mul8u_c.csv", triples(&lopsided(false)));
    dir.write("same/costs.csv", "name,power_mw\nmul8u_b,1\nmul8u_c,2\n");
    import(&dir, "same/mul8u_c.csv --power-mw 3 --out same")
        .refused(&["same/costs.csv: line 3 has other costs for mul8u_c", "--replace"]);
}

#[cfg(unix)]
#[test]
fn pipes_are_refused_instead_of_waited_for() {
    // Not in the folder whose files are compared, which would wait for it as well.
    let (dir, elsewhere) = (Dir::new(), tempfile::tempdir().unwrap());
    let pipe = elsewhere.path().join("mul8u_x.bin");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is part of every Unix");
    import(&dir, &format!("{} --power-rel 1 --out mine", pipe.display()))
        .within(std::time::Duration::from_secs(20))
        .refused(&["mul8u_x.bin: is no regular file"]);
}
