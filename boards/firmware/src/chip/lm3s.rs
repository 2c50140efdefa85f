//! Clock, pins and a counter of the LM3S6965 (its data sheet, chapters 5, 8 and 11).

#![allow(unsafe_code)]

use crate::register::Register;
use crate::{Clock, Counter};

/// The system clock: the fastest, at which flash has no wait states either.
pub const CORE_HZ: u32 = 50_000_000;

// SAFETY: addresses from the data sheet's register maps.
const RIS: Register = unsafe { Register::new(0x400f_e050) };
const RCC: Register = unsafe { Register::new(0x400f_e060) };
const RCGC0: Register = unsafe { Register::new(0x400f_e100) };
const RCGC1: Register = unsafe { Register::new(0x400f_e104) };
const RCGC2: Register = unsafe { Register::new(0x400f_e108) };
const GPIOA_AFSEL: Register = unsafe { Register::new(0x4000_4420) };
const GPIOA_DEN: Register = unsafe { Register::new(0x4000_451c) };
const WATCHDOG_LOAD: Register = unsafe { Register::new(0x4000_0000) };
const WATCHDOG_VALUE: Register = unsafe { Register::new(0x4000_0004) };
const WATCHDOG_CTL: Register = unsafe { Register::new(0x4000_0008) };

/// Has the chip run from its crystal of 8 MHz by the PLL, and switches UART 0 and its pins on.
pub fn start() {
    const BYPASS: u32 = 1 << 11;
    const USE_DIVIDER: u32 = 1 << 22;
    const POWER_DOWN: u32 = 1 << 13;
    const CRYSTAL_AND_SOURCE: u32 = 0xf << 6 | 3 << 4;
    const CRYSTAL_8_MHZ: u32 = 0xe << 6;
    const DIVIDER: u32 = 0xf << 23;
    // 200 MHz by 4.
    const DIVIDE_BY_4: u32 = 3 << 23;
    const PLL_LOCKED: u32 = 1 << 6;
    const UART0: u32 = 1 << 0;
    const PORT_A: u32 = 1 << 0;
    const PINS_0_AND_1: u32 = 3;
    RCC.modify(BYPASS | USE_DIVIDER, BYPASS);
    RCC.modify(CRYSTAL_AND_SOURCE | POWER_DOWN, CRYSTAL_8_MHZ);
    RCC.modify(DIVIDER | USE_DIVIDER, DIVIDE_BY_4 | USE_DIVIDER);
    while RIS.read() & PLL_LOCKED == 0 {}
    RCC.modify(BYPASS, 0);

    RCGC1.modify(UART0, UART0);
    RCGC2.modify(PORT_A, PORT_A);
    // A few cycles pass until the clocks run.
    cortex_m::asm::delay(8);
    GPIOA_AFSEL.modify(PINS_0_AND_1, PINS_0_AND_1);
    GPIOA_DEN.modify(PINS_0_AND_1, PINS_0_AND_1);
}

/// The watchdog, told never to bite, as a counter: 32 bits at the system clock, counting down. It stands in
/// for the cycle counter, which QEMU does not emulate.
pub struct Watchdog(());

impl Watchdog {
    /// Starts it.
    pub fn start() -> Self {
        const WATCHDOG: u32 = 1 << 3;
        // This starts it; its interrupt is masked.
        const INTERRUPT: u32 = 1 << 0;
        RCGC0.modify(WATCHDOG, WATCHDOG);
        cortex_m::asm::delay(8);
        WATCHDOG_LOAD.write(u32::MAX);
        WATCHDOG_CTL.write(INTERRUPT);
        Self(())
    }
}

impl Clock for Watchdog {
    fn counter(&self) -> Counter {
        Counter::Timer
    }

    fn hz(&self) -> u32 {
        CORE_HZ
    }

    fn now(&mut self) -> u32 {
        !WATCHDOG_VALUE.read()
    }
}
