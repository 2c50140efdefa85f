//! Boards: what skimp knows of them, how their firmware is built, flashed or started in QEMU, and the
//! conversation with a board that runs it.
//!
//! ```text
//! toolchain -> firmware -> qemu ------------+-> device
//!                       -> flash -> serial -+
//!                       -> flash_file
//! ```

pub mod c_library;
pub mod description;
pub mod device;
pub mod firmware;
pub mod flash;
pub mod flash_file;
pub mod footprint;
mod image_form;
pub mod install;
pub mod latency;
pub mod link;
mod log;
pub mod prediction;
pub mod qemu;
pub mod serial;
pub mod timing;
pub mod toolchain;

pub use description::Board;
pub use device::{Device, Inference};
pub use image_form::{check_fit, image_forms};
pub use install::Install;
pub use log::LogLine;
pub use qemu::{Qemu, QemuOptions};
pub use serial::Serial;
pub use timing::Timing;

use crate::error::Result;
use std::path::Path;

/// Builds a board's firmware and starts it in QEMU with the image of file `image` in its flash, or with
/// none. What is missing on the machine is installed first if `install` allows it. Each line of progress
/// goes to `progress`, each line the board logs to `log`.
pub fn emulate(
    board: &'static Board,
    image: Option<&Path>,
    install: Install,
    progress: &mut dyn FnMut(&str),
    log: impl FnMut(LogLine) + Send + 'static,
) -> Result<Device<Qemu>> {
    board.emulation()?;
    let firmware = firmware::build(board, install, progress)?;
    let program = toolchain::qemu(install, progress)?;
    let mut options = QemuOptions::new(&program, board, &firmware);
    options.image = image;
    Device::connect(Qemu::start(&options, log)?, board.name)
}
