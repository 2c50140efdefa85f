//! The end of the road: report what went wrong, then stop.

#![allow(unsafe_code)]

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};
use cortex_m_rt::ExceptionFrame;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    static PANICKING: AtomicBool = AtomicBool::new(false);
    // A panic inside the logger must not end here for ever.
    // Not swapped: a Cortex-M0 can't, and with interrupts masked nothing comes in between.
    let before = PANICKING.load(Ordering::Relaxed);
    PANICKING.store(true, Ordering::Relaxed);
    if !before && let Some(place) = info.location() {
        defmt::error!("panic at {=str}:{=u32}", place.file(), place.line());
    }
    stop()
}

/// Skips semihosting calls that no debugger answers, and has [`report`] deal with everything else.
///
/// A call to the debugger is a breakpoint, `bkpt 0xab`. Without a debugger the processor takes it for a
/// hard fault, and a board on its own would end at its first log message. Going on behind the breakpoint
/// with -1, semihosting's "failed", in r0 lets it run without a log instead.
///
/// Only an instruction of the firmware's own is read, as a pc elsewhere may not be readable.
///
/// # Safety
///
/// Called by the hardware only.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn HardFault() {
    core::arch::naked_asm!(
        // The registers that the hardware has saved; nothing here runs on the other stack.
        "mrs r0, msp",
        "ldr r1, [r0, #24]",
        "ldr r2, =__stext",
        "cmp r1, r2",
        "blo 1f",
        "ldr r2, =__etext",
        "cmp r1, r2",
        "bhs 1f",
        // The instruction at the saved pc.
        "ldrh r2, [r1]",
        "ldr r3, ={bkpt_ab}",
        "cmp r2, r3",
        "bne 1f",
        "adds r1, #2",
        "str r1, [r0, #24]",
        "movs r1, #0",
        "mvns r1, r1",
        "str r1, [r0]",
        "bx lr",
        "1: ldr r1, ={report}",
        "bx r1",
        bkpt_ab = const 0xbeab,
        report = sym report,
    )
}

/// Logs where a fault happened, and stops.
extern "C" fn report(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#x}, called from {=u32:#x}", frame.pc(), frame.lr());
    stop()
}

/// Ends the emulator or the debug session; halts where there is neither.
fn stop() -> ! {
    semihosting::process::abort()
}
