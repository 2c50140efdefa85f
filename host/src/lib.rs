//! skimp chooses approximate multipliers for the layers of a trained network, compensates their errors
//! without retraining, and builds a flash image that a microcontroller runs bit for bit.
//!
//! Data flows one way through the modules:

//! the `skimp_runtime` crate, on the host or on a board reached through [`board`].

pub mod data;
pub mod error;
pub mod file;
pub mod import;
pub mod multiplier;
pub mod network;

pub use error::{Error, Result};
