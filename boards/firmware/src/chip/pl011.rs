//! Arm's PrimeCell UART PL011 (Arm DDI 0183), which several makers build in.

#![allow(unsafe_code)]

use super::BAUD;
use crate::register::Register;
use crate::{Line, Link, sleep_until_pending, wake_on};

/// Where a chip has the port.
#[derive(Clone, Copy)]
pub struct Map {
    base: usize,
    line: Line,
}

/// UART 0 of the LM3S6965 (its data sheet, chapter 12).
pub const LM3S_UART0: Map = Map { base: 0x4000_c000, line: Line(5) };
/// UART 0 of the RP2040 (its data sheet, 4.2).
pub const RP2040_UART0: Map = Map { base: 0x4003_4000, line: Line(20) };
/// UART 0 of the RP2350 (its data sheet, 12.1).
pub const RP2350_UART0: Map = Map { base: 0x4007_0000, line: Line(33) };

const FR_RX_EMPTY: u32 = 1 << 4;
const FR_TX_FULL: u32 = 1 << 5;

/// The port, polled.
pub struct Uart {
    data: Register,
    flags: Register,
    line: Line,
}

impl Uart {
    /// Sets the port up, whose clock runs at `clock_hz`. Its pins are the caller's business.
    pub fn start(map: Map, clock_hz: u32) -> Self {
        const LCRH_FIFO: u32 = 1 << 4;
        const LCRH_8_BITS: u32 = 3 << 5;
        const CR_ENABLE: u32 = 1 << 0;
        const CR_TX_ENABLE: u32 = 1 << 8;
        const CR_RX_ENABLE: u32 = 1 << 9;
        const IMSC_RX: u32 = 1 << 4;
        // A byte that waits for company raises this one.
        const IMSC_RX_TIMEOUT: u32 = 1 << 6;
        // SAFETY: the addresses of all maps are from the manuals named there.
        let register = |offset| unsafe { Register::new(map.base + offset) };
        // In 64ths, sixteen samples a bit.
        let divisor = (clock_hz * 8 / BAUD).div_ceil(2);
        register(0x30).write(0);
        register(0x24).write(divisor >> 6);
        register(0x28).write(divisor & 0x3f);
        register(0x2c).write(LCRH_8_BITS | LCRH_FIFO);
        register(0x38).write(IMSC_RX | IMSC_RX_TIMEOUT);
        register(0x30).write(CR_ENABLE | CR_TX_ENABLE | CR_RX_ENABLE);
        wake_on(map.line);
        Self { data: register(0x00), flags: register(0x18), line: map.line }
    }
}

impl Link for Uart {
    fn read_byte(&mut self) -> Option<u8> {
        (self.flags.read() & FR_RX_EMPTY == 0).then(|| self.data.read() as u8)
    }

    fn wait(&mut self) {
        sleep_until_pending(self.line, || self.flags.read() & FR_RX_EMPTY == 0);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            while self.flags.read() & FR_TX_FULL != 0 {}
            self.data.write(byte.into());
        }
    }
}
