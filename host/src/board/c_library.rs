//! Building skimp's runtime as a static library for C, and finding a C compiler for it.

use super::description::Profile;
use super::firmware::{BUILD_LIMIT, sources, target_folder};
use super::install::{self, Install, lock};
use super::toolchain::Toolchain;
use crate::error::{Error, Result};
use crate::process::{self, find_program};
use std::path::PathBuf;

/// The compiler for Arm's microcontrollers.
const COMPILER: &str = "arm-none-eabi-gcc";

/// Builds `libskimp.a` for the Rust target `target` if its sources have changed, and returns it. The
/// toolchain is installed first if it is missing and `install` allows it. cargo's lines go to `progress`.
pub fn build(target: &str, install: Install, progress: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let sources = sources()?;
    let folder = target_folder();
    // Two processes at once would install the same things.
    let _lock = lock(&folder.join(".lock"), progress)?;
    let toolchain = Toolchain::find_or_install(target, install, progress)?;

    let mut command = toolchain.build_command(Profile::Release);
    command.current_dir(&sources).args(["--package", "skimp-c", "--target-dir"]).arg(&folder);
    process::run_ok("building the C library", &mut command, BUILD_LIMIT, progress)?;

    let library = folder.join(target).join("release/libskimp.a");
    if !library.is_file() {
        return Err(Error::file(library, "cargo reports success but did not write the library here"));
    }
    Ok(library)
}

/// The folder with the library's header, `skimp.h`.
pub fn header_folder() -> Result<PathBuf> {
    Ok(sources()?.join("c/include"))
}

/// `arm-none-eabi-gcc`, installed if it is missing and that is allowed.
pub fn compiler(install: Install, progress: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    if let Some(path) = find_program(COMPILER) {
        return Ok(path);
    }
    let why = "a C compiler for Cortex-M is missing";
    install::apt(why, &["gcc-arm-none-eabi"], install, progress)?;
    find_program(COMPILER)
        .ok_or_else(|| Error::tool(COMPILER, "apt installed it, yet it is not on PATH; see its package"))
}
