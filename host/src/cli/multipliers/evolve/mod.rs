//! `skimp multipliers evolve`: breed a library.

use super::layer;
use crate::cli::common::{self, HowArgs};
use crate::compensate::LayerDistribution;
use crate::error::{Error, Result};
use crate::evolve::{
    Bounds, Checkpoint, Earlier, Goal, Metric, Origin, Outcomes, Population, Settings, builtin, harvest,
    ladder,
};
use crate::multiplier::{Design, Distribution, Family, Library, Multiplier, Netlist, name_prefix};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Breed approximate multipliers within bounds on their errors.
///
/// Without --metric, the goals of the built-in library. Every epoch ends with a checkpoint; running the same
/// command again goes on from it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The library to write: a file of netlists (*.jsonl), for --multipliers.
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
    #[arg(long, value_name = "LIST", requires = "metric", value_parser = parse_bounds)]
    bounds: Option<BoundList>,
    /// Bound on the mean error either way, in units of the product.
    #[arg(long, value_name = "ERROR", requires = "metric")]
    max_bias: Option<f64>,
    /// Let products with zero be zero.
    #[arg(long, requires = "metric")]
    zero_preserving: bool,
    /// The network whose operands a bound on the noise is about: one of the zoo (fashion-cnn, resnet8) or an
    /// ONNX file.
    #[arg(long, value_name = "MODEL", required_if_eq("metric", "noise"))]
    network: Option<String>,
    /// Only this layer of it, by its name or its number from 0; otherwise all layers.
    #[arg(long, value_name = "LAYER", requires = "network")]
    layer: Option<String>,
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
}

/// Bounds in percent.
#[derive(Debug, Clone)]
struct BoundList(Vec<f64>);

fn parse_bounds(text: &str) -> std::result::Result<BoundList, String> {
    let number = |text: &str| {
        let figure = text.trim().parse::<f64>().ok().filter(|figure| figure.is_finite() && *figure >= 0.0);
        figure.ok_or_else(|| format!("{text:?} is no bound; give percent of 65,536, such as 0.5"))
    };
    if let Some((tightest, rest)) = text.split_once("..") {
        let (loosest, count) = rest.split_once(':').ok_or("a range ends with a count: 0.01..5:20")?;
        let (tightest, loosest) = (number(tightest)?, number(loosest)?);
        let count: usize = count.trim().parse().map_err(|_| format!("{count:?} is no count"))?;
        if !(tightest > 0.0 && tightest <= loosest && (1..=1000).contains(&count)) {
            return Err("a range goes up from more than 0, in 1 to 1000 bounds".into());
        }
        return Ok(BoundList(ladder(tightest, loosest, count)));
    }
    text.split(',').map(number).collect::<std::result::Result<_, _>>().map(BoundList)
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let checkpoint = args.checkpoint.clone().unwrap_or_else(|| {
        let mut name = args.out.clone().into_os_string();
        name.push(".checkpoint.json");
        name.into()
    });
    let goals = goals(&args);
    let layer = layer(&args)?;
    let distribution = args.network.as_deref().map(|model| operands(model, &args)).transpose()?;
    let designs = Design::classical();
    let earlier = earlier(&args)?;
    let mut seeds: Vec<Netlist> = designs.iter().map(|design| design.netlist(args.signed)).collect();
    seeds.extend(earlier.iter().map(|earlier| earlier.netlist.clone()));
    let population = Population::new(args.signed, goals, &seeds, distribution.as_ref(), args.seed)?;
    let settings = Settings {
        signed: args.signed,
        seed: args.seed,
        candidates: args.candidates,
        layer,
        begin_with: args.begin_with.clone(),
    };
    let mut population = resume(&settings, &checkpoint, population)?;

    let left = args.epochs.saturating_sub(population.epochs) * population.goals.len() as u64;
    let bar = common::progress_bar(left, "evolving");
    let mut outcomes = Outcomes::default();
    let begin = Instant::now();
    while population.epochs < args.epochs {
        outcomes.add(&population.epoch(args.candidates, &|| bar.inc(1)));
        Checkpoint::of(&population, &settings).write(&checkpoint)?;
        let power: f64 = population.members.iter().map(|member| member.power_uw).sum();
        bar.println(format!("epoch {}: {power:.1} uW in all", population.epochs));
    }
    bar.finish_and_clear();
    let origin = Origin { command: command(&args), earlier };
    let library = harvest(&population, &designs, args.signed, &origin);
    library.write(&args.out)?;
    common::print(format_args!(
        "{} multipliers in {}; {} candidates in {:.0} s, {} simulated on all pairs\n",
        library.records.len(),
        args.out.display(),
        outcomes.candidates,
        begin.elapsed().as_secs_f64(),
        outcomes.complete,
    ))
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

/// What bounds on the noise are about, in the words of the command line; an error if it suits nothing.
fn layer(args: &Args) -> Result<Option<String>> {
    let Some(model) = &args.network else { return Ok(None) };
    if args.metric != Some(Metric::Noise) {
        return Err(Error::Argument("--network is about a bound on the noise: give --metric noise".into()));
    }
    let scheme = args.how.scheme;
    if scheme.wants_signed_table() != args.signed {
        let wanted = if args.signed { "give --scheme signed too, or leave out" } else { "give" };
        return Err(Error::Argument(format!(
            "the {scheme} scheme multiplies with the other signedness: {wanted} --signed"
        )));
    }
    let layer = args.layer.as_ref().map_or_else(String::new, |layer| format!(" --layer {layer}"));
    Ok(Some(format!("--network {model}{layer} --scheme {scheme}")))
}

/// The operands that the multipliers of the layer, or of all layers, see.
fn operands(model: &str, args: &Args) -> Result<Distribution> {
    let prepared = args.how.prepare(model, 0)?;
    let (network, images) = (&prepared.quantized, &prepared.calibration.codes);
    if let Some(layer) = &args.layer {
        return Ok(LayerDistribution::measure_one(network, images, layer::find(network, layer)?)?.operands());
    }
    let mut all = Distribution { activation: [0; 256], weight: [0; 256] };
    for layer in LayerDistribution::measure(network, images)? {
        all.add(&layer.operands());
    }
    Ok(all)
}

fn goals(args: &Args) -> Vec<Goal> {
    let (Some(metric), Some(BoundList(bounds))) = (args.metric, &args.bounds) else { return builtin() };
    let common = Bounds { bias: args.max_bias, zero_preserving: args.zero_preserving, ..Bounds::default() };
    bounds.iter().map(|&pct| Goal { metric, bounds: metric.at_most(pct, common) }).collect()
}

/// `population` where the checkpoint left it, if there is one.
fn resume(settings: &Settings, path: &Path, population: Population) -> Result<Population> {
    if !path.exists() {
        return Ok(population);
    }
    let checkpoint = Checkpoint::read(path)?;
    if checkpoint.settings != *settings || checkpoint.goals != population.goals {
        let reason = "of an evolution with other goals or settings; move it away to begin anew, or name another \
                      --checkpoint";
        return Err(Error::file(path, reason));
    }
    checkpoint.restore(path, population)
}

/// The command that leads to the same library.
fn command(args: &Args) -> String {
    let mut command = String::from("skimp multipliers evolve");
    if args.signed {
        command += " --signed";
    }
    if let Some(sources) = &args.begin_with {
        command += &format!(" --begin-with {sources}");
    }
    if let (Some(metric), Some(BoundList(bounds))) = (args.metric, &args.bounds) {
        let metric = clap::ValueEnum::to_possible_value(&metric);
        let metric = metric.map_or_else(String::new, |value| value.get_name().to_owned());
        let bounds: Vec<String> = bounds.iter().map(f64::to_string).collect();
        command += &format!(" --metric {metric} --bounds {}", bounds.join(","));
    }
    if let Some(bias) = args.max_bias {
        command += &format!(" --max-bias {bias}");
    }
    if args.zero_preserving {
        command += " --zero-preserving";
    }
    if let Ok(Some(layer)) = layer(args) {
        command += &format!(" {layer}");
    }
    command + &format!(" --epochs {} --candidates {} --seed {}", args.epochs, args.candidates, args.seed)
}
