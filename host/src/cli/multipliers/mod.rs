//! `skimp multipliers`: what there is to choose from.

mod export;
mod import;
mod list;

use crate::error::Result;

/// Show, import and export multipliers.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List a library with errors and costs.
    List(list::Args),
    /// Import truth tables and circuits into a library folder.
    Import(import::Args),
    /// Export tables or circuits for other tools.
    Export(export::Args),
}

/// Runs the subcommand.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::List(args) => list::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
    }
}
