//! `skimp flash`: real boards.

use super::common::{self, Spinner};
use crate::board::{Board, Install, firmware, flash};
use crate::error::{Error, Result};
use crate::execute::AlignedImage;
use crate::file;
use std::path::PathBuf;

/// Write firmware and image to a real board through probe-rs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The board, such as netduinoplus2.
    #[arg(long, value_name = "NAME")]
    board: String,
    /// The image file.
    image: PathBuf,
    /// Write the image alone: the firmware is already there.
    #[arg(long)]
    image_only: bool,
    /// Say what is missing instead of installing it.
    #[arg(long)]
    no_install: bool,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let board = Board::find(&args.board)?;
    // A board should not be the one to find out that the file is no image.
    AlignedImage::new(&file::read(&args.image)?)
        .load()
        .map_err(|e| Error::file(&args.image, e.to_string()))?;
    flash::require_probe_rs(board)?;
    let install = if args.no_install { Install::Forbidden } else { Install::Allowed };
    let spinner = Spinner::start("flashing");
    let firmware = if args.image_only {
        None
    } else {
        Some(firmware::build(board, install, &mut |line| spinner.say(line))?)
    };
    flash::flash(board, firmware.as_deref(), Some(&args.image), &mut |line| spinner.say(line))?;
    drop(spinner);
    common::print(format_args!("{} now holds {}\n", board.name, args.image.display()))?;
    Ok(())
}
