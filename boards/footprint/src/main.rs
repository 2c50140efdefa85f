//! The runtime and nothing else, to be looked at: how large it is, how deep its stack gets, and whether a panic
//! is left in it. The functions here are the roots of what is linked; nobody calls them.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "roots are symbols of the linker's")]

use skimp_runtime::{Error, Network, Silent};

/// [`Network::load`].
#[cfg(feature = "load")]
#[unsafe(no_mangle)]
fn skimp_footprint_load(flash: &'static [u8]) -> Result<Network<'static>, Error> {
    Network::load(flash)
}

/// [`Network::at_point`].
#[cfg(feature = "load")]
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
    network.infer(arena, input, logits, &mut Silent)
}

/// Is linked only if a panic can be reached from a root.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn skimp_panic_is_reachable() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    skimp_panic_is_reachable()
}
