//! `skimp optimize`: the search.

use super::common::{self, MultiplierArgs, NetworkArgs, Spinner};
use super::memory::Memory;
use super::methods_table::methods_table;
use crate::accelerator::AcceleratorModel;
use crate::compensate::Steps;
use crate::data::Count;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::{CostSource, Library, ProductCache, Scheme};
use crate::optimize::{
    CheckpointFile, ErrorMeasure, LayerRuns, Method, Optimized, Options, Stage, check_cost_sources, optimize,
};
use crate::prepare::Prepared;
use crate::process;
use crate::quantize::QuantizedNetwork;
use crate::report::front_table;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// Name of the file, in the folder of the results, that a search goes on from.
const CHECKPOINT_FILE: &str = "search.checkpoint";

/// Choose a multiplier for each layer by NSGA-II with compensation; write the front and the flash image.
///
/// Candidates are compensated on calibration images and scored on other training images. Points of the front are
/// then compensated in full; the one of least energy within the loss budget is chosen on further training images, and
/// all are verified on test images.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// Leave out the rivals: one multiplier everywhere, exact multipliers of fewer bits, ALWANN as published.
    #[arg(long)]
    no_baselines: bool,
    /// Go on from the last generation that a search with the same options has saved in the output folder.
    #[arg(long)]
    resume: bool,
    /// Folder for front.csv, front.svg, front.json and network.skimp.
    #[arg(long, default_value = "out/optimize", value_name = "FOLDER")]
    out: PathBuf,
    /// Print one JSON object at the end.
    #[arg(long)]
    json: bool,
}

/// Images to choose points on, if there are so many.
const CHOICE_IMAGES: usize = 4000;

/// How to search.
#[derive(Debug, clap::Args)]
pub struct SearchArgs {
    /// Largest accuracy loss of the point to choose, in percentage points against the 8-bit network.
    #[arg(long, default_value_t = 0.6, value_name = "POINTS", allow_negative_numbers = true)]
    pub max_loss: f64,
    /// Tiles of the accelerator: at most so many different multipliers.
    #[arg(long, default_value_t = 4, value_name = "T")]
    pub tiles: usize,
    /// Accelerator model: power-gated, pipelined or pipelined:IDLE_FRACTION.
    #[arg(long, default_value = "power-gated")]
    pub accelerator: AcceleratorModel,
    /// Multipliers in each tile's array (rounds a pipelined layer up to whole cycles).
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub array_size: u32,
    /// At most so many different multipliers (matters where tiles may share one: pipelined).
    #[arg(long, value_name = "N")]
    pub max_distinct: Option<usize>,
    /// Layers that keep the exact multiplier: names, or places among the layers that multiply, from 0.
    #[arg(long, value_delimiter = ',', value_name = "LAYER,...")]
    pub keep_exact: Vec<String>,
    /// What the search takes for error: kl (divergence from the exact network) or loss (accuracy).
    #[arg(long, default_value = "kl")]
    pub error: ErrorMeasure,
    /// Minimise the area of all tiles as well.
    #[arg(long)]
    pub area: bool,
    /// Genomes in a generation.
    #[arg(long, default_value_t = 24, value_name = "N")]
    pub population: usize,
    /// Generations after the first.
    #[arg(long, default_value_t = 12, value_name = "N")]
    pub generations: usize,
    /// Measure all assignments instead of searching, if there are not too many.
    #[arg(long)]
    pub exhaustive: bool,
    /// Points of the front that are compensated in full and measured on images the search has not seen.
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub finalists: usize,
    /// Training images that candidates are scored on.
    #[arg(long, default_value_t = 500, value_name = "N")]
    pub selection_images: usize,
    /// Further training images for choosing a point of the front [default: 4000, or all there are].
    #[arg(long, value_name = "N")]
    pub choice_images: Option<usize>,
    /// Seed of the search; the same seed gives the same result on any number of threads.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Try every multiplier of the library; otherwise those that in some layer, under its own operands, no
    /// cheaper one beats.
    #[arg(long)]
    pub every_choice: bool,
    /// Most memory for results of first layers that later candidates begin with, in MiB or with a suffix
    /// (64K, 512M, 2G); 0 runs every candidate from its first layer. No value changes the result.
    #[arg(long, default_value = "1G", value_name = "SIZE")]
    pub memory: Memory,
    /// Search although costs come from several sources (published, gate-model), which do not compare.
    #[arg(long)]
    pub mix_cost_sources: bool,
}

impl SearchArgs {
    /// Training images needed beside those for calibration.
    pub fn images(&self) -> Count {
        let with = |choice: usize| self.selection_images.saturating_add(choice);
        match self.choice_images {
            Some(choice) => Count::exactly(with(choice)),
            None => Count { least: with(1), most: with(CHOICE_IMAGES) },
        }
    }

    /// The library to search, whose costs must come from one source unless more are allowed.
    pub fn library(&self, multipliers: &MultiplierArgs, scheme: Scheme) -> Result<Library> {
        let library = multipliers.library(scheme)?;
        if !self.mix_cost_sources {
            check_cost_sources(&library)?;
        } else if library.cost_sources().len() > 1 {
            let sources = sources(&library.cost_sources());
            eprintln!("  costs of several sources are mixed ({sources}): savings compare unlike figures");
        }
        Ok(library)
    }

    /// What was asked for, checked as far as it can be without the network.
    pub fn check(&self) -> Result<()> {
        if !self.max_loss.is_finite() {
            return Err(Error::Argument(format!("--max-loss must be a number, not {}", self.max_loss)));
        }
        common::at_least("--selection-images", self.selection_images, 1)?;
        if let Some(count) = self.choice_images {
            common::at_least("--choice-images", count, 1)?;
        }
        if let Some(count) = self.max_distinct {
            common::at_least("--max-distinct", count, 1)?;
        }
        common::at_least("--tiles", self.tiles, 1)?;
        common::at_least("--population", self.population, 2)?;
        common::at_least("--finalists", self.finalists, 1)?;
        common::at_least("--array-size", self.array_size as usize, 1)
    }

    /// What was asked for, for `network`.
    pub fn options(&self, network: &QuantizedNetwork, baselines: bool) -> Result<Options> {
        let layers: Vec<&str> = network.convs().map(|(layer, _)| layer.name.as_str()).collect();
        let place = |name: &String| {
            let place = layers.iter().position(|layer| layer == name);
            place.or_else(|| name.parse().ok().filter(|&place: &usize| place < layers.len())).ok_or_else(
                || {
                    Error::Argument(format!(
                        "--keep-exact: {} has no layer \"{name}\" that multiplies; there are {}",
                        network.name,
                        layers.join(", ")
                    ))
                },
            )
        };
        let mut keep_exact = self.keep_exact.iter().map(place).collect::<Result<Vec<usize>>>()?;
        keep_exact.sort_unstable();
        keep_exact.dedup();
        Ok(Options {
            tiles: self.tiles,
            max_distinct: self.max_distinct,
            keep_exact,
            population: self.population,
            generations: self.generations,
            seed: self.seed,
            accelerator: self.accelerator,
            array_size: self.array_size,
            max_loss_pp: self.max_loss,
            error: self.error,
            area: self.area,
            search_images: self.selection_images,
            every_choice: self.every_choice,
            exhaustive: self.exhaustive,
            finalists: self.finalists,
            baselines,
            memory_bytes: self.memory.bytes,
        })
    }
}

/// Cost sources as text.
fn sources(sources: &[CostSource]) -> String {
    sources.iter().map(CostSource::to_string).collect::<Vec<_>>().join(" and ")
}

/// Searches with a progress bar, or lines where standard error is no terminal.
pub fn search(
    prepared: &Prepared,
    library: &Library,
    steps: Steps,
    options: &Options,
    checkpoint: Option<&CheckpointFile>,
) -> Result<Optimized> {
    let products = ProductCache::new(library, prepared.quantized.scheme)?;
    let bar = common::progress_bar(options.generations as u64, "search");
    let last = Mutex::new(String::new());
    let optimized = optimize(prepared, &products, steps, options, checkpoint, &|stage| {
        let (position, length, message) = describe(stage, options);
        bar.set_length(length);
        bar.set_position(position);
        if !bar.is_hidden() {
            return bar.set_message(message);
        }
        let mut last = last.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if *last != message {
            eprintln!("  {message}");
            *last = message;
        }
    });
    bar.finish_and_clear();
    optimized
}

/// How far a stage is, of how much, and in words.
fn describe(stage: Stage, options: &Options) -> (u64, u64, String) {
    let searching = |progress: crate::optimize::Progress| {
        format!(
            "generation {:>2}: {:>3} evaluations, {:.1} % saved within the budget",
            progress.generation, progress.evaluations, progress.best_saved_pct
        )
    };
    let generations = options.generations as u64;
    match stage {
        Stage::Shortlist(share) => {
            let tenths = (10.0 * share).floor();
            ((100.0 * share) as u64, 100, format!("trying multipliers in each layer: {:.0} %", 10.0 * tenths))
        }
        Stage::Search(progress) => (progress.generation as u64, generations, searching(progress)),
        Stage::Finalists { done, of } => {
            (done as u64, of as u64, format!("point {done} of at most {of} compensated in full"))
        }
        Stage::Test { done, of } => {
            (done as u64, of as u64, format!("point {done} of {of} verified on test images"))
        }
        Stage::RivalSearch { name, progress } => {
            (progress.generation as u64, generations, format!("{name}: {}", searching(progress)))
        }
        Stage::Rival { name, done, of } => {
            (done as u64, of as u64, format!("{name}: point {done} of at most {of} measured"))
        }
    }
}

/// Where a search is saved, and what makes it the same search: everything but the number of generations and what
/// comes after them.
fn checkpoint(
    folder: &Path,
    resume: bool,
    prepared: &Prepared,
    library: &Library,
    steps: Steps,
    options: &Options,
) -> Result<CheckpointFile> {
    let network = &prepared.quantized;
    let mut digest = Sha256::new();
    for (_, conv) in network.convs() {
        digest.update(&conv.weights);
        digest.update(conv.input_scale.to_le_bytes());
        conv.bias.iter().for_each(|bias| digest.update(bias.to_le_bytes()));
    }
    for set in [&prepared.calibration, &prepared.selection] {
        digest.update(&set.codes);
        digest.update(&set.labels);
    }
    for multiplier in library.multipliers() {
        digest.update(multiplier.name.as_bytes());
        digest.update(multiplier.power_rel.to_le_bytes());
        multiplier.table.products().iter().for_each(|product| digest.update(product.to_le_bytes()));
    }
    let digest: [u8; 32] = digest.finalize().into();
    let options =
        Options { generations: 0, baselines: false, finalists: 0, max_loss_pp: 0.0, ..options.clone() };
    let about = (network.name.as_str(), network.scheme.to_string(), steps, options, digest);
    CheckpointFile::new(folder.join(CHECKPOINT_FILE), &about, resume)
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    accuracy_8bit: f64,
    accuracy_approx: f64,
    energy_saved_pct: f64,
    mac_energy_saved_pct: f64,
    loss_search_pp: f64,
    loss_choice_pp: f64,
    loss_test_pp: f64,
    loss_test_se_pp: f64,
    kl_test: f64,
    multipliers: &'a [String],
    cost_sources: Vec<CostSource>,
    flash_bytes: usize,
    arena_bytes: usize,
    choices: usize,
    evaluations: usize,
    probes: usize,
    memo_hits: usize,
    #[serde(flatten)]
    layer_runs: LayerRuns,
    methods: &'a [Method],
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory_bytes: Option<u64>,
    seconds: f64,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let started = Instant::now();
    args.search.check()?;
    file::check_writable(&args.out)?;
    let scheme = args.network.how.scheme;
    let library = args.search.library(&args.multipliers, scheme)?;
    let prepared = args.network.how.prepare(&args.network.model, args.search.images())?;
    let options = args.search.options(&prepared.quantized, !args.no_baselines)?;
    let steps = args.multipliers.compensation;
    let checkpoint = checkpoint(&args.out, args.resume, &prepared, &library, steps, &options)?;
    let optimized = search(&prepared, &library, steps, &options, Some(&checkpoint))?;
    let spinner = Spinner::start("writing");
    optimized.write(&prepared, &library, &options, &args.out)?;
    drop(spinner);
    let chosen = optimized.chosen_point();
    let peak_memory_bytes = process::peak_memory_bytes();
    let seconds = started.elapsed().as_secs_f64();
    if args.json {
        return common::print_json(&Report {
            model: &args.network.model,
            accuracy_8bit: optimized.exact_accuracy_pct,
            accuracy_approx: optimized.verified.score.accuracy_pct(),
            energy_saved_pct: chosen.energy_saved_pct,
            mac_energy_saved_pct: chosen.mac_energy_saved_pct,
            loss_search_pp: chosen.loss_search_pp,
            loss_choice_pp: chosen.loss_choice_pp,
            loss_test_pp: chosen.loss_test_pp,
            loss_test_se_pp: chosen.loss_test_se_pp,
            kl_test: chosen.kl_test,
            multipliers: &chosen.assignment,
            cost_sources: library.cost_sources(),
            flash_bytes: optimized.image.bytes.len(),
            arena_bytes: optimized.image.arena_bytes,
            choices: optimized.selection.choices,
            evaluations: optimized.selection.evaluations,
            probes: optimized.selection.probes,
            memo_hits: optimized.selection.memo_hits,
            layer_runs: optimized.selection.layer_runs,
            methods: &optimized.methods,
            peak_memory_bytes,
            seconds,
        });
    }
    common::print(format_args!("{}", front_table(&optimized.front)))?;
    common::print(format_args!(
        "chosen: {:.1} % of multiplication energy saved ({:.1} % of that of whole MACs); on {} test images \
         {:.2} % against {:.2} % exact (loss {:+.2} +- {:.2} points)\n",
        chosen.energy_saved_pct,
        chosen.mac_energy_saved_pct,
        prepared.test.labels.len(),
        optimized.verified.score.accuracy_pct(),
        optimized.exact_accuracy_pct,
        optimized.verified.loss_pp,
        optimized.verified.loss_se_pp
    ))?;
    if library.cost_sources().len() > 1 {
        let sources = sources(&library.cost_sources());
        common::print(format_args!(
            "costs are mixed: {sources} figures, each relative to its own exact one\n"
        ))?;
    }
    common::print(format_args!("\n{}\n", methods_table(&optimized.methods)))?;
    common::print(format_args!(
        "evaluated {} assignments of {} multipliers ({} to see how sensitive layers are; {} came up again); wrote {}\n",
        optimized.selection.evaluations,
        optimized.selection.choices,
        optimized.selection.probes,
        optimized.selection.memo_hits,
        args.out.display()
    ))?;
    let runs = optimized.selection.layer_runs;
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    common::print(format_args!(
        "ran {} layers, {} more were known from other assignments (at most {:.1} MiB of memory)\n",
        runs.layer_runs,
        runs.layer_runs_saved,
        mib(runs.peak_cache_bytes as f64)
    ))?;
    let memory = peak_memory_bytes
        .map_or(String::new(), |bytes| format!(", {:.0} MiB of memory at most", mib(bytes as f64)));
    common::print(format_args!("{seconds:.0} s{memory}\n"))
}
