//! A QEMU plugin that counts the instructions of firmware between two markers, layer by layer, and
//! estimates the cycles a Cortex-M would take for them. See `README.md` for what it charges and why.
//!
//! ```text
//! options -> plugin (QEMU's callbacks) -> machine -+-> timing <- decode
//!                                                  +-> flash
//! ```

pub mod decode;
pub mod flash;
pub mod machine;
pub mod options;
pub mod timing;

// Tests have no QEMU to link to.
#[cfg(not(test))]
mod ffi;
#[cfg(not(test))]
mod plugin;
