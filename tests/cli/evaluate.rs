//! `evaluate`: accuracies, kernels, and what it refuses.

use crate::*;

#[test]
fn reports_accuracies_as_text() {
    let run = Dir::new().skimp(&format!("evaluate fashion-cnn {FEW} --multiplier mul8u_trunc6")).ok();
    let accuracy = |what: &str| -> f64 {
        let rest = run.stdout.lines().find_map(|line| line.trim_start().strip_prefix(what));
        run.check(rest.is_some(), &format!("should report on {what}"));
        let words: Vec<&str> = rest.unwrap().split_whitespace().take(2).collect();
        run.check(words[1] == "%", "should give percent");
        words[0].parse().unwrap()
    };
    assert_within(accuracy("float"), 85.0, 99.0);
    assert_within(accuracy("8-bit exact"), 85.0, 99.0);
    assert_within(accuracy("mul8u_trunc6"), 80.0, 99.0);
    run.check(run.stdout.starts_with("fashion-cnn on 200 test images, sign-magnitude scheme\n"), "title");
    run.check(run.stdout.contains("% of multiplication energy saved"), "energy");
    run.check(!run.stdout.contains("importing") && run.stderr.contains("importing"), "progress apart");
}

#[test]
fn the_exact_multiplier_loses_nothing() {
    let dir = Dir::new();
    for compensation in ["all", "none"] {
        let line = "--multiplier exact --json --compensation";
        let report = dir.skimp(&format!("evaluate fashion-cnn {FEW} {line} {compensation}")).json();
        assert_eq!(report["model"], "fashion-cnn");
        assert_eq!(report["test_images"], 200);
        assert_eq!(report["multiplier"], "mul8u_exact");
        assert_eq!(report["accuracy_approx"], report["accuracy_8bit"]);
        for zero in ["loss_pp", "loss_se_pp", "kl", "energy_saved_pct"] {
            assert_eq!(number(&report, zero), 0.0, "{zero}");
        }
        assert_within(number(&report, "accuracy_float"), 85.0, 99.0);
        let quantization = number(&report, "accuracy_float") - number(&report, "accuracy_8bit");
        assert_within(quantization, -3.0, 3.0);
    }
}

#[test]
fn every_scheme_keeps_the_accuracy_with_a_mild_multiplier() {
    let dir = Dir::new();
    for (scheme, multiplier) in [
        ("sign-magnitude", "mul8u_trunc6"),
        ("sign-magnitude:0", "mul8u_trunc6"),
        ("unsigned", "mul8u_trunc6"),
        ("signed", "mul8s_trunc6"),
    ] {
        let line = format!("evaluate fashion-cnn {FEW} --scheme {scheme} --multiplier trunc6 --no-float");
        let report = dir.skimp(&format!("{line} --json")).json();
        assert_eq!(report["scheme"], scheme);
        assert_eq!(report["multiplier"], multiplier);
        assert!(report.get("accuracy_float").is_none(), "{report}");
        assert_within(number(&report, "accuracy_8bit"), 85.0, 99.0);
        assert_within(number(&report, "loss_pp"), -3.0, 8.0);
        let loss = number(&report, "accuracy_8bit") - number(&report, "accuracy_approx");
        assert!((loss - number(&report, "loss_pp")).abs() < 1e-9, "{report}");
        assert!(number(&report, "kl") > 0.0, "{report}");
        assert_within(number(&report, "energy_saved_pct"), 1.0, 80.0);
    }
}

#[test]
fn explains_how_each_layer_is_emulated() {
    let dir = Dir::new();
    let line = format!("evaluate fashion-cnn {FEW} --no-float --explain --multiplier bam_h4_v8 --first w3");
    let report = dir.skimp(&format!("{line} --json")).json();
    let layers = report["kernels"].as_array().unwrap();
    assert_eq!(layers.len(), 8);
    let of = |layer: usize, what: &str| layers[layer][what].as_str().unwrap().to_owned();
    // Fewer bits are still one product; what is left of a broken array is none.
    assert_eq!((of(0, "multiplier").as_str(), of(0, "kernel").as_str()), ("mul8u_w3", "matrix"));
    assert!(of(0, "why").contains("a product of functions of one operand"), "{}", of(0, "why"));
    assert_eq!(
        (of(2, "multiplier").as_str(), of(2, "kernel").as_str()),
        ("mul8u_bam_h4_v8", "vector-tables")
    );
    assert!(of(2, "why").contains("addition"), "{}", of(2, "why"));
    let text = dir.skimp(&line).ok();
    text.check(text.stdout.starts_with("layer "), "table first");
    text.check(text.stdout.contains("vector-tables") && text.stdout.contains("emulated "), "kernels, time");
}

#[test]
fn compensation_and_the_first_layer_s_multiplier_make_a_difference() {
    let dir = Dir::new();
    let kl = |options: &str| {
        let line = format!("evaluate fashion-cnn {FEW} --no-float --json --multiplier trunc10 {options}");
        let report = dir.skimp(&line).json();
        (number(&report, "kl"), number(&report, "energy_saved_pct"))
    };
    let (bare, saved) = kl("--compensation none");
    let (compensated, same) = kl("");
    assert!(compensated < bare, "{compensated} >= {bare}");
    assert_eq!(saved, same);
    let (_, less) = kl("--first exact");
    assert!(less < saved, "{less} >= {saved}");
}

#[test]
fn unknown_names_are_answered_with_those_there_are() {
    let dir = Dir::new();
    let evaluate = |options: &str| dir.skimp(&format!("evaluate fashion-cnn {FEW} {options}"));
    evaluate("--multiplier mul8u_trnc6").refused(&["\"mul8u_trnc6\"", "near it: mul8u_trunc6"]);
    evaluate("--multiplier mul8s_trunc6").refused(&["\"mul8s_trunc6\"", "unsigned", "mul8u_trunc6"]);
    evaluate("--multiplier exact --first nosuch").refused(&["\"nosuch\""]);
    evaluate("--scheme foo").misused(&["--scheme", "foo", "unsigned, signed, sign-magnitude"]);
    evaluate("--scheme sign-magnitude:2").misused(&["--scheme", "0 or 1"]);
    evaluate("--range foo").misused(&["--range", "foo", "percentile:P"]);
    evaluate("--compensation foo").misused(&["--compensation", "foo", "alwann"]);
}

#[test]
fn a_mean_may_be_negative() {
    Dir::new().skimp(&format!("evaluate fashion-cnn {FEW} --no-float --mean -0.1")).ok();
}

#[test]
fn of_a_small_data_set_all_images_are_taken() {
    let dir = Dir::new();
    let report = dir.skimp("evaluate digits-cnn --json").json();
    assert_eq!(report["test_images"], 510);
    assert_within(number(&report, "accuracy_8bit"), 98.0, 100.0);
    dir.skimp("evaluate digits-cnn --test-images 511").refused(&["510 images, 511 were asked for"]);

    let optimize = "optimize digits-cnn --multipliers low-bit --out out --generations 1 --population 4 \
                    --finalists 1 --schemes sign-magnitude --ranges minmax --no-baselines";
    dir.skimp(optimize).ok();
    // One more is needed to choose on.
    dir.skimp(&format!("{optimize} --selection-images 258")).refused(&["258 images, 259 were asked for"]);
}
