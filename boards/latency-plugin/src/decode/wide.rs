//! Instructions of 32 bits, of which ARMv6-M has but calls, barriers and special registers.

use super::{BRANCH, Decoded, Kind, PC, field, load, one, several, simple, store};

pub(super) fn decode(first: u16, second: u16) -> Decoded {
    match first >> 9 {
        0b111_0100 if field(first, 6, 1) == 0 => {
            several(second, field(first, 0, 4), field(first, 4, 1) == 1, field(first, 5, 1) == 1)
        }
        0b111_0100 => pair_or_exclusive(first, second),
        0b111_0101 => data_processing(first, second, one(field(second, 0, 4))),
        0b111_0110 | 0b111_0111 | 0b111_1110 | 0b111_1111 => coprocessor(first, second),
        0b111_1000..=0b111_1011 if field(second, 15, 1) == 1 => branch_or_system(first, second),
        0b111_1000 | 0b111_1010 => data_processing(first, second, 0),
        0b111_1001 | 0b111_1011 => plain_immediate(first, second),
        0b111_1100 => single(first, second),
        _ => register_operands(first, second),
    }
}

fn pair_or_exclusive(first: u16, second: u16) -> Decoded {
    let base = one(field(first, 0, 4));
    let (target, other) = (field(second, 12, 4), field(second, 8, 4));
    let is_load = field(first, 4, 1) == 1;
    // Neither indexed before nor written back: not a pair.
    if field(first, 8, 1) == 0 && field(first, 5, 1) == 0 {
        let kind_bits = field(second, 4, 4);
        return match (field(first, 7, 1), is_load) {
            (1, true) if kind_bits < 2 => {
                let address = base | one(field(second, 0, 4));
                Decoded { kind: Kind::TableBranch, reads: address, address, ..Decoded::default() }
            }
            (_, true) => load(target, base),
            (exclusive_bits, false) => {
                let mut decoded = store(target, base, false);
                // Where the outcome goes; stores with release have none.
                decoded.writes = match (exclusive_bits, kind_bits) {
                    (0, _) => one(other),
                    (_, 4..8 | 12..16) => one(field(second, 0, 4)),
                    _ => 0,
                };
                decoded
            }
        };
    }
    let write_back = field(first, 5, 1) == 1;
    let mut decoded = several(one(target) | one(other), field(first, 0, 4), is_load, write_back);
    // Both may be the same one, stored twice.
    decoded.kind = Kind::Several { words: 2, load: is_load, to_pc: false };
    decoded
}

/// Data processing with a shifted register, `operand`, or an immediate, for which it is 0.
fn data_processing(first: u16, second: u16, operand: u16) -> Decoded {
    let (left, destination) = (field(first, 0, 4), field(second, 8, 4));
    let operation = field(first, 5, 4);
    let sets_flags = field(first, 4, 1) == 1;
    // Or, or-not without a left operand are moves.
    let moves = matches!(operation, 2 | 3) && left == PC;
    // Test, test equivalence, compare negative, compare.
    let compares = matches!(operation, 0 | 4 | 8 | 13) && destination == PC && sets_flags;
    simple(
        Kind::Plain,
        operand | if moves { 0 } else { one(left) },
        if compares { 0 } else { one(destination) },
    )
}

/// Immediates of 12 and 16 bits, bit fields, saturation.
fn plain_immediate(first: u16, second: u16) -> Decoded {
    let (left, destination) = (one(field(first, 0, 4)), one(field(second, 8, 4)));
    match field(first, 4, 5) {
        // A move of 16 bits, whose field for a register is part of the number.
        0b00100 => simple(Kind::Plain, 0, destination),
        // To the upper half; into a bit field. Both keep the rest.
        0b01100 => simple(Kind::Plain, destination, destination),
        0b10110 => simple(Kind::Plain, left & !one(PC) | destination, destination),
        _ => simple(Kind::Plain, left, destination),
    }
}

fn branch_or_system(first: u16, second: u16) -> Decoded {
    match (field(second, 14, 1), field(second, 12, 1)) {
        (1, _) => simple(Kind::Call, 0, one(14)),
        (0, 1) => simple(BRANCH, 0, 0),
        _ if field(first, 7, 3) != 0b111 => simple(BRANCH, 0, 0),
        _ => match field(first, 4, 7) {
            // To a special register; barriers; from a special register.
            0b011_1000 | 0b011_1001 => simple(Kind::System, one(field(first, 0, 4)), 0),
            0b011_1011 => simple(Kind::System, 0, 0),
            0b011_1110 | 0b011_1111 => simple(Kind::System, 0, one(field(second, 8, 4))),
            _ => Decoded::default(),
        },
    }
}

fn single(first: u16, second: u16) -> Decoded {
    let (base, target) = (field(first, 0, 4), field(second, 12, 4));
    let (size, is_load) = (field(first, 5, 2), field(first, 4, 1) == 1);
    let literal = base == PC;
    let long_offset = field(first, 7, 1) == 1 || literal;
    let short_offset = !long_offset && field(second, 11, 1) == 1;
    let by_register = !long_offset && !short_offset;
    let address = one(base) | if by_register { one(field(second, 0, 4)) } else { 0 };
    // A byte or halfword for pc is a hint to preload.
    if is_load && target == PC && size < 2 {
        return simple(Kind::Plain, address, 0);
    }
    let mut decoded = if is_load { load(target, address) } else { store(target, address, by_register) };
    if short_offset && field(second, 8, 1) == 1 {
        decoded.writes |= one(base);
    }
    decoded
}

/// Shifts, extensions, parallel arithmetic, products, quotients.
fn register_operands(first: u16, second: u16) -> Decoded {
    let (left, right) = (field(first, 0, 4), one(field(second, 0, 4)));
    let destination = one(field(second, 8, 4));
    let third = field(second, 12, 4);
    let unless_pc = |register: u16| if register == PC { 0 } else { one(register) };
    let operands = unless_pc(left) | right;
    let operation = field(first, 4, 3);
    match field(first, 7, 2) {
        // Products of 32 bits.
        0b10 => {
            // Among the plain ones, the fourth register is what is added.
            let kind = if third == PC { Kind::Multiply } else { Kind::MultiplyAdd };
            simple(kind, operands | unless_pc(third), destination)
        }
        0b11 => {
            let both = one(third) | destination;
            match operation {
                0 | 2 => simple(Kind::LongMultiply, operands, both),
                1 | 3 => simple(Kind::Divide, operands, destination),
                _ => simple(Kind::LongMultiplyAdd, operands | both, both),
            }
        }
        _ => simple(Kind::Plain, operands, destination),
    }
}

fn coprocessor(first: u16, second: u16) -> Decoded {
    let is_load = field(first, 4, 1) == 1;
    let base = one(field(first, 0, 4));
    let words = (second & 0xff).min(32) as u8;
    match first >> 8 & 0xf {
        // Moves of two core registers.
        0xc if field(first, 5, 3) == 0b010 => {
            let pair = one(field(second, 12, 4)) | base;
            if is_load { simple(Kind::Plain, 0, pair) } else { simple(Kind::Plain, pair, 0) }
        }
        // One register at an immediate offset.
        0xd if field(first, 5, 1) == 0 => {
            let kind =
                if is_load { Kind::Load { to_pc: false } } else { Kind::Store { register_offset: false } };
            Decoded { kind, reads: base, address: base, ..Decoded::default() }
        }
        0xc | 0xd => {
            let kind = Kind::Several { words, load: is_load, to_pc: false };
            let writes = if field(first, 5, 1) == 1 { base } else { 0 };
            Decoded { kind, reads: base, address: base, writes, loaded: 0 }
        }
        0xe if field(second, 4, 1) == 0 => {
            let operation = field(first, 4, 4) & 0b1011;
            let kind = match operation {
                // Add or subtract a product, its negative, or rounded once.
                0b0000 | 0b0001 | 0b1001 | 0b1010 => Kind::FloatMultiplyAdd,
                0b1000 => Kind::FloatDivide,
                // The square root.
                0b1011 if field(first, 0, 4) == 1 && field(second, 6, 2) == 0b11 => Kind::FloatDivide,
                _ => Kind::Plain,
            };
            simple(kind, 0, 0)
        }
        // Moves of a core register.
        0xe => {
            let target = one(field(second, 12, 4));
            if is_load { simple(Kind::Plain, 0, target & !one(PC)) } else { simple(Kind::Plain, target, 0) }
        }
        _ => Decoded::default(),
    }
}
