//! `multipliers list`, `show` and `compare`: what they say of libraries whose figures are known.

use crate::harness::{Dir, Finished};
use serde_json::Value;
use skimp::multiplier::{Library, TruthTable};

/// Few images: distributions need no accuracy.
const FEW: &str = "--test-images 1 --calibration-images 8";

fn bytes(table: &TruthTable) -> Vec<u8> {
    table.products().iter().flat_map(|&product| (product as u16).to_le_bytes()).collect()
}

/// A folder with an exact multiplier and one that is wrong for zeros and not commutative.
fn with_tables() -> Dir {
    let dir = Dir::new();
    let odd = TruthTable::from_fn(false, |a, w| (a & !3) * w + 2 * (w & 1)).unwrap();
    dir.write(
        "tables/costs.csv",
        "name,power_mw,area_um2,delay_ns\nmul8u_X,0.4,700,1.4\nmul8u_odd,0.1,,0.7\n",
    );
    dir.write("tables/mul8u_X.bin", bytes(&TruthTable::exact(false)));
    dir.write("tables/mul8u_odd.bin", bytes(&odd));
    dir
}

pub fn listed(dir: &Dir, options: &str) -> Vec<Value> {
    dir.skimp(&format!("multipliers list --json {options}")).json().as_array().unwrap().clone()
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["name"].as_str().unwrap()).collect()
}

pub fn figure(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} is no number in {row}"))
}

/// The rest of the line that begins with `what`.
#[track_caller]
fn line(run: &Finished, what: &str) -> String {
    let line = run.stdout.lines().find_map(|line| line.strip_prefix("  ")?.strip_prefix(what));
    run.check(line.is_some(), &format!("should have a line of {what}"));
    line.unwrap().trim().to_owned()
}

#[test]
fn lists_have_every_figure_of_every_multiplier() {
    let dir = Dir::new();
    for (options, signed) in [("", false), ("--signed", true)] {
        let rows = listed(&dir, options);
        let library = Library::builtin(signed);
        assert_eq!(rows.len(), library.multipliers().len());
        for (row, m) in rows.iter().zip(library.multipliers()) {
            assert_eq!((&row["name"], &row["signed"]), (&m.name.as_str().into(), &signed.into()));
            assert_eq!(row["family"], m.family.to_string());
            assert_eq!(row["cost_source"], "gate-model");
            assert_eq!(row["zero_preserving"], m.statistics.zero_preserving);
            let s = &m.statistics;
            for (key, value) in [
                ("power_rel", m.power_rel),
                ("area_rel", m.area_rel.unwrap()),
                ("delay_rel", m.delay_rel.unwrap()),
                ("mae_pct", s.mae_pct),
                ("wce_pct", s.wce_pct),
                ("mre_pct", s.mre_pct),
                ("wcre_pct", s.wcre_pct),
                ("ep_pct", s.ep_pct),
                ("mse", s.mse),
                ("mean_error", s.mean_error),
                ("variance", s.variance),
            ] {
                assert!((figure(row, key) - value).abs() <= 1e-12 * value.abs(), "{key} of {}", m.name);
            }
        }
    }
    let text = dir.skimp("multipliers list").ok();
    let heading = text.stdout.lines().next().unwrap();
    for column in ["power rel", "area rel", "delay rel", "MAE %", "MRE %", "EP %", "zeros kept", "cost"] {
        text.check(heading.contains(column), &format!("should have a column {column}"));
    }
    assert_eq!(text.stdout.lines().count(), 1 + listed(&dir, "").len());
}

#[test]
fn lists_are_sorted_and_filtered_as_asked() {
    let dir = Dir::new();
    for (key, figure_of) in [("mae", "mae_pct"), ("wce", "wce_pct"), ("mre", "mre_pct")] {
        let rows = listed(&dir, &format!("--sort {key}"));
        assert!(rows.is_sorted_by(|x, y| figure(x, figure_of) <= figure(y, figure_of)), "{key}");
        let front = listed(&dir, &format!("--front {key}"));
        assert!(front.len() > 3 && front.len() < rows.len(), "{key}: {}", front.len());
        // By falling power, so errors have to rise.
        assert!(front.is_sorted_by(|x, y| figure(x, figure_of) < figure(y, figure_of)), "{key}");
        for row in &rows {
            let no_worse = |other: &&Value| {
                figure(other, "power_rel") <= figure(row, "power_rel")
                    && figure(other, figure_of) <= figure(row, figure_of)
            };
            assert!(front.iter().any(|other| no_worse(&other)), "{row} is not covered");
        }
    }
    let by_power = listed(&dir, "");
    assert!(by_power.is_sorted_by(|x, y| figure(x, "power_rel") >= figure(y, "power_rel")));
    assert!(names(&listed(&dir, "--sort name")).is_sorted());
    for family in ["broken-array", "Broken_Array"] {
        let rows = listed(&dir, &format!("--family {family} --sort name"));
        assert!(rows.len() > 3 && rows.iter().all(|row| row["family"] == "broken-array"));
    }
    // Words of earlier versions are taken too.
    for (family, word) in
        [("lower-or", "lower-part-or"), ("corrected truncation", "error-balanced-truncation")]
    {
        let rows = listed(&dir, &format!("--multipliers classical --family {}", family.replace(' ', "_")));
        assert!(rows.len() > 20 && rows.iter().all(|row| row["family"] == word), "{rows:?}");
    }
    let fast = listed(&dir, "--max-delay-rel 0.5 --front mae");
    assert!(!fast.is_empty() && fast.iter().all(|row| figure(row, "delay_rel") <= 0.5));
    assert!(fast.len() < listed(&dir, "--front mae").len());
    dir.skimp("multipliers list --max-delay-rel -1").refused(&["--max-delay-rel -1", "the least is"]);
    dir.skimp("multipliers list --family none").refused(&["\"none\"", "truncated", "low-bit"]);
    dir.skimp("multipliers list --sort size").misused(&["--sort", "mae"]);
    dir.skimp("multipliers list --front ep").misused(&["--front", "wce"]);
}

#[test]
fn classical_designs_are_a_library_with_their_papers() {
    let dir = Dir::new();
    let rows = listed(&dir, "--multipliers classical --signed");
    assert_eq!(rows.len(), 229);
    let run = dir.skimp("multipliers show mul8s_wallace --multipliers classical").ok();
    for what in ["source", "provenance"] {
        let papers = line(&run, what);
        run.check(
            papers.contains("Wallace, \"A Suggestion for a Fast Multiplier\""),
            "should cite its paper",
        );
        run.check(!papers.contains("Dadda"), "should not cite others");
    }
    let run = dir.skimp("multipliers show drum4 --multipliers builtin,classical").ok();
    run.check(line(&run, "source").contains("ICCAD 2015"), "should cite its paper");
    let run = dir.skimp("multipliers show trunc5c --multipliers classical").ok();
    run.check(line(&run, "idea").contains("compensation constant"), "should say what it is");
    let evolved = dir.skimp("multipliers list --family evolved --json").json()[0]["name"].clone();
    let report = dir.skimp(&format!("multipliers show {} --json", evolved.as_str().unwrap())).json();
    assert!(report["source"].as_str().unwrap().contains("Cartesian Genetic Programming"), "{report}");

    let report = dir.skimp("multipliers compare classical builtin --json").json();
    assert_eq!(report["first"]["multipliers"], 229);
    assert_eq!(report["second"]["exact"], "mul8u_exact");
    dir.skimp("multipliers export --multipliers classical --names dadda --format verilog --out v").ok();
    assert!(dir.text("v/mul8u_dadda.v").contains("module mul8u_dadda"));
}

#[test]
fn exact_multipliers_of_fewer_bits_are_a_library() {
    let dir = Dir::new();
    for sign in ["", "--signed"] {
        let rows = listed(&dir, &format!("--multipliers low-bit {sign}"));
        assert_eq!(rows.len(), 56);
        assert_eq!((&rows[0]["family"], figure(&rows[0], "power_rel")), (&Value::from("exact"), 1.0));
    }
    let run = dir.skimp("multipliers show w1 --multipliers low-bit").ok();
    run.check(line(&run, "source").contains("ALWANN"), "should cite its paper");
}

#[test]
fn fronts_of_costs_from_several_sources_are_marked() {
    let dir = with_tables();
    let run = dir.skimp("multipliers list --front mae --multipliers builtin,tables").ok();
    run.check(run.stderr.contains("gate-model and published"), "should say that costs do not compare");
    let rows = listed(&dir, "--front mae --multipliers builtin,tables");
    assert!(rows.iter().all(|row| row["same_cost_basis"] == false));
    let run = dir.skimp("multipliers list --front mae --multipliers builtin,classical").ok();
    run.check(run.stderr.is_empty(), "should have nothing to say");
    assert!(listed(&dir, "").iter().all(|row| row["same_cost_basis"] == true));
}

#[test]
fn operands_can_be_written_and_brought_along() {
    let dir = Dir::new();
    let layer = format!("--network fashion-cnn --layer 1 {FEW}");
    let written = dir.skimp(&format!("multipliers show w4 --json {layer} --write-distribution a/one.json"));
    let written = written.json();
    let file = dir.json("a/one.json");
    assert_eq!(file["signed"], false);
    assert_eq!(
        file["from"],
        "--network fashion-cnn --layer 1 --scheme sign-magnitude --calibration-images 8"
    );
    for which in ["activation", "weight"] {
        let counts = file[which].as_array().unwrap();
        assert_eq!(counts.len(), 256);
        let sum: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(written["network"]["layers"][0]["multiplications"], sum);
    }
    // Magnitudes alone: the mean square and the power are the layer's.
    let read = dir.skimp("multipliers show w4 --json --distribution a/one.json").json();
    assert_eq!(read["network"]["distribution"], "a/one.json");
    let layers = [&written, &read].map(|report| report["network"]["layers"][0].clone());
    for key in ["mse", "mae", "power_rel_in_layer"] {
        let [written, read] = [&layers[0], &layers[1]].map(|layer| figure(layer, key));
        assert!((written - read).abs() <= 1e-9 * written, "{key}: {written} {read}");
    }
    let front = listed(&dir, "--distribution a/one.json --front noise");
    assert!(front.len() > 5 && front.iter().all(|row| row["layer"]["noise_pct"].is_number()));

    dir.skimp("multipliers show w4 --write-distribution x.json").misused(&["--network"]);
    dir.skimp("multipliers show mul8s_w4 --distribution a/one.json").refused(&["a/one.json", "signed ones"]);
    dir.write("bad.json", "{\"activation\": [1], \"weight\": [1]}");
    dir.skimp("multipliers list --distribution bad.json").refused(&["bad.json", "has 1 counts", "256"]);
    dir.write("precious.json", "{}");
    dir.skimp(&format!("multipliers show w4 {layer} --write-distribution precious.json"))
        .refused(&["precious.json", "no distribution"]);
    dir.skimp("multipliers list --sort noise").refused(&["--distribution"]);
}

#[test]
fn what_costs_do_not_say_is_left_open() {
    let dir = with_tables();
    let rows = listed(&dir, "--multipliers tables");
    assert_eq!(names(&rows), ["mul8u_X", "mul8u_odd"]);
    assert_eq!((&rows[1]["area_rel"], figure(&rows[1], "delay_rel")), (&Value::Null, 0.5));
    assert_eq!((&rows[1]["zero_preserving"], &rows[1]["cost_source"]), (&false.into(), &"published".into()));
    let run = dir.skimp("multipliers show odd --multipliers tables").ok();
    assert_eq!(line(&run, "area"), "unknown");
    assert_eq!(line(&run, "zeros kept"), "no");
    assert_eq!(line(&run, "commutative"), "no");
    assert!(!run.stdout.contains("gates") && !run.stdout.contains("by the cost model"));
    let report = dir.skimp("multipliers show odd --multipliers tables --json").json();
    assert!(report["power_uw"].is_null() && report["gates"].is_null());
}

#[test]
fn one_multiplier_is_shown_with_its_structure_and_gates() {
    let dir = Dir::new();
    let report = dir.skimp("multipliers show w4 --json").json();
    assert_eq!((&report["name"], &report["signed"]), (&"mul8u_w4".into(), &false.into()));
    let structure = &report["structure"];
    assert_eq!(structure["masked_product"], serde_json::json!({ "activation": 0xff, "weight": 0xf0 }));
    assert_eq!((&structure["rows_by_weight"], &structure["rows_by_activation"]), (&16.into(), &256.into()));
    assert_eq!((&structure["ignored_weight_bits"], &report["table_bytes"]), (&15.into(), &8192.into()));
    let gates = &report["gates"];
    let by_kind = gates["by_kind"].as_object().unwrap();
    assert_eq!(by_kind.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), gates["total"]);
    assert!(gates["total"].as_u64().unwrap() > 24 && gates["depth"].as_u64().unwrap() > 5, "{gates}");

    let exact = dir.skimp("multipliers show exact --json").json();
    for (absolute, relative) in
        [("power_uw", "power_rel"), ("area_um2", "area_rel"), ("delay_ps", "delay_rel")]
    {
        let ratio = figure(&report, absolute) / figure(&exact, absolute);
        assert!((ratio - figure(&report, relative)).abs() < 1e-12, "{absolute}");
    }

    let run = dir.skimp("multipliers show w4").ok();
    let by_model =
        format!("{:.1} uW at 1 GHz, {:.1} um2, ", figure(&report, "power_uw"), figure(&report, "area_um2"));
    assert!(line(&run, "by the cost model").starts_with(&by_model));
    assert!(run.stdout.starts_with("mul8u_w4, unsigned\n"), "{}", run.stdout);
    assert_eq!(line(&run, "masked product"), "(a & 0xff) * (w & 0xf0)");
    assert_eq!(line(&run, "separable by nibbles"), "of either operand");
    assert_eq!(line(&run, "rank"), "1");
    assert_eq!(line(&run, "distinct rows"), "16 by weight, 256 by activation");

    let swapped = dir.skimp("multipliers show w4~").ok();
    assert!(swapped.stdout.starts_with("mul8u_w4~, unsigned, operands exchanged\n"));
    assert_eq!(line(&swapped, "masked product"), "(a & 0xf0) * (w & 0xff)");
}

#[test]
fn signed_multipliers_are_found_by_name_or_flag() {
    let dir = Dir::new();
    let by_name = dir.skimp("multipliers show mul8s_trunc8").ok();
    let by_flag = dir.skimp("multipliers show trunc8 --signed").ok();
    assert!(by_name.stdout.starts_with("mul8s_trunc8, signed\n"));
    assert_eq!(by_name.stdout, by_flag.stdout);
    assert_eq!(line(&by_name, "bilinear in bits"), "yes");
    assert_eq!(line(&by_name, "masked product"), "no");
    dir.skimp("multipliers show trnc8").refused(&["\"trnc8\"", "near it: mul8u_trunc8"]);
    dir.skimp("multipliers show").misused(&["<NAME>"]);
}

#[test]
fn heat_maps_are_written_in_the_format_of_their_ending() {
    let dir = Dir::new();
    dir.skimp("multipliers show bam_h3_v6 --heat-map maps/errors.svg").ok();
    let svg = dir.text("maps/errors.svg");
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    for text in ["mul8u_bam_h3_v6", ">activation<", ">weight<", ">error<", "data:image/png;base64,"] {
        assert!(svg.contains(text), "no {text}");
    }
    let run = dir.skimp("multipliers show mul8s_w4 --json --heat-map errors.PNG").ok();
    run.check(run.stderr.contains("errors.PNG"), "should say what it wrote");
    let mut decoder = png::Decoder::new(std::io::Cursor::new(dir.read("errors.PNG")));
    decoder.set_transformations(png::Transformations::EXPAND);
    let info = decoder.read_info().unwrap().info().size();
    assert!(info.0 > 768 && info.1 > 768, "{info:?}");

    for name in ["errors.jpg", "errors"] {
        dir.skimp(&format!("multipliers show w4 --heat-map {name}")).refused(&[name, ".svg or .png"]);
    }
    dir.folder("folder.png");
    dir.skimp("multipliers show w4 --heat-map folder.png").refused(&["folder.png", "is a folder"]);
}

#[test]
fn errors_in_a_network_are_those_of_its_layers() {
    let dir = Dir::new();
    let show = |options: &str| dir.skimp(&format!("multipliers show {options} {FEW} --network fashion-cnn"));
    let report = show("trunc8 --json").json();
    let layers = report["network"]["layers"].as_array().unwrap();
    assert_eq!((layers.len(), &report["network"]["calibration_images"]), (8, &8.into()));
    let uniform = figure(&report, "mae_pct") * 655.36;
    for layer in layers {
        let [mae, mean, mse, variance, noise] =
            ["mae", "mean_error", "mse", "corrected_variance", "relative_noise"]
                .map(|key| figure(layer, key));
        // Small activations and weights leave less to truncate.
        assert!(mae > 0.0 && mae < uniform, "{layer}");
        assert!(mean.abs() <= mae && mse >= mae * mae && variance <= mse, "{layer}");
        assert!((0.0..1.0).contains(&noise), "{layer}");
        assert!((0.0..1.0).contains(&figure(layer, "power_rel_in_layer")), "{layer}");
    }
    // What activations and weights really are makes a difference, and the order of operands another.
    let powers = |name: &str| {
        let report = show(&format!("{name} --json")).json();
        let layers = report["network"]["layers"].as_array().unwrap();
        layers.iter().map(|layer| figure(layer, "power_rel_in_layer")).collect::<Vec<_>>()
    };
    assert_eq!(powers("exact"), [1.0; 8]);
    let (plain, swapped) = (powers("w4"), powers("w4~"));
    let anywhere = figure(&dir.skimp("multipliers show w4 --json").json(), "power_rel");
    assert!(plain.iter().zip(&swapped).all(|(x, y)| (x - y).abs() > 1e-6 && (x - anywhere).abs() > 1e-6));
    let multiplications = |layers: &[Value]| layers.iter().map(|l| figure(l, "multiplications")).sum::<f64>();
    // Zero weights are no multiplications.
    let all = 8.0 * 1_794_272.0;
    assert!(multiplications(layers) > 0.8 * all && multiplications(layers) < all);

    let name = layers[2]["layer"].as_str().unwrap();
    for layer in [name, "2"] {
        let report = show(&format!("trunc8 --json --layer {layer}")).json();
        assert_eq!(report["network"]["layers"].as_array().unwrap()[..], layers[2..3]);
    }
    let report = show("mul8s_trunc8 --json --scheme signed").json();
    assert_eq!(multiplications(report["network"]["layers"].as_array().unwrap()), all);
    let text = show("exact --layer 0").ok();
    let last = text.stdout.lines().last().unwrap();
    text.check(
        last.ends_with("0.000   0.000  0.000               0.000    0.000"),
        "exact products have no errors",
    );
    text.check(last.contains("  1.000  "), "the exact multiplier's power is what others are relative to");
    text.check(
        text.stdout.contains("Errors, and power relative to the exact multiplier's, in fashion-cnn"),
        "should say what the figures are",
    );
}

#[test]
fn layers_and_schemes_that_do_not_fit_are_refused() {
    let dir = Dir::new();
    let layer = "multipliers show w4 --network fashion-cnn";
    let run = dir.skimp(&format!("{layer} {FEW} --layer nosuch")).refused(&["\"nosuch\"", "  0 ", "  7 "]);
    assert!(!run.stderr.contains("  8 "));
    dir.skimp(&format!("{layer} {FEW} --layer 8")).refused(&["\"8\"", "  7 "]);
    dir.skimp(&format!("{layer} --scheme signed")).refused(&["signed scheme", "unsigned"]);
    dir.skimp("multipliers show w4 --network nosuch").refused(&["nosuch"]);
    dir.skimp("multipliers show w4 --layer 0").misused(&["--network"]);
}

#[test]
fn fronts_of_two_libraries_are_compared() {
    let dir = with_tables();
    let report = dir.skimp("multipliers compare tables builtin --json --plot plots/mae.svg").json();
    assert_eq!((&report["first"]["multipliers"], &report["first"]["exact"]), (&2.into(), &"mul8u_X".into()));
    assert_eq!(report["first"]["cost_sources"], serde_json::json!(["published"]));
    assert_eq!(report["second"]["cost_sources"], serde_json::json!(["gate-model"]));
    assert_eq!(report["same_cost_basis"], false);
    assert!(report["caveat"].as_str().unwrap().contains("published in the first library"));
    let comparisons = report["comparisons"].as_array().unwrap();
    assert_eq!((&comparisons[0]["measure"], &comparisons[1]["measure"]), (&"mae".into(), &"wce".into()));
    let library = Library::builtin(false);
    for comparison in comparisons {
        let key = format!("{}_pct", comparison["measure"].as_str().unwrap());
        let listed = listed(&dir, &format!("--front {}", comparison["measure"].as_str().unwrap()));
        let fronts = comparison["fronts"].as_array().unwrap();
        assert_eq!(names(fronts[0].as_array().unwrap()), ["mul8u_X", "mul8u_odd"]);
        // A front of the list keeps twins.
        let second = names(fronts[1].as_array().unwrap());
        assert!(second.len() > 3 && second.iter().all(|name| names(&listed).contains(name)));
        for at in comparison["at_errors"].as_array().unwrap() {
            let error = figure(at, "error_pct");
            let row = |row: &&Value| figure(row, &key) <= error;
            let cheapest = listed.iter().filter(row).map(|row| figure(row, "power_rel")).fold(1.0, f64::min);
            assert_eq!(figure(at, "second"), cheapest, "{error}");
            assert!((figure(at, "ratio") * figure(at, "first") - cheapest).abs() < 1e-12, "{error}");
        }
        for at in comparison["at_powers"].as_array().unwrap() {
            let power = figure(at, "power_rel");
            let best = library.multipliers().iter().filter(|m| m.power_rel <= power);
            let best =
                best.map(|m| if key == "mae_pct" { m.statistics.mae_pct } else { m.statistics.wce_pct });
            match (at["second"].as_f64(), best.min_by(f64::total_cmp)) {
                (Some(shown), Some(best)) => assert!((shown - best).abs() <= 1e-12 * best, "{power}"),
                (shown, best) => assert_eq!(shown, best, "{power}"),
            }
            // The only other one needs a quarter of the power.
            assert_eq!(at["first"].is_null(), power < 0.25);
        }
        let hypervolumes = comparison["hypervolumes"].as_array().unwrap();
        assert_eq!(hypervolumes.len(), 4);
        assert!(hypervolumes.iter().all(|h| (0.0..1.0).contains(&figure(h, "first"))));
        assert_eq!(figure(&hypervolumes[1]["power"], "low"), 0.2);
    }

    let svg = dir.text("plots/mae.svg");
    for text in ["MAE against power", ">tables (published)<", ">builtin (gate-model)<", "class=\"mark\""] {
        assert!(svg.contains(text), "no {text}");
    }
    let run = dir.skimp("multipliers compare tables builtin --metric wce --plot wce.svg").ok();
    assert!(dir.text("wce.svg").contains("WCE against power"));
    for text in ["Mind: costs are published", "MAE in percent", "WCE in percent", "least power for WCE <="] {
        run.check(run.stdout.contains(text), &format!("should say {text}"));
    }
}

#[test]
fn libraries_compare_with_themselves_but_not_across_signedness() {
    let dir = with_tables();
    let report = dir.skimp("multipliers compare builtin builtin --signed --json").json();
    assert_eq!((&report["signed"], &report["same_cost_basis"]), (&true.into(), &true.into()));
    assert_eq!(report["caveat"], Value::Null);
    for comparison in report["comparisons"].as_array().unwrap() {
        assert_eq!(comparison["mean_error_ratio"], 1.0);
        assert_eq!(comparison["fronts"][0], comparison["fronts"][1]);
    }
    let run = dir.skimp("multipliers compare builtin builtin").ok();
    run.check(!run.stdout.contains("Mind"), "should have no caveat");
    let run = dir.skimp("multipliers compare tables builtin --signed --plot p.svg");
    run.refused(&["first library's multipliers are unsigned, the second's signed", "--signed"]);
    assert!(!dir.path("p.svg").exists());
    dir.skimp("multipliers compare builtin nosuch").refused(&["nosuch"]);
    dir.skimp("multipliers compare builtin builtin --plot p.png").refused(&["p.png", ".svg"]);
    dir.skimp("multipliers compare builtin").misused(&["<SECOND>"]);
    dir.skimp("multipliers compare builtin builtin --metric wce").misused(&["--plot"]);
}
