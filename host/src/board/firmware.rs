//! Building a board's firmware.

use super::description::Board;
use super::install::{Install, lock};
use super::toolchain::Toolchain;
use crate::error::{Error, Result};
use crate::process;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a build may take; a minute or two is usual the first time.
pub(super) const BUILD_LIMIT: Duration = Duration::from_secs(1200);

/// Builds the firmware of `board` if its sources have changed and returns the ELF file. The toolchain is
/// installed first if it is missing and `install` allows it. cargo's lines go to `progress`.
pub fn build(board: &Board, install: Install, progress: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let sources = sources()?;
    let target_folder = target_folder();
    // Two processes at once would install the same things.
    let _lock = lock(&target_folder.join(".lock"), progress)?;
    let toolchain = Toolchain::find_or_install(board.target, install, progress)?;

    let mut command = toolchain.build_command(board.profile);
    command
        .current_dir(&sources)
        .args(["--package", &format!("skimp-{}", board.name), "--target-dir"])
        .arg(&target_folder);
    process::run_ok(&format!("building firmware for {}", board.name), &mut command, BUILD_LIMIT, progress)?;

    let elf = target_folder.join(board.target).join(board.profile.name()).join(board.name);
    if !elf.is_file() {
        return Err(Error::file(elf, "cargo reports success but did not write the firmware here"));
    }
    Ok(elf)
}

/// The folder `boards` of skimp's own sources.
pub(super) fn sources() -> Result<PathBuf> {
    let folder = workspace().join("boards");
    if folder.join("Cargo.toml").is_file() {
        return Ok(folder);
    }
    let reason = "the firmware's sources are missing; build it where skimp itself was built from source";
    Err(Error::file(folder, reason))
}

/// Where firmware is built, next to what the workspace's own builds leave.
pub(super) fn target_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.filter(|path| path.is_absolute()).unwrap_or_else(|| workspace().join("target"));
    target.join("boards")
}

/// The folder of skimp's own sources.
pub(super) fn workspace() -> &'static Path {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    host.parent().unwrap_or(host)
}
