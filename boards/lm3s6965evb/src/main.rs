//! Firmware for TI's (once Luminary Micro's) EK-LM3S6965 (Cortex-M3), which QEMU emulates as `lm3s6965evb`.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::{lm3s, pl011};
use skimp_firmware::{ConstStaticCell, CycleCounter, Device, image_region, serve};

/// RAM for networks, in words: 52 KiB.
static MEMORY: ConstStaticCell<[u32; 13 * 1024]> = ConstStaticCell::new([0; 13 * 1024]);

#[entry]
fn main() -> ! {
    lm3s::start();
    serve(Device {
        board: "lm3s6965evb",
        link: pl011::Uart::start(pl011::LM3S_UART0, lm3s::CORE_HZ),
        clock: CycleCounter::start(lm3s::CORE_HZ).ok_or_else(lm3s::Watchdog::start),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
