//! Serial ports and timers that several boards have in common, by the design they come from.
//!
//! Each file knows where its design sits in the chips of skimp's boards, so that a board names a chip and
//! handles no addresses.

pub mod cmsdk;
pub mod lm3s;
pub mod nrf5;
pub mod pl011;
pub mod rp2;
pub mod stm32;

/// All boards' lines run at 115,200 baud, 8N1.
const BAUD: u32 = 115_200;

/// Periods of a clock in a bit, to the nearest.
fn periods_per_bit(clock_hz: u32) -> u32 {
    (clock_hz + BAUD / 2) / BAUD
}
