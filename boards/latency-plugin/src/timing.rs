//! What each core charges for an instruction on its own.

use crate::decode::Kind;

/// A processor core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// Cortex-M0.
    M0,
    /// Cortex-M0+.
    M0Plus,
    /// Cortex-M3.
    M3,
    /// Cortex-M4, with or without its floating-point unit.
    M4,
    /// Cortex-M7.
    M7,
    /// Cortex-M33, charged as a Cortex-M4.
    M33,
}

/// How instructions overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// Not at all.
    None,
    /// A load or store follows a load a cycle sooner; an address just computed is late.
    Memory,
    /// Two independent instructions go together.
    Pairs,
}

/// A division documented as 2 to 12 cycles.
const DIVIDE: u32 = 7;

impl Core {
    /// All cores by the names that arguments give them.
    pub const NAMES: [(&'static str, Core); 6] = [
        ("m0", Core::M0),
        ("m0plus", Core::M0Plus),
        ("m3", Core::M3),
        ("m4", Core::M4),
        ("m7", Core::M7),
        ("m33", Core::M33),
    ];

    /// How its instructions overlap.
    pub fn overlap(self) -> Overlap {
        match self {
            Core::M0 | Core::M0Plus => Overlap::None,
            Core::M3 | Core::M4 | Core::M33 => Overlap::Memory,
            Core::M7 => Overlap::Pairs,
        }
    }

    /// Cycles added where an instruction of kind `branch` is not followed by the next one in memory. Cortex-M3
    /// and M4 document 1 to 3 by the branch and where it goes.
    pub fn refill(self, branch: Kind) -> u32 {
        match self {
            Core::M0 => 2,
            Core::M0Plus => 1,
            Core::M3 | Core::M4 | Core::M33 => match branch {
                // Known early.
                Kind::Branch { indirect: false } | Kind::Call => 1,
                _ => 2,
            },
            // Predicted.
            Core::M7 => 0,
        }
    }

    /// Cycles added to that if the destination is a wide instruction that straddles two words.
    pub fn straddling_refill(self) -> u32 {
        u32::from(self.overlap() == Overlap::Memory)
    }

    /// Cycles of an instruction alone, without wait states and without what a taken branch adds.
    /// `multiply` is what a Cortex-M0 or M0+ takes for a product: 1 or 32, as its maker chose.
    pub fn cycles(self, kind: Kind, multiply: u32) -> u32 {
        match self {
            Core::M0 | Core::M0Plus => self.small(kind, multiply),
            Core::M3 => match kind {
                Kind::MultiplyAdd => 2,
                // Documented as 3 to 5 and 4 to 7, by the operands.
                Kind::LongMultiply => 4,
                Kind::LongMultiplyAdd => 5,
                _ => self.middle(kind),
            },
            Core::M4 | Core::M33 => self.middle(kind),
            Core::M7 => match kind {
                Kind::Load { .. } | Kind::Store { .. } => 1,
                // Two words a cycle.
                Kind::Several { words, .. } => 1 + u32::from(words).div_ceil(2),
                Kind::TableBranch => 3,
                Kind::FloatMultiplyAdd => 1,
                _ => self.middle(kind),
            },
        }
    }

    /// Cortex-M0 and M0+.
    fn small(self, kind: Kind, multiply: u32) -> u32 {
        match kind {
            Kind::Multiply => multiply,
            Kind::Load { .. } | Kind::Store { .. } => 2,
            // The return by POP takes 3 + N, on M0 4 + N, refill included.
            Kind::Several { words, to_pc, .. } => 1 + u32::from(words) + u32::from(to_pc),
            // 3 and 4 with the refill.
            Kind::Call => 2,
            Kind::System if self == Core::M0 => 4,
            Kind::System => 3,
            _ => 1,
        }
    }

    /// Cortex-M4, and M3 but for its multiplier.
    fn middle(self, kind: Kind) -> u32 {
        match kind {
            // "At least five" and "at least six" with the refill.
            Kind::Load { to_pc: true } => 3,
            Kind::TableBranch => 4,
            Kind::Load { .. } | Kind::Store { register_offset: true } => 2,
            // Its data phase goes along with the next instruction.
            Kind::Store { register_offset: false } => 1,
            Kind::Several { words, .. } => 1 + u32::from(words),
            Kind::Divide => DIVIDE,
            Kind::System => 2,
            Kind::FloatMultiplyAdd => 3,
            Kind::FloatDivide => 14,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipliers_differ_by_core() {
        let of = |core: Core| {
            let kinds = [Kind::Multiply, Kind::MultiplyAdd, Kind::LongMultiply, Kind::LongMultiplyAdd];
            kinds.map(|kind| core.cycles(kind, 32))
        };
        assert_eq!(of(Core::M3), [1, 2, 4, 5]);
        assert_eq!(of(Core::M4), [1; 4]);
        assert_eq!(of(Core::M33), [1; 4]);
        assert_eq!(Core::M0Plus.cycles(Kind::Multiply, 32), 32);
        assert_eq!(Core::M0Plus.cycles(Kind::Multiply, 1), 1);
    }

    #[test]
    fn returns_and_calls_add_up_to_what_is_documented() {
        let pop = Kind::Several { words: 3, load: true, to_pc: true };
        assert_eq!(Core::M0Plus.cycles(pop, 1) + Core::M0Plus.refill(pop), 3 + 3);
        assert_eq!(Core::M0.cycles(pop, 1) + Core::M0.refill(pop), 4 + 3);
        let taken = |core: Core, kind| core.cycles(kind, 1) + core.refill(kind);
        let (branch, jump) = (Kind::Branch { indirect: false }, Kind::Branch { indirect: true });
        assert_eq!([Core::M0, Core::M0Plus].map(|core| taken(core, Kind::Call)), [4, 3]);
        assert_eq!([Core::M0, Core::M0Plus].map(|core| taken(core, branch)), [3, 2]);
        assert_eq!([branch, jump, Kind::Call].map(|kind| taken(Core::M4, kind)), [2, 3, 2]);
        assert_eq!(taken(Core::M4, Kind::TableBranch), 6);
        assert_eq!(taken(Core::M4, Kind::Load { to_pc: true }), 5);
    }
}
