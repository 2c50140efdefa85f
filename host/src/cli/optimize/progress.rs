//! An optimization that shows how far it is.

use crate::cli::common;
use crate::compensate::Steps;
use crate::error::Result;
use crate::optimize::{self, Entrant, Optimized, Options, Progress, Stage};
use std::sync::Mutex;

/// Searches with a progress bar, or lines where standard error is no terminal.
pub fn optimize(entrants: &[Entrant], contested: bool, steps: Steps, options: &Options) -> Result<Optimized> {
    let bar = common::progress_bar(options.generations as u64, "search");
    let last = Mutex::new(String::new());
    let optimized = optimize::optimize(entrants, contested, steps, options, &|scheme, stage| {
        let (position, length, message) = describe(stage, options);
        let message = scheme.map_or(message.clone(), |scheme| format!("{scheme}: {message}"));
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
    let searching = |progress: Progress| {
        format!(
            "generation {:>2}: {:>3} evaluations, {:.1} % saved within the budget",
            progress.generation, progress.evaluations, progress.best_saved_pct
        )
    };
    let generations = options.generations as u64;
    match stage {
        Stage::Trial { done, of } => {
            (done as u64, of as u64, format!("tried with {done} of at most {of} multipliers in every layer"))
        }
        Stage::RangeTrial { done, of } => (
            done as u64,
            of as u64,
            format!("ranges tried with {done} of at most {of} multipliers in every layer"),
        ),
        Stage::Range(method) => (0, generations, format!("searched with activation ranges by {method}")),
        Stage::NotSearched => {
            (0, generations, "not searched: another scheme diverges less for as little energy".to_owned())
        }
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
