//! `skimp multipliers`: what there is to choose from.

mod compare;
mod evolve;
mod export;
mod import;
mod layer;
mod list;
mod show;

use crate::error::Result;

/// Show, breed, import and export multipliers.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List a library with errors and costs.
    List(list::Args),
    /// Show everything known about one multiplier.
    Show(show::Args),
    /// Compare the fronts of two libraries: errors against relative power.
    Compare(compare::Args),
    /// Breed approximate multipliers within bounds on their errors.
    Evolve(evolve::Args),
    /// Import truth tables and circuits into a library folder.
    Import(import::Args),
    /// Export tables or circuits for other tools.
    Export(export::Args),
}

/// Runs the subcommand.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::List(args) => list::run(args),
        Command::Show(args) => show::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Evolve(args) => evolve::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
    }
}
