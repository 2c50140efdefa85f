//! Firmware and image as a file, for whatever tool writes it to the board.
//!
//! | format | what it holds |
//! |---|---|
//! | ELF | the firmware as it was linked, log table included, and the image as one more segment |
//! | Intel HEX | addresses and bytes as text |
//! | BIN | bytes from the beginning of flash on, gaps as erased flash |
//! | UF2 | 256 bytes a block with their addresses, for boot loaders that pose as a USB drive |

mod elf;
mod hex;
mod uf2;

use super::description::Board;
use crate::error::{Error, Result};
use crate::file;
use std::path::Path;

/// What erased flash reads as.
const ERASED: u8 = 0xff;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// ELF.
    Elf,
    /// Intel HEX.
    Hex,
    /// Plain bytes.
    Bin,
    /// UF2.
    Uf2,
}

impl Format {
    /// The format that the extension of `path` stands for.
    pub fn of(path: &Path) -> Result<Format> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match extension.as_str() {
            "elf" => Ok(Format::Elf),
            "hex" | "ihex" => Ok(Format::Hex),
            "bin" => Ok(Format::Bin),
            "uf2" => Ok(Format::Uf2),
            _ => Err(Error::file(
                path,
                "its extension is none of elf, hex, bin and uf2: say which of them it is to be with --format",
            )),
        }
    }

    /// Refuses a format that means nothing to `board`. Worth asking before a long build.
    pub fn check(self, board: &Board) -> Result<()> {
        if self == Format::Uf2 && board.uf2_family.is_none() {
            let reason = format!(
                "the {} has no boot loader that takes UF2 files: choose elf, hex or bin with --format",
                board.name
            );
            return Err(Error::Argument(reason));
        }
        Ok(())
    }
}

/// Bytes and the address they belong at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    address: u32,
    bytes: Vec<u8>,
}

/// Firmware (an ELF file), if any, and the image of file `image` as one file in `format`.
pub fn merge(board: &Board, firmware: Option<&Path>, image: &Path, format: Format) -> Result<Vec<u8>> {
    format.check(board)?;
    let bytes = file::read(image)?;
    board.check_image_length(image, bytes.len() as u64)?;
    let image = Segment { address: board.image_address, bytes };
    let damaged = |path: &Path| Error::file(path, "is no complete ELF file for a microcontroller");
    let elf = match firmware {
        Some(path) => Some((path, file::read(path)?)),
        None => None,
    };
    if format == Format::Elf {
        return match elf {
            Some((path, elf)) => elf::with_segment(elf, &image).ok_or_else(|| damaged(path)),
            None => elf::with_segment(elf::empty(), &image)
                .ok_or_else(|| Error::Mismatch("the image fits no ELF file".into())),
        };
    }
    let mut segments = match &elf {
        Some((path, elf)) => elf::segments(elf).ok_or_else(|| damaged(path))?,
        None => Vec::new(),
    };
    segments.push(image);
    segments.sort_by_key(|segment| segment.address);
    check(board, &segments)?;
    Ok(match (format, board.uf2_family) {
        (Format::Hex, _) => hex::write(&segments),
        (Format::Uf2, Some(family)) => uf2::write(&segments, family),
        _ => plain(&segments),
    })
}

/// Refuses segments that overlap or lie outside flash: the tables of boards and linker scripts disagree then.
fn check(board: &Board, segments: &[Segment]) -> Result<()> {
    let mut free = u64::from(board.flash_address);
    let end = free + u64::from(board.flash_bytes);
    for Segment { address, bytes } in segments {
        let start = u64::from(*address);
        if start < free || start + bytes.len() as u64 > end {
            let length = bytes.len();
            let reason = format!("{length} bytes at {address:#x} do not fit its flash beside what is there");
            return Err(Error::tool(format!("firmware for {}", board.name), reason));
        }
        free = start + bytes.len() as u64;
    }
    Ok(())
}

/// All bytes from the first segment's on.
fn plain(segments: &[Segment]) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(first) = segments.first() else { return out };
    for Segment { address, bytes } in segments {
        out.resize((address - first.address) as usize, ERASED);
        out.extend(bytes);
    }
    out
}

#[cfg(test)]
mod tests;
