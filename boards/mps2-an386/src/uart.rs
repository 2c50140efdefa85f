//! UART 0, of the CMSDK design ("Cortex-M System Design Kit", Arm DDI 0479, 4.3).

#![allow(unsafe_code)]

use skimp_firmware::register::Register;
use skimp_firmware::{Line, Link, sleep_until_pending, wake_on};

// SAFETY: addresses from Arm's application note AN386, table "APB memory map".
const DATA: Register = unsafe { Register::new(0x4000_4000) };
const STATE: Register = unsafe { Register::new(0x4000_4004) };
const CTRL: Register = unsafe { Register::new(0x4000_4008) };
const INTSTATUS: Register = unsafe { Register::new(0x4000_400c) };
const BAUDDIV: Register = unsafe { Register::new(0x4000_4010) };

const STATE_TX_FULL: u32 = 1 << 0;
const STATE_RX_FULL: u32 = 1 << 1;
const CTRL_TX_ENABLE: u32 = 1 << 0;
const CTRL_RX_ENABLE: u32 = 1 << 1;

const CTRL_RX_INTERRUPT: u32 = 1 << 3;
const INTSTATUS_RX: u32 = 1 << 1;

/// The receive interrupt.
const RX_LINE: Line = Line(0);

const BAUD: u32 = 115_200;

/// The port, polled.
pub struct Uart0(());

impl Uart0 {
    /// Sets the port up: 115,200 baud, 8N1.
    pub fn start(clock_hz: u32) -> Self {
        BAUDDIV.write(clock_hz / BAUD);
        CTRL.write(CTRL_TX_ENABLE | CTRL_RX_ENABLE | CTRL_RX_INTERRUPT);
        wake_on(RX_LINE);
        Self(())
    }
}

impl Link for Uart0 {
    fn read_byte(&mut self) -> Option<u8> {
        (STATE.read() & STATE_RX_FULL != 0).then(|| DATA.read() as u8)
    }

    fn wait(&mut self) {
        INTSTATUS.write(INTSTATUS_RX);
        sleep_until_pending(RX_LINE, || STATE.read() & STATE_RX_FULL != 0);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            while STATE.read() & STATE_TX_FULL != 0 {}
            DATA.write(byte.into());
        }
    }
}
