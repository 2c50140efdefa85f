//! Firmware for the BBC micro:bit, first version (nRF51822, Cortex-M0), which QEMU emulates as `microbit`.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::nrf5;
use skimp_firmware::{ConstStaticCell, Device, image_region, serve};

/// The pins of the board's USB interface.
const TRANSMIT_PIN: u32 = 24;
const RECEIVE_PIN: u32 = 25;

/// RAM for networks, in words: 12 KiB.
static MEMORY: ConstStaticCell<[u32; 3 * 1024]> = ConstStaticCell::new([0; 3 * 1024]);

#[entry]
fn main() -> ! {
    nrf5::start_crystal();
    serve(Device {
        board: "microbit",
        link: nrf5::Uart::start(TRANSMIT_PIN, RECEIVE_PIN),
        clock: nrf5::Timer0::start(),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
