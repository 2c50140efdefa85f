//! What every board's firmware shares: a loop that serves a host over a serial link.
//!
//! A board's own crate brings a [`Link`], a [`Clock`], a memory map (`memory.x`) and its start-up code,
//! and hands a [`Device`] to [`serve`]. The conversation is `skimp_runtime::protocol`.

#![no_std]

pub mod chip;
mod clock;
mod fault;
mod flash;
mod link;
mod marker;
pub mod register;
mod server;

#[cfg(not(armv6m))]
pub use clock::CycleCounter;
pub use clock::{Clock, SysTick};
pub use flash::image_region;
pub use link::{Line, Link, sleep_until_pending, wake_on};
pub use server::{Device, serve};

pub use skimp_runtime::protocol::Counter;
pub use static_cell::ConstStaticCell;

// Links the logger.
use defmt_semihosting as _;
