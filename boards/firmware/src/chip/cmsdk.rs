//! UART 0 and timer 0 of the CMSDK design ("Cortex-M System Design Kit", Arm DDI 0479, 4.2 and 4.3), as
//! Arm's FPGA images have them.

#![allow(unsafe_code)]

use super::periods_per_bit;
use crate::register::Register;
use crate::{Clock, Counter, Line, Link, sleep_until_pending, wake_on};

/// Where an FPGA image has them.
#[derive(Clone, Copy)]
pub struct Map {
    uart: usize,
    timer: usize,
    receive: Line,
}

/// Images AN385, AN386 and AN500 (their application notes, table "APB memory map").
pub const MPS2: Map = Map { uart: 0x4000_4000, timer: 0x4000_0000, receive: Line(0) };
/// Image AN505 (its application note, tables of the memory maps), as secure code sees it.
pub const AN505: Map = Map { uart: 0x5020_0000, timer: 0x5000_0000, receive: Line(32) };

const STATE_TX_FULL: u32 = 1 << 0;
const STATE_RX_FULL: u32 = 1 << 1;
const CTRL_TX_ENABLE: u32 = 1 << 0;
const CTRL_RX_ENABLE: u32 = 1 << 1;
const CTRL_RX_INTERRUPT: u32 = 1 << 3;
const INTSTATUS_RX: u32 = 1 << 1;

/// The port, polled.
pub struct Uart0 {
    data: Register,
    state: Register,
    interrupt_status: Register,
    line: Line,
}

impl Uart0 {
    /// Sets the port up, whose clock runs at `clock_hz`.
    pub fn start(map: Map, clock_hz: u32) -> Self {
        // SAFETY: the addresses of all maps are from the manuals named there.
        let register = |offset| unsafe { Register::new(map.uart + offset) };
        register(0x10).write(periods_per_bit(clock_hz));
        register(0x08).write(CTRL_TX_ENABLE | CTRL_RX_ENABLE | CTRL_RX_INTERRUPT);
        wake_on(map.receive);
        Self {
            data: register(0x00),
            state: register(0x04),
            interrupt_status: register(0x0c),
            line: map.receive,
        }
    }
}

impl Link for Uart0 {
    fn read_byte(&mut self) -> Option<u8> {
        (self.state.read() & STATE_RX_FULL != 0).then(|| self.data.read() as u8)
    }

    fn wait(&mut self) {
        self.interrupt_status.write(INTSTATUS_RX);
        sleep_until_pending(self.line, || self.state.read() & STATE_RX_FULL != 0);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            while self.state.read() & STATE_TX_FULL != 0 {}
            self.data.write(byte.into());
        }
    }
}

/// The timer, running freely: 32 bits, counting down.
pub struct Timer0 {
    value: Register,
    clock_hz: u32,
}

impl Timer0 {
    /// Starts the timer, whose clock runs at `clock_hz`.
    pub fn start(map: Map, clock_hz: u32) -> Self {
        const CTRL_ENABLE: u32 = 1 << 0;
        // SAFETY: the addresses of all maps are from the manuals named there.
        let register = |offset| unsafe { Register::new(map.timer + offset) };
        let value = register(0x04);
        register(0x08).write(u32::MAX);
        value.write(u32::MAX);
        register(0x00).write(CTRL_ENABLE);
        Self { value, clock_hz }
    }
}

impl Clock for Timer0 {
    fn counter(&self) -> Counter {
        Counter::Timer
    }

    fn hz(&self) -> u32 {
        self.clock_hz
    }

    fn now(&mut self) -> u32 {
        !self.value.read()
    }
}
