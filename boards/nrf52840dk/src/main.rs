//! Firmware for Nordic's nRF52840 DK (Cortex-M4F).

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::nrf5;
use skimp_firmware::{ConstStaticCell, CycleCounter, Device, image_region, serve};

/// The system clock.
const CORE_HZ: u32 = 64_000_000;

/// The pins of the board's USB interface.
const TRANSMIT_PIN: u32 = 6;
const RECEIVE_PIN: u32 = 8;

/// RAM for networks, in words: 232 KiB.
static MEMORY: ConstStaticCell<[u32; 58 * 1024]> = ConstStaticCell::new([0; 58 * 1024]);

#[entry]
fn main() -> ! {
    nrf5::start_crystal();
    nrf5::start_nrf52_cache();
    serve(Device {
        board: "nrf52840dk",
        link: nrf5::Uart::start(TRANSMIT_PIN, RECEIVE_PIN),
        clock: CycleCounter::start(CORE_HZ).ok_or_else(nrf5::Timer0::start),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
