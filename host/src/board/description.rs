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
    /// The `-machine` of `qemu-system-arm`.
    pub qemu_machine: &'static str,
    /// Flash for firmware and image together.
    pub flash_bytes: u32,
    /// RAM altogether.
    pub ram_bytes: u32,
    /// RAM that the firmware leaves for a network: arena, input, logits and tick counts together.
    pub memory_bytes: u32,
    /// Where in flash the image begins.
    pub image_address: u32,
    /// The largest image.
    pub image_capacity_bytes: u32,
    /// The processor's clock, as the firmware sets it up.
    pub clock_hz: u32,
    /// Instructions in a tick of the counter when QEMU runs the board, one instruction taking one
    /// virtual nanosecond.
    pub qemu_tick_insns: u32,
    /// What `probe-rs` calls the microcontroller; `None` if it can't flash it.
    pub probe_rs_chip: Option<&'static str>,
}

/// All boards.
pub const BOARDS: &[Board] = &[
    Board {
        name: "mps2-an386",
        cpu: "Cortex-M4",
        target: "thumbv7em-none-eabihf",
        qemu_machine: "mps2-an386",
        flash_bytes: 4 << 20,
        ram_bytes: 4 << 20,
        memory_bytes: 2 << 20,
        image_address: 0x0010_0000,
        image_capacity_bytes: 3 << 20,
        clock_hz: 25_000_000,
        qemu_tick_insns: 40,
        probe_rs_chip: None,
    },
    Board {
        name: "netduinoplus2",
        cpu: "Cortex-M4F",
        target: "thumbv7em-none-eabihf",
        qemu_machine: "netduinoplus2",
        flash_bytes: 1 << 20,
        ram_bytes: 128 << 10,
        memory_bytes: 112 << 10,
        image_address: 0x0804_0000,
        image_capacity_bytes: 768 << 10,
        clock_hz: 16_000_000,
        qemu_tick_insns: 1,
        probe_rs_chip: Some("STM32F405RGTx"),
    },
];

impl Board {
    /// The board called `name`; the error lists those there are.
    pub fn find(name: &str) -> Result<&'static Board> {
        BOARDS.iter().find(|board| board.name == name).ok_or_else(|| {
            let known: Vec<&str> = BOARDS.iter().map(|board| board.name).collect();
            Error::Argument(format!("no board is called \"{name}\"; there are {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_board_is_answered_with_those_there_are() {
        assert_eq!(Board::find("netduinoplus2").unwrap().cpu, "Cortex-M4F");
        let message = Board::find("arduino").unwrap_err().to_string();
        assert_eq!(message, "no board is called \"arduino\"; there are mps2-an386, netduinoplus2");
    }

    #[test]
    fn images_fit_their_flash() {
        for board in BOARDS {
            assert!(board.image_capacity_bytes < board.flash_bytes, "{}", board.name);
            assert!(board.memory_bytes < board.ram_bytes, "{}", board.name);
            assert_eq!(board.image_address % 4, 0, "{}", board.name);
        }
    }
}
