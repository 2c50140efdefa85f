//! `multipliers evolve`: what it breeds, records and refuses.

use crate::harness::Dir;
use crate::multipliers::{figure, listed};
use serde_json::Value;

const QUICK: &str = "multipliers evolve --metric mae --bounds 0.05,0.5 --candidates 300 --seed 3";

#[test]
fn libraries_are_bred_resumed_and_used() {
    let dir = Dir::new();
    let run = dir.skimp(&format!("{QUICK} --epochs 2 --out mine.jsonl")).ok();
    assert!(run.stdout.contains("multipliers in mine.jsonl; 1200 candidates"), "{}", run.stdout);
    let rows = dir.skimp("multipliers list --multipliers mine.jsonl --family evolved --json").json();
    let rows = rows.as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["mae_pct"].as_f64().unwrap() <= 0.5), "{rows:?}");
    let name = rows[0]["name"].as_str().unwrap();
    let shown = dir.skimp(&format!("multipliers show {name} --multipliers mine.jsonl --json")).json();
    let made = "skimp multipliers evolve --metric mae --bounds 0.05,0.5 --epochs 2 --candidates 300 --seed 3";
    assert_eq!(shown["provenance"], made);

    // In two runs, on one thread: the same library.
    let line = format!("{QUICK} --out again.jsonl");
    let first = dir.skimp(&format!("{line} --epochs 1 --threads 1")).ok();
    first.check(first.stderr.contains("again.jsonl.checkpoint.json keeps"), "should say how to go on");
    first.check(first.stderr.contains("epoch 1 of 1: "), "should show its progress");
    let second = dir.skimp(&format!("{line} --epochs 2")).ok();
    second.check(second.stderr.contains("is at epoch 1 of 2"), "should say where it begins");
    assert_eq!(dir.read("mine.jsonl"), dir.read("again.jsonl"));
    // Epochs can't be taken back, and two are not called one.
    dir.skimp(&format!("{line} --epochs 1")).refused(&["again.jsonl.checkpoint.json", "at epoch 2"]);
    assert_eq!(dir.read("mine.jsonl"), dir.read("again.jsonl"));
    dir.skimp(&line.replace("--seed 3", "--seed 4")).refused(&["--seed: 3 there, 4 now"]);
    let head = dir.text("mine.jsonl").lines().next().unwrap().to_owned();
    assert!(head.contains(concat!("skimp ", env!("CARGO_PKG_VERSION"))), "{head}");
    dir.skimp("multipliers list --multipliers builtin,mine.jsonl").ok();

    // Begun with what was bred before, nothing gets worse.
    dir.skimp(&format!("{QUICK} --epochs 1 --begin-with mine.jsonl --out more.jsonl")).ok();
    let cheapest = |file: &str| {
        let rows = dir.skimp(&format!("multipliers list --multipliers {file} --json")).json();
        let rows = rows.as_array().unwrap().iter().filter(|row| row["mae_pct"].as_f64().unwrap() <= 0.5);
        rows.map(|row| row["power_rel"].as_f64().unwrap()).fold(f64::INFINITY, f64::min)
    };
    assert!(cheapest("more.jsonl") <= cheapest("mine.jsonl"));
}

#[test]
fn goals_are_answered_line_by_line() {
    let dir = Dir::new();
    let line = "multipliers evolve --metric wce --bounds 2,20 --zero-preserving --max-bias 30 --candidates 300 \
                --epochs 1 --out mine.jsonl";
    let run = dir.skimp(line).ok();
    for text in
        ["wce <= 20 %, zeros kept, bias <= 30  mul8u_", "2 of 2 goals met", "keeping zeros and a mean"]
    {
        run.check(run.stdout.contains(text), text);
    }
    // Once more, without a single epoch: what is reached is in the checkpoint.
    let report = dir.skimp(&format!("{line} --json")).json();
    let written = listed(&dir, "--multipliers mine.jsonl");
    assert_eq!(report["multipliers"].as_array().unwrap().len(), written.len());
    assert_eq!((&report["epochs"], &report["candidates"]), (&1.into(), &0.into()));
    let row = |name: &Value| written.iter().find(|row| row["name"] == *name).unwrap();
    for (goal, bound) in report["goals"].as_array().unwrap().iter().zip([2.0, 20.0]) {
        let row = row(&goal["name"]);
        assert_eq!((figure(&goal["bounds"], "wce_pct"), &goal["metric"]), (bound, &"wce".into()));
        assert_eq!(figure(goal, "error_pct"), figure(row, "wce_pct"));
        assert!(figure(row, "wce_pct") <= bound && figure(row, "mean_error").abs() <= 30.0, "{row}");
        let cheaper = |other: &&Value| {
            figure(other, "power_rel") < figure(row, "power_rel")
                && figure(other, "wce_pct") <= bound
                && figure(other, "mean_error").abs() <= 30.0
                && other["zero_preserving"] == true
        };
        assert_eq!(written.iter().find(cheaper), None);
    }
    for multiplier in report["multipliers"].as_array().unwrap() {
        let row = row(&multiplier["name"]);
        let keeps = row["zero_preserving"] == true && figure(row, "mean_error").abs() <= 30.0;
        assert_eq!(multiplier["keeps_common_bounds"], keeps, "{row}");
        // Landmarks alone need not keep to the bias; zeros all of them keep.
        assert_eq!(row["zero_preserving"], true, "{row}");
    }
}

#[test]
fn multipliers_are_bred_for_a_layer() {
    let dir = Dir::new();
    let options = "--metric noise --bounds 0.05 --network fashion-cnn --layer 1 --scheme sign-magnitude \
                   --range percentile:90 --calibration-images 8";
    let line = format!("multipliers evolve {options} --epochs 1 --candidates 300 --out layer.jsonl");
    dir.skimp(&line).ok();
    let rows = dir.skimp("multipliers list --multipliers layer.jsonl --json").json();
    let bred =
        rows.as_array().unwrap().iter().find(|row| row["name"].as_str().unwrap().starts_with("mul8u_n"));
    let bred = bred.unwrap();
    assert!(bred["power_rel"].as_f64().unwrap() < 0.99);
    dir.skimp(&line.replace("--layer 1", "--layer none")).refused(&["layer.jsonl.checkpoint.json", "none"]);
    let elsewhere = line.replace("--out layer", "--out other");
    dir.skimp(&elsewhere.replace("--layer 1", "--layer none")).refused(&["\"none\"", "/0/0.0/Conv"]);

    // All that decides the operands is told, and another distribution is another evolution.
    let show =
        format!("multipliers show {} --multipliers layer.jsonl --json", bred["name"].as_str().unwrap());
    let made = format!("skimp multipliers evolve {options} --epochs 1 --candidates 300 --seed 1");
    assert_eq!(dir.skimp(&show).json()["provenance"], made);
    for (option, other) in
        [("--range percentile:90", ""), ("images 8", "images 9"), ("--layer 1", "--layer 2")]
    {
        dir.skimp(&line.replace(option, other)).refused(&["layer.jsonl.checkpoint.json", "operands: "]);
    }
    dir.skimp(&format!("{line} --mean=0.1")).refused(&["operands: ", "--mean=0.1 "]);
}

#[test]
fn multipliers_are_bred_for_operands_of_ones_own() {
    let dir = Dir::new();
    let counts = |place: usize| {
        let counts: Vec<u64> = (0..256).map(|i| u64::from(i <= place)).collect();
        serde_json::json!({ "activation": counts, "weight": counts }).to_string()
    };
    dir.write("mine.json", counts(40));
    let line = "multipliers evolve --metric noise --bounds 0.01 --distribution mine.json --epochs 1 --candidates 300 \
                --out mine.jsonl --json";
    let report = dir.skimp(line).json();
    let command = report["command"].as_str().unwrap();
    assert!(command.contains("--distribution mine.json") && command.contains("# operands "), "{command}");
    // Small operands leave most of the array idle.
    assert!(figure(&report["goals"][0], "power_rel") < 0.7, "{report}");
    assert!(figure(&report["goals"][0], "error_pct") <= 0.01, "{report}");
    dir.write("mine.json", counts(41));
    dir.skimp(line).refused(&["mine.jsonl.checkpoint.json", "other counts"]);
    dir.skimp(&format!("{line} --network resnet8")).misused(&["--distribution"]);
}

#[test]
fn files_are_checked_before_anything_is_bred() {
    let dir = Dir::new();
    let evolve = |options: &str| dir.skimp(&format!("multipliers evolve {options}"));
    evolve("--out mine.json").refused(&["--out mine.json", ".jsonl"]);
    dir.folder("folder.jsonl");
    evolve("--out folder.jsonl").refused(&["folder.jsonl: is a folder"]);
    dir.write("precious.jsonl", "{\"years\": \"of work\"}\n");
    evolve("--out precious.jsonl").refused(&["precious.jsonl: is there and no library"]);
    evolve("--out a.jsonl --checkpoint ./a.jsonl").refused(&["--checkpoint ./a.jsonl", "--out"]);
    dir.write("file", "");
    evolve("--out file/a.jsonl").refused(&["file: is not a folder"]);
    evolve("--out a.jsonl --checkpoint file/c.json").refused(&["file: is not a folder"]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let dir = Dir::new();
    let refused = |options: &str, reasons: &[&str]| {
        dir.skimp(&format!("multipliers evolve --out x.jsonl --epochs 1 --candidates 10 {options}"))
            .refused(reasons)
    };
    let wrong = |options: &str, reasons: &[&str]| {
        dir.skimp(&format!("multipliers evolve --out x.jsonl {options}")).misused(reasons)
    };
    wrong("--metric mae", &["--bounds"]);
    wrong("--metric mae --bounds 1..0.5:3", &["goes up"]);
    wrong("--metric mae --bounds a", &["\"a\" is no bound"]);
    wrong("--metric mae --bounds -1", &["\"-1\" is no bound"]);
    refused("--metric noise --bounds 1", &["--network", "--distribution"]);
    refused("--metric mae --bounds 1 --distribution d.json", &["--distribution", "--metric noise"]);
    dir.skimp("multipliers evolve --out x.jsonl --candidates 0").refused(&["--candidates"]);
    refused("--metric mae --bounds 1 --network fashion-cnn", &["--metric noise"]);
    refused("--metric noise --bounds 1 --network fashion-cnn --signed", &["sign-magnitude", "--signed"]);
    refused("--begin-with builtin --metric mae --bounds 1 --max-bias -1", &["--max-bias -1", "0 or more"]);
    dir.write("x.jsonl.checkpoint.json", "{}");
    refused("--metric mae --bounds 1", &["x.jsonl.checkpoint.json", "no checkpoint"]);
    dir.write("text.jsonl", "{\"format\":\"other\",\"version\":1,\"signed\":false,\"licence\":\"\"}\n");
    dir.skimp("multipliers list --multipliers text.jsonl").refused(&[
        "text.jsonl",
        "line 1",
        "skimp-netlists",
    ]);
}
