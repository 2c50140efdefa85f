#![no_std]
#![deny(missing_docs)]
#![doc = include_str!("../README.md")]

#[cfg(target_endian = "big")]
compile_error!("skimp images are little endian and used in place; big-endian targets are not supported");

pub mod arithmetic;
mod error;
pub mod image;
pub mod kernels;
mod network;
mod output;
pub mod protocol;

pub use error::Error;
pub use network::{Arena, Network, Observer, Silent};
pub use output::{argmax, softmax};
