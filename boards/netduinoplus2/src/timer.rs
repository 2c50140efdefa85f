//! Timer 2 (RM0090, chapter 18): 32 bits, counting up. It stands in for the cycle counter, which QEMU
//! does not emulate.

#![allow(unsafe_code)]

use skimp_firmware::register::Register;
use skimp_firmware::{Clock, Counter};

// SAFETY: addresses from RM0090, table 1 and the register maps of RCC and TIM2.
const RCC_APB1ENR: Register = unsafe { Register::new(0x4002_3840) };
const TIM_CR1: Register = unsafe { Register::new(0x4000_0000) };
const TIM_CNT: Register = unsafe { Register::new(0x4000_0024) };

const APB1ENR_TIM2: u32 = 1 << 0;
const CR1_CEN: u32 = 1 << 0;

/// QEMU's timer counts nanoseconds, whatever the clock tree says. Hardware counts cycles instead and
/// never comes here.
const QEMU_HZ: u32 = 1_000_000_000;

/// The timer, running freely.
pub struct Timer2(());

impl Timer2 {
    /// Starts the timer.
    pub fn start() -> Self {
        RCC_APB1ENR.modify(APB1ENR_TIM2, APB1ENR_TIM2);
        TIM_CR1.write(CR1_CEN);
        Self(())
    }
}

impl Clock for Timer2 {
    fn counter(&self) -> Counter {
        Counter::Timer
    }

    fn hz(&self) -> u32 {
        QEMU_HZ
    }

    fn now(&mut self) -> u32 {
        TIM_CNT.read()
    }
}
