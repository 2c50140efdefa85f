//! Firmware for the Raspberry Pi Pico 2 (RP2350, Cortex-M33).

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::rp2;
use skimp_firmware::{ConstStaticCell, CycleCounter, Device, SysTick, image_region, serve};

/// "An executable for secure Arm cores", in the boot ROM's words (data sheet, 5.9.5.1).
#[allow(unsafe_code)]
// SAFETY: the boot ROM expects these words in that section, where nothing else is.
#[unsafe(link_section = ".start_block")]
#[used]
static IMAGE_DEF: [u32; 5] = [0xffff_ded3, 0x1021_0142, 0x0000_01ff, 0, 0xab12_3579];

/// RAM for networks, in words: 488 KiB.
static MEMORY: ConstStaticCell<[u32; 122 * 1024]> = ConstStaticCell::new([0; 122 * 1024]);

#[entry]
fn main() -> ! {
    let link = rp2::start(&rp2::RP2350);
    serve(Device {
        board: "pico2",
        link,
        clock: CycleCounter::start(rp2::RP2350.core_hz).ok_or_else(|| SysTick::start(rp2::RP2350.core_hz)),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
