//! What becomes of a panic. Bad input is reported, so one would be a bug of the library's own; it ends in
//! `skimp_on_panic`, which waits for ever unless the firmware has a function of that name.

#![allow(unsafe_code, reason = "the hook is a symbol of the linker's")]

unsafe extern "C" {
    fn skimp_on_panic();
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: below is a definition without parameters, and the README asks for one like it.
    unsafe { skimp_on_panic() };
    // The firmware's own might return.
    loop {
        core::hint::spin_loop();
    }
}

// A symbol that gives way to the firmware's: Rust itself has no stable way to say so.
core::arch::global_asm!(
    ".pushsection .text.skimp_on_panic, \"ax\", %progbits",
    ".weak skimp_on_panic",
    ".type skimp_on_panic, %function",
    ".thumb_func",
    "skimp_on_panic:",
    "b skimp_on_panic",
    ".size skimp_on_panic, . - skimp_on_panic",
    ".popsection",
);
