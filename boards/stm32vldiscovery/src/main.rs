//! Firmware for ST's STM32VL Discovery (STM32F100, Cortex-M3), which QEMU emulates as `stm32vldiscovery`.

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use skimp_firmware::chip::stm32;
use skimp_firmware::{ConstStaticCell, CycleCounter, Device, SysTick, image_region, serve};

/// The internal oscillator, on which the chip starts. Flash keeps up with it without wait states, so
/// cycle counts are those of the kernels alone.
const CORE_HZ: u32 = 8_000_000;

/// What QEMU's system timer counts at, which stands in for the cycle counter there.
const QEMU_HZ: u32 = 24_000_000;

/// RAM for networks, in words: 4.5 KiB.
static MEMORY: ConstStaticCell<[u32; 1152]> = ConstStaticCell::new([0; 1152]);

#[entry]
fn main() -> ! {
    serve(Device {
        board: "stm32vldiscovery",
        link: stm32::Usart::start(stm32::F1_USART1_PA9_PA10, CORE_HZ),
        clock: CycleCounter::start(CORE_HZ).ok_or_else(|| SysTick::start(QEMU_HZ)),
        image: image_region(),
        memory: MEMORY.take(),
    })
}
