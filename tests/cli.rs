//! The real binary from end to end: what each subcommand prints and writes, and how it refuses what it can't
//! use.

// Not a module of `common`, so that the other tests do not carry it unused.
#[path = "common/cli.rs"]
mod harness;

#[path = "cli/ablate.rs"]
mod ablate;
#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/evolve.rs"]
mod evolve;
#[path = "cli/formats.rs"]
mod formats;
#[path = "cli/multipliers.rs"]
mod multipliers;

use harness::{Dir, Finished};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Enough images for rough accuracies.
const FEW: &str = "--test-images 200 --calibration-images 32";
/// A search that takes seconds.
const TINY: &str = "--population 6 --generations 2 --finalists 4 --selection-images 60 --choice-images 60 \
                    --calibration-images 16 --test-images 100 --no-baselines";
/// What `optimize` writes.
const OUTPUTS: [&str; 4] = ["front.csv", "front.json", "front.svg", "network.skimp"];
/// Multiplying layers of fashion-cnn, and the multiplications of an inference.
const LAYERS: usize = 8;
const MULTIPLICATIONS: u64 = 1_794_272;
/// Bytes of one input of fashion-cnn.
const INPUT: usize = 28 * 28;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} is no number in {value}"))
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is no list in {value}"))
}

fn texts(values: &[Value]) -> Vec<&str> {
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

#[track_caller]
fn assert_within(value: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&value), "{value} is not from {low} to {high}");
}

/// Pixels of the test images that come with skimp.
fn test_images(count: usize) -> Vec<u8> {
    let file = std::fs::File::open(models().join("data/fashion-mnist/test-images.idx3-ubyte.gz")).unwrap();
    let mut bytes = vec![0; 16 + count * INPUT];
    flate2::read::GzDecoder::new(file).read_exact(&mut bytes).unwrap();
    bytes.split_off(16)
}

/// Builds an image of fashion-cnn.
#[track_caller]
fn build(dir: &Dir, assignment: &str, name: &str) -> Finished {
    let line = format!("image build fashion-cnn {FEW} --assignment {assignment} --out {name}");
    dir.skimp(&line).ok()
}

mod help {
    use super::*;

    /// The words after `heading` at the beginning of each line.
    fn section<'t>(text: &'t str, heading: &str) -> Vec<&'t str> {
        let lines = text.lines().skip_while(|line| *line != heading).skip(1);
        let lines = lines.take_while(|line| line.starts_with("  "));
        lines.filter(|line| !line.starts_with("   ")).filter_map(|l| l.split_whitespace().next()).collect()
    }

    #[test]
    fn every_subcommand_explains_itself_and_its_options() {
        let network = "MODEL --data --mean --std --scheme --range --calibration-images --test-images \
                       --multipliers --compensation";
        let search = "--max-loss --tiles --max-distinct --keep-exact --accelerator --array-size --error --area \
                      --population --generations --exhaustive --finalists --selection-images --choice-images \
                      --seed --memory --mix-cost-sources --every-choice --out --json";
        let of_command = [
            ("demo", format!("{network} {search} --board --images --no-install")),
            ("optimize", format!("{network} {search} --no-baselines --resume")),
            ("evaluate", format!("{network} --multiplier --first --no-float --explain --json")),
            (
                "ablate",
                "MODEL --data --mean --std --schemes --range --calibration-images --test-images --multipliers \
                 --signed-multipliers --multiplier --first --steps --kl --csv --json"
                    .into(),
            ),
            ("image build", format!("{network} --assignment --out")),
            ("image inspect", "<IMAGE> --json".into()),
            ("run", "<IMAGE> --board --inputs --images --mean --std --no-install --json".into()),
            ("flash", "<IMAGE> --board --image-only --no-install".into()),
            ("data fetch", "<NAME>".into()),
            ("multipliers list", "--multipliers --signed --family --front --sort --json".into()),
            (
                "multipliers show",
                "<NAME> --multipliers --signed --heat-map --network --layer --scheme --json".into(),
            ),
            ("multipliers import", "<PATH> --out --replace --swap-operands --index --name --power-mw".into()),
            ("multipliers export", "--multipliers --names --format --swap-operands --out --json".into()),
            ("bench emulation", "--multipliers --multiplier --layers --seconds --images --json".into()),
        ];
        let dir = Dir::new();
        let mut commands = vec![String::new()];
        let mut leaves = Vec::new();
        while let Some(command) = commands.pop() {
            let run = dir.skimp(&format!("{command} --help")).ok();
            let nested = section(&run.stdout, "Commands:");
            if nested.is_empty() {
                leaves.push(command.clone());
            }
            let nested = nested.into_iter().filter(|&name| name != "help");
            commands.extend(nested.map(|name| format!("{command} {name}").trim().to_owned()));
            let options = of_command.iter().find(|(name, _)| *name == command);
            let options = options.map_or("", |(_, options)| options).split_whitespace();
            for option in options.chain(["Usage: skimp", "--threads", "--help"]) {
                run.check(run.stdout.contains(option), &format!("should name {option}"));
            }
            run.check(run.stderr.is_empty(), "should print help on standard output alone");
        }
        for (command, _) in of_command {
            assert!(leaves.iter().any(|leaf| leaf == command), "{command} is missing among {leaves:?}");
        }
    }

    #[test]
    fn the_version_is_the_package_s() {
        let run = Dir::new().skimp("--version").ok();
        assert_eq!(run.stdout, format!("skimp {}\n", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn slips_of_the_pen_are_answered_with_a_hint() {
        let dir = Dir::new();
        dir.skimp("").misused(&["Usage: skimp", "optimize", "evaluate"]);
        dir.skimp("frob").misused(&["unrecognized subcommand 'frob'", "--help"]);
        dir.skimp("evalute fashion-cnn").misused(&["'evalute'", "similar subcommands exist", "'evaluate'"]);
        dir.skimp("evaluate fashion-cnn --schme signed").misused(&["'--schme'", "exists: '--scheme'"]);
        dir.skimp("image").misused(&["build", "inspect"]);
        dir.skimp("evaluate").misused(&["<MODEL>"]);
        dir.skimp("image build fashion-cnn").misused(&["--assignment"]);
        dir.skimp("run x.skimp --inputs fashion-mnist").misused(&["--board"]);
        dir.skimp("evaluate fashion-cnn --first exact").misused(&["--multiplier"]);
    }

    #[test]
    fn advice_in_messages_can_be_followed() {
        let dir = Dir::new();
        let run = dir.skimp("evaluate fashion-cnn --multiplier nosuch").refused(&[]);
        for advice in run.stderr.split('`').skip(1).step_by(2) {
            dir.skimp(&format!("{} --help", advice.strip_prefix("skimp ").unwrap())).ok();
        }
    }
}

mod evaluate {
    use super::*;

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
        let line =
            format!("evaluate fashion-cnn {FEW} --no-float --explain --multiplier bam_h4_v8 --first w3");
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
        text.check(
            text.stdout.contains("vector-tables") && text.stdout.contains("emulated "),
            "kernels, time",
        );
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
}

mod optimize {
    use super::*;

    /// Searches fashion-cnn into the folder `out` and returns the report.
    #[track_caller]
    fn optimize(dir: &Dir, options: &str, out: &str) -> Value {
        let tiny =
            if options.contains("--generations") { TINY.replace("--generations 2", "") } else { TINY.into() };
        let line = format!("optimize fashion-cnn {tiny} --multipliers low-bit {options} --json --out {out}");
        dir.skimp(&line).json()
    }

    /// The names of the elements of an SVG, if every one of them is closed.
    fn elements(svg: &str) -> Vec<&str> {
        let (mut open, mut all) = (Vec::new(), Vec::new());
        let mut rest = svg;
        while let Some(start) = rest.find('<') {
            let end = start + rest[start..].find('>').expect("a tag ends");
            let tag = &rest[start + 1..end];
            rest = &rest[end + 1..];
            let name = |tag: &'_ str| tag.find([' ', '/', '\n']).unwrap_or(tag.len());
            if let Some(closed) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed));
            } else {
                let name = &tag[..name(tag)];
                all.push(name);
                if !tag.ends_with('/') {
                    open.push(name);
                }
            }
        }
        assert!(open.is_empty(), "{open:?} are not closed");
        all
    }

    /// Checks what every front must be, and returns its chosen point.
    #[track_caller]
    fn check_front(file: &Value, budget: f64) -> &Value {
        let front = list(file, "front");
        assert_eq!(list(file, "layers").len(), LAYERS);
        for point in front {
            assert_eq!(list(point, "assignment").len(), LAYERS);
            assert_within(number(point, "energy_saved_pct"), -1e-9, 100.0);
            for key in ["loss_search_pp", "loss_choice_pp", "loss_test_pp"] {
                assert_within(number(point, key), -20.0, 100.0);
            }
            for key in ["loss_choice_se_pp", "loss_test_se_pp", "kl_search", "kl_choice", "kl_test"] {
                assert!(number(point, key) >= 0.0);
            }
            // What all MACs share dilutes the saving, and signs cost something.
            assert!(number(point, "mac_energy_saved_pct") < number(point, "energy_saved_pct"));
            assert_eq!(point["scheme"], file["scheme"]);
        }
        // Neither saving nor divergence of a point is better than the next one's without the other being worse.
        for pair in front.windows(2) {
            assert!(number(&pair[0], "energy_saved_pct") < number(&pair[1], "energy_saved_pct"));
            assert!(number(&pair[0], "kl_choice") < number(&pair[1], "kl_choice"));
        }
        let chosen: Vec<&Value> = front.iter().filter(|point| point["chosen"] == true).collect();
        assert_eq!(chosen.len(), 1);
        let loss = number(chosen[0], "loss_choice_pp");
        assert!(loss <= budget, "the chosen point is within the budget");
        chosen[0]
    }

    #[test]
    fn writes_a_front_a_chart_and_the_chosen_image() {
        let dir = Dir::new();
        let report = optimize(&dir, "", "out");
        let file = dir.json("out/front.json");
        let chosen = check_front(&file, 0.6);
        let keys: Vec<&str> = file.as_object().unwrap().keys().map(String::as_str).collect();
        let wanted = ["cost_sources", "front", "kl_test", "layers", "loss_test_pp", "loss_test_se_pp"];
        for key in wanted.into_iter().chain(["network", "scheme"]) {
            assert!(keys.contains(&key), "{key} is missing among {keys:?}");
        }
        assert_eq!(file["scheme"], "sign-magnitude");
        assert_eq!(texts(list(&file, "cost_sources")), ["gate-model"]);
        for point in list(&file, "front") {
            let mut tiles = texts(list(point, "assignment"));
            tiles.sort_unstable();
            tiles.dedup();
            assert!(tiles.len() <= 4, "{tiles:?} on 4 tiles");
        }

        // The report on standard output is of the chosen point.
        assert_eq!(report["multipliers"], chosen["assignment"]);
        assert_eq!(report["energy_saved_pct"], chosen["energy_saved_pct"]);
        for key in ["loss_search_pp", "loss_choice_pp", "loss_test_pp", "loss_test_se_pp", "kl_test"] {
            assert_eq!(report[key], chosen[key], "{key}");
        }
        assert_eq!(report["loss_test_pp"], file["loss_test_pp"]);
        let loss = number(&report, "accuracy_8bit") - number(&report, "accuracy_approx");
        assert!((loss - number(&report, "loss_test_pp")).abs() < 1e-9, "{report}");
        assert_eq!(report["flash_bytes"], dir.read("out/network.skimp").len());
        // Three generations of six with a proposal of the model in each, and two probes of each layer before them.
        assert_within(number(&report, "probes"), LAYERS as f64, (2 * LAYERS) as f64);
        assert_within(number(&report, "evaluations") - number(&report, "probes"), 6.0, 20.0);
        let runs = number(&report, "layer_runs") + number(&report, "layer_runs_saved");
        assert_eq!(runs, number(&report, "evaluations") * LAYERS as f64);
        assert!(number(&report, "layer_runs_saved") > 0.0 && number(&report, "memo_hits") >= 0.0);
        assert_within(number(&report, "peak_cache_bytes"), 1.0, f64::from(1 << 30));

        let csv = dir.text("out/front.csv");
        let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        assert!(rows.iter().all(|row| row.len() == 11 + LAYERS), "{csv}");
        let layers = texts(list(&file, "layers"));
        assert_eq!(rows[0][11..], layers.iter().map(|l| format!("multiplier of {l}")).collect::<Vec<_>>());
        assert_eq!(rows.len() - 1, list(&file, "front").len());
        for (row, point) in rows[1..].iter().zip(list(&file, "front")) {
            assert_eq!(row[0], point["label"]);
            for (column, name) in rows[0].iter().enumerate().filter(|(_, name)| name.ends_with("_pct")) {
                assert_eq!(row[column].parse::<f64>().unwrap(), number(point, name));
            }
            for (column, name) in rows[0].iter().enumerate().filter(|(_, name)| name.ends_with("_pp")) {
                assert_eq!(row[column].parse::<f64>().unwrap(), number(point, name));
            }
            assert_eq!(row[1] == "yes", point["chosen"] == true);
            assert_eq!(row[11..], texts(list(point, "assignment")));
        }

        let svg = dir.text("out/front.svg");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("NaN"));
        let elements = elements(&svg);
        for element in ["svg", "title", "circle", "path", "text"] {
            assert!(elements.contains(&element), "{element} is missing among {elements:?}");
        }

        // The image has the chosen multipliers, and is the one that `image build` makes of them.
        let contents = dir.skimp("image inspect out/network.skimp --json").json();
        let tables: Vec<&Value> = list(&contents, "layers").iter().map(|layer| &layer["table"]).collect();
        let tables: Vec<&Value> = tables.into_iter().filter(|table| !table.is_null()).collect();
        assert_eq!(tables, list(chosen, "assignment").iter().collect::<Vec<_>>());
        let assignment = texts(list(chosen, "assignment")).join(",");
        let compensation = chosen["compensation"].as_str().unwrap();
        let line = "image build fashion-cnn --calibration-images 16 --test-images 100 --out again.skimp";
        let line = format!("{line} --multipliers low-bit --compensation {compensation}");
        dir.skimp(&format!("{line} --assignment {assignment}")).ok();
        assert!(dir.read("again.skimp") == dir.read("out/network.skimp"));
    }

    #[test]
    fn threads_and_memory_do_not_matter_and_the_seed_does() {
        let dir = Dir::new();
        for (options, out) in [
            ("--threads 1", "one"),
            ("--threads 2", "two"),
            ("--threads 3", "three"),
            ("--seed 1", "again"),
            ("--memory 0", "uncached"),
            ("--memory 500K", "short"),
            ("--seed 2", "other"),
        ] {
            optimize(&dir, options, out);
        }
        for name in OUTPUTS {
            for out in ["two", "three", "again", "uncached", "short"] {
                let same = dir.read(format!("one/{name}")) == dir.read(format!("{out}/{name}"));
                assert!(same, "{name} differs between one and {out}");
            }
        }
        assert_ne!(dir.text("one/front.csv"), dir.text("other/front.csv"));
    }

    #[test]
    fn a_search_goes_on_from_its_last_generation() {
        let dir = Dir::new();
        optimize(&dir, "--generations 1", "whole");
        optimize(&dir, "--generations 0", "parts");
        optimize(&dir, "--generations 1 --resume --threads 1", "parts");
        for name in OUTPUTS {
            assert!(dir.read(format!("whole/{name}")) == dir.read(format!("parts/{name}")), "{name} differs");
        }
        let line = format!("optimize fashion-cnn {TINY} --multipliers low-bit --out parts");
        dir.skimp(&format!("{line} --resume --seed 2")).refused(&["search.checkpoint", "--resume"]);
        dir.write("parts/search.checkpoint", "nonsense");
        dir.skimp(&format!("{line} --resume")).refused(&["search.checkpoint", "--resume"]);
    }

    #[test]
    fn rivals_are_measured_in_the_same_run() {
        let dir = Dir::new();
        let few = "--population 4 --generations 1 --finalists 3 --selection-images 40 --choice-images 40 \
                   --calibration-images 12 --test-images 50 --multipliers low-bit --max-loss 50";
        let report = dir.skimp(&format!("optimize fashion-cnn {few} --json --out out")).json();
        let names: Vec<&str> =
            list(&report, "methods").iter().map(|method| method["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["skimp", "uniform", "low-bit", "ALWANN"]);
        for method in list(&report, "methods") {
            for point in list(method, "front").iter().filter(|point| !point.is_null()) {
                assert!(number(point, "loss_test_pp") <= number(point, "budget_pp"), "{point}");
            }
            for point in list(method, "chosen").iter().filter(|point| !point.is_null()) {
                assert!(number(point, "loss_choice_pp") <= number(point, "budget_pp"), "{point}");
            }
        }
        assert_eq!(report["methods"], dir.json("out/front.json")["methods"]);
        assert_eq!(list(&report, "methods")[3]["scheme"], "unsigned");
    }

    #[test]
    fn a_pipelined_accelerator_has_runs_of_layers_on_its_tiles() {
        let dir = Dir::new();
        optimize(&dir, "--accelerator pipelined --tiles 3", "pipelined");
        let file = dir.json("pipelined/front.json");
        check_front(&file, 0.6);
        for point in list(&file, "front") {
            let runs = texts(list(point, "assignment")).chunk_by(|a, b| a == b).count();
            assert!(runs <= 3, "{runs} runs of layers on 3 tiles: {point}");
        }
        optimize(&dir, "--accelerator power-gated --tiles 1", "gated");
        let file = dir.json("gated/front.json");
        check_front(&file, 0.6);
        for point in list(&file, "front") {
            assert_eq!(texts(list(point, "assignment")).chunk_by(|a, b| a == b).count(), 1, "{point}");
        }
    }

    #[test]
    fn prints_the_front_and_the_choice_as_text() {
        let dir = Dir::new();
        let line = format!("optimize fashion-cnn {TINY} --multipliers low-bit --max-loss 2 --out out");
        let run = dir.skimp(&line).ok();
        let stars = run.stdout.lines().filter(|line| line.starts_with("* ")).count();
        run.check(stars == 1, "should mark one point");
        let words = [
            "energy saved %",
            "chosen: ",
            "on 100 test images",
            "fronts read at test losses",
            "evaluated ",
            "wrote out",
            "\nran ",
        ];
        for words in words {
            run.check(run.stdout.contains(words), &format!("should say \"{words}\""));
        }
    }

    #[test]
    fn a_budget_no_point_keeps_is_refused_and_nothing_is_written() {
        let dir = Dir::new();
        let line = format!("optimize fashion-cnn {TINY} --multipliers low-bit --max-loss -100 --out out");
        dir.skimp(&line).refused(&["--max-loss", "-100"]);
    }

    #[test]
    fn settings_that_make_no_search_are_refused() {
        let dir = Dir::new();
        let with = |options: &str| dir.skimp(&format!("optimize fashion-cnn --out out {options}"));
        with("--max-loss nan").refused(&["--max-loss"]);
        with("--max-loss inf").refused(&["--max-loss"]);
        with("--selection-images 0").refused(&["--selection-images"]);
        with("--selection-images 6000").refused(&["1000 images", "6001"]);
        with("--choice-images 600").refused(&["1000 images", "1100"]);
        with("--choice-images 0").refused(&["--choice-images"]);
        with("--finalists 0").refused(&["--finalists"]);
        with("--max-distinct 0").refused(&["--max-distinct"]);
        with("--keep-exact nowhere").refused(&["--keep-exact", "nowhere", "fashion-cnn"]);
        with("--keep-exact 8").refused(&["--keep-exact", "\"8\""]);
        with("--error accuracy").misused(&["--error", "kl or loss"]);
        with("--tiles 0").refused(&["tile"]);
        with("--population 0").refused(&["population"]);
        with("--population 1").refused(&["population"]);
        with("--array-size 0").refused(&["array"]);
        with("--accelerator foo").misused(&["--accelerator", "foo", "power-gated, pipelined"]);
        with("--accelerator pipelined:2").misused(&["--accelerator", "0 to 1"]);
        with("--seed=-1").misused(&["--seed"]);
        for memory in ["x", "1T", "1.5G", "99999999999999999999"] {
            with(&format!("--memory {memory}")).misused(&["--memory <SIZE>", memory]);
        }
        with("--memory=-1").misused(&["--memory <SIZE>", "512M"]);
        with("--population x").misused(&["--population"]);
    }

    #[test]
    fn an_output_folder_that_can_t_be_is_named() {
        let dir = Dir::new();
        dir.write("file", "not a folder");
        let with = |out: &str| dir.skimp(&format!("optimize fashion-cnn {TINY} --out {out}"));
        with("file").refused(&["file"]);
        with("file/below").refused(&["file"]);
        #[cfg(target_os = "linux")]
        with("/proc/skimp").refused(&["/proc/skimp"]);
        assert_eq!(dir.text("file"), "not a folder");
    }

    #[test]
    fn an_unusable_output_folder_is_noticed_before_the_search() {
        let dir = Dir::new();
        dir.write("file", "not a folder");
        let run = dir.skimp(&format!("optimize fashion-cnn {TINY} --out file")).refused(&["file"]);
        run.check(!run.stderr.contains("generation"), "should not search first");
    }

    #[test]
    fn either_all_files_are_written_or_none() {
        let dir = Dir::new();
        dir.folder("out/network.skimp");
        let line = format!("optimize fashion-cnn {TINY} --multipliers low-bit --out out");
        dir.skimp(&line).refused(&["network.skimp"]);
    }

    #[test]
    fn counts_that_are_too_small_are_refused_at_once_by_their_flag() {
        let dir = Dir::new();
        for (flag, count) in [
            ("--tiles", 0),
            ("--population", 1),
            ("--array-size", 0),
            ("--test-images", 0),
            ("--calibration-images", 0),
        ] {
            let run = dir.skimp(&format!("optimize fashion-cnn --out out {flag} {count}")).refused(&[flag]);
            run.check(!run.stderr.contains("importing"), "should be refused at once");
        }
    }
}

mod image {
    use super::*;
    use rand::{Rng, RngExt, SeedableRng};

    #[test]
    fn one_multiplier_goes_into_every_layer() {
        let dir = Dir::new();
        let run = build(&dir, "trunc6", "a.skimp");
        let size = dir.read("a.skimp").len();
        run.check(run.stdout.starts_with(&format!("wrote a.skimp: {size} bytes of flash")), "the size");

        let contents = dir.skimp("image inspect a.skimp --json").json();
        assert_eq!(contents["flash_bytes"], size);
        assert_eq!(contents["input_bytes"], INPUT);
        assert_eq!(contents["outputs"], 10);
        let layers = list(&contents, "layers");
        let total: u64 = layers.iter().map(|layer| layer["multiplications"].as_u64().unwrap()).sum();
        assert_eq!(total, MULTIPLICATIONS);
        let multiplying: Vec<&Value> = layers.iter().filter(|layer| layer["operator"] == "conv2d").collect();
        assert_eq!(multiplying.len(), LAYERS);
        assert!(multiplying.iter().all(|layer| layer["table"] == "mul8u_trunc6"), "{contents}");
        assert_eq!(list(&contents, "tables").len(), 1);

        let text = dir.skimp("image inspect a.skimp").ok();
        for layer in layers {
            let row = text.stdout.lines().find(|row| row.starts_with(layer["name"].as_str().unwrap()));
            text.check(row.is_some(), "should have a row for each layer");
            let count = layer["multiplications"].to_string();
            text.check(row.unwrap().split_whitespace().any(|word| word == count), "multiplications");
        }
        text.check(text.stdout.contains(&format!("{size} bytes of flash")), "the size");
    }

    #[test]
    fn a_list_goes_into_the_layers_one_by_one() {
        let dir = Dir::new();
        let names = ["exact", "trunc2", "trunc4", "trunc6", "w5", "trunc6", "trunc4", "exact"];
        build(&dir, &names.join(","), "a.skimp");
        let contents = dir.skimp("image inspect a.skimp --json").json();
        let tables: Vec<&Value> = list(&contents, "layers").iter().map(|layer| &layer["table"]).collect();
        let tables: Vec<&str> = tables.into_iter().filter_map(Value::as_str).collect();
        assert_eq!(tables, names.map(|name| format!("mul8u_{name}")));
        assert_eq!(list(&contents, "tables").len(), 5, "a table each, shared between layers");
    }

    #[test]
    fn assignments_that_do_not_fit_are_refused() {
        let dir = Dir::new();
        let build = |rest: &str| dir.skimp(&format!("image build fashion-cnn {FEW} --out a.skimp {rest}"));
        build("--assignment exact,trunc6").refused(&["--assignment", "2", "8", "/0/0.0/Conv", "/9/Gemm"]);
        build("--assignment exact,nosuch").refused(&["\"nosuch\""]);
        build("--assignment exact,").refused(&["\"\""]);
    }

    #[test]
    fn a_file_that_can_t_be_written_is_named() {
        let dir = Dir::new();
        dir.write("file", "not a folder");
        dir.folder("folder");
        let build =
            |out: &str| dir.skimp(&format!("image build fashion-cnn {FEW} --assignment exact --out {out}"));
        build("folder").refused(&["folder"]);
        build("file/below").refused(&["file"]);
        build(".").refused(&["error: .: "]);
    }

    #[test]
    fn damaged_images_are_refused_by_name() {
        let dir = Dir::new();
        build(&dir, "trunc6", "good.skimp");
        let good = dir.read("good.skimp");
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let mut bad: Vec<Vec<u8>> = vec![b"".into(), b"GIF89a".into(), vec![0; 4096]];
        bad.extend([1, 3, 4, 16, 100, good.len() / 2, good.len() - 1].map(|end| good[..end].to_vec()));
        bad.extend((0..20).map(|_| {
            let mut bytes = good.clone();
            let at = rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << rng.random_range(0..8);
            bytes
        }));
        bad.extend((0..10).map(|_| {
            let mut bytes = vec![0; rng.random_range(1..10_000)];
            rng.fill_bytes(&mut bytes);
            bytes
        }));
        for bytes in bad {
            dir.write("bad.skimp", bytes);
            dir.skimp("image inspect bad.skimp").refused(&["error: bad.skimp: "]);
        }
        dir.skimp("image inspect bad.skimp --json").refused(&["error: bad.skimp: "]);
        dir.skimp("run bad.skimp --board host --inputs fashion-mnist").refused(&["error: bad.skimp: "]);
        dir.skimp("image inspect nosuch.skimp").refused(&["error: nosuch.skimp: "]);
        dir.skimp("image inspect .").refused(&["error: .: "]);
    }

    #[test]
    fn an_image_does_not_depend_on_where_the_model_lies() {
        let dir = Dir::new();
        let model = std::fs::read(models().join("fashion-cnn.onnx")).unwrap();
        for folder in ["here", "there"] {
            dir.write(format!("{folder}/net.onnx"), &model);
            let line = format!("image build {folder}/net.onnx --data fashion-mnist {FEW}");
            dir.skimp(&format!("{line} --assignment trunc6 --out {folder}.skimp")).ok();
        }
        assert!(dir.read("here.skimp") == dir.read("there.skimp"));
    }

    #[test]
    #[cfg(unix)]
    fn others_may_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let dir = Dir::new();
        build(&dir, "exact", "network.skimp");
        dir.write("usual", "");
        let mode = |name: &str| std::fs::metadata(dir.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(format!("{:o}", mode("network.skimp")), format!("{:o}", mode("usual")));
    }
}

mod run {
    use super::*;

    #[test]
    fn agrees_with_the_emulation_and_takes_codes_from_files() {
        let dir = Dir::new();
        build(&dir, "trunc6", "a.skimp");
        let set = dir.skimp("run a.skimp --board host --inputs fashion-mnist --images 200 --json").json();
        assert_eq!(set["board"], "host");
        assert_eq!(set["images"], 200);
        assert_eq!(set["logits_differing"], 0);
        assert!(list(&set, "logits").iter().all(|logits| logits.as_array().unwrap().len() == 10));
        let line = format!("evaluate fashion-cnn {FEW} --multiplier trunc6 --no-float --json");
        assert_eq!(dir.skimp(&line).json()["accuracy_approx"], set["accuracy"]);

        // This network's input is coded as pixels are.
        dir.write("codes", test_images(20));
        let codes = dir.skimp("run a.skimp --board host --inputs codes --json").json();
        assert_eq!(codes["images"], 20);
        assert_eq!(codes["logits_differing"], 0);
        assert!(codes.get("accuracy").is_none(), "labels are not known: {codes}");
        assert_eq!(list(&codes, "logits"), &list(&set, "logits")[..20]);
    }

    #[test]
    fn prints_a_summary() {
        let dir = Dir::new();
        build(&dir, "exact", "a.skimp");
        let run = dir.skimp("run a.skimp --board host --inputs fashion-mnist --images 20").ok();
        run.check(run.stdout.starts_with("host: 20 images\n"), "how many images");
        run.check(run.stdout.contains("other logits than on the host: 0"), "how many differ");
        run.check(run.stdout.contains("accuracy "), "the accuracy");
    }

    #[test]
    fn inputs_and_boards_that_do_not_fit_are_refused() {
        let dir = Dir::new();
        build(&dir, "exact", "a.skimp");
        dir.write("short", vec![0; 2 * INPUT - 1]);
        dir.folder("empty");
        let run = |rest: &str| dir.skimp(&format!("run a.skimp {rest}"));
        run("--board host --inputs short").refused(&["1567 bytes", "784"]);
        run("--board host --inputs nosuch").refused(&["\"nosuch\"", "fashion-mnist, cifar10"]);
        run("--board host --inputs empty").refused(&["empty", "test images"]);
        run("--board host --inputs fashion-mnist --images 20000").refused(&["fashion-mnist", "images"]);
        run("--board host --inputs fashion-mnist --images 0").refused(&[]);
        run("--board host --inputs fashion-mnist --mean 1,2").refused(&["--mean", "2 values", "1 channel"]);
        run("--board arduino --inputs fashion-mnist").refused(&[
            "\"arduino\"",
            "mps2-an386",
            "netduinoplus2",
        ]);
        dir.skimp("run nosuch --board host --inputs fashion-mnist").refused(&["error: nosuch: "]);
    }

    #[test]
    fn refusals_name_the_file_or_flag_at_fault() {
        let dir = Dir::new();
        build(&dir, "exact", "a.skimp");
        dir.write("short", vec![0; 2 * INPUT - 1]);
        dir.skimp("run a.skimp --board host --inputs short").refused(&["short: "]);
        let line = "run a.skimp --board host --inputs fashion-mnist --images 0";
        dir.skimp(line).refused(&["--images"]);
        dir.skimp("flash --board netduinoplus2 short").refused(&["short: "]);
    }
}

mod bad_input {
    use super::*;

    fn evaluate<'d>(dir: &'d Dir, rest: &str) -> harness::Skimp<'d> {
        dir.skimp(&format!("evaluate {rest}"))
    }

    #[test]
    fn what_is_no_model_is_named() {
        let dir = Dir::new();
        dir.write("text.onnx", "It was a dark and stormy night;\n");
        dir.write("model.pt", "PK");
        dir.write("empty.onnx", "");
        dir.folder("folder.onnx");
        dir.folder("models");
        evaluate(&dir, "nosuch").refused(&["\"nosuch\"", "fashion-cnn, resnet8"]);
        evaluate(&dir, "nosuch.onnx --data fashion-mnist").refused(&["error: nosuch.onnx: "]);
        evaluate(&dir, "text.onnx --data fashion-mnist").refused(&["error: text.onnx: not an ONNX model"]);
        evaluate(&dir, "empty.onnx --data fashion-mnist").refused(&["error: empty.onnx: ", "empty"]);
        evaluate(&dir, "folder.onnx --data fashion-mnist").refused(&["error: folder.onnx: "]);
        evaluate(&dir, "model.pt --data fashion-mnist").refused(&["error: model.pt: ", ".onnx"]);
        evaluate(&dir, "fashion-cnn").env("SKIMP_MODELS", "models").refused(&["models/fashion-cnn.onnx"]);
        dir.skimp("optimize text.onnx --data fashion-mnist --out out").refused(&["error: text.onnx: "]);
        let build = "image build text.onnx --data fashion-mnist --assignment exact --out a.skimp";
        dir.skimp(build).refused(&["error: text.onnx: "]);
    }

    #[test]
    fn cut_models_are_refused_wherever_the_cut_is() {
        let dir = Dir::new();
        let model = std::fs::read(models().join("fashion-cnn.onnx")).unwrap();
        let cuts = [1, 2, 8, 19, 20, 100, 1000, 10_000, model.len() / 2, model.len() - 10];
        for end in cuts.into_iter().chain((model.len() - 3)..model.len()) {
            dir.write("cut.onnx", &model[..end]);
            evaluate(&dir, "cut.onnx --data fashion-mnist").refused(&["error: cut.onnx: not an ONNX model"]);
        }
    }

    #[test]
    fn a_model_file_runs_as_the_zoo_s_does() {
        let dir = Dir::new();
        let model = std::fs::read(models().join("fashion-cnn.onnx")).unwrap();
        dir.write("net.onnx", model);
        evaluate(&dir, "net.onnx").refused(&["net.onnx", "--data"]);
        let data = models().join("data/fashion-mnist");
        let own = evaluate(&dir, &format!("fashion-cnn {FEW} --json")).json();
        let set = evaluate(&dir, &format!("net.onnx --data fashion-mnist {FEW} --json")).json();
        let folder = evaluate(&dir, &format!("net.onnx --data {} {FEW} --json", data.display())).json();
        for key in ["accuracy_float", "accuracy_8bit"] {
            assert_eq!([&set[key], &folder[key]], [&own[key]; 2], "{key}");
        }
    }

    #[test]
    fn data_that_is_not_there_or_does_not_fit_is_named() {
        let dir = Dir::new();
        dir.folder("empty");
        dir.write("text", "no folder");
        evaluate(&dir, "fashion-cnn --data nosuch").refused(&["\"nosuch\"", "fashion-mnist, cifar10"]);
        evaluate(&dir, "fashion-cnn --data text").refused(&["\"text\""]);
        evaluate(&dir, "fashion-cnn --data empty").refused(&["error: empty: has no test images"]);
        evaluate(&dir, "resnet8 --data fashion-mnist").refused(&["32x32x3", "28x28x1", "fashion-mnist"]);
        evaluate(&dir, "fashion-cnn --test-images 20000").refused(&["fashion-mnist", "images"]);
        evaluate(&dir, "fashion-cnn --calibration-images 600").refused(&["512 images", "600"]);
        evaluate(&dir, "fashion-cnn --calibration-images 0").refused(&["calibration"]);
        evaluate(&dir, "fashion-cnn --test-images 0").refused(&[]);
        dir.skimp("data fetch fashion-mnist").refused(&["comes with the source"]);
        dir.skimp("data fetch nosuch").refused(&["\"nosuch\"", "cifar10"]);
    }

    #[test]
    fn preprocessing_that_makes_no_sense_is_refused() {
        let dir = Dir::new();
        let with = |options: &str| evaluate(&dir, &format!("fashion-cnn {options}"));
        with("--mean 0.1,0.2,0.3").refused(&["--mean has 3 values", "1 channel"]);
        with("--std 0.1,0.2").refused(&["--std has 2 values"]);
        with("--std 0").refused(&["--std 0"]);
        with("--std=-1").refused(&["--std -1"]);
        with("--mean nan").refused(&["--mean NaN"]);
        with("--mean x").misused(&["--mean", "'x'"]);
        with("--mean 0.1,").misused(&["--mean"]);
    }

    #[test]
    fn no_threads_are_refused_everywhere() {
        let dir = Dir::new();
        evaluate(&dir, "fashion-cnn --threads 0").refused(&["--threads"]);
        dir.skimp("--threads 0 optimize fashion-cnn --out out").refused(&["--threads"]);
        dir.skimp("--threads x image inspect a.skimp").misused(&["--threads"]);
    }

    #[test]
    fn absurdly_many_threads_do_not_hang() {
        let line = format!("fashion-cnn {FEW} --no-float --threads 100000");
        evaluate(&Dir::new(), &line).within(Duration::from_secs(10)).run();
    }

    #[test]
    fn output_that_nobody_takes_is_no_panic() {
        let dir = Dir::new();
        build(&dir, "exact", "a.skimp");
        for command in ["image inspect a.skimp", "image inspect a.skimp --json"] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            dir.skimp(command).printing_to(writer).run();
            #[cfg(target_os = "linux")]
            {
                let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
                dir.skimp(command).printing_to(full).refused(&[]);
            }
        }
    }

    #[test]
    fn the_demo_checks_its_arguments_before_it_begins() {
        let dir = Dir::new();
        dir.skimp("demo --board arduino").refused(&["\"arduino\"", "mps2-an386, netduinoplus2"]);
        dir.skimp("demo --images 0").refused(&["--images"]);
        dir.skimp("demo --selection-images 0").refused(&["--selection-images"]);
    }
}

mod multiplier_folder {
    use super::*;

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
        assert_eq!(list(&contents, "tables")[0]["name"], "mul8u_two");
    }

    /// Refuses the folder after `change` with these words.
    #[track_caller]
    fn refused(change: impl FnOnce(&Dir), mentions: &[&str]) {
        let dir = folder();
        change(&dir);
        dir.skimp(&format!("evaluate fashion-cnn {FEW} --multipliers mine --multiplier two"))
            .refused(mentions);
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
        with("--multipliers mine --multiplier trunc6").refused(&["\"trunc6\"", "mul8u_two"]);
    }
}

mod flash {
    use super::*;

    #[test]
    fn without_probe_rs_the_way_to_it_is_shown() {
        let dir = Dir::new();
        build(&dir, "exact", "a.skimp");
        dir.folder("bin");
        let flash = |rest: &str| dir.skimp(&format!("flash {rest}")).env("PATH", dir.path("bin"));
        flash("--board netduinoplus2 a.skimp").refused(&["probe-rs", "PATH", "cargo install probe-rs-tools"]);
        flash("--board mps2-an386 a.skimp").refused(&["probe-rs", "mps2-an386", "QEMU"]);
        flash("--board arduino a.skimp").refused(&["\"arduino\"", "mps2-an386, netduinoplus2"]);
        flash("--board netduinoplus2 nosuch").refused(&["error: nosuch: "]);
        dir.write("text", "no image");
        flash("--board netduinoplus2 text").refused(&["not a skimp image"]);
    }

    /// With a `probe-rs` that only writes down what it is asked for.
    #[test]
    #[cfg(unix)]
    fn an_image_goes_to_its_place_in_flash() {
        use std::os::unix::fs::PermissionsExt;
        let dir = Dir::new();
        build(&dir, "exact", "a.skimp");
        let install = |script: &str| {
            dir.write("bin/probe-rs", format!("#!/bin/sh\necho \"$@\" >> asked\n{script}\n"));
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(dir.path("bin/probe-rs"), executable).unwrap();
        };
        let flash = || {
            let line = "flash --board netduinoplus2 --image-only a.skimp";
            dir.skimp(line).env("PATH", dir.path("bin"))
        };
        install("");
        let run = flash().ok();
        run.check(run.stdout == "netduinoplus2 now holds a.skimp\n", "should say what it did");
        let asked = dir.text("asked");
        let asked: Vec<&str> = asked.lines().collect();
        assert_eq!(asked[0], "list");
        assert!(asked[1].starts_with("download ") && asked[1].ends_with("0x8040000 a.skimp"), "{asked:?}");
        assert!(asked[2].starts_with("reset ") && asked.len() == 3, "{asked:?}");

        for (script, mention) in
            [("echo No debug probes were found.", "no debug probe"), ("echo broken >&2; exit 3", "broken")]
        {
            install(script);
            let run = flash().run();
            run.check(run.stderr.contains("error: probe-rs") && run.stderr.contains(mention), mention);
            run.check(run.stdout.is_empty(), "should not claim success");
        }
    }
}
