//! What the estimate of cycles must know of a board: its core, and how its flash answers.

use super::description::Board;
use crate::error::{Error, Result};

/// A core that the estimate has timings for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// Cortex-M0 and M0+.
    M0,
    /// Cortex-M3.
    M3,
    /// Cortex-M4.
    M4,
    /// Cortex-M7.
    M7,
    /// Cortex-M33.
    M33,
}

impl Core {
    /// A board's core; `None` if the estimate has no timings for it.
    pub fn of(board: &Board) -> Option<Core> {
        Some(match board.cpu {
            "Cortex-M0" | "Cortex-M0+" => Core::M0,
            "Cortex-M3" => Core::M3,
            "Cortex-M4" | "Cortex-M4F" => Core::M4,
            "Cortex-M7" => Core::M7,
            "Cortex-M33" => Core::M33,
            _ => return None,
        })
    }

    /// What the plugin calls it.
    pub fn argument(self) -> &'static str {
        match self {
            Core::M0 => "m0",
            Core::M3 => "m3",
            Core::M4 => "m4",
            Core::M7 => "m7",
            Core::M33 => "m33",
        }
    }

    /// How far its estimate may be off.
    pub fn error(self) -> &'static str {
        match self {
            Core::M0 => {
                "estimate by the manual's instruction timings, never compared with hardware; bus contention is \
                 left out"
            }
            Core::M3 | Core::M4 => {
                "estimate by the manual's instruction timings, not compared with hardware itself: it agrees \
                 within 3 % with an earlier model, which was -3 % to +34 % off published hardware times of \
                 eight-bit networks on a Cortex-M4; bus contention and a full write buffer are left out"
            }
            Core::M7 => {
                "rough estimate, never compared with hardware: Arm documents no timings, and pairs of \
                 instructions follow a simple rule; caches in front of RAM are left out; expect a factor of 1.5 \
                 either way"
            }
            Core::M33 => {
                "rough estimate, never compared with hardware: Arm documents no timings, so a Cortex-M4's are \
                 used; expect 30 % either way"
            }
        }
    }
}

/// A small cache between flash and core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    /// How many lines.
    pub lines: u32,
    /// Their length.
    pub bytes: u32,
}

/// The word just read, and nothing else.
const NO_CACHE: Lines = Lines { lines: 1, bytes: 4 };

/// How a board's processor and flash take their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The board's name.
    pub board: &'static str,
    /// What this set of figures is called; the first of a board is how its firmware runs it.
    pub preset: &'static str,
    /// The core.
    pub core: Core,
    /// The core's clock.
    pub clock_hz: u32,
    /// Where flash is: first addresses, and those behind the last.
    pub flash: &'static [(u32, u32)],
    /// Cycles that reading flash waits.
    pub wait_states: u32,
    /// For instructions.
    pub instruction_cache: Lines,
    /// For data.
    pub data_cache: Lines,
    /// Whether the instruction line behind the one just read is read ahead.
    pub prefetch: bool,
}

/// Most wait states that make sense; the slowest flash has about 15.
pub const MAX_WAIT_STATES: u32 = 64;

/// Flash without wait states.
const fn plain(board: &'static str, core: Core, clock_hz: u32, flash: &'static [(u32, u32)]) -> Timing {
    Timing {
        board,
        preset: "default",
        core,
        clock_hz,
        flash,
        wait_states: 0,
        instruction_cache: NO_CACHE,
        data_cache: NO_CACHE,
        prefetch: false,
    }
}

/// Figures of all boards that QEMU emulates.
pub const TIMINGS: &[Timing] = &[
    plain("mps2-an385", Core::M3, 25_000_000, &[(0, 4 << 20)]),
    plain("mps2-an386", Core::M4, 25_000_000, &[(0, 4 << 20)]),
    plain("mps2-an500", Core::M7, 25_000_000, &[(0, 4 << 20)]),
    plain("mps2-an505", Core::M33, 20_000_000, &[(0, 4 << 20), (0x1000_0000, 0x1040_0000)]),
    plain("mps2-armv6m", Core::M0, 25_000_000, &[(0, 4 << 20)]),
    plain("netduinoplus2", Core::M4, 16_000_000, STM32F405_FLASH),
    // The fastest its microcontroller may run: reference manual RM0090, chapter 3, at 2.7 to 3.6 V.
    Timing {
        board: "netduinoplus2",
        preset: "168MHz",
        core: Core::M4,
        clock_hz: 168_000_000,
        flash: STM32F405_FLASH,
        wait_states: 5,
        instruction_cache: Lines { lines: 64, bytes: 16 },
        data_cache: Lines { lines: 8, bytes: 16 },
        prefetch: true,
    },
    plain("microbit", Core::M0, 16_000_000, &[(0, 256 << 10)]),
    plain("lm3s6965evb", Core::M3, 50_000_000, &[(0, 256 << 10)]),
    plain("stm32vldiscovery", Core::M3, 8_000_000, &[(0, 128 << 10), (0x0800_0000, 0x0802_0000)]),
];

/// Once where the processor boots, once where it is.
const STM32F405_FLASH: &[(u32, u32)] = &[(0, 1 << 20), (0x0800_0000, 0x0810_0000)];

impl Timing {
    /// The figures of `board` called `preset`, or its first.
    pub fn find(board: &Board, preset: Option<&str>) -> Result<Timing> {
        let own: Vec<&Timing> = TIMINGS.iter().filter(|timing| timing.board == board.name).collect();
        let found = match preset {
            None => own.first(),
            Some(preset) => own.iter().find(|timing| timing.preset == preset),
        };
        found.map(|timing| **timing).ok_or_else(|| {
            let names: Vec<&str> = own.iter().map(|timing| timing.preset).collect();
            Error::Argument(match preset {
                Some(preset) if !names.is_empty() => {
                    format!("--preset {preset}: the {} has {}", board.name, names.join(", "))
                }
                _ => format!("no timings are known of the {}", board.name),
            })
        })
    }

    /// The plugin's arguments that describe it.
    pub fn arguments(&self) -> String {
        let flash: Vec<String> =
            self.flash.iter().map(|(start, end)| format!("{start:#x}-{end:#x}")).collect();
        let cache = |lines: Lines| format!("{}x{}", lines.lines, lines.bytes);
        format!(
            "core={},flash={},wait={},icache={},dcache={},prefetch={}",
            self.core.argument(),
            flash.join("+"),
            self.wait_states,
            cache(self.instruction_cache),
            cache(self.data_cache),
            if self.prefetch { "on" } else { "off" },
        )
    }

    /// How long `cycles` take.
    pub fn ms(&self, cycles: u64) -> f64 {
        cycles as f64 * 1e3 / f64::from(self.clock_hz)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::description::BOARDS;

    #[test]
    fn every_emulated_board_has_timings_at_its_own_clock() {
        for board in BOARDS.iter().filter(|board| board.qemu.is_some()) {
            let timing = Timing::find(board, None).unwrap();
            assert_eq!(timing.clock_hz, board.clock_hz, "{}", board.name);
            assert_eq!(Core::of(board), Some(timing.core), "{}", board.name);
            let image = board.image_address;
            let in_flash = timing.flash.iter().any(|&(start, end)| (start..end).contains(&image));
            assert!(in_flash, "{}: the image is not where flash is", board.name);
        }
    }

    #[test]
    fn presets_are_found_and_unknown_ones_answered_with_those_there_are() {
        let board = Board::find("netduinoplus2").unwrap();
        let fast = Timing::find(board, Some("168MHz")).unwrap();
        assert_eq!((fast.clock_hz, fast.wait_states), (168_000_000, 5));
        assert_eq!(
            fast.arguments(),
            "core=m4,flash=0x0-0x100000+0x8000000-0x8100000,wait=5,icache=64x16,dcache=8x16,prefetch=on"
        );
        assert_eq!(fast.ms(168_000), 1.0);
        let message = Timing::find(board, Some("1GHz")).unwrap_err().to_string();
        assert_eq!(message, "--preset 1GHz: the netduinoplus2 has default, 168MHz");
    }
}
