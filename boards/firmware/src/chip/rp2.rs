//! Clocks, pins and a counter of Raspberry Pi's RP2040 and RP2350, which agree in most of these ("RP2040
//! Datasheet", 2.14 to 2.19 and 4.6; "RP2350 Datasheet", 7.5, 8.1 to 8.6 and 9.11).

#![allow(unsafe_code)]

use super::pl011;
use crate::register::Register;

/// The crystal on both boards.
const CRYSTAL_MHZ: u32 = 12;

/// Where a chip has its registers, and how fast its system clock is to run.
#[derive(Clone, Copy)]
pub struct Chip {
    /// The system clock's rate.
    pub core_hz: u32,
    uart: pl011::Map,
    clocks: usize,
    crystal: usize,
    pll: usize,
    resets: usize,
    pins: usize,
    pads: usize,
    reset_pll: u32,
    reset_others: u32,
    /// The second divider of the PLL, after one by 2.
    pll_divider: u32,
}

/// The RP2040 at 125 MHz.
pub const RP2040: Chip = Chip {
    core_hz: 125_000_000,
    uart: pl011::RP2040_UART0,
    clocks: 0x4000_8000,
    crystal: 0x4002_4000,
    pll: 0x4002_8000,
    resets: 0x4000_c000,
    pins: 0x4001_4000,
    pads: 0x4001_c000,
    reset_pll: 1 << 12,
    // IO bank 0, its pads, the timer, UART 0.
    reset_others: 1 << 5 | 1 << 8 | 1 << 21 | 1 << 22,
    pll_divider: 6,
};

/// The RP2350 at 150 MHz.
pub const RP2350: Chip = Chip {
    core_hz: 150_000_000,
    uart: pl011::RP2350_UART0,
    clocks: 0x4001_0000,
    crystal: 0x4004_8000,
    pll: 0x4005_0000,
    resets: 0x4002_0000,
    pins: 0x4002_8000,
    pads: 0x4003_8000,
    reset_pll: 1 << 14,
    // IO bank 0, its pads, UART 0.
    reset_others: 1 << 6 | 1 << 9 | 1 << 26,
    pll_divider: 5,
};

/// Has `chip` run from its crystal by the PLL, and sets up UART 0 on pins 0 (transmit) and 1 (receive).
pub fn start(chip: &Chip) -> pl011::Uart {
    start_clocks(chip);
    let at = |base: usize| {
        // SAFETY: the addresses of both chips are from their data sheets' lists of registers.
        move |offset: usize| unsafe { Register::new(base + offset) }
    };
    release(chip, chip.reset_others);
    for pin in 0..2 {
        const SCHMITT: u32 = 1 << 1;
        const PULL_UP: u32 = 1 << 3;
        const DRIVE_4MA: u32 = 1 << 4;
        const INPUT: u32 = 1 << 6;
        const FUNCTION_UART: u32 = 2;
        at(chip.pins)(4 + 8 * pin).write(FUNCTION_UART);
        // Bit 8, which the RP2350 has on after a reset, would isolate the pin.
        at(chip.pads)(4 + 4 * pin).write(SCHMITT | PULL_UP | DRIVE_4MA | INPUT);
    }
    pl011::Uart::start(chip.uart, chip.core_hz)
}

/// Reference clock from the crystal; system and peripheral clock from the PLL.
fn start_clocks(chip: &Chip) {
    const CRYSTAL_ENABLE: u32 = 0xfab << 12;
    const CRYSTAL_1_TO_15_MHZ: u32 = 0xaa0;
    const STABLE: u32 = 1 << 31;
    const LOCKED: u32 = 1 << 31;
    const REF_CRYSTAL: u32 = 2;
    const SYS_AUX: u32 = 1 << 0;
    const PERI_ENABLE: u32 = 1 << 11;
    const PLL_POWER_DOWN: u32 = 1 << 0 | 1 << 5;
    const PLL_POST_POWER_DOWN: u32 = 1 << 3;
    const PLL_MULTIPLIER: u32 = 125;
    let at = |base: usize| {
        // SAFETY: as above.
        move |offset: usize| unsafe { Register::new(base + offset) }
    };
    let (clocks, crystal, pll) = (at(chip.clocks), at(chip.crystal), at(chip.pll));
    let [ref_ctrl, ref_selected] = [clocks(0x30), clocks(0x38)];
    let [sys_ctrl, sys_selected] = [clocks(0x3c), clocks(0x44)];

    // A millisecond, in units of 256 periods.
    crystal(0x0c).write((CRYSTAL_MHZ * 1000).div_ceil(256));
    crystal(0x00).write(CRYSTAL_ENABLE | CRYSTAL_1_TO_15_MHZ);
    while crystal(0x04).read() & STABLE == 0 {}
    // Away from the PLL first, should a debugger have come in between.
    sys_ctrl.modify(SYS_AUX, 0);
    while sys_selected.read() != 1 << 0 {}
    ref_ctrl.modify(3, REF_CRYSTAL);
    while ref_selected.read() != 1 << REF_CRYSTAL {}

    at(chip.resets)(0).modify(chip.reset_pll, chip.reset_pll);
    release(chip, chip.reset_pll);
    pll(0x00).write(1);
    pll(0x08).write(PLL_MULTIPLIER);
    pll(0x04).modify(PLL_POWER_DOWN, 0);
    while pll(0x00).read() & LOCKED == 0 {}
    pll(0x0c).write(chip.pll_divider << 16 | 2 << 12);
    pll(0x04).modify(PLL_POST_POWER_DOWN, 0);

    sys_ctrl.modify(7 << 5, 0);
    sys_ctrl.modify(SYS_AUX, SYS_AUX);
    while sys_selected.read() != 1 << 1 {}
    clocks(0x48).write(PERI_ENABLE);
}

/// Takes subsystems out of reset.
fn release(chip: &Chip, bits: u32) {
    // SAFETY: as above.
    let at = |offset| unsafe { Register::new(chip.resets + offset) };
    at(0x0).modify(bits, 0);
    while at(0x8).read() & bits != bits {}
}

pub use rp2040_clock::Rp2040Cycles;

mod rp2040_clock {
    use super::{CRYSTAL_MHZ, RP2040};
    use crate::register::Register;
    use crate::{Clock, Counter, SysTick};

    /// Cycles of the RP2040, whose core has no cycle counter: the system timer's 24 bits, and above them
    /// what the microseconds that have passed say.
    pub struct Rp2040Cycles {
        systick: SysTick,
        offset: u32,
    }

    // SAFETY: addresses from the data sheet's lists of registers, 4.6.5 and 4.7.6.
    const TIMERAWL: Register = unsafe { Register::new(0x4005_4028) };
    const WATCHDOG_TICK: Register = unsafe { Register::new(0x4005_802c) };

    impl Rp2040Cycles {
        /// Starts counting; the clocks run already.
        pub fn start() -> Self {
            const TICK_ENABLE: u32 = 1 << 9;
            WATCHDOG_TICK.write(TICK_ENABLE | CRYSTAL_MHZ);
            let systick = SysTick::start(RP2040.core_hz);
            let mut cycles = Self { systick, offset: 0 };
            cycles.offset = cycles.estimate().wrapping_sub(cycles.systick.raw());
            cycles
        }

        fn estimate(&self) -> u32 {
            TIMERAWL.read().wrapping_mul(RP2040.core_hz / 1_000_000).wrapping_sub(self.offset)
        }
    }

    impl Clock for Rp2040Cycles {
        fn counter(&self) -> Counter {
            Counter::Cycles
        }

        fn hz(&self) -> u32 {
            RP2040.core_hz
        }

        fn now(&mut self) -> u32 {
            let estimate = self.estimate();
            // The difference's 24 bits with their sign: the estimate is off by a microsecond or two.
            let difference = (self.systick.raw().wrapping_sub(estimate) << 8).cast_signed() >> 8;
            estimate.wrapping_add_signed(difference)
        }
    }
}
