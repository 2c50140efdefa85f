//! The serial link to the host.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

/// A serial line, polled.
pub trait Link {
    /// The next byte received, if there is one.
    fn read_byte(&mut self) -> Option<u8>;

    /// Sleeps until a byte may have come; returns at once if one is there.
    ///
    /// Called in between requests only, never while a network runs. An emulator gets to hand over the
    /// next byte sooner when its processor is not busy asking for it.
    fn wait(&mut self);

    /// Sends all of `bytes`; waits as long as the line takes.
    fn write(&mut self, bytes: &[u8]);
}

impl Link for &mut dyn Link {
    fn read_byte(&mut self) -> Option<u8> {
        (**self).read_byte()
    }

    fn wait(&mut self) {
        (**self).wait();
    }

    fn write(&mut self, bytes: &[u8]) {
        (**self).write(bytes);
    }
}

/// Sleeps until the interrupt `line` is pending, without ever taking it: interrupts are masked, so that
/// nothing disturbs the count of a layer's ticks.
///
/// Wakes at once if `ready` says so. A byte that comes after `ready` has been asked sets the line pending
/// again and so is not slept through.
pub fn sleep_until_pending(line: impl InterruptNumber, ready: impl FnOnce() -> bool) {
    NVIC::unpend(line);
    if !ready() {
        cortex_m::asm::wfi();
    }
}

/// Lets the interrupt `line` wake the processor, and masks all interrupts for good.
pub fn wake_on(line: impl InterruptNumber) {
    cortex_m::interrupt::disable();
    // SAFETY: no handler ever runs, interrupts being masked.
    #[allow(unsafe_code)]
    unsafe {
        NVIC::unmask(line);
    }
}

/// An interrupt line, by its number in the microcontroller's manual.
#[derive(Clone, Copy)]
pub struct Line(pub u16);

// SAFETY: the number is the line's own, and never changes.
#[allow(unsafe_code)]
unsafe impl InterruptNumber for Line {
    fn number(self) -> u16 {
        self.0
    }
}
