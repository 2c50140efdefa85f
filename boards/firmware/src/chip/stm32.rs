//! USARTs of ST's STM32F1 and STM32F4, which have the same registers (reference manuals RM0041, chapter
//! 23, and RM0090, chapter 30), and a timer.

#![allow(unsafe_code)]

use super::periods_per_bit;
use crate::register::Register;
use crate::{Clock, Counter, Line, Link, sleep_until_pending, wake_on};

/// A port with its pins.
#[derive(Clone, Copy)]
pub struct Port {
    usart: usize,
    line: Line,
    /// What switches clocks and pins on: an address, the bits to change, and what to.
    setup: &'static [(usize, u32, u32)],
}

/// STM32F4: USART 1 on PB6 (transmit) and PB7 (receive), alternate function 7.
pub const F4_USART1_PB6_PB7: Port = Port {
    usart: 0x4001_1000,
    line: Line(37),
    setup: &[
        (F4_AHB1ENR, 1 << 1, 1 << 1),
        (F4_APB2ENR, 1 << 4, 1 << 4),
        (0x4002_0420, 0xff << 24, 0x77 << 24),
        (0x4002_0400, 0xf << 12, 0xa << 12),
    ],
};

/// STM32F4: USART 2 on PA2 (transmit) and PA3 (receive), alternate function 7.
pub const F4_USART2_PA2_PA3: Port = Port {
    usart: 0x4000_4400,
    line: Line(38),
    setup: &[
        (F4_AHB1ENR, 1 << 0, 1 << 0),
        (F4_APB1ENR, 1 << 17, 1 << 17),
        (0x4002_0020, 0xff << 8, 0x77 << 8),
        (0x4002_0000, 0xf << 4, 0xa << 4),
    ],
};

/// STM32F1: USART 1 on PA9 (transmit, push-pull at 2 MHz) and PA10 (receive, floating).
pub const F1_USART1_PA9_PA10: Port = Port {
    usart: 0x4001_3800,
    line: Line(37),
    setup: &[(F1_APB2ENR, 1 << 14 | 1 << 2, 1 << 14 | 1 << 2), (0x4001_0804, 0xff << 4, 0x4a << 4)],
};

// In the register maps of RCC.
const F1_APB2ENR: usize = 0x4002_1018;
const F4_AHB1ENR: usize = 0x4002_3830;
const F4_APB1ENR: usize = 0x4002_3840;
const F4_APB2ENR: usize = 0x4002_3844;

const SR_RXNE: u32 = 1 << 5;
const SR_TXE: u32 = 1 << 7;

/// The port, polled.
pub struct Usart {
    status: Register,
    data: Register,
    line: Line,
}

impl Usart {
    /// Sets the port and its pins up; the port's clock runs at `clock_hz`.
    pub fn start(port: Port, clock_hz: u32) -> Self {
        const CR1_RE: u32 = 1 << 2;
        const CR1_TE: u32 = 1 << 3;
        const CR1_RXNEIE: u32 = 1 << 5;
        const CR1_UE: u32 = 1 << 13;
        for &(address, mask, value) in port.setup {
            // SAFETY: the addresses of all ports are from the manuals' memory and register maps.
            unsafe { Register::new(address) }.modify(mask, value);
        }
        // SAFETY: as above.
        let register = |offset| unsafe { Register::new(port.usart + offset) };
        register(0x08).write(periods_per_bit(clock_hz));
        register(0x0c).write(CR1_UE | CR1_TE | CR1_RE | CR1_RXNEIE);
        wake_on(port.line);
        Self { status: register(0x00), data: register(0x04), line: port.line }
    }
}

impl Link for Usart {
    fn read_byte(&mut self) -> Option<u8> {
        (self.status.read() & SR_RXNE != 0).then(|| self.data.read() as u8)
    }

    fn wait(&mut self) {
        sleep_until_pending(self.line, || self.status.read() & SR_RXNE != 0);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            while self.status.read() & SR_TXE == 0 {}
            self.data.write(byte.into());
        }
    }
}

/// Timer 2 of the STM32F4 (RM0090, chapter 18), running freely: 32 bits, counting up. It stands in for the
/// cycle counter, which QEMU does not emulate.
pub struct F4Timer2(());

// SAFETY: addresses from RM0090, table 1 and the register map of TIM2.
const TIM2_CR1: Register = unsafe { Register::new(0x4000_0000) };
const TIM2_CNT: Register = unsafe { Register::new(0x4000_0024) };

impl F4Timer2 {
    /// Starts the timer.
    pub fn start() -> Self {
        const APB1ENR_TIM2: u32 = 1 << 0;
        const CR1_CEN: u32 = 1 << 0;
        // SAFETY: address from RM0090, register map of RCC.
        unsafe { Register::new(F4_APB1ENR) }.modify(APB1ENR_TIM2, APB1ENR_TIM2);
        TIM2_CR1.write(CR1_CEN);
        Self(())
    }
}

impl Clock for F4Timer2 {
    fn counter(&self) -> Counter {
        Counter::Timer
    }

    fn hz(&self) -> u32 {
        // QEMU's timer counts nanoseconds, whatever the clock tree says. Hardware counts cycles instead
        // and never comes here.
        1_000_000_000
    }

    fn now(&mut self) -> u32 {
        TIM2_CNT.read()
    }
}
