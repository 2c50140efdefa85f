//! The end of the road: report what went wrong, then stop.

#![allow(unsafe_code)]

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};
use cortex_m_rt::{ExceptionFrame, exception};

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    static PANICKING: AtomicBool = AtomicBool::new(false);
    // A panic inside the logger must not end here for ever.
    if !PANICKING.swap(true, Ordering::Relaxed)
        && let Some(place) = info.location()
    {
        defmt::error!("panic at {=str}:{=u32}", place.file(), place.line());
    }
    stop()
}

/// # Safety
///
/// Called by the hardware only.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#x}, called from {=u32:#x}", frame.pc(), frame.lr());
    stop()
}

/// Ends the emulator or the debug session; halts where there is neither.
fn stop() -> ! {
    semihosting::process::abort()
}
