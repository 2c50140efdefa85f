//! The table of boards.

use crate::error::{Error, Result};

/// A board that skimp has firmware for.
#[derive(Debug, PartialEq, Eq)]
pub struct Board {
    /// The name in commands, of its firmware's folder, and the one it answers with.
    pub name: &'static str,
    /// The processor core.
    pub cpu: &'static str,
    /// The Rust target of its firmware.
    pub target: &'static str,
    /// How its firmware is compiled.
    pub profile: Profile,
    /// How QEMU emulates it, if it does.
    pub qemu: Option<Emulation>,
    /// Where flash begins, and with it the firmware.
    pub flash_address: u32,
    /// Flash for firmware and image together.
    pub flash_bytes: u32,
    /// RAM altogether.
    pub ram_bytes: u32,
    /// RAM that the firmware leaves for a network: arena, input, logits and tick counts together.
    pub memory_bytes: u32,
    /// Whether data comes slower from flash than from RAM, so that tables are worth a copy.
    pub slow_flash: bool,
    /// Where in flash the image begins.
    pub image_address: u32,
    /// The largest image.
    pub image_capacity_bytes: u32,
    /// The processor's clock, as the firmware sets it up.
    pub clock_hz: u32,
    /// What `probe-rs` calls the microcontroller; `None` if it can't flash it.
    pub probe_rs_chip: Option<&'static str>,
    /// The family its boot loader looks for in UF2 files, if it takes any.
    pub uf2_family: Option<u32>,
}

/// How firmware is compiled: a profile in `boards/Cargo.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Kernels for speed.
    Release,
    /// All for size.
    Small,
}

impl Profile {
    /// What cargo calls it.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Release => "release",
            Profile::Small => "small",
        }
    }
}

/// A board in QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emulation {
    /// The `-machine` of `qemu-system-arm`.
    pub machine: &'static str,
    /// Ticks of the counter in a second, in which QEMU runs 1,000,000,000 instructions.
    pub counter_hz: u32,
}

/// All boards.
pub const BOARDS: &[Board] = &[
    Board {
        name: "lm3s6965evb",
        cpu: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        profile: Profile::Small,
        qemu: Some(Emulation { machine: "lm3s6965evb", counter_hz: 50_000_000 }),
        flash_address: 0,
        flash_bytes: 256 << 10,
        ram_bytes: 64 << 10,
        memory_bytes: 52 << 10,
        slow_flash: false,
        image_address: 0x0001_0000,
        image_capacity_bytes: 192 << 10,
        clock_hz: 50_000_000,
        probe_rs_chip: None,
        uf2_family: None,
    },
    Board {
        name: "microbit",
        cpu: "Cortex-M0",
        target: "thumbv6m-none-eabi",
        profile: Profile::Small,
        qemu: Some(Emulation { machine: "microbit", counter_hz: 16_000_000 }),
        flash_address: 0,
        flash_bytes: 256 << 10,
        ram_bytes: 16 << 10,
        memory_bytes: 12 << 10,
        slow_flash: false,
        image_address: 0x0001_0000,
        image_capacity_bytes: 192 << 10,
        clock_hz: 16_000_000,
        probe_rs_chip: Some("nRF51822_xxAA"),
        uf2_family: None,
    },
    Board {
        name: "mps2-an385",
        cpu: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        profile: Profile::Release,
        qemu: Some(Emulation { machine: "mps2-an385", counter_hz: 25_000_000 }),
        flash_address: 0,
        flash_bytes: 4 << 20,
        ram_bytes: 4 << 20,
        memory_bytes: 2 << 20,
        slow_flash: false,
        image_address: 0x0010_0000,
        image_capacity_bytes: 3 << 20,
        clock_hz: 25_000_000,
        probe_rs_chip: None,
        uf2_family: None,
    },
    Board {
        name: "mps2-an386",
        cpu: "Cortex-M4",
        target: "thumbv7em-none-eabihf",
        profile: Profile::Release,
        qemu: Some(Emulation { machine: "mps2-an386", counter_hz: 25_000_000 }),
        flash_address: 0,
        flash_bytes: 4 << 20,
        ram_bytes: 4 << 20,
        memory_bytes: 2 << 20,
        slow_flash: false,
        image_address: 0x0010_0000,
        image_capacity_bytes: 3 << 20,
        clock_hz: 25_000_000,
        probe_rs_chip: None,
        uf2_family: None,
    },
    Board {
        name: "mps2-an500",
        cpu: "Cortex-M7",
        target: "thumbv7em-none-eabihf",
        profile: Profile::Release,
        qemu: Some(Emulation { machine: "mps2-an500", counter_hz: 25_000_000 }),
        flash_address: 0,
        flash_bytes: 4 << 20,
        ram_bytes: 4 << 20,
        memory_bytes: 2 << 20,
        slow_flash: false,
        image_address: 0x0010_0000,
        image_capacity_bytes: 3 << 20,
        clock_hz: 25_000_000,
        probe_rs_chip: None,
        uf2_family: None,
    },
    Board {
        name: "mps2-an505",
        cpu: "Cortex-M33",
        target: "thumbv8m.main-none-eabihf",
        profile: Profile::Release,
        qemu: Some(Emulation { machine: "mps2-an505", counter_hz: 20_000_000 }),
        flash_address: 0x1000_0000,
        flash_bytes: 4 << 20,
        ram_bytes: 4 << 20,
        memory_bytes: 2 << 20,
        slow_flash: false,
        image_address: 0x1010_0000,
        image_capacity_bytes: 3 << 20,
        clock_hz: 20_000_000,
        probe_rs_chip: None,
        uf2_family: None,
    },
    Board {
        name: "mps2-armv6m",
        cpu: "Cortex-M0+",
        target: "thumbv6m-none-eabi",
        profile: Profile::Release,
        qemu: Some(Emulation { machine: "mps2-an385", counter_hz: 25_000_000 }),
        flash_address: 0,
        flash_bytes: 4 << 20,
        ram_bytes: 4 << 20,
        memory_bytes: 2 << 20,
        slow_flash: false,
        image_address: 0x0010_0000,
        image_capacity_bytes: 3 << 20,
        clock_hz: 25_000_000,
        probe_rs_chip: None,
        uf2_family: None,
    },
    Board {
        name: "netduinoplus2",
        cpu: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        profile: Profile::Release,
        qemu: Some(Emulation { machine: "netduinoplus2", counter_hz: 1_000_000_000 }),
        flash_address: 0x0800_0000,
        flash_bytes: 1 << 20,
        ram_bytes: 128 << 10,
        memory_bytes: 112 << 10,
        slow_flash: false,
        image_address: 0x0804_0000,
        image_capacity_bytes: 768 << 10,
        clock_hz: 16_000_000,
        probe_rs_chip: Some("STM32F405RGTx"),
        uf2_family: None,
    },
    Board {
        name: "nrf52840dk",
        cpu: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        profile: Profile::Release,
        qemu: None,
        flash_address: 0,
        flash_bytes: 1 << 20,
        ram_bytes: 256 << 10,
        memory_bytes: 232 << 10,
        slow_flash: true,
        image_address: 0x0002_0000,
        image_capacity_bytes: 896 << 10,
        clock_hz: 64_000_000,
        probe_rs_chip: Some("nRF52840_xxAA"),
        uf2_family: None,
    },
    Board {
        name: "pico",
        cpu: "Cortex-M0+",
        target: "thumbv6m-none-eabi",
        profile: Profile::Release,
        qemu: None,
        flash_address: 0x1000_0000,
        flash_bytes: 2 << 20,
        ram_bytes: 264 << 10,
        memory_bytes: 240 << 10,
        slow_flash: true,
        image_address: 0x1002_0000,
        image_capacity_bytes: 1920 << 10,
        clock_hz: 125_000_000,
        probe_rs_chip: Some("RP2040"),
        uf2_family: Some(0xe48b_ff56),
    },
    Board {
        name: "pico2",
        cpu: "Cortex-M33",
        target: "thumbv8m.main-none-eabihf",
        profile: Profile::Release,
        qemu: None,
        flash_address: 0x1000_0000,
        flash_bytes: 4 << 20,
        ram_bytes: 512 << 10,
        memory_bytes: 488 << 10,
        slow_flash: true,
        image_address: 0x1002_0000,
        image_capacity_bytes: 3968 << 10,
        clock_hz: 150_000_000,
        probe_rs_chip: Some("RP235x"),
        uf2_family: Some(0xe48b_ff59),
    },
    Board {
        name: "stm32f4discovery",
        cpu: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        profile: Profile::Release,
        qemu: None,
        flash_address: 0x0800_0000,
        flash_bytes: 1 << 20,
        ram_bytes: 128 << 10,
        memory_bytes: 112 << 10,
        slow_flash: false,
        image_address: 0x0804_0000,
        image_capacity_bytes: 768 << 10,
        clock_hz: 16_000_000,
        probe_rs_chip: Some("STM32F407VGTx"),
        uf2_family: None,
    },
    Board {
        name: "stm32vldiscovery",
        cpu: "Cortex-M3",
        target: "thumbv7m-none-eabi",
        profile: Profile::Small,
        qemu: Some(Emulation { machine: "stm32vldiscovery", counter_hz: 24_000_000 }),
        flash_address: 0x0800_0000,
        flash_bytes: 128 << 10,
        ram_bytes: 8 << 10,
        memory_bytes: 4608,
        slow_flash: false,
        image_address: 0x0800_e000,
        image_capacity_bytes: 72 << 10,
        clock_hz: 8_000_000,
        probe_rs_chip: Some("STM32F100RBTx"),
        uf2_family: None,
    },
];

impl Board {
    /// The board called `name`; the error lists those there are.
    pub fn find(name: &str) -> Result<&'static Board> {
        BOARDS.iter().find(|board| board.name == name).ok_or_else(|| {
            let known = names(|_| true);
            Error::Argument(format!("no board is called \"{name}\"; there are {known}"))
        })
    }

    /// What so many cycles of the processor's clock take, in milliseconds.
    pub fn ms(&self, cycles: f64) -> f64 {
        cycles * 1e3 / f64::from(self.clock_hz)
    }

    /// The boards that QEMU emulates.
    pub fn emulated() -> impl Iterator<Item = &'static Board> {
        BOARDS.iter().filter(|board| board.qemu.is_some())
    }

    /// How QEMU emulates the board; the error lists the boards it can.
    pub fn emulation(&self) -> Result<Emulation> {
        self.qemu.ok_or_else(|| {
            let (name, known) = (self.name, names(|board| board.qemu.is_some()));
            Error::Argument(format!(
                "QEMU has no {name}: flash a real one with `skimp flash` and run on it with --port, or emulate \
                 one of {known}"
            ))
        })
    }

    /// Refuses an image that does not fit, by its file's name and length.
    pub fn check_image_length(&self, path: &std::path::Path, bytes: u64) -> Result<()> {
        let (name, capacity_bytes) = (self.name, self.image_capacity_bytes);
        if bytes > u64::from(capacity_bytes) {
            let reason = format!("{bytes} bytes, but the {name} has room for {capacity_bytes}");
            return Err(Error::file(path, reason));
        }
        Ok(())
    }
}

/// Names of boards, with commas between.
fn names(which: impl Fn(&Board) -> bool) -> String {
    Vec::from_iter(BOARDS.iter().filter(|board| which(board)).map(|board| board.name)).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_board_is_answered_with_those_there_are() {
        assert_eq!(Board::find("netduinoplus2").unwrap().cpu, "Cortex-M4F");
        let message = Board::find("arduino").unwrap_err().to_string();
        assert!(message.starts_with("no board is called \"arduino\"; there are lm3s6965evb, microbit, "));
    }

    #[test]
    fn a_board_without_an_emulation_is_answered_with_those_that_have_one() {
        let message = Board::find("pico").unwrap().emulation().unwrap_err().to_string();
        assert!(
            message.contains("--port") && message.contains("mps2-armv6m, netduinoplus2, stm32vl"),
            "{message}"
        );
        assert_eq!(Board::emulated().count(), 9);
    }

    #[test]
    fn images_fit_their_flash() {
        for board in BOARDS {
            let firmware_bytes = board.image_address - board.flash_address;
            assert_eq!(firmware_bytes + board.image_capacity_bytes, board.flash_bytes, "{}", board.name);
            assert!(board.memory_bytes < board.ram_bytes, "{}", board.name);
            assert_eq!(board.image_address % 4, 0, "{}", board.name);
        }
    }
}
