//! Timer 0, of the CMSDK design (Arm DDI 0479, 4.2): 32 bits at the system clock, counting down.

#![allow(unsafe_code)]

use skimp_firmware::register::Register;
use skimp_firmware::{Clock, Counter};

// SAFETY: addresses from Arm's application note AN386, table "APB memory map".
const CTRL: Register = unsafe { Register::new(0x4000_0000) };
const VALUE: Register = unsafe { Register::new(0x4000_0004) };
const RELOAD: Register = unsafe { Register::new(0x4000_0008) };

const CTRL_ENABLE: u32 = 1 << 0;

/// The timer, running freely.
pub struct Timer0 {
    clock_hz: u32,
}

impl Timer0 {
    /// Starts the timer.
    pub fn start(clock_hz: u32) -> Self {
        RELOAD.write(u32::MAX);
        VALUE.write(u32::MAX);
        CTRL.write(CTRL_ENABLE);
        Self { clock_hz }
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
        !VALUE.read()
    }
}
