//! The runtime and nothing else, to be looked at: how large it is, how deep its stack gets, and whether a panic
//! is left in it.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "the handler is a symbol of the linker's")]

use skimp_footprint_roots as _;

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
