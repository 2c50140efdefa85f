//! Places in the program that say where a layer begins and ends, for a plugin of QEMU that counts what is
//! executed in between. They do nothing; `boards/latency-plugin` finds them by their names.

#![allow(unsafe_code)]

/// A layer begins when this returns.
///
/// Written in assembly, so that no compiler leaves out a call without effect or makes one function of two
/// that do the same.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub extern "C" fn skimp_layer_begin() {
    core::arch::naked_asm!("bx lr")
}

/// A layer has ended when this is called.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub extern "C" fn skimp_layer_end() {
    core::arch::naked_asm!("bx lr")
}
