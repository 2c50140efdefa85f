//! `ablate`: what each compensation is worth with each multiplier.

use crate::harness::Dir;
use crate::{FEW, assert_within, list, number, texts};
use serde_json::Value;
use skimp::multiplier::TruthTable;

/// Two multipliers that need compensation and can do without.
const LINE: &str = "ablate fashion-cnn --multiplier trunc10,trunc6 --test-images 100 --calibration-images 16";

/// The cells of a row.
fn cells(row: &Value) -> &[Value] {
    list(row, "steps")
}

#[test]
fn cells_are_what_evaluate_says() {
    let dir = Dir::new();
    let steps = ["none", "alwann", "variance+bias", "descent-on-exact+scale-shift", "all"];
    let line = format!("{LINE} --schemes unsigned,signed --first exact --steps");
    let report = dir.skimp(&format!("{line} {} --json", steps.join(" "))).json();
    assert_eq!((&report["model"], &report["test_images"]), (&"fashion-cnn".into(), &100.into()));
    let schemes = list(&report, "schemes");
    assert_eq!(schemes.len(), 2);
    for (table, (scheme, prefix)) in schemes.iter().zip([("unsigned", "mul8u_"), ("signed", "mul8s_")]) {
        assert_eq!(table["scheme"], scheme);
        assert_eq!(table["first"], format!("{prefix}exact"));
        assert_eq!(texts(list(table, "cost_sources")), ["gate-model"]);
        let rows = list(table, "multipliers");
        assert_eq!(rows.len(), 2);
        for (row, name) in rows.iter().zip(["trunc10", "trunc6"]) {
            assert_eq!(row["multiplier"], format!("{prefix}{name}"));
            assert_within(number(row, "power_rel"), 0.1, 0.9);
            let names: Vec<&str> = cells(row).iter().map(|c| c["compensation"].as_str().unwrap()).collect();
            assert_eq!(names, steps);
            assert_eq!(cells(row)[4]["steps"], "variance+descent+scale-shift+branches");
        }
        // The whole of a row in one scheme, and a column in the other.
        let row = if scheme == "unsigned" { &rows[..1] } else { rows };
        for row in row {
            for cell in cells(row).iter().skip(if scheme == "unsigned" { 0 } else { 4 }) {
                let name = row["multiplier"].as_str().unwrap();
                let compensation = cell["compensation"].as_str().unwrap();
                let alone = dir.skimp(&format!(
                    "evaluate fashion-cnn --test-images 100 --calibration-images 16 --no-float --json --first exact \
                     --scheme {scheme} --multiplier {name} --compensation {compensation}"
                ));
                let alone = alone.json();
                assert_eq!(table["accuracy_8bit"], alone["accuracy_8bit"]);
                assert_eq!(cell["accuracy_pct"], alone["accuracy_approx"], "{cell}\n{alone}");
                for figure in ["loss_pp", "loss_se_pp", "kl"] {
                    assert_eq!(cell[figure], alone[figure], "{cell}\n{alone}");
                }
                assert!(number(cell, "compensation_seconds") >= 0.0 && cell["reason"].is_null(), "{cell}");
            }
        }
    }
}

#[test]
fn the_best_of_each_row_is_marked_and_every_cell_written() {
    let dir = Dir::new();
    let line = format!("{LINE} --multiplier mul8u_bam_h4_v8~ --schemes sign-magnitude,unsigned,unsigned");
    let line = format!("{line} --steps none,variance,variance+scale-shift,variance,all --csv out/cells.csv");
    let report = dir.skimp(&format!("{line} --json")).json();
    let run = dir.skimp(&format!("{line} --kl")).ok();
    run.check(run.stderr.contains("unsigned: mul8u_trunc6, variance+scale-shift: "), "each cell, apart");
    let csv = dir.text("out/cells.csv");
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 1 + 2 * 3 * 4);
    let mut lines = lines[1..].iter();
    for table in list(&report, "schemes") {
        let scheme = table["scheme"].as_str().unwrap();
        let shown = run.stdout.split(&format!("\n{scheme} scheme, ")).nth(1).unwrap();
        let exact = format!("8-bit exact {:.2} %\n", number(table, "accuracy_8bit"));
        run.check(shown.starts_with(&exact), "exact accuracy in the heading");
        let rows = list(table, "multipliers");
        let names: Vec<&str> = rows.iter().map(|row| row["multiplier"].as_str().unwrap()).collect();
        assert_eq!(names, ["mul8u_trunc10", "mul8u_trunc6", "mul8u_bam_h4_v8~"]);
        for row in rows {
            let accuracies: Vec<f64> = cells(row).iter().map(|cell| number(cell, "accuracy_pct")).collect();
            assert_eq!(accuracies.len(), 4, "the same steps twice are one column");
            let best: Vec<&Value> = cells(row).iter().filter(|c| c["compensation"] == row["best"]).collect();
            assert_eq!(number(best[0], "accuracy_pct"), accuracies.iter().copied().fold(0.0, f64::max));
            let equals = cells(row).iter().filter(|cell| cell["accuracy_pct"] == best[0]["accuracy_pct"]);
            assert!(equals.map(|cell| number(cell, "kl")).all(|kl| kl >= number(best[0], "kl")), "{row}");

            let name = row["multiplier"].as_str().unwrap();
            let marks = |text: &str| -> Vec<String> {
                let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
                line.split_whitespace().skip(2).map(str::to_owned).collect()
            };
            let expected = cells(row).iter().zip(&accuracies).map(|(cell, accuracy)| {
                format!("{accuracy:.2}{}", if cell["compensation"] == row["best"] { "*" } else { "" })
            });
            assert_eq!(marks(shown), expected.collect::<Vec<_>>());
            let (_, divergences) = run.stdout.split_once("KL divergence").unwrap();
            let shown = divergences.split(&format!("\n{scheme} scheme, ")).nth(1).unwrap();
            let least = cells(row).iter().map(|cell| number(cell, "kl")).fold(f64::INFINITY, f64::min);
            let marked = marks(shown).into_iter().filter(|kl| kl.ends_with('*')).collect::<Vec<_>>();
            assert_eq!(marked, [format!("{least:.4}*")]);

            for cell in cells(row) {
                let fields = lines.next().unwrap();
                assert_eq!(fields[..2], [scheme, name]);
                assert_eq!(fields[3], cell["compensation"]);
                let figures = ["accuracy_pct", "loss_pp", "loss_se_pp", "kl"].map(|key| number(cell, key));
                assert_eq!([4, 5, 6, 7].map(|i| fields[i].parse::<f64>().unwrap()), figures);
            }
        }
    }
}

#[test]
fn eight_multipliers_and_nine_compensations_unless_told_otherwise() {
    let dir = Dir::new();
    let few = "--test-images 10 --calibration-images 1";
    let report = dir.skimp(&format!("ablate fashion-cnn {few} --steps none --json")).json();
    let schemes = list(&report, "schemes");
    let names: Vec<&str> = schemes.iter().map(|table| table["scheme"].as_str().unwrap()).collect();
    assert_eq!(names, ["sign-magnitude", "unsigned", "signed"]);
    for table in schemes {
        let powers: Vec<f64> =
            list(table, "multipliers").iter().map(|row| number(row, "power_rel")).collect();
        assert!(powers.len() == 8 && powers.is_sorted_by(|x, y| x > y), "{powers:?}");
        assert_within(powers[0], 0.65, 0.75);
        assert_within(powers[7], 0.02, 0.06);
    }
    let line = format!("ablate fashion-cnn {few} --schemes unsigned --multiplier trunc6 --json");
    let report = dir.skimp(&line).json();
    let row = &list(&report["schemes"][0], "multipliers")[0];
    let names: Vec<&str> = cells(row).iter().map(|cell| cell["compensation"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "none",
            "alwann",
            "squared",
            "variance",
            "variance+bias",
            "variance+scale-shift",
            "variance+activation-sum+scale-shift",
            "variance+descent+scale-shift",
            "all"
        ]
    );
}

#[test]
fn the_signed_scheme_needs_signed_multipliers() {
    let dir = Dir::new();
    for (folder, name, signed) in [("tables", "mul8u_X", false), ("signed", "mul8s_X", true)] {
        let exact = TruthTable::exact(signed);
        let bytes: Vec<u8> = exact.products().iter().flat_map(|&p| (p as u16).to_le_bytes()).collect();
        dir.write(format!("{folder}/costs.csv"), format!("name,power_mw\n{name},1\n"));
        dir.write(format!("{folder}/{name}.bin"), bytes);
    }
    let line = format!("ablate fashion-cnn {FEW} --steps none --multipliers tables");
    dir.skimp(&line).refused(&["--schemes signed", "--multipliers tables", "--signed-multipliers"]);
    let both = format!("{line} --signed-multipliers");
    dir.skimp(&format!("{both} tables --schemes signed"))
        .refused(&["--signed-multipliers tables", "unsigned"]);
    let line = line.replace("tables", "signed --schemes unsigned");
    dir.skimp(&line).refused(&["--multipliers signed", "needs unsigned multipliers, these are signed"]);
    dir.skimp(&format!("{both} signed"))
        .refused(&["--multipliers tables: no multiplier is approximate", "--multiplier"]);
    let report = dir.skimp(&format!("{both} signed --multiplier X --json")).json();
    for (table, name) in list(&report, "schemes").iter().zip(["mul8u_X", "mul8u_X", "mul8s_X"]) {
        let row = &list(table, "multipliers")[0];
        assert_eq!((row["multiplier"].as_str(), number(&cells(row)[0], "loss_pp")), (Some(name), 0.0));
    }
}

#[test]
fn what_is_not_there_is_refused_before_anything_is_measured() {
    let dir = Dir::new();
    let ablate = |options: &str| dir.skimp(&format!("ablate fashion-cnn {FEW} {options}"));
    ablate("--multiplier trunc6,trnc6").refused(&["--multiplier trnc6", "sign-magnitude", "near it"]);
    ablate("--first nosuch").refused(&["--first nosuch", "near it"]);
    ablate("--multipliers nosuch --schemes unsigned").refused(&["nosuch"]);
    // Names that say their signedness have rows where they can.
    let unsigned = "--multiplier mul8u_trunc6";
    ablate(unsigned).refused(&["--multiplier mul8u_trunc6", "the signed scheme needs signed", "--schemes"]);
    ablate("--schemes unsigned --multiplier trunc6,mul8s_trunc6")
        .refused(&["--multiplier mul8s_trunc6", "none of --schemes takes signed"]);
    ablate("--steps none,foo").misused(&["--steps", "\"foo\" is no compensation"]);
    ablate("--steps bias+scale-shift").misused(&["--steps", "two steps of the kind"]);
    ablate("--schemes unsigned,foo").misused(&["--schemes", "foo", "unsigned, signed, sign-magnitude"]);
    ablate("--scheme signed").misused(&["'--scheme'", "'--schemes'"]);
    dir.skimp("ablate fashion-cnn --test-images 0").refused(&["--test-images must be at least 1"]);
    dir.folder("folder");
    ablate("--csv folder").refused(&["--csv folder", "is a folder"]);
    dir.write("file", "");
    ablate("--csv file/cells.csv").refused(&["--csv file/cells.csv", "not a folder"]);
}
