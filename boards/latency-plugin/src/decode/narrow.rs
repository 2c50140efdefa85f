//! Instructions of 16 bits.

use super::{BRANCH, Decoded, JUMP, Kind, PC, SP, field, load, one, several, simple, store};

pub(super) fn decode(word: u16) -> Decoded {
    let low = |at: u32| one(field(word, at, 3));
    match word >> 11 {
        // Shifts by an immediate.
        0b00000..=0b00010 => simple(Kind::Plain, low(3), low(0)),
        0b00011 => {
            let third = if field(word, 10, 1) == 0 { low(6) } else { 0 };
            simple(Kind::Plain, low(3) | third, low(0))
        }
        // Move, compare, add, subtract; an immediate of 8 bits.
        0b00100 => simple(Kind::Plain, 0, low(8)),
        0b00101 => simple(Kind::Plain, low(8), 0),
        0b00110 | 0b00111 => simple(Kind::Plain, low(8), low(8)),
        0b01000 if field(word, 10, 1) == 0 => data_processing(word),
        0b01000 => high_registers(word),
        0b01001 => load(field(word, 8, 3), one(PC)),
        0b01010 | 0b01011 => {
            let address = low(3) | low(6);
            match field(word, 9, 3) {
                0..=2 => store(field(word, 0, 3), address, true),
                _ => load(field(word, 0, 3), address),
            }
        }
        // An immediate offset: words, bytes, halfwords; odd ones load.
        0b01100 | 0b01110 | 0b10000 => store(field(word, 0, 3), low(3), false),
        0b01101 | 0b01111 | 0b10001 => load(field(word, 0, 3), low(3)),
        0b10010 => store(field(word, 8, 3), one(SP), false),
        0b10011 => load(field(word, 8, 3), one(SP)),
        // Addresses relative to pc and sp.
        0b10100 => simple(Kind::Plain, one(PC), low(8)),
        0b10101 => simple(Kind::Plain, one(SP), low(8)),
        0b10110 | 0b10111 => miscellaneous(word),
        0b11000 => several(word & 0xff, field(word, 8, 3), false, true),
        0b11001 => {
            let (list, base) = (word & 0xff, field(word, 8, 3));
            several(list, base, true, list & one(base) == 0)
        }
        0b11010 | 0b11011 => match field(word, 8, 4) {
            // Permanently undefined.
            14 => Decoded::default(),
            // Supervisor call.
            15 => simple(Kind::System, 0, 0),
            _ => simple(BRANCH, 0, 0),
        },
        0b11100 => simple(BRANCH, 0, 0),
        // The first half of a wide instruction, which does not come here.
        _ => Decoded::default(),
    }
}

fn data_processing(word: u16) -> Decoded {
    let (destination, other) = (one(field(word, 0, 3)), one(field(word, 3, 3)));
    match field(word, 6, 4) {
        // Test, compare, compare negative.
        8 | 10 | 11 => simple(Kind::Plain, destination | other, 0),
        13 => simple(Kind::Multiply, destination | other, destination),
        // Negate, move not.
        9 | 15 => simple(Kind::Plain, other, destination),
        _ => simple(Kind::Plain, destination | other, destination),
    }
}

fn high_registers(word: u16) -> Decoded {
    let destination = field(word, 0, 3) | field(word, 7, 1) << 3;
    let other = one(field(word, 3, 4));
    let kind = if destination == PC { JUMP } else { Kind::Plain };
    match field(word, 8, 2) {
        0 => simple(kind, one(destination) | other, one(destination)),
        1 => simple(Kind::Plain, one(destination) | other, 0),
        2 => simple(kind, other, one(destination)),
        _ => {
            let returns_here = field(word, 7, 1) == 1;
            simple(JUMP, other, if returns_here { one(14) } else { 0 })
        }
    }
}

fn miscellaneous(word: u16) -> Decoded {
    let low = |at: u32| one(field(word, at, 3));
    match field(word, 8, 4) {
        0b0000 => simple(Kind::Plain, one(SP), one(SP)),
        // Compare with zero and branch.
        0b0001 | 0b0011 | 0b1001 | 0b1011 => simple(BRANCH, low(0), 0),
        // Extend; reverse.
        0b0010 | 0b1010 => simple(Kind::Plain, low(3), low(0)),
        0b0100 | 0b0101 => several(word & 0xff | field(word, 8, 1) << 14, SP, false, true),
        0b1100 | 0b1101 => several(word & 0xff | field(word, 8, 1) << 15, SP, true, true),
        0b1111 if word & 15 != 0 => {
            let count = 4 - (word & 15).trailing_zeros() as u8;
            simple(Kind::IfThen { count }, 0, 0)
        }
        // Hints, breakpoints, interrupt masks.
        _ => Decoded::default(),
    }
}
