//! Counters that time the layers.

#![allow(unsafe_code)]

#[cfg(not(armv6m))]
use cortex_m::peripheral::DWT;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use skimp_runtime::protocol::Counter;

/// A free-running 32-bit counter. A layer that outlasts one turn of it is counted short.
pub trait Clock {
    /// What a tick is.
    fn counter(&self) -> Counter;

    /// Ticks a second.
    fn hz(&self) -> u32;

    /// The count now; it rises, and starts again from 0 after `u32::MAX`.
    fn now(&mut self) -> u32;
}

impl Clock for &mut dyn Clock {
    fn counter(&self) -> Counter {
        (**self).counter()
    }

    fn hz(&self) -> u32 {
        (**self).hz()
    }

    fn now(&mut self) -> u32 {
        (**self).now()
    }
}

/// The core's cycle counter.
#[cfg(not(armv6m))]
pub struct CycleCounter {
    core_hz: u32,
}

#[cfg(not(armv6m))]
impl CycleCounter {
    /// Starts the counter of a core that runs at `core_hz`.
    ///
    /// Returns `None` if it does not advance. Emulators have been seen that claim to have it and leave
    /// it at 0, so the proof is in the counting.
    pub fn start(core_hz: u32) -> Option<Self> {
        // SAFETY: only this counter uses these two, and boards start one.
        let mut core = unsafe { cortex_m::Peripherals::steal() };
        core.DCB.enable_trace();
        core.DWT.enable_cycle_counter();
        let before = DWT::cycle_count();
        cortex_m::asm::delay(64);
        (DWT::cycle_count() != before).then_some(Self { core_hz })
    }
}

#[cfg(not(armv6m))]
impl Clock for CycleCounter {
    fn counter(&self) -> Counter {
        Counter::Cycles
    }

    fn hz(&self) -> u32 {
        self.core_hz
    }

    fn now(&mut self) -> u32 {
        DWT::cycle_count()
    }
}

/// The core's system timer: 24 bits, counting processor cycles down.
///
/// As a clock it is 32 bits wide if it is read once a turn, as it is between layers; a layer that outlasts a
/// turn is counted short.
pub struct SysTick {
    syst: SYST,
    core_hz: u32,
    count: u32,
}

impl SysTick {
    const MASK: u32 = 0x00ff_ffff;

    /// Starts the timer of a core that runs at `core_hz`.
    pub fn start(core_hz: u32) -> Self {
        // SAFETY: only this counter uses it, and boards start one.
        let mut syst = unsafe { cortex_m::Peripherals::steal() }.SYST;
        syst.set_clock_source(SystClkSource::Core);
        syst.set_reload(Self::MASK);
        syst.clear_current();
        syst.enable_counter();
        Self { syst, core_hz, count: 0 }
    }

    /// The 24 bits, rising.
    pub fn raw(&self) -> u32 {
        Self::MASK & !self.syst.cvr.read()
    }
}

impl Clock for SysTick {
    fn counter(&self) -> Counter {
        Counter::SysTick
    }

    fn hz(&self) -> u32 {
        self.core_hz
    }

    fn now(&mut self) -> u32 {
        let passed = self.raw().wrapping_sub(self.count) & Self::MASK;
        self.count = self.count.wrapping_add(passed);
        self.count
    }
}

/// The cycle counter where there is one, else the board's own.
impl<A: Clock, B: Clock> Clock for Result<A, B> {
    fn counter(&self) -> Counter {
        match self {
            Ok(clock) => clock.counter(),
            Err(clock) => clock.counter(),
        }
    }

    fn hz(&self) -> u32 {
        match self {
            Ok(clock) => clock.hz(),
            Err(clock) => clock.hz(),
        }
    }

    fn now(&mut self) -> u32 {
        match self {
            Ok(clock) => clock.now(),
            Err(clock) => clock.now(),
        }
    }
}
