//! Firmware for the Netduino Plus 2 (STM32F405, Cortex-M4F), which QEMU emulates as `netduinoplus2`.

#![no_std]
#![no_main]

mod timer;
mod usart;

use cortex_m_rt::entry;
use skimp_firmware::{ConstStaticCell, CycleCounter, Device, image_region, serve};

/// The internal oscillator, on which the chip starts. Flash keeps up with it without wait states, so
/// cycle counts are those of the kernels alone.
const CORE_HZ: u32 = 16_000_000;

/// RAM for networks, in words: 112 KiB. The rest is for the stack.
static MEMORY: ConstStaticCell<[u32; 28 * 1024]> = ConstStaticCell::new([0; 28 * 1024]);

#[entry]
fn main() -> ! {
    let clock = match cortex_m::Peripherals::take() {
        Some(core) => CycleCounter::start(core.DCB, core.DWT, CORE_HZ),
        None => None,
    };
    serve(Device {
        board: "netduinoplus2",
        link: usart::Usart1::start(CORE_HZ),
        clock: clock.ok_or_else(timer::Timer2::start),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
