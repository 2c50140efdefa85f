//! A file of the operands in a network's layers.

use super::Args;
use crate::cli::common::quoted;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::{Distribution, DistributionFile};
use std::path::Path;

/// Checks that a distribution can be written to `path`, and that nothing else is lost by that.
pub(super) fn check_replaceable(path: &Path, signed: bool) -> Result<()> {
    if path.exists() {
        let there = DistributionFile::read(path, signed).or_else(|_| DistributionFile::read(path, !signed));
        there.map_err(|_| {
            Error::file(path, "is there and no distribution, so it is not replaced; name another file")
        })?;
    }
    file::check_writable(path.parent().unwrap_or(Path::new("")))
}

/// Writes the operands in the layers asked for.
pub(super) fn write(
    path: &Path,
    operands: &Distribution,
    signed: bool,
    model: &str,
    args: &Args,
) -> Result<()> {
    let layer = args.layer.as_ref().map_or_else(String::new, |layer| format!(" --layer {}", quoted(layer)));
    let from = format!("--network {}{layer} {}", quoted(model), args.how.options());
    DistributionFile::new(operands, signed, from).write(path)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
