//! What an optimization says at its end.

use crate::board::Board;
use crate::board::timing::Core;
use crate::cli::common;
use crate::cli::methods_table::methods_table;
use crate::error::Result;
use crate::multiplier::CostSource;
use crate::optimize::{Effort, Method, Optimized};
use crate::process;
use crate::report::{FrontPoint, front_table};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
pub struct Report<'a> {
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
    scheme: String,
    multipliers: &'a [String],
    cost_sources: &'a [CostSource],
    flash_bytes: usize,
    arena_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    insns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles_modelled: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms_modelled: Option<f64>,
    /// Schemes that were searched.
    schemes: Vec<String>,
    #[serde(flatten)]
    effort: Effort,
    methods: &'a [Method],
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory_bytes: Option<u64>,
    seconds: f64,
}

impl<'a> Report<'a> {
    /// Of an optimization that took so long.
    pub fn new(model: &'a str, optimized: &'a Optimized, seconds: f64) -> Report<'a> {
        let chosen = optimized.chosen_point();
        Report {
            model,
            accuracy_8bit: optimized.exact_accuracy_pct,
            accuracy_approx: optimized.verified.score.accuracy_pct(),
            energy_saved_pct: chosen.energy_saved_pct,
            mac_energy_saved_pct: chosen.mac_energy_saved_pct,
            loss_search_pp: chosen.loss_search_pp,
            loss_choice_pp: chosen.loss_choice_pp,
            loss_test_pp: chosen.loss_test_pp,
            loss_test_se_pp: chosen.loss_test_se_pp,
            kl_test: chosen.kl_test,
            scheme: chosen.scheme.clone(),
            multipliers: &chosen.assignment,
            cost_sources: &optimized.cost_sources,
            flash_bytes: optimized.image.bytes.len(),
            arena_bytes: optimized.image.arena_bytes,
            insns: chosen.insns,
            cycles_modelled: chosen.cycles_modelled,
            ms_modelled: chosen.ms_modelled,
            schemes: optimized.searches.iter().map(|(scheme, _)| scheme.to_string()).collect(),
            effort: optimized.effort(),
            methods: &optimized.methods,
            peak_memory_bytes: process::peak_memory_bytes(),
            seconds,
        }
    }
}

/// Cost sources as text.
pub fn sources(sources: &[CostSource]) -> String {
    sources.iter().map(CostSource::to_string).collect::<Vec<_>>().join(" and ")
}

/// Prints it as text; the image is for `board`, if for any, and `folder` is where the files are.
pub fn print(optimized: &Optimized, board: Option<&Board>, folder: &Path, seconds: f64) -> Result<()> {
    let (chosen, effort) = (optimized.chosen_point(), optimized.effort());
    common::print(format_args!("{}", front_table(&optimized.front)))?;
    common::print(format_args!(
        "chosen: {:.1} % of multiplication energy saved ({:.1} % of that of whole MACs); on {} test images \
         {:.2} % against {:.2} % exact (loss {:+.2} +- {:.2} points)\n",
        chosen.energy_saved_pct,
        chosen.mac_energy_saved_pct,
        optimized.test_images,
        optimized.verified.score.accuracy_pct(),
        optimized.exact_accuracy_pct,
        optimized.verified.loss_pp,
        optimized.verified.loss_se_pp
    ))?;
    let named = |p: &FrontPoint| {
        (!p.operating_points.is_empty())
            .then(|| format!("{} is point {}", p.operating_points.join(" and "), p.label))
    };
    let named: Vec<String> = optimized.front.iter().filter_map(named).collect();
    if !named.is_empty() {
        common::print(format_args!("operating points of the image: {}\n", named.join(", ")))?;
    }
    if let (Some(board), Some(ms)) = (board, chosen.ms_modelled) {
        let mhz = f64::from(board.clock_hz) / 1e6;
        let error = Core::of(board).map_or("an estimate", Core::error);
        common::print(format_args!(
            "on the {}: {} bytes of flash, about {ms:.1} ms an inference at {mhz:.0} MHz without wait states ({error})\n",
            board.name,
            optimized.image.bytes.len()
        ))?;
    }
    if optimized.cost_sources.len() > 1 {
        let sources = sources(&optimized.cost_sources);
        common::print(format_args!(
            "costs are mixed: {sources} figures, each relative to its own exact one\n"
        ))?;
    }
    common::print(format_args!("\n{}\n", methods_table(&optimized.methods)))?;
    common::print(format_args!(
        "evaluated {} assignments of {} multipliers ({} to see how sensitive layers are; {} came up again); wrote {}\n",
        effort.evaluations,
        effort.choices,
        effort.probes,
        effort.memo_hits,
        folder.display()
    ))?;
    let runs = effort.layer_runs;
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    common::print(format_args!(
        "ran {} layers, {} more were known from other assignments (at most {:.1} MiB of memory)\n",
        runs.layer_runs,
        runs.layer_runs_saved,
        mib(runs.peak_cache_bytes as f64)
    ))?;
    let memory = process::peak_memory_bytes()
        .map_or(String::new(), |bytes| format!(", {:.0} MiB of memory at most", mib(bytes as f64)));
    common::print(format_args!("{seconds:.0} s{memory}\n"))
}
