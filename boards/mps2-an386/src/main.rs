//! Firmware for Arm's MPS2 board with the AN386 (Cortex-M4) image, which QEMU emulates as `mps2-an386`.

#![no_std]
#![no_main]

mod timer;
mod uart;

use cortex_m_rt::entry;
use skimp_firmware::{ConstStaticCell, CycleCounter, Device, image_region, serve};

/// The system clock.
const CORE_HZ: u32 = 25_000_000;

/// RAM for networks, in words: 2 MiB.
static MEMORY: ConstStaticCell<[u32; 512 * 1024]> = ConstStaticCell::new([0; 512 * 1024]);

#[entry]
fn main() -> ! {
    let clock = match cortex_m::Peripherals::take() {
        Some(core) => CycleCounter::start(core.DCB, core.DWT, CORE_HZ),
        None => None,
    };
    serve(Device {
        board: "mps2-an386",
        link: uart::Uart0::start(CORE_HZ),
        clock: clock.ok_or_else(|| timer::Timer0::start(CORE_HZ)),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
