//! From a compensated network to a flash image.
//!
//! The format is the runtime's ([`skimp_runtime::image`]); this module decides what goes into it: which
//! table rows ([`tables`]), where tensors live in the arena ([`arena`]), and the order of the sections.

pub mod arena;
mod build;
mod sections;
pub mod tables;

pub use build::{FlashImage, build};
