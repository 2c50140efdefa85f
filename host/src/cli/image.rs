//! `skimp image`: building and inspecting flash images.

use super::build::{Chosen, ImageArgs, build as build_image};
use super::common::{self, MultiplierArgs, NetworkArgs};
use super::inspect::{self, Inspect};
use crate::board::Board;
use crate::error::Result;
use crate::file;
use std::path::PathBuf;

/// Build or inspect flash images.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Build the image of a network with given multipliers.
    Build(Build),
    /// State the flash and the memory of a network's image in every form, before one is built.
    Sizes(super::image_sizes::Args),
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
    #[arg(long, value_delimiter = ',', required_unless_present = "point", value_name = "NAME,NAME,...")]
    assignment: Vec<String>,
    /// An operating point, by its name and its multipliers: `frugal=NAME,NAME,...`. May be given several times;
    /// boards begin with the first and go to another when asked. All share what is the same in them.
    #[arg(long, value_name = "POINT=NAME,...", conflicts_with = "assignment")]
    point: Vec<String>,
    /// Build it for this board: the fastest form that fits, and an error if none does.
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
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
        Command::Sizes(args) => super::image_sizes::run(args),
        Command::Inspect(args) => inspect::run(args),
    }
}

fn build(args: Build) -> Result<()> {
    let NetworkArgs { model, how } = &args.network;
    let chosen = match args.point.as_slice() {
        [] => Chosen::only("--assignment", &args.assignment),
        points => points.iter().map(|text| Chosen::parse("--point", text)).collect::<Result<_>>()?,
    };
    let board = args.board.as_deref().map(Board::find).transpose()?;
    let image = build_image(model, how, &args.multipliers, &chosen, &args.form, board)?.image;
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
