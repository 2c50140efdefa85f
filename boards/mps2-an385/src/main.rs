//! Firmware for Arm's MPS2 board with the AN385 (Cortex-M3) image, which QEMU emulates as `mps2-an385`.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::cmsdk;
use skimp_firmware::{ConstStaticCell, CycleCounter, Device, image_region, serve};

/// The system clock.
const CORE_HZ: u32 = 25_000_000;

/// RAM for networks, in words: 2 MiB.
static MEMORY: ConstStaticCell<[u32; 512 * 1024]> = ConstStaticCell::new([0; 512 * 1024]);

#[entry]
fn main() -> ! {
    serve(Device {
        board: "mps2-an385",
        link: cmsdk::Uart0::start(cmsdk::MPS2, CORE_HZ),
        clock: CycleCounter::start(CORE_HZ).ok_or_else(|| cmsdk::Timer0::start(cmsdk::MPS2, CORE_HZ)),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
