//! Benchmarks: that they measure everything and check it, never how fast it is.

use crate::harness::Dir;
use serde_json::Value;
use skimp::multiplier::TruthTable;

/// One run of one image for each measurement.
const TINY: &str = "bench emulation --seconds 0 --images 1";

fn bytes(table: &TruthTable) -> Vec<u8> {
    table.products().iter().flat_map(|&product| (product as u16).to_le_bytes()).collect()
}

/// Every number below `value`, with the way to it.
fn numbers(value: &Value, path: &str, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => found.push((path.to_owned(), number.as_f64().unwrap())),
        Value::Array(values) => values.iter().for_each(|value| numbers(value, path, found)),
        Value::Object(values) => {
            values.iter().for_each(|(key, value)| numbers(value, &format!("{path}.{key}"), found));
        }
        _ => {}
    }
}

#[test]
fn everything_is_measured() {
    let dir = Dir::new();
    let report = dir.skimp(&format!("{TINY} --multiplier trunc7 --threads 2 --layers --json")).json();
    let mut found = Vec::new();
    numbers(&report, "", &mut found);
    for (path, number) in &found {
        let may_be_zero = path.contains("count");
        assert!(number.is_finite() && (*number > 0.0 || may_be_zero), "{path} is {number}");
    }
    for key in [
        "w_relu_1t",
        "w_relu_nt",
        "w_uniform_1t",
        "w_uniform_nt",
        "scalar_1t",
        "scalar_nt",
        "l1_limit_1t",
        "l1_share_relu_1t",
        "times_scalar.relu_1t",
        "planned.uniform_nt.median",
        "tables.plan_us",
        "kernels.gmps.relu_1t",
        "layers.gmps.uniform_nt",
        "networks.gmps.relu_1t",
    ] {
        assert!(found.iter().any(|(path, _)| path[1..] == *key), "{key} is missing in {report}");
    }
    assert_eq!(report["threads"], 2);
    assert_eq!(report["worst_table"], "mul8u_trunc7");
    let isas = skimp::kernels::Isa::available();
    assert_eq!(report["isa"], isas.last().unwrap().name());
    let kernels = report["kernels"].as_array().unwrap();
    assert_eq!(kernels.len(), 3 * isas.len());
    for name in ["rows", "vector-tables", "matrix"] {
        for isa in &isas {
            let of = |k: &&Value| k["kernel"] == name && k["isa"] == isa.name();
            assert_eq!(kernels.iter().filter(of).count(), 1, "{name} {isa}");
        }
    }
    let layers = report["layers"].as_array().unwrap();
    assert!(layers.iter().any(|layer| layer["layer"].as_str().unwrap().contains("depthwise")));
}

#[test]
fn every_table_of_a_folder_counts() {
    let dir = Dir::new();
    let odd = TruthTable::from_fn(false, |a, w| a * w / 2 + (a ^ w) % 50).unwrap();
    dir.write("tables/costs.csv", "name,power_mw\nmul8u_X,1\nmul8u_odd,0.5\n");
    dir.write("tables/mul8u_X.bin", bytes(&TruthTable::exact(false)));
    dir.write("tables/mul8u_odd.bin", bytes(&odd));
    let report = dir.skimp(&format!("{TINY} --multipliers tables --json")).json();
    let tables = report["tables"].as_array().unwrap();
    let of = |name: &str| tables.iter().find(|table| table["multiplier"] == name).unwrap();
    assert_eq!(tables.len(), 2);
    assert_eq!(of("mul8u_X")["planned_kernel"], "matrix");
    assert_eq!(of("mul8u_odd")["planned_kernel"], "vector-tables");
    assert_eq!(of("mul8u_odd")["planned_gmps"], of("mul8u_odd")["vector_tables_gmps"]);
    assert_eq!(report["layers"].as_array().unwrap().len(), 0);
}

#[test]
fn the_text_has_every_section() {
    let run = Dir::new().skimp(&format!("{TINY} --multiplier trunc7~ --layers")).ok();
    for words in [
        "W: 3x3",
        "vector tables, worst table",
        "mul8u_trunc7~",
        "scalar baseline",
        "a plan takes",
        "first-level",
    ] {
        run.check(run.stdout.contains(words), &format!("should say {words}"));
    }
    for words in ["rows, portable", "matrix, portable, exact", "all of resnet20", "dense 64 -> 10"] {
        run.check(run.stdout.contains(words), &format!("should say {words}"));
    }
    run.check(run.stderr.contains("round 1 of"), "progress apart");
}

#[test]
fn what_can_t_be_measured_is_refused_with_the_reason() {
    let dir = Dir::new();
    let signed = TruthTable::exact(true);
    dir.write("signed/costs.csv", "name,power_mw\nmul8s_X,1\n");
    dir.write("signed/mul8s_X.bin", bytes(&signed));
    let bench = |options: &str| dir.skimp(&format!("bench emulation {options}"));
    bench("--seconds -1").refused(&["--seconds must be from 0 to 60, not -1"]);
    bench("--seconds NaN").refused(&["--seconds must be from 0 to 60, not NaN"]);
    bench("--images 0").refused(&["--images must be from 1 to 4096, not 0"]);
    bench("--multiplier nosuch").refused(&["\"nosuch\"", "near it"]);
    bench("--multipliers nosuch").refused(&["nosuch"]);
    bench("--multipliers signed").refused(&["--multipliers signed", "unsigned"]);
    bench("--threads 0").refused(&["--threads must be from 1"]);
    bench("--seconds soon").misused(&["--seconds", "soon"]);
    dir.skimp("bench").misused(&["emulation"]);
}

#[test]
fn boards_and_figures_of_theirs_that_are_unknown_are_refused() {
    let dir = Dir::new();
    let device = |rest: &str| dir.skimp(&format!("bench device {rest}"));
    device("--board arduino").refused(&["\"arduino\"", "mps2-an386", "netduinoplus2"]);
    device("--board netduinoplus2 --preset 1GHz").refused(&["--preset 1GHz", "default, 168MHz"]);
    device("--board mps2-an386 --wait-states 65").refused(&["--wait-states", "at most 64", "65"]);
    device("--board mps2-an386 --image nosuch.skimp").refused(&["error: nosuch.skimp: "]);
    device("--board mps2-an386 --model nosuch").refused(&["\"nosuch\"", "fashion-cnn", "resnet8"]);
    let named = "--model fashion-cnn --calibration-images 8 --test-images 1 --multiplier exact,trunc6";
    device(&format!("--board mps2-an386 {named}")).refused(&["--multiplier names 2", "8 layers"]);
    dir.write("text.skimp", "It was a dark and stormy night;");
    device("--board mps2-an386 --image text.skimp").refused(&["error: text.skimp: "]);
    device("--board mps2-an386 --image text.skimp --multiplier exact").misused(&["--image", "--multiplier"]);
    device("").misused(&["--board"]);
}
