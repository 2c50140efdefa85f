//! `skimp data`: fetching data sets.

use super::common::{self, Spinner};
use crate::data;
use crate::error::Result;

/// Fetch data sets.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Fetch a data set into the cache, if it is not there yet, and check it.
    Fetch {
        /// The data set: cifar10.
        name: String,
    },
}

/// Runs the subcommand.
pub fn run(command: Command) -> Result<()> {
    let Command::Fetch { name } = command;
    let spinner = Spinner::start("fetching");
    let folder = data::fetch(&name, &|line| spinner.say(line))?;
    drop(spinner);
    common::print(format_args!("{name} is in {}\n", folder.display()))?;
    Ok(())
}
