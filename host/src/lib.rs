//! skimp chooses approximate multipliers for the layers of a trained network, compensates their errors
//! without retraining, and builds a flash image that a microcontroller runs bit for bit.
//!
//! Data flows one way through the modules:
//! [`import`] -> [`network`] -> [`quantize`] -> [`compensate`] / [`emulate`] / [`search`] -> [`image`] ->
//! the `skimp_runtime` crate, on the host or on a board reached through [`board`].

pub mod accelerator;
pub mod bench;
pub mod board;
pub mod cli;
pub mod compensate;
pub mod data;
pub mod emulate;
pub mod error;
pub mod evolve;
pub mod execute;
pub mod file;
pub mod image;
pub mod import;
pub mod kernels;
pub mod multiplier;
pub mod network;
pub mod optimize;
pub mod prepare;
pub mod process;
pub mod quantize;
pub mod report;
pub mod search;
pub mod zoo;

pub use error::{Error, Result};
