//! Verilog that skimp writes, simulated by Icarus Verilog and read again.

use proptest::prelude::*;
use skimp::multiplier::cost::Cost;
use skimp::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};
use skimp::multiplier::verilog::{read, write_module, write_test_bench};
use skimp::multiplier::{Design, Library, Multiplier, Netlist};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Set to 1 where there is no simulator: the tests that need one then only say that they did not run.
const SKIP: &str = "SKIMP_SKIP_IVERILOG";

/// Whether the simulator is to be used; tells if not.
fn simulates() -> bool {
    let skipped = std::env::var_os(SKIP).is_some_and(|value| value == "1");
    if skipped {
        eprintln!("skipped: {SKIP}=1, nothing is simulated");
    }
    !skipped
}

/// What a test bench of these modules and benches prints, and whether it ended well.
fn simulate(top: &str, sources: &[&str]) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut compile = Command::new("iverilog");
    compile.args(["-g2005-sv", "-Wall", "-s", top, "-o"]).arg(path("simulation"));
    for (index, source) in sources.iter().enumerate() {
        let file = path(&format!("{index}.v"));
        std::fs::write(&file, source).unwrap();
        compile.arg(file);
    }
    let compiled = compile.output().unwrap_or_else(|e| {
        panic!("iverilog: {e}; install Debian's package `iverilog`, or set {SKIP}=1 to go without")
    });
    let messages = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success() && !messages.contains("error"), "{messages}");
    let run = Command::new("vvp").arg("-n").arg(path("simulation")).output().unwrap();
    (String::from_utf8_lossy(&run.stdout).into_owned(), run.status.success())
}

/// Multipliers of both signednesses whose gates are known: all that are built in.
fn built_in_circuits() -> impl Iterator<Item = Multiplier> {
    let all = [false, true].into_iter().flat_map(|signed| Library::builtin(signed).multipliers().to_vec());
    all.filter(|multiplier| multiplier.netlist.is_some())
}

fn read_back(text: &str, signed: bool) -> Netlist {
    read(Path::new("written.v"), text, signed).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

#[test]
fn simulators_compute_the_table_of_every_built_in_design() {
    if !simulates() {
        return;
    }
    let circuits: Vec<Multiplier> = built_in_circuits().collect();
    assert!(circuits.len() >= 120, "{}", circuits.len());
    // A simulation is a process of its own; as many run at once as there are cores.
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some(circuit) = circuits.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (name, netlist) = (&circuit.name, circuit.netlist.as_ref().unwrap());
                    let bench = write_test_bench(name, &circuit.table);
                    let (output, passed) =
                        simulate(&format!("{name}_test"), &[&write_module(name, netlist), &bench]);
                    assert_eq!(output, format!("PASS {name} 65536 products\n"));
                    assert!(passed);
                }
            });
        }
    });
}

#[test]
fn a_wrong_gate_is_found_by_simulation() {
    if !simulates() {
        return;
    }
    let netlist = Design::Exact.netlist(false);
    let right = write_module("m", &netlist);
    let wrong = right.replacen("nand g_", "and  g_", 1);
    assert_ne!(right, wrong);
    let products = netlist.simulate().table;
    let bench = write_test_bench("m", &products);
    let (output, passed) = simulate("m_test", &[&wrong, &bench]);
    assert!(!passed, "{output}");
    let found = read_back(&wrong, false).simulate().table;
    let differing = found.products().iter().zip(products.products()).filter(|(x, y)| x != y).count();
    assert!(output.contains(&format!("FAIL m {differing} of 65536 products")), "{output}");
    assert_eq!(output.matches("expected").count(), 10, "{output}");
    assert!(!output.contains("PASS"), "{output}");
}

#[test]
fn sums_are_read_as_a_simulator_reads_them() {
    if !simulates() {
        return;
    }
    for body in [
        "assign p = a + w;",
        "assign p = {8'b0, a + w};",
        "assign p = {a, 1'b0} + {w[6:0]} + 16'd3 + 1;",
        "wire [8:0] s; assign s = {a[7:1]} + {1'b1, w[7:1]}; assign p = {s[8], 6'b0, s} + (a + w);",
        "assign p = {a, w} + {w, a} + {16{a[0]}} & {w, w} ^ {8'hff, a} + w;",
    ] {
        let text = format!("module m (input [7:0] a, input [7:0] w, output [15:0] p);\n{body}\nendmodule\n");
        let bench = write_test_bench("m", &read_back(&text, false).simulate().table);
        let (output, passed) = simulate("m_test", &[&text, &bench]);
        assert!(passed, "{body}: {output}");
    }
}

#[test]
fn built_in_designs_are_read_back_gate_by_gate() {
    for signed in [false, true] {
        for design in Design::landmarks() {
            let netlist = design.netlist(signed);
            assert_eq!(read_back(&write_module(&design.name(signed), &netlist), signed), netlist);
        }
    }
}

/// Gates over wires that are chosen by number among the constants, the operands and the gates before.
fn netlist(signed: bool, gates: &[(usize, usize, usize)], outputs: &[usize]) -> Netlist {
    use GateKind::*;
    let mut builder = Builder::new();
    let mut wires = vec![Wire::ZERO, Wire::ONE];
    wires.extend((0..8).map(Wire::a).chain((0..8).map(Wire::w)));
    for &(kind, x, y) in gates {
        let (x, y) = (wires[x % wires.len()], wires[y % wires.len()]);
        wires.push(builder.gate([And, Or, Xor, Nand, Nor, Xnor, Not][kind], x, y));
    }
    let output = |bit: usize| wires[wires.len() - 1 - outputs[bit] % wires.len()];
    builder.finish(signed, std::array::from_fn::<_, OUTPUTS, _>(output))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_netlists_are_read_back_gate_by_gate(
        signed: bool,
        gates in prop::collection::vec((0usize..7, 0usize..1000, 0usize..1000), 0..300),
        outputs in prop::array::uniform16(0usize..1000),
        name in "\\PC{0,12}",
    ) {
        let netlist = netlist(signed, &gates, &outputs);
        prop_assert_eq!(read_back(&write_module(&name, &netlist), signed), netlist);
    }

    #[test]
    fn damaged_modules_are_read_or_refused(
        at in 0usize..20_000,
        length in 0usize..40,
        put in "[ -~\\n]{0,12}",
    ) {
        let mut text = write_module("m", &Design::Truncated { columns: 8 }.netlist(false));
        let at = at % text.len();
        text.replace_range(at..(at + length).min(text.len()), &put);
        if let Err(refused) = read(Path::new("damaged.v"), &text, false) {
            prop_assert!(refused.to_string().starts_with("damaged.v: "), "{}", refused);
        }
    }
}

/// Spearman's coefficient; equal values share the mean of their ranks.
fn rank_correlation(x: &[f64], y: &[f64]) -> f64 {
    let ranks = |values: &[f64]| -> Vec<f64> {
        let below = |v: &f64| values.iter().filter(|other| *other < v).count() as f64;
        let equal = |v: &f64| values.iter().filter(|other| *other == v).count() as f64;
        values.iter().map(|v| below(v) + (equal(v) - 1.0) / 2.0).collect()
    };
    let (x, y) = (ranks(x), ranks(y));
    let mean = (x.len() - 1) as f64 / 2.0;
    let sum = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    sum(&x, &y) / (sum(&x, &x) * sum(&y, &y)).sqrt()
}

/// Cells that Yosys may use, the ones of the cost model and some compound ones: areas in um2 of the NanGate
/// FreePDK45 Open Cell Library; all delays are equal.
const GENLIB: &str = "
GATE INV 0.532 Y=!A; PIN * INV 1 999 1 0 1 0
GATE NAND2 0.798 Y=!(A*B); PIN * INV 1 999 1 0 1 0
GATE NOR2 0.798 Y=!(A+B); PIN * INV 1 999 1 0 1 0
GATE AND2 1.064 Y=A*B; PIN * NONINV 1 999 1 0 1 0
GATE OR2 1.064 Y=A+B; PIN * NONINV 1 999 1 0 1 0
GATE XOR2 1.596 Y=(A*!B)+(!A*B); PIN * UNKNOWN 1 999 1 0 1 0
GATE XNOR2 1.596 Y=(A*B)+(!A*!B); PIN * UNKNOWN 1 999 1 0 1 0
GATE AOI21 1.064 Y=!((A*B)+C); PIN * INV 1 999 1 0 1 0
GATE OAI21 1.064 Y=!((A+B)*C); PIN * INV 1 999 1 0 1 0
GATE BUF 0.798 Y=A; PIN * NONINV 1 999 1 0 1 0
GATE _const0_ 0 Y=CONST0;
GATE _const1_ 0 Y=CONST1;
";

/// Area of each module after Yosys has optimised and mapped it.
fn synthesised_areas(modules: &[(String, Netlist)]) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cells.genlib"), GENLIB).unwrap();
    let text: String = modules.iter().map(|(name, netlist)| write_module(name, netlist)).collect();
    std::fs::write(folder.path().join("designs.v"), text).unwrap();
    let script =
        "read_verilog designs.v; synth -noabc; abc -genlib cells.genlib; opt_clean; tee -q -o stat.txt stat";
    let run = Command::new("yosys").current_dir(folder.path()).args(["-q", "-p", script]).output();
    let run = run.unwrap_or_else(|e| panic!("yosys: {e}; install Debian's package `yosys`"));
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let report = std::fs::read_to_string(folder.path().join("stat.txt")).unwrap();
    let area = |cell: &str| {
        let line = GENLIB.lines().find(|line| line.split(' ').nth(1) == Some(cell));
        line.map(|line| line.split(' ').nth(2).unwrap().parse::<f64>().unwrap())
    };
    let of = |(name, _): &(String, Netlist)| {
        let begin = format!("=== {name} ===");
        let part = report.split(&begin).nth(1).unwrap_or_else(|| panic!("no {name} in {report}"));
        let lines = part.split("===").next().unwrap().lines().filter_map(|line| line.trim().split_once(' '));
        lines.filter_map(|(cell, count)| Some(area(cell)? * count.trim().parse::<f64>().ok()?)).sum()
    };
    modules.iter().map(of).collect()
}

#[test]
#[ignore = "needs yosys; see models/multipliers/VERILOG.md"]
fn synthesis_ranks_areas_as_the_cost_model_does() {
    for signed in [false, true] {
        let modules: Vec<(String, Netlist)> =
            Design::landmarks().iter().map(|design| (design.name(signed), design.netlist(signed))).collect();
        let ours: Vec<f64> = modules
            .iter()
            .map(|(_, netlist)| Cost::of(netlist, &netlist.simulate().activity).area_um2)
            .collect();
        let synthesised = synthesised_areas(&modules);
        for ((name, _), (ours, area)) in modules.iter().zip(ours.iter().zip(&synthesised)) {
            println!("{name:<18} cost model {ours:7.2} um2   yosys {area:7.2} um2   {:.3}", area / ours);
        }
        let correlation = rank_correlation(&ours, &synthesised);
        println!("Spearman's rank correlation {correlation:.4}");
        assert!(correlation > 0.98, "{correlation}");
    }
}

/// Prints what `models/multipliers/VERILOG.md` compares.
#[test]
#[ignore = "needs EvoApproxLib's Verilog and the reference tables; see models/multipliers/VERILOG.md"]
fn published_netlists_compute_the_published_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let reference = std::env::var_os("SKIMP_REFERENCE").unwrap_or_else(|| "../shared/reference".into());
    let sources =
        PathBuf::from(std::env::var_os("SKIMP_VERILOG").expect("SKIMP_VERILOG names a folder of NAME.v"));
    let mut compared = 0;
    for (folder, signed) in [("evoapprox8_unsigned", false), ("evoapprox8_signed", true)] {
        let library = Library::load_folder(root.join(&reference).join("multipliers").join(folder)).unwrap();
        let exact = Design::Exact.netlist(signed);
        let exact = Cost::of(&exact, &exact.simulate().activity);
        for published in library.multipliers() {
            for suffix in ["", "_pdk45"] {
                let path = sources.join(format!("{}{suffix}.v", published.name));
                let Ok(text) = std::fs::read_to_string(&path) else { continue };
                let netlist = read(&path, &text, signed).unwrap();
                let simulation = netlist.simulate();
                let order = match &simulation.table {
                    table if *table == published.table => "as it is",
                    table if *table == published.table.swapped() => "swapped",
                    _ => "DIFFERENT",
                };
                let cost = Cost::of(&netlist, &simulation.activity);
                println!(
                    "| {}{suffix} | {order} | {} | {:.3} | {:.3} | {:.3} | {:.3} |",
                    published.name,
                    netlist.gates().len(),
                    cost.power_uw / exact.power_uw,
                    published.power_rel,
                    cost.area_um2 / exact.area_um2,
                    published.area_rel.unwrap()
                );
                assert_ne!(order, "DIFFERENT", "{}", path.display());
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "{}: no file of a reference multiplier", sources.display());
}
