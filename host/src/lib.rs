//! skimp chooses approximate multipliers for the layers of a trained network, compensates their errors
//! without retraining, and builds a flash image that a microcontroller runs bit for bit.
//!
//! Data flows one way through the modules:
//! `import` -> [`network`] -> [`quantize`] -> [`compensate`] / [`emulate`] / `search` -> `image` ->
//! the `skimp_runtime` crate, on the host or on a board reached through [`board`].

pub mod board;
pub mod compensate;
pub mod emulate;
pub mod error;
pub mod file;
pub mod image;
pub mod multiplier;
pub mod network;
pub mod quantize;

pub use error::{Error, Result};
