//! `skimp flash`: real boards.

use super::common::{self, Spinner};
use crate::board::flash_file::{self, Format};
use crate::board::{Board, Install, firmware, flash};
use crate::error::{Error, Result};
use crate::execute::AlignedImage;
use crate::file;
use std::path::{Path, PathBuf};

/// Write firmware and image to a real board through probe-rs, or to a file.
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
    /// Write a file instead, for another tool to flash.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The file's format; by its extension unless given.
    #[arg(long, value_enum, requires = "out")]
    format: Option<Format>,
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
    match &args.out {
        None => {
            flash::require_probe_rs(board)?;
            let spinner = Spinner::start("flashing");
            let firmware = firmware(&args, board, &spinner)?;
            flash::flash(board, firmware.as_deref(), Some(&args.image), &mut |line| spinner.say(line))?;
            drop(spinner);
            common::print(format_args!("{} now holds {}\n", board.name, args.image.display()))
        }
        Some(out) => write(&args, board, out),
    }
}

/// The firmware, built if it is wanted.
fn firmware(args: &Args, board: &Board, spinner: &Spinner) -> Result<Option<PathBuf>> {
    if args.image_only {
        return Ok(None);
    }
    let install = if args.no_install { Install::Forbidden } else { Install::Allowed };
    firmware::build(board, install, &mut |line| spinner.say(line)).map(Some)
}

fn write(args: &Args, board: &Board, out: &Path) -> Result<()> {
    let format = args.format.map_or_else(|| Format::of(out), Ok)?;
    format.check(board)?;
    let spinner = Spinner::start("building");
    let firmware = firmware(args, board, &spinner)?;
    drop(spinner);
    let bytes = flash_file::merge(board, firmware.as_deref(), &args.image, format)?;
    file::write_atomically(out, &bytes)?;
    let (what, address) = match firmware {
        Some(_) => ("firmware and image", board.flash_address),
        None => ("the image", board.image_address),
    };
    common::print(format_args!(
        "{}: {what} for {}, from address {address:#010x} on\n",
        out.display(),
        board.name
    ))
}
