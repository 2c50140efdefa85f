//! The runtime and nothing else, to be looked at: how large it is, how deep its stack gets, and whether a panic
//! is left in it. The functions here are the roots of what is linked; nobody calls them.

#![no_std]
#![no_main]
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

/// Linked only if it can be reached from a root.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    skimp_panic_is_reachable()
}

/// A name that is not mangled, for whoever looks.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn skimp_panic_is_reachable() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
