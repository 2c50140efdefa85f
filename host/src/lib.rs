//! skimp chooses approximate multipliers for the layers of a trained network, compensates their errors
//! without retraining, and builds a flash image that a microcontroller runs bit for bit.
//!
//! Data flows one way through the modules:

//! the `skimp_runtime` crate, on the host or on a board reached through [`board`].

pub mod accelerator;
pub mod error;
pub mod file;
pub mod multiplier;
pub mod network;
pub mod report;
pub mod search;

pub use error::{Error, Result};
