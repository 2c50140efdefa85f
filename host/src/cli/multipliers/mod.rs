//! `skimp multipliers`: what there is to choose from.

mod evolve;
mod list;

use crate::error::Result;

/// Show multipliers.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Evolve(evolve::Args),
    /// List a library with errors and costs.
    List(list::Args),
}

/// Runs the subcommand.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Evolve(args) => evolve::run(args),
        Command::List(args) => list::run(args),
    }
}
