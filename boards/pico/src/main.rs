//! Firmware for the Raspberry Pi Pico (RP2040, Cortex-M0+).

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::rp2;
use skimp_firmware::{ConstStaticCell, Device, image_region, serve};

/// The second stage of the boot loader, for the flash on the board.
#[allow(unsafe_code)]
// SAFETY: the boot ROM expects these bytes in that section, where nothing else is.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

/// RAM for networks, in words: 240 KiB.
static MEMORY: ConstStaticCell<[u32; 60 * 1024]> = ConstStaticCell::new([0; 60 * 1024]);

#[entry]
fn main() -> ! {
    // The clock needs what the line has started.
    let link = rp2::start(&rp2::RP2040);
    serve(Device {
        board: "pico",
        link,
        clock: rp2::Rp2040Cycles::start(),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
