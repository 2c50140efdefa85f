//! `skimp optimize`: the search.

use super::common::{self, MultiplierArgs, NetworkArgs, Spinner};
use super::memory::Memory;
use crate::accelerator::AcceleratorModel;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::{CostSource, Library, ProductCache, Scheme};
use crate::optimize::{LayerRuns, Optimized, Options, check_cost_sources, optimize};
use crate::prepare::Prepared;
use crate::report::front_table;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Choose a multiplier for each layer by NSGA-II with compensation; write the front and the flash image.
///
/// Candidates are compensated on calibration images and scored on other training images; the point of the
/// front with the least energy within the loss budget is chosen on further ones and verified on test images.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// Folder for front.csv, front.svg, front.json and network.skimp.
    #[arg(long, default_value = "out/optimize", value_name = "FOLDER")]
    out: PathBuf,
    /// Print one JSON object at the end.
    #[arg(long)]
    json: bool,
}

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
    /// Genomes in a generation.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub population: usize,
    /// Generations after the first.
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub generations: usize,
    /// Training images that candidates are scored on.
    #[arg(long, default_value_t = 500, value_name = "N")]
    pub selection_images: usize,
    /// Further training images for choosing a point of the front.
    #[arg(long, default_value_t = 500, value_name = "N")]
    pub choice_images: usize,
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
    pub fn images(&self) -> usize {
        self.selection_images.saturating_add(self.choice_images)
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

    /// What was asked for, checked.
    pub fn options(&self) -> Result<Options> {
        if !self.max_loss.is_finite() {
            return Err(Error::Argument(format!("--max-loss must be a number, not {}", self.max_loss)));
        }
        common::at_least("--selection-images", self.selection_images, 1)?;
        common::at_least("--choice-images", self.choice_images, 1)?;
        common::at_least("--tiles", self.tiles, 1)?;
        common::at_least("--population", self.population, 2)?;
        common::at_least("--array-size", self.array_size as usize, 1)?;
        Ok(Options {
            tiles: self.tiles,
            population: self.population,
            generations: self.generations,
            seed: self.seed,
            accelerator: self.accelerator,
            array_size: self.array_size,
            max_loss_pp: self.max_loss,
            search_images: self.selection_images,
            every_choice: self.every_choice,
            memory_bytes: self.memory.bytes,
        })
    }
}

/// Cost sources as text.
fn sources(sources: &[CostSource]) -> String {
    sources.iter().map(CostSource::to_string).collect::<Vec<_>>().join(" and ")
}

/// Searches with a progress bar.
pub fn search(
    prepared: &Prepared,
    library: &Library,
    multipliers: &MultiplierArgs,
    options: &Options,
) -> Result<Optimized> {
    let products = ProductCache::new(library, prepared.quantized.scheme)?;
    let bar = common::progress_bar(options.generations as u64, "search");
    let optimized = optimize(prepared, &products, multipliers.compensation, options, |progress| {
        bar.set_position(progress.generation as u64);
        let message = format!(
            "generation {:>2}: {:>3} evaluations, {:.1} % saved within the budget",
            progress.generation, progress.evaluations, progress.best_saved_pct
        );
        if bar.is_hidden() {
            eprintln!("  {message}");
        } else {
            bar.set_message(message);
        }
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    optimized
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    accuracy_8bit: f64,
    accuracy_approx: f64,
    energy_saved_pct: f64,
    loss_search_pp: f64,
    loss_test_pp: f64,
    loss_test_se_pp: f64,
    multipliers: &'a [String],
    cost_sources: Vec<CostSource>,
    flash_bytes: usize,
    arena_bytes: usize,
    evaluations: usize,
    probes: usize,
    memo_hits: usize,
    #[serde(flatten)]
    layer_runs: LayerRuns,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let options = args.search.options()?;
    file::check_writable(&args.out)?;
    let scheme = args.network.how.scheme;
    let library = args.search.library(&args.multipliers, scheme)?;
    let prepared = args.network.how.prepare(&args.network.model, args.search.images())?;
    let optimized = search(&prepared, &library, &args.multipliers, &options)?;
    let spinner = Spinner::start("writing");
    optimized.write(&prepared, &library, &options, &args.out)?;
    drop(spinner);
    let chosen = optimized.chosen_point();
    if args.json {
        return common::print_json(&Report {
            model: &args.network.model,
            accuracy_8bit: optimized.exact_accuracy_pct,
            accuracy_approx: optimized.verified.score.accuracy_pct(),
            energy_saved_pct: chosen.energy_saved_pct,
            loss_search_pp: chosen.loss_pp,
            loss_test_pp: optimized.verified.loss_pp,
            loss_test_se_pp: optimized.verified.loss_se_pp,
            multipliers: &optimized.multipliers,
            cost_sources: library.cost_sources(),
            flash_bytes: optimized.image.bytes.len(),
            arena_bytes: optimized.image.arena_bytes,
            evaluations: optimized.selection.evaluations,
            probes: optimized.selection.probes,
            memo_hits: optimized.selection.memo_hits,
            layer_runs: optimized.selection.layer_runs,
        });
    }
    common::print(format_args!("{}", front_table(&optimized.front)))?;
    common::print(format_args!(
        "chosen: {:.1} % of multiplication energy saved; on {} test images {:.2} % against {:.2} % exact \
         (loss {:+.2} +- {:.2} points)\n",
        chosen.energy_saved_pct,
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
    common::print(format_args!(
        "evaluated {} assignments ({} to see how sensitive layers are; {} came up again); wrote {}\n",
        optimized.selection.evaluations,
        optimized.selection.probes,
        optimized.selection.memo_hits,
        args.out.display()
    ))?;
    let runs = optimized.selection.layer_runs;
    common::print(format_args!(
        "ran {} layers, {} more were known from other assignments (at most {:.1} MiB of memory)\n",
        runs.layer_runs,
        runs.layer_runs_saved,
        runs.peak_cache_bytes as f64 / f64::from(1 << 20)
    ))?;
    Ok(())
}
