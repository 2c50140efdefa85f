//! `skimp multipliers`: what there is to choose from.

mod evolve;
mod list;
mod show;

use crate::error::Result;
use crate::multiplier::CostSource;

/// Show multipliers.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Evolve(evolve::Args),
    /// List a library with errors and costs.
    List(list::Args),
    /// Show everything known about one multiplier.
    Show(show::Args),
}

/// Runs the subcommand.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Evolve(args) => evolve::run(args),
        Command::List(args) => list::run(args),
        Command::Show(args) => show::run(args),
    }
}

/// A cost source as text and JSON have it, such as `gate-model`.
fn cost_source(source: CostSource) -> String {
    let text = serde_json::to_value(source).ok();
    text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_else(|| format!("{source:?}"))
}
