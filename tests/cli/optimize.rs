//! `optimize`: the search, its files, its rivals, and how it goes on.

use crate::*;

/// Searches fashion-cnn into the folder `out` and returns the report.
#[track_caller]
fn optimize(dir: &Dir, options: &str, out: &str) -> Value {
    let line = format!("optimize fashion-cnn {} --multipliers low-bit", tiny_but(options));
    dir.skimp(&format!("{line} {options} --json --out {out}")).json()
}

/// [`TINY`] without what `options` say anew.
fn tiny_but(options: &str) -> String {
    let mut tiny = TINY.to_owned();
    for flag in ["--generations 2", "--finalists 4", "--schemes sign-magnitude", "--ranges minmax"] {
        if flag.split(' ').next().is_some_and(|name| options.contains(name)) {
            tiny = tiny.replace(flag, "");
        }
    }
    tiny
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
        assert!(["scheme", "range"].iter().all(|key| !point[*key].as_str().unwrap().is_empty()));
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
    assert_eq!(chosen[0]["scheme"], file["scheme"]);
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
    assert!(rows.iter().all(|row| row.len() == 12 + LAYERS), "{csv}");
    let layers = texts(list(&file, "layers"));
    assert_eq!(rows[0][12..], layers.iter().map(|l| format!("multiplier of {l}")).collect::<Vec<_>>());
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
        assert_eq!(row[12..], texts(list(point, "assignment")));
    }

    let svg = dir.text("out/front.svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    let elements = elements(&svg);
    for element in ["svg", "title", "circle", "path", "text"] {
        assert!(elements.contains(&element), "{element} is missing among {elements:?}");
    }

    // The image has the chosen multipliers, and is the one that `image build` makes of them.
    let contents = dir.skimp("image inspect out/network.skimp --json").json();
    let tables: Vec<&Value> = list(&contents, "layers").iter().map(|layer| &layer["multiplier"]).collect();
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
    dir.skimp(&format!("{line} --resume --seed 2")).refused(&["search-sign-magnitude.", "--resume"]);
    for name in ["search-sign-magnitude.checkpoint", "search-sign-magnitude.points.checkpoint"] {
        dir.write(format!("parts/{name}"), "nonsense");
        dir.skimp(&format!("{line} --resume")).refused(&[name, "--resume"]);
    }
}

/// Two schemes whose products are alike here, so that both have points on the front.
#[test]
fn fronts_of_several_schemes_are_merged() {
    let dir = Dir::new();
    let schemes = "--schemes sign-magnitude,signed,sign-magnitude";
    let report = optimize(&dir, schemes, "both");
    assert_eq!(texts(list(&report, "schemes")), ["sign-magnitude", "signed"]);
    assert_eq!(number(&report, "trials"), 0.0);
    let file = dir.json("both/front.json");
    let chosen = check_front(&file, 0.6);
    assert_eq!(report["scheme"], chosen["scheme"]);
    let schemes: std::collections::BTreeSet<&str> =
        list(&file, "front").iter().map(|point| point["scheme"].as_str().unwrap()).collect();
    assert!(schemes.is_subset(&["sign-magnitude", "signed"].into()), "{schemes:?}");
    assert_eq!(list(&file, "methods")[0]["scheme"], Vec::from_iter(schemes).join("+"));
    // Each is searched as it is by itself.
    let alone = optimize(&dir, "--schemes signed", "signed");
    let first = optimize(&dir, "", "first");
    let sum = number(&alone, "evaluations") + number(&first, "evaluations");
    assert_eq!(number(&report, "evaluations"), sum);
    for name in ["search-signed.checkpoint", "search-sign-magnitude.checkpoint"] {
        let other = if name.contains("signed") { "signed" } else { "first" };
        assert!(dir.read(format!("both/{name}")) == dir.read(format!("{other}/{name}")), "{name}");
    }
    // Of the points of the first scheme's own front those are left that none of the other scheme beats.
    let own = dir.json("first/front.json");
    for point in list(&own, "front") {
        let figures = |p: &Value| ["energy_saved_pct", "kl_choice"].map(|key| number(p, key));
        let [saved, kl] = figures(point);
        let beaten = |other: &Value| {
            let [other_saved, other_kl] = figures(other);
            other_saved >= saved && other_kl <= kl
        };
        assert!(list(&file, "front").iter().any(beaten), "{point} got lost");
    }
    // With all flags at hand the image is the chosen scheme's.
    let contents = dir.skimp("image inspect both/network.skimp --json").json();
    let tables = list(&contents, "layers").iter().map(|layer| &layer["multiplier"]).filter(|t| !t.is_null());
    assert_eq!(tables.collect::<Vec<_>>(), list(chosen, "assignment").iter().collect::<Vec<_>>());
}

#[test]
fn schemes_without_a_chance_are_not_searched_unless_asked_for() {
    let dir = Dir::new();
    let tiny = format!("{} --multipliers low-bit", tiny_but("--schemes"));
    let run = dir.skimp(&format!("optimize fashion-cnn {tiny} --json --out out")).ok();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let searched = texts(list(&report, "schemes"));
    assert!(number(&report, "trials") >= 4.0);
    assert!(searched.contains(&"sign-magnitude") && !searched.contains(&"unsigned"), "{searched:?}");
    run.check(run.stderr.contains("unsigned: not searched"), "should say what is not searched");
    let with = |options: &str| dir.skimp(&format!("optimize fashion-cnn --out out {options}"));
    with("--schemes foo").misused(&["--schemes", "foo", "sign-magnitude"]);
    with("--signed-multipliers nowhere").refused(&["nowhere"]);
}

#[test]
fn ranges_are_tried_before_a_search() {
    let dir = Dir::new();
    let tried = "--ranges minmax,percentile:60,minmax,percentile:99.9";
    let run = dir.skimp(&format!(
        "optimize fashion-cnn {} --multipliers low-bit {tried} --json --out several",
        tiny_but(tried)
    ));
    let run = run.ok();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    // Each of three ways once, with the same multipliers.
    let trials = number(&report, "trials");
    assert!(trials >= 9.0 && trials % 3.0 == 0.0, "{trials}");
    let file = dir.json("several/front.json");
    let best = check_front(&file, 0.6)["range"].as_str().unwrap();
    // Where two fifths of the values are cut off nothing is left of the answers.
    assert!(["minmax", "percentile:99.9"].contains(&best), "{best}");
    run.check(
        run.stderr.contains(&format!("searched with activation ranges by {best}\n")),
        "should say which",
    );
    // The same search as for these ranges alone, but for the network that losses are counted against.
    let alone = optimize(&dir, &format!("--ranges {best}"), "alone");
    assert_eq!(number(&alone, "trials"), 0.0);
    assert_eq!(number(&report, "evaluations") - trials, number(&alone, "evaluations"));
    let assignments = |folder: &str| {
        let file = dir.json(format!("{folder}/front.json"));
        let point =
            |point: &Value| [&point["range"], &point["assignment"], &point["kl_search"]].map(Value::clone);
        list(&file, "front").iter().map(point).collect::<Vec<_>>()
    };
    let alone = assignments("alone");
    assert!(assignments("several").iter().any(|point| alone.contains(point)));
    dir.skimp("optimize fashion-cnn --ranges minmax,widest").misused(&["--ranges", "widest", "percentile:P"]);
}

#[test]
fn points_that_were_compensated_are_not_compensated_again() {
    let dir = Dir::new();
    optimize(&dir, "--finalists 4", "whole");
    optimize(&dir, "--finalists 1", "parts");
    let file = "parts/search-sign-magnitude.points.checkpoint";
    let one = dir.read(file);
    optimize(&dir, "--finalists 4 --resume", "parts");
    for name in OUTPUTS {
        assert!(dir.read(format!("whole/{name}")) == dir.read(format!("parts/{name}")), "{name} differs");
    }
    let all = dir.read(file);
    assert!(all.len() > one.len());
    // Were a point compensated anew, the file would be written again with one more.
    optimize(&dir, "--finalists 4 --resume", "parts");
    assert!(dir.read(file) == all);
}

#[test]
fn rivals_are_measured_in_the_same_run() {
    let dir = Dir::new();
    let few = "--population 4 --generations 1 --finalists 3 --selection-images 40 --choice-images 40 \
               --calibration-images 12 --test-images 50 --multipliers low-bit --max-loss 50 \
               --schemes sign-magnitude";
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
fn flash_is_an_objective_if_it_is_asked_for() {
    let dir = Dir::new();
    // Few, as all are tried in every layer.
    dir.skimp("multipliers export --names exact,m789,trunc6,c268,m146,w5 --format bin --out few").ok();
    let line = format!("optimize fashion-cnn {TINY} --max-loss 20 --multipliers few");
    let with = |options: &str, out: &str| {
        dir.skimp(&format!("{line} {options} --out {out} --json")).json();
        (dir.json(format!("{out}/front.json")), dir.text(format!("{out}/front.csv")))
    };
    let (file, csv) = with("", "plain");
    let (same, same_csv) = with("--objectives energy,error", "same");
    assert_eq!((&file["front"], &csv), (&same["front"], &same_csv));
    assert!(list(&file, "front").iter().all(|point| point.get("flash_bytes").is_none()));
    let (file, csv) = with("--objectives error,energy,flash --max-weight-codes 20", "flash");
    let front = list(&file, "front");
    assert!(csv.lines().next().unwrap().contains(",range,flash_bytes,"), "{csv}");
    let figures = |point: &Value| {
        [-number(point, "energy_saved_pct"), number(point, "kl_choice"), number(point, "flash_bytes")]
    };
    for (i, point) in front.iter().enumerate() {
        assert!(point["compensation"].as_str().unwrap().ends_with("+max-codes:20"), "{point}");
        let beaten = |other: &Value| figures(other).iter().zip(figures(point)).all(|(o, p)| *o <= p);
        assert!(!front.iter().enumerate().any(|(j, other)| i != j && beaten(other)), "{point}");
    }
    let chosen = front.iter().find(|point| point["chosen"] == true).unwrap();
    assert_eq!(chosen["flash_bytes"], dir.read("flash/network.skimp").len());
    let contents = dir.skimp("image inspect flash/network.skimp --json").json();
    assert!(list(&contents, "tables").iter().all(|table| number(table, "rows") <= 20.0), "{contents}");
}

#[test]
fn latency_on_a_board_is_an_objective_if_it_is_asked_for() {
    let dir = Dir::new();
    // Products of the last three are multiplied, those of the others looked up.
    dir.skimp("multipliers export --names exact,m789,c268,m146,w5,a4w4 --format bin --out few").ok();
    let line =
        format!("optimize fashion-cnn {TINY} --max-loss 20 --multipliers few --board mps2-an386 --json");
    let with = |options: &str, out: &str| {
        let report = dir.skimp(&format!("{line} {options} --out {out}")).json();
        (report, dir.json(format!("{out}/front.json")))
    };
    let (report, file) = with("--objectives error,energy,latency", "free");
    let front = list(&file, "front");
    let figures =
        |point: &Value| ["energy_saved_pct", "kl_choice", "cycles_modelled"].map(|name| number(point, name));
    let beaten = |[saved, kl, cycles]: [f64; 3]| {
        front
            .iter()
            .map(figures)
            .any(|[s, k, c]| s >= saved && k <= kl && c <= cycles && (s > saved || k < kl || c < cycles))
    };
    assert!(!front.iter().map(figures).any(beaten), "{file}");
    let ms = |point: &Value| number(point, "ms_modelled");
    let times = || front.iter().map(ms);
    let [quickest, slowest] = [times().fold(f64::MAX, f64::min), times().fold(0.0, f64::max)];
    assert!(quickest * 1.5 < slowest, "multiplying is quicker than looking up: {quickest} {slowest}");

    // What is said of the chosen point is what is predicted of its image.
    let chosen = front.iter().find(|point| point["chosen"] == true).unwrap();
    let inspected = dir.skimp("image inspect free/network.skimp --board mps2-an386 --json").json();
    let total = &inspected["total"];
    for name in ["insns", "cycles_modelled", "ms_modelled"] {
        assert_eq!((&chosen[name], &report[name]), (&total[name], &total[name]), "{name}");
    }
    assert_eq!(chosen["flash_bytes"], dir.read("free/network.skimp").len());

    let most = (quickest * 1.1).max(quickest + 0.1);
    let limited = format!("--objectives error,energy,latency --max-latency-ms {most}");
    let (report, _) = with(&limited, "quick");
    assert!(number(&report, "ms_modelled") <= most, "{report}");
    let line = format!("{line} --objectives error,energy,latency --max-latency-ms 0.01 --out none");
    dir.skimp(&line).refused(&["0.01 ms", "mps2-an386", "--max-latency-ms"]);
    dir.skimp(&line.replace("mps2-an386", "stm32vldiscovery")).refused(&[
        "stm32vldiscovery",
        "bytes of RAM",
        "--board",
    ]);
}

#[test]
fn an_image_has_the_operating_points_that_are_asked_for() {
    let dir = Dir::new();
    let line = format!("optimize fashion-cnn {TINY} --multipliers low-bit");
    let points = "--point accurate=1 --point frugal=30 --point same=1";
    let report = dir.skimp(&format!("{line} {points} --out out --json")).json();
    let file = dir.json("out/front.json");
    let of = |name: &str| {
        let has = |point: &&Value| list(point, "operating_points").iter().any(|n| n == name);
        list(&file, "front").iter().filter(|point| point.get("operating_points").is_some()).find(has).unwrap()
    };
    let [accurate, frugal] = ["accurate", "frugal"].map(of);
    assert_eq!((accurate["chosen"].as_bool(), accurate), (Some(true), of("same")));
    assert!(number(frugal, "energy_saved_pct") > number(accurate, "energy_saved_pct"), "{file}");
    assert_within(number(accurate, "loss_choice_pp"), -20.0, 1.0);

    let inspected = dir.skimp("image inspect out/network.skimp --point frugal --json").json();
    assert_eq!(list(&inspected, "operating_points").len(), 3);
    let multipliers: Vec<&Value> = list(&inspected, "layers")
        .iter()
        .map(|layer| &layer["multiplier"])
        .filter(|m| !m.is_null())
        .collect();
    assert_eq!(multipliers, list(frugal, "assignment").iter().collect::<Vec<_>>());
    let text = dir.skimp("image inspect out/network.skimp").ok();
    text.check(text.stdout.contains("accurate, frugal, same; shown: accurate"), "should name the points");

    // Each point on the host answers as it was measured; the same weights are stored once.
    let run = |point: &str| {
        let options = format!("--point {point} --inputs fashion-mnist --images 100 --json");
        number(&dir.skimp(&format!("run out/network.skimp --board host {options}")).json(), "accuracy")
    };
    assert_within(run("accurate") - number(&report, "accuracy_approx"), -1e-9, 1e-9);
    assert_eq!(run("accurate"), run("same"));
    dir.skimp(&format!("{line} --out alone --max-loss 1")).ok();
    let alone = dir.read("alone/network.skimp").len();
    assert!(dir.read("out/network.skimp").len() < 3 * alone);
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
    with("--objectives error,energy,latency").refused(&["--objectives", "latency", "--board"]);
    with("--objectives error,energy,latency --board arduino").refused(&["arduino", "mps2-an386"]);
    with("--board mps2-an386 --max-latency-ms 5").refused(&["--max-latency-ms", "--objectives"]);
    with("--point frugal").refused(&["--point frugal", "frugal=2"]);
    with("--point a=1 --point a=2").refused(&["--point", "twice"]);
    with("--point a=1 --max-loss 2").misused(&["--max-loss"]);
    with("--max-latency-ms 5").misused(&["--board"]);
    with("--objectives error,energy,latency --board mps2-an386 --max-latency-ms 0")
        .refused(&["--max-latency-ms", "more than 0"]);
    with("--objectives error,speed").misused(&["--objectives", "speed", "flash"]);
    with("--objectives error,flash").refused(&["--objectives", "energy"]);
    with("--objectives energy").refused(&["--objectives", "error"]);
    with("--max-weight-codes 1").refused(&["--max-weight-codes"]);
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
