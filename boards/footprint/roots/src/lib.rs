//! The runtime's functions for firmware, as the roots of what is linked. Nobody calls them.
//!
//! A crate of their own, as `skimp-firmware` is: what is generic is compiled with it, for size.

#![no_std]
#![allow(unsafe_code, reason = "roots are symbols of the linker's")]

use skimp_runtime::{Error, Network, Silent};

/// [`Network::load`].
#[unsafe(no_mangle)]
fn skimp_footprint_load(flash: &'static [u8]) -> Result<Network<'static>, Error> {
    Network::load(flash)
}

/// [`Network::at_point`].
#[unsafe(no_mangle)]
fn skimp_footprint_at_point(network: &Network<'static>, index: usize) -> Result<Network<'static>, Error> {
    network.at_point(index)
}

/// [`Network::infer`].
#[unsafe(no_mangle)]
fn skimp_footprint_infer(
    network: &Network<'static>,
    arena: &mut [u8],
    input: &[u8],
    logits: &mut [i32],
) -> Result<(), Error> {
    #[cfg(feature = "panic")]
    assert!(input[0] < 200);
    network.infer(arena, input, logits, &mut Silent)
}
