//! `skimp image`: building and inspecting flash images.

use super::build::{Chosen, ImageArgs, build as build_image};
use super::common::{self, MultiplierArgs, NetworkArgs};
use super::inspect::{self, Inspect};
use crate::error::Result;
use crate::file;
use std::path::PathBuf;

/// Build or inspect flash images.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Build the image of a network with given multipliers.
    Build(Build),
    /// Show what is in an image: layers, tables, flash and memory.
    Inspect(Inspect),
}

/// Build the image of a network with given multipliers.
#[derive(Debug, clap::Args)]
pub struct Build {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    /// Multipliers of the layers, separated by commas, in the order `front.json` lists the layers; a
    /// single one goes into every layer. A point of a front also has a `scheme` and a `range` there.
    #[arg(long, value_delimiter = ',', required = true, value_name = "NAME,NAME,...")]
    assignment: Vec<String>,
    #[command(flatten)]
    form: ImageArgs,
    /// The image file to write.
    #[arg(long, default_value = "network.skimp", value_name = "FILE")]
    out: PathBuf,
}

/// Runs the subcommand.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Build(args) => build(args),
        Command::Inspect(args) => inspect::run(args),
    }
}

fn build(args: Build) -> Result<()> {
    let NetworkArgs { model, how } = &args.network;
    let chosen = Chosen { flag: "--assignment", names: &args.assignment };
    let image = build_image(model, how, &args.multipliers, chosen, &args.form)?.image;
    file::write_atomically(&args.out, &image.bytes)?;
    common::print(format_args!(
        "wrote {}: {} bytes of flash, {} bytes of arena (no placement could need less than {})\n",
        args.out.display(),
        image.bytes.len(),
        image.arena_bytes,
        image.arena_lower_bound_bytes
    ))?;
    Ok(())
}
