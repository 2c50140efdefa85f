//! Folders of truth tables as libraries.

use crate::*;

/// A table's file: the product of `a` without its lowest `cut` bits, and `w`.
fn table(cut: u32) -> Vec<u8> {
    let pairs = (0..=255u16).flat_map(|a| (0..=255u16).map(move |w| ((a >> cut) << cut) * w));
    pairs.flat_map(u16::to_le_bytes).collect()
}

const COSTS: &str = "# from a data sheet\nname,power_mw,area_um2\nmul8u_one,0.4,700\nmul8u_two,0.1,\n";

/// A folder `mine` with an exact and an approximate multiplier.
fn folder() -> Dir {
    let dir = Dir::new();
    dir.write("mine/costs.csv", COSTS);
    dir.write("mine/mul8u_one.bin", table(0));
    dir.write("mine/mul8u_two.bin", table(2));
    dir
}

#[test]
fn a_folder_of_tables_serves_like_the_built_in_library() {
    let dir = folder();
    let evaluate = |name: &str| {
        let line = "evaluate fashion-cnn --no-float --json --multipliers mine --multiplier";
        dir.skimp(&format!("{line} {name} {FEW}")).json()
    };
    let exact = evaluate("mul8u_one");
    assert_eq!(exact["accuracy_approx"], exact["accuracy_8bit"]);
    assert_eq!((number(&exact, "loss_pp"), number(&exact, "energy_saved_pct")), (0.0, 0.0));
    for (name, full) in [("two", "mul8u_two"), ("mul8u_two~", "mul8u_two~")] {
        let report = evaluate(name);
        assert_eq!(report["multiplier"], full);
        assert!((number(&report, "energy_saved_pct") - 75.0).abs() < 1e-9, "{report}");
        assert_within(number(&report, "loss_pp"), -3.0, 8.0);
        assert!(number(&report, "kl") > 0.0, "{report}");
    }

    let line = format!("optimize fashion-cnn {TINY} --multipliers mine --max-loss 5 --out out");
    dir.skimp(&line).ok();
    let front = dir.json("out/front.json");
    assert_eq!(texts(list(&front, "cost_sources")), ["published"]);
    let names = list(&front, "front").iter().flat_map(|point| texts(list(point, "assignment")));
    assert!(names.into_iter().all(|name| ["mul8u_one", "mul8u_two", "mul8u_two~"].contains(&name)));

    let line = format!("image build fashion-cnn {FEW} --multipliers mine --assignment two --out a.skimp");
    dir.skimp(&line).ok();
    let contents = dir.skimp("image inspect a.skimp --json").json();
    let layers = list(&contents, "layers").iter().filter(|layer| layer["operator"] == "conv2d");
    assert!(layers.into_iter().all(|layer| layer["multiplier"] == "mul8u_two"), "{contents}");
}

/// Refuses the folder after `change` with these words.
#[track_caller]
fn refused(change: impl FnOnce(&Dir), mentions: &[&str]) {
    let dir = folder();
    change(&dir);
    dir.skimp(&format!("evaluate fashion-cnn {FEW} --multipliers mine --multiplier two")).refused(mentions);
}

#[test]
fn faults_are_named_by_file_and_line() {
    let costs = |text: String| move |dir: &Dir| dir.write("mine/costs.csv", text);
    let csv = "error: mine/costs.csv: ";
    refused(|dir| dir.write("mine/mul8u_two.bin", &table(2)[1..]), &["mine/mul8u_two.bin: 131071 bytes"]);
    refused(|dir| dir.write("mine/mul8u_two.bin", ""), &["mine/mul8u_two.bin: 0 bytes", "131072"]);
    refused(costs(COSTS.replace("mul8u_two", "mul8u_2")), &[csv, "mul8u_two"]);
    refused(costs(COSTS.replace("0.1", "cheap")), &[csv, "line 4: ", "power_mw", "\"cheap\""]);
    refused(costs(COSTS.replace("0.1", "-0.1")), &[csv, "line 4: ", "power_mw", "\"-0.1\""]);
    refused(costs(COSTS.replace("700", "NaN")), &[csv, "line 3: ", "area_um2", "\"NaN\""]);
    refused(costs(format!("{COSTS}mul8u_one,1,1\n")), &[csv, "line 5: ", "mul8u_one", "line 3"]);
    refused(costs(format!("{COSTS}mul8u_six,1\n")), &[csv, "line 5: ", "2 fields", "3"]);
    refused(costs(COSTS.replace("power_mw", "power")), &[csv, "line 2: ", "power_mw"]);
    refused(costs("".into()), &[csv, "name,power_mw"]);
    refused(|dir| std::fs::remove_file(dir.path("mine/costs.csv")).unwrap(), &[csv]);
    refused(|dir| std::fs::remove_file(dir.path("mine/mul8u_one.bin")).unwrap(), &["mine", "exact"]);
    let signed = |dir: &Dir| {
        std::fs::rename(dir.path("mine/mul8u_two.bin"), dir.path("mine/mul8s_two.bin")).unwrap();
        dir.write("mine/costs.csv", COSTS.replace("mul8u_two", "mul8s_two"));
    };
    refused(signed, &["mine", "mul8u_one", "mul8s_two", "signed"]);
}

#[test]
fn a_folder_that_does_not_suit_is_refused() {
    let dir = folder();
    dir.folder("empty");
    let with = |options: &str| dir.skimp(&format!("evaluate fashion-cnn {FEW} {options}"));
    with("--multipliers nosuch").refused(&["error: nosuch: "]);
    with("--multipliers empty").refused(&["error: empty: ", "131072"]);
    with("--multipliers mine --scheme signed").refused(&["signed scheme", "unsigned"]);
    let optimize = |options: &str| dir.skimp(&format!("optimize fashion-cnn --out out {options}"));
    optimize("--multipliers mine --schemes signed").refused(&["signed scheme", "--signed-multipliers"]);
    optimize("--multipliers mine --signed-multipliers mine").refused(&["--signed-multipliers", "unsigned"]);
    with("--multipliers mine --multiplier trunc6").refused(&["\"trunc6\"", "mul8u_two"]);
}
