//! Clock, UART and TIMER 0 of Nordic's nRF51 and nRF52, which agree in these ("nRF51 Series Reference
//! Manual", chapters 13, 18 and 29; "nRF52840 Product Specification", chapters on CLOCK, TIMER and UART).

#![allow(unsafe_code)]

use crate::register::Register;
use crate::{Clock, Counter, Line, Link, sleep_until_pending, wake_on};

// SAFETY: addresses from the two manuals' register overviews.
const HFCLKSTART: Register = unsafe { Register::new(0x4000_0000) };
const HFCLKSTARTED: Register = unsafe { Register::new(0x4000_0100) };

// SAFETY: as above.
const STARTRX: Register = unsafe { Register::new(0x4000_2000) };
const STARTTX: Register = unsafe { Register::new(0x4000_2008) };
const RXDRDY: Register = unsafe { Register::new(0x4000_2108) };
const TXDRDY: Register = unsafe { Register::new(0x4000_211c) };
const INTENSET: Register = unsafe { Register::new(0x4000_2304) };
const ENABLE: Register = unsafe { Register::new(0x4000_2500) };
const PSELTXD: Register = unsafe { Register::new(0x4000_250c) };
const PSELRXD: Register = unsafe { Register::new(0x4000_2514) };
const RXD: Register = unsafe { Register::new(0x4000_2518) };
const TXD: Register = unsafe { Register::new(0x4000_251c) };
const BAUDRATE: Register = unsafe { Register::new(0x4000_2524) };

// SAFETY: as above.
const TIMER_START: Register = unsafe { Register::new(0x4000_8000) };
const TIMER_CAPTURE0: Register = unsafe { Register::new(0x4000_8040) };
const TIMER_BITMODE: Register = unsafe { Register::new(0x4000_8508) };
const TIMER_PRESCALER: Register = unsafe { Register::new(0x4000_8510) };
const TIMER_CC0: Register = unsafe { Register::new(0x4000_8540) };

// SAFETY: as above.
const GPIO_OUTSET: Register = unsafe { Register::new(0x5000_0508) };
const GPIO_DIRSET: Register = unsafe { Register::new(0x5000_0518) };

const LINE: Line = Line(2);

/// Switches from the internal oscillator to the crystal, as serial lines and times need.
pub fn start_crystal() {
    HFCLKSTARTED.write(0);
    HFCLKSTART.write(1);
    while HFCLKSTARTED.read() == 0 {}
}

/// Turns on the nRF52's instruction cache. Data, such as tables, are read from flash with its wait states.
pub fn start_nrf52_cache() {
    const CACHE_ENABLE: u32 = 1 << 0;
    // SAFETY: address from the product specification, chapter on NVMC.
    unsafe { Register::new(0x4001_e540) }.write(CACHE_ENABLE);
}

/// The port, polled.
pub struct Uart(());

impl Uart {
    /// Sets the port up on two pins of port 0.
    pub fn start(transmit_pin: u32, receive_pin: u32) -> Self {
        const ENABLED: u32 = 4;
        const BAUD_115200: u32 = 0x01d7_e000;
        const INTEN_RXDRDY: u32 = 1 << 2;
        const INPUT_PULLED_UP: u32 = 3 << 2;
        GPIO_OUTSET.write(1 << transmit_pin);
        GPIO_DIRSET.write(1 << transmit_pin);
        // SAFETY: as above, register PIN_CNF of a pin.
        let receive_config = unsafe { Register::new(0x5000_0700 + 4 * receive_pin as usize) };
        receive_config.write(INPUT_PULLED_UP);
        PSELTXD.write(transmit_pin);
        PSELRXD.write(receive_pin);
        BAUDRATE.write(BAUD_115200);
        ENABLE.write(ENABLED);
        INTENSET.write(INTEN_RXDRDY);
        STARTTX.write(1);
        STARTRX.write(1);
        wake_on(LINE);
        Self(())
    }
}

impl Link for Uart {
    fn read_byte(&mut self) -> Option<u8> {
        if RXDRDY.read() == 0 {
            return None;
        }
        // Before the byte is taken: another one that waits sets it again.
        RXDRDY.write(0);
        Some(RXD.read() as u8)
    }

    fn wait(&mut self) {
        sleep_until_pending(LINE, || RXDRDY.read() != 0);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            TXDRDY.write(0);
            TXD.write(byte.into());
            while TXDRDY.read() == 0 {}
        }
    }
}

/// The timer, running freely: 32 bits at 16 MHz.
pub struct Timer0(());

impl Timer0 {
    /// Starts the timer.
    pub fn start() -> Self {
        const BITS_32: u32 = 3;
        TIMER_BITMODE.write(BITS_32);
        TIMER_PRESCALER.write(0);
        TIMER_START.write(1);
        Self(())
    }
}

impl Clock for Timer0 {
    fn counter(&self) -> Counter {
        Counter::Timer
    }

    fn hz(&self) -> u32 {
        16_000_000
    }

    fn now(&mut self) -> u32 {
        TIMER_CAPTURE0.write(1);
        TIMER_CC0.read()
    }
}
