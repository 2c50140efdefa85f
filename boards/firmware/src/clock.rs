//! Counters that time the layers.

use cortex_m::peripheral::{DCB, DWT};
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

/// The core's cycle counter.
pub struct CycleCounter {
    _dwt: DWT,
    core_hz: u32,
}

impl CycleCounter {
    /// Starts the counter of a core that runs at `core_hz`.
    ///
    /// Returns `None` if it does not advance. Emulators have been seen that claim to have it and leave
    /// it at 0, so the proof is in the counting.
    pub fn start(mut dcb: DCB, mut dwt: DWT, core_hz: u32) -> Option<Self> {
        dcb.enable_trace();
        dwt.enable_cycle_counter();
        let before = DWT::cycle_count();
        cortex_m::asm::delay(64);
        (DWT::cycle_count() != before).then_some(Self { _dwt: dwt, core_hz })
    }
}

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
