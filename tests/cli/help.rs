//! `--help` and mistyped arguments.

use crate::*;

/// The words after `heading` at the beginning of each line.
fn section<'t>(text: &'t str, heading: &str) -> Vec<&'t str> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    lines.filter(|line| !line.starts_with("   ")).filter_map(|l| l.split_whitespace().next()).collect()
}

#[test]
fn every_subcommand_explains_itself_and_its_options() {
    let network = "MODEL --data --mean --std --scheme --range --calibration-images --test-images \
                   --multipliers --compensation --max-weight-codes";
    let search = "--max-loss --point --tiles --max-distinct --keep-exact --accelerator --array-size --error --area --objectives --max-latency-ms \
                  --population --generations --exhaustive --finalists --selection-images --choice-images \
                  --seed --memory --mix-cost-sources --every-choice --out --json";
    let of_command = [
        ("demo", format!("{network} {search} --board --images --no-install")),
        ("optimize", format!("{network} {search} --board --schemes --signed-multipliers --no-baselines --resume")),
        ("evaluate", format!("{network} --multiplier --first --no-float --explain --json")),
        (
            "ablate",
            "MODEL --data --mean --std --schemes --range --calibration-images --test-images --multipliers \
             --signed-multipliers --multiplier --first --steps --kl --csv --json"
                .into(),
        ),
        ("image build", format!("{network} --assignment --out")),
        ("image sizes", format!("{network} --assignment --copy-tables-within --json")),
        ("image inspect", "<IMAGE> --point --board --json".into()),
        ("run", "<IMAGE> --board --port --baud --inputs --images --mean --std --codes --no-install --json".into()),
        ("flash", "<IMAGE> --board --image-only --out --format --no-install".into()),
        ("data fetch", "<NAME>".into()),
        ("multipliers list", "--multipliers --signed --family --front --sort --json".into()),
        (
            "multipliers show",
            "<NAME> --multipliers --signed --heat-map --network --layer --scheme --json".into(),
        ),
        ("multipliers import", "<PATH> --out --replace --swap-operands --index --name --power-mw".into()),
        ("multipliers export", "--multipliers --names --format --swap-operands --out --json".into()),
        (
            "bench device",
            "--board --model --image --multiplier --multipliers --compensation --data --mean --std --scheme --range \
             --calibration-images --test-images --preset --wait-states --no-install --json"
                .into(),
        ),
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
