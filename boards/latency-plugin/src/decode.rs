//! Thumb instructions, as far as their time depends on them.

mod narrow;
#[cfg(test)]
mod tests;
mod wide;

/// What an instruction does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Data processing, and whatever else takes one cycle.
    #[default]
    Plain,
    /// A product of 32 bits, or anything that the fourth-generation multipliers do in one go.
    Multiply,
    /// A product of 32 bits, added to or taken from a register.
    MultiplyAdd,
    /// A product of 64 bits.
    LongMultiply,
    /// A product of 64 bits, added.
    LongMultiplyAdd,
    /// A division.
    Divide,
    /// A load of one register.
    Load {
        /// Whether that register is the program counter.
        to_pc: bool,
    },
    /// A store of one register.
    Store {
        /// Whether the address is a sum of two registers.
        register_offset: bool,
    },
    /// A load or store of several registers.
    Several {
        /// How many.
        words: u8,
        /// Whether it loads.
        load: bool,
        /// Whether the program counter is among those loaded.
        to_pc: bool,
    },
    /// A branch, taken or not.
    Branch {
        /// Whether its destination comes from a register.
        indirect: bool,
    },
    /// A branch that leaves its return address, by an immediate offset.
    Call,
    /// A branch through a table of offsets.
    TableBranch,
    /// Special registers and barriers.
    System,
    /// The next instructions, so many, are conditional.
    IfThen {
        /// How many.
        count: u8,
    },
    /// A floating-point product, added.
    FloatMultiplyAdd,
    /// A floating-point division or root.
    FloatDivide,
}

impl Kind {
    /// Whether it loads or stores.
    pub fn accesses_memory(self) -> bool {
        matches!(self, Kind::Load { .. } | Kind::Store { .. } | Kind::Several { .. } | Kind::TableBranch)
    }
}

/// Registers, bit n for register n.
pub type Registers = u16;

/// An instruction taken apart. Flags and floating-point registers are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// What it does.
    pub kind: Kind,
    /// All registers it reads.
    pub reads: Registers,
    /// Those among them that make up an address.
    pub address: Registers,
    /// All registers it writes.
    pub writes: Registers,
    /// Those among them that come from memory.
    pub loaded: Registers,
}

/// A branch by an immediate offset.
const BRANCH: Kind = Kind::Branch { indirect: false };
/// A branch to what a register holds.
const JUMP: Kind = Kind::Branch { indirect: true };

const PC: u16 = 15;
const SP: u16 = 13;

/// The instruction whose bytes are given in the order of memory. Unknown ones are [`Kind::Plain`].
pub fn decode(bytes: &[u8]) -> Decoded {
    let half = |at: usize| match bytes.get(at..at + 2) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    };
    if bytes.len() >= 4 { wide::decode(half(0), half(2)) } else { narrow::decode(half(0)) }
}

/// The field of `word` that begins at bit `low` and has `bits` bits.
fn field(word: u16, low: u32, bits: u32) -> u16 {
    (word >> low) & ((1 << bits) - 1)
}

/// The set of one register.
fn one(register: u16) -> Registers {
    1 << (register & 15)
}

/// An instruction that reads and writes registers only.
fn simple(kind: Kind, reads: Registers, writes: Registers) -> Decoded {
    Decoded { kind, reads, writes, ..Decoded::default() }
}

fn load(register: u16, address: Registers) -> Decoded {
    let loaded = one(register);
    let kind = Kind::Load { to_pc: register == PC };
    Decoded { kind, reads: address, address, writes: loaded, loaded }
}

fn store(register: u16, address: Registers, register_offset: bool) -> Decoded {
    let kind = Kind::Store { register_offset };
    Decoded { kind, reads: one(register) | address, address, ..Decoded::default() }
}

/// A load (else a store) of `list` at `base`, which may be written back.
fn several(list: Registers, base: u16, is_load: bool, write_back: bool) -> Decoded {
    let words = list.count_ones() as u8;
    let kind = Kind::Several { words, load: is_load, to_pc: is_load && list & one(PC) != 0 };
    let base = one(base);
    let written_back = if write_back { base } else { 0 };
    let (reads, loaded) = if is_load { (base, list) } else { (base | list, 0) };
    Decoded { kind, reads, address: base, writes: loaded | written_back, loaded }
}
