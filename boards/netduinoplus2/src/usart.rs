//! USART 1 (STM32F405 reference manual RM0090, chapter 30) on PB6 (transmit) and PB7 (receive).

#![allow(unsafe_code)]

use skimp_firmware::register::Register;
use skimp_firmware::{Line, Link, sleep_until_pending, wake_on};

// SAFETY: addresses from RM0090, table 1 and the register maps of RCC, GPIO and USART.
const RCC_AHB1ENR: Register = unsafe { Register::new(0x4002_3830) };
const RCC_APB2ENR: Register = unsafe { Register::new(0x4002_3844) };
const GPIOB_MODER: Register = unsafe { Register::new(0x4002_0400) };
const GPIOB_AFRL: Register = unsafe { Register::new(0x4002_0420) };
const USART_SR: Register = unsafe { Register::new(0x4001_1000) };
const USART_DR: Register = unsafe { Register::new(0x4001_1004) };
const USART_BRR: Register = unsafe { Register::new(0x4001_1008) };
const USART_CR1: Register = unsafe { Register::new(0x4001_100c) };

const AHB1ENR_GPIOB: u32 = 1 << 1;
const APB2ENR_USART1: u32 = 1 << 4;
const SR_RXNE: u32 = 1 << 5;
const SR_TXE: u32 = 1 << 7;
const CR1_RE: u32 = 1 << 2;
const CR1_TE: u32 = 1 << 3;
const CR1_RXNEIE: u32 = 1 << 5;
const CR1_UE: u32 = 1 << 13;

/// The port's interrupt.
const LINE: Line = Line(37);

const BAUD: u32 = 115_200;

/// The port, polled.
pub struct Usart1(());

impl Usart1 {
    /// Sets the port and its pins up: 115,200 baud, 8N1.
    pub fn start(clock_hz: u32) -> Self {
        RCC_AHB1ENR.modify(AHB1ENR_GPIOB, AHB1ENR_GPIOB);
        RCC_APB2ENR.modify(APB2ENR_USART1, APB2ENR_USART1);
        // Pins 6 and 7: alternate function (mode 2) number 7.
        GPIOB_AFRL.modify(0xff << 24, 0x77 << 24);
        GPIOB_MODER.modify(0xf << 12, 0xa << 12);
        USART_BRR.write(clock_hz / BAUD);
        USART_CR1.write(CR1_UE | CR1_TE | CR1_RE | CR1_RXNEIE);
        wake_on(LINE);
        Self(())
    }
}

impl Link for Usart1 {
    fn read_byte(&mut self) -> Option<u8> {
        (USART_SR.read() & SR_RXNE != 0).then(|| USART_DR.read() as u8)
    }

    fn wait(&mut self) {
        sleep_until_pending(LINE, || USART_SR.read() & SR_RXNE != 0);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            while USART_SR.read() & SR_TXE == 0 {}
            USART_DR.write(byte.into());
        }
    }
}
