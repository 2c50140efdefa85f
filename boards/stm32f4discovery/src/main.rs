//! Firmware for ST's STM32F4 Discovery (STM32F407, Cortex-M4F).

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::stm32;
use skimp_firmware::{ConstStaticCell, CycleCounter, Device, image_region, serve};

/// The internal oscillator, on which the chip starts. Flash keeps up with it without wait states, so
/// cycle counts are those of the kernels alone.
const CORE_HZ: u32 = 16_000_000;

/// RAM for networks, in words: 112 KiB. The rest is for the stack.
static MEMORY: ConstStaticCell<[u32; 28 * 1024]> = ConstStaticCell::new([0; 28 * 1024]);

#[entry]
fn main() -> ! {
    serve(Device {
        board: "stm32f4discovery",
        link: stm32::Usart::start(stm32::F4_USART2_PA2_PA3, CORE_HZ),
        clock: CycleCounter::start(CORE_HZ).ok_or_else(stm32::F4Timer2::start),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
