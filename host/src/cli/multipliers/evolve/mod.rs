//! `skimp multipliers evolve`: breed a library.

mod files;
mod goals;
mod operands;
mod progress;
mod report;

use crate::cli::common::{self, HowArgs, quoted};
use crate::error::{Error, Result};
use crate::evolve::{Checkpoint, Earlier, Metric, Origin, Outcomes, Population, Settings, harvest};
use crate::multiplier::{Design, Distribution, Family, Library, Multiplier, Netlist, name_prefix};
use goals::{BoundList, parse_bounds};
use progress::Progress;
use report::Report;
use std::path::PathBuf;

/// Breed approximate multipliers within bounds on their errors.
///
/// Without --metric, the goals of the built-in library. Every epoch ends with a checkpoint; running the same
/// command again goes on from it. In the end, what answers each goal is listed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The library to write: a file of netlists (*.jsonl), for --multipliers. It takes the place of a library of
    /// that name, but of no other file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Two's complement multipliers.
    #[arg(long)]
    signed: bool,
    /// Begin with the evolved circuits of these libraries too: builtin, files of netlists (*.jsonl) or folders with
    /// commas between. Classical designs are always begun with.
    #[arg(long, value_name = "SOURCE,...")]
    begin_with: Option<String>,
    /// Which error the goals bound.
    #[arg(long, requires = "bounds")]
    metric: Option<Metric>,
    /// Bounds on that error in percent of 65,536: a list (0.1,0.5), or TIGHTEST..LOOSEST:COUNT.
    #[arg(long, value_name = "LIST", requires = "metric", value_parser = parse_bounds, allow_hyphen_values = true)]
    bounds: Option<BoundList>,
    /// Bound on the mean error either way, in units of the product.
    #[arg(long, value_name = "ERROR", requires = "metric", allow_negative_numbers = true)]
    max_bias: Option<f64>,
    /// Let products with zero be zero.
    #[arg(long, requires = "metric")]
    zero_preserving: bool,
    /// The network whose operands a bound on the noise is about: one of the zoo (fashion-cnn, digits-cnn, resnet8) or an
    /// ONNX or TensorFlow Lite file.
    #[arg(long, value_name = "MODEL", conflicts_with = "distribution")]
    network: Option<String>,
    /// Only this layer of it, by its name or its number from 0; otherwise all layers.
    #[arg(long, value_name = "LAYER", requires = "network")]
    layer: Option<String>,
    /// In place of a network: how often each operand occurs, in JSON with "activation" and "weight", 256 counts
    /// each (see `show --write-distribution`).
    #[arg(long, value_name = "FILE")]
    distribution: Option<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    /// Epochs to come to; circuits move between goals after each.
    #[arg(long, default_value_t = 10)]
    epochs: u64,
    /// Candidates for each goal in an epoch.
    #[arg(long, default_value_t = 200_000)]
    candidates: u64,
    /// Seed of all that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to keep what has been reached; by default beside the library, with .checkpoint.json at its end.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    // Whatever can be refused is refused before anything slow.
    common::at_least("--candidates", args.candidates as usize, 1)?;
    let path = args.checkpoint.clone().unwrap_or_else(|| files::checkpoint_of(&args.out));
    files::check(&args.out, &path)?;
    let goals = goals::goals(&args)?;
    let mut settings = Settings {
        signed: args.signed,
        seed: args.seed,
        candidates: args.candidates,
        layer: operands::options(&args)?,
        begin_with: args.begin_with.clone(),
        operands: None,
    };
    let checkpoint = files::checkpoint(&path)?;
    let goes_on = |settings: &Settings| match &checkpoint {
        Some(checkpoint) => files::check_goes_on(&path, checkpoint, settings, &goals, args.epochs),
        None => Ok(()),
    };
    goes_on(&settings)?;
    let distribution = operands::measure(&args)?;
    settings.operands = distribution.as_ref().map(Distribution::digest);
    goes_on(&settings)?;
    let designs = Design::classical();
    let earlier = earlier(&args)?;
    let mut seeds: Vec<Netlist> = designs.iter().map(|design| design.netlist(args.signed)).collect();
    seeds.extend(earlier.iter().map(|earlier| earlier.netlist.clone()));
    let mut population =
        Population::new(args.signed, goals.clone(), &seeds, distribution.as_ref(), args.seed)?;
    if let Some(checkpoint) = &checkpoint {
        population = checkpoint.restore(&path, population)?;
    }

    let progress = Progress::start(population.epochs, args.epochs, population.goals.len(), &path);
    let mut outcomes = Outcomes::default();
    while population.epochs < args.epochs {
        outcomes.add(&population.epoch(args.candidates, &|| progress.tick()));
        Checkpoint::of(&population, &settings).write(&path)?;
        progress.epoch(population.epochs, population.members.iter().map(|member| member.power_uw).sum());
    }
    let time = progress.finish();
    let command = command(&args, &settings);
    let origin = Origin { command: command.clone(), earlier };
    let library = harvest(&population, &designs, args.signed, &origin);
    library.write(&args.out)?;
    let multipliers = library.multipliers(&args.out)?;
    let files = (&*args.out, &*path);
    let report =
        Report::new(files, &command, &population, &multipliers, distribution.as_ref(), (&outcomes, time));
    if args.json {
        return common::print_json(&report);
    }
    common::print(format_args!("{}", report.text()))
}

/// The circuits to begin with besides the classical ones.
fn earlier(args: &Args) -> Result<Vec<Earlier>> {
    let Some(sources) = &args.begin_with else { return Ok(Vec::new()) };
    let library = Library::from_sources(sources, args.signed)?;
    if library.is_signed() != args.signed {
        let reason = format!("--begin-with {sources}: those multipliers are of the other signedness");
        return Err(Error::Argument(reason));
    }
    let wanted = |m: &&Multiplier| m.family == Family::Evolved || m.statistics.is_exact();
    let evolved = library.multipliers().iter().filter(wanted);
    let earlier: Vec<Earlier> = evolved
        .filter_map(|m| {
            let netlist = m.netlist.as_deref()?.clone();
            let short = m.name.strip_prefix(name_prefix(args.signed)).unwrap_or(&m.name);
            let letter = short.chars().next().filter(char::is_ascii_lowercase).unwrap_or('e');
            let provenance = m.provenance.clone().unwrap_or_else(|| sources.clone());
            Some(Earlier { netlist, letter, provenance })
        })
        .collect();
    if earlier.is_empty() {
        let reason = format!("--begin-with {sources}: nothing evolved whose circuit is known");
        return Err(Error::Argument(reason));
    }
    Ok(earlier)
}

/// The command that leads to the same library. A file of operands may change: its counts are told by their digest,
/// in a shell's comment.
fn command(args: &Args, settings: &Settings) -> String {
    let mut command = String::from("skimp multipliers evolve");
    if args.signed {
        command += " --signed";
    }
    if let Some(sources) = &args.begin_with {
        command += &format!(" --begin-with {}", quoted(sources));
    }
    command += &goals::options(args);
    if let Some(operands) = &settings.layer {
        command += &format!(" {operands}");
    }
    command += &format!(" --epochs {} --candidates {} --seed {}", args.epochs, args.candidates, args.seed);
    match (&args.distribution, &settings.operands) {
        (Some(_), Some(digest)) => command + &format!(" # operands {digest}"),
        _ => command,
    }
}
