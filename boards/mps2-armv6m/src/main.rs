//! Firmware in the instructions of Armv6-M (Cortex-M0, M0+) for Arm's MPS2 board with the AN385 image. Its
//! Cortex-M3 runs them too, and it has room for networks that no emulated Cortex-M0 has.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::cmsdk;
use skimp_firmware::{ConstStaticCell, Device, image_region, serve};

/// The system clock.
const CORE_HZ: u32 = 25_000_000;

/// RAM for networks, in words: 2 MiB.
static MEMORY: ConstStaticCell<[u32; 512 * 1024]> = ConstStaticCell::new([0; 512 * 1024]);

#[entry]
fn main() -> ! {
    serve(Device {
        board: "mps2-armv6m",
        link: cmsdk::Uart0::start(cmsdk::MPS2, CORE_HZ),
        clock: cmsdk::Timer0::start(cmsdk::MPS2, CORE_HZ),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
