//! Radix-4 Booth multiplier: the weight as digits from -2 to 2, so that half as many rows are added.
//!
//! Booth, "A Signed Binary Multiplication Technique", Quarterly Journal of Mechanics and Applied
//! Mathematics 4(2), 1951; two bits a digit after MacSorley, "High-Speed Arithmetic in Binary Computers",
//! Proceedings of the IRE 49(1), 1961.

use super::FinalAdder;
use super::heap::Heap;
use crate::multiplier::blocks::bit;
use crate::multiplier::netlist::{Builder, GateKind, Netlist, Wire};

/// The exact multiplier: four digits if signed, five if not.
pub(super) fn booth(signed: bool, adder: FinalAdder) -> Netlist {
    let mut builder = Builder::new();
    let mut a: Vec<Wire> = (0..8).map(Wire::a).collect();
    // A digit may be -2 or 2: the activation once more with its sign, which is 0 if there is none.
    let sign = if signed { Wire::a(7) } else { Wire::ZERO };
    a.push(sign);
    if !signed {
        a.push(sign);
    }
    let weight: Vec<Wire> = (0..8).map(Wire::w).collect();
    let digits = if signed { 4 } else { 5 };
    let mut heap = Heap::new();
    for digit in 0..digits {
        let column = 2 * digit;
        let lower = if digit == 0 { Wire::ZERO } else { bit(&weight, column - 1) };
        add_digit(
            &mut builder,
            &mut heap,
            column,
            &a,
            [bit(&weight, column + 1), bit(&weight, column), lower],
        );
    }
    let product = heap.dadda(&mut builder, adder);
    builder.finish(signed, product)
}

/// Adds `(lower + middle - 2 * negative) * a * 2^column`, `a` in two's complement.
fn add_digit(
    builder: &mut Builder,
    heap: &mut Heap,
    column: usize,
    a: &[Wire],
    [negative, middle, lower]: [Wire; 3],
) {
    let one = builder.gate(GateKind::Xor, middle, lower);
    let same = builder.gate(GateKind::Xnor, negative, middle);
    // The digit is 2 or -2 where the lower bits are alike and the higher one differs from them.
    let two = builder.gate(GateKind::Nor, same, one);
    for (i, &bit) in a.iter().enumerate() {
        let doubled = if i == 0 { Wire::ZERO } else { a[i - 1] };
        let magnitude = builder.any_pair(&[(one, bit), (two, doubled)]);
        let flipped = builder.gate(GateKind::Xor, magnitude, negative);
        if i + 1 < a.len() {
            heap.add(column + i, flipped);
        } else {
            heap.subtract(builder, column + i, flipped);
        }
    }
    // The complement is one less than the negative.
    heap.add(column, negative);
}
