//! Bits to be added, heaped up by column, and the trees of adders that add them.

use super::FinalAdder;
use super::partial_products::{constant, pairs, partial_product};
use crate::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};

/// A sum modulo 2^16 of bits, each of which counts 2^(its column).
pub(super) struct Heap {
    columns: [Vec<Wire>; OUTPUTS],
    constant: u16,
}

impl Heap {
    pub fn new() -> Self {
        Heap { columns: Default::default(), constant: 0 }
    }

    /// All partial products.
    pub fn of_partial_products(builder: &mut Builder, signed: bool) -> Self {
        let mut heap = Heap::new();
        for (i, j) in pairs() {
            heap.add(i + j, partial_product(builder, signed, i, j));
        }
        heap.add_constant(constant(signed, |_, _| true));
        heap
    }

    /// Adds `bit * 2^column`.
    pub fn add(&mut self, column: usize, bit: Wire) {
        if bit == Wire::ONE {
            self.add_constant(1u16.checked_shl(column as u32).unwrap_or(0));
        } else {
            push(&mut self.columns, column, bit);
        }
    }

    /// Adds `value`.
    pub fn add_constant(&mut self, value: u16) {
        self.constant = self.constant.wrapping_add(value);
    }

    /// Takes `bit * 2^column` away: adds the complement and -1.
    pub fn subtract(&mut self, builder: &mut Builder, column: usize, bit: Wire) {
        self.add(column, builder.not(bit));
        self.add_constant(1u16.checked_shl(column as u32).unwrap_or(0).wrapping_neg());
    }

    /// The columns with the constant's bits in them, first, where adders of known bits come out smaller.
    pub fn into_columns(self) -> [Vec<Wire>; OUTPUTS] {
        let mut columns = self.columns;
        for (c, column) in columns.iter_mut().enumerate() {
            if self.constant >> c & 1 == 1 {
                column.insert(0, Wire::ONE);
            }
        }
        columns
    }

    /// The sum, by full and half adders as early as there are bits for them (Wallace, "A Suggestion for a
    /// Fast Multiplier", IEEE Transactions on Electronic Computers EC-13(1), 1964; by columns).
    pub fn wallace(self, builder: &mut Builder, adder: FinalAdder) -> [Wire; OUTPUTS] {
        let mut columns = self.into_columns();
        while height(&columns) > 2 {
            let mut reduced: [Vec<Wire>; OUTPUTS] = Default::default();
            for c in 0..OUTPUTS {
                let bits = std::mem::take(&mut columns[c]);
                for group in bits.chunks(3) {
                    let (sum, carry) = match *group {
                        [x, y, z] => builder.full_adder(x, y, z),
                        [x, y] => builder.half_adder(x, y),
                        _ => {
                            reduced[c].extend(group);
                            continue;
                        }
                    };
                    push(&mut reduced, c, sum);
                    push(&mut reduced, c + 1, carry);
                }
            }
            columns = reduced;
        }
        add_two(builder, &columns, adder)
    }

    /// The sum, by as few adders as bring the columns down to 6, 4, 3 and 2 bits in turn (Dadda, "Some
    /// Schemes for Parallel Multipliers", Alta Frequenza 34, 1965).
    pub fn dadda(self, builder: &mut Builder, adder: FinalAdder) -> [Wire; OUTPUTS] {
        let mut columns = self.into_columns();
        for target in [13, 9, 6, 4, 3, 2] {
            for c in 0..OUTPUTS {
                // Carries of this stage are in the column already; its own sums go behind all that arrived.
                while columns[c].len() > target {
                    let group = if columns[c].len() > target + 1 { 3 } else { 2 };
                    let taken: Vec<Wire> = columns[c].drain(..group).collect();
                    let (sum, carry) = match *taken {
                        [x, y, z] => builder.full_adder(x, y, z),
                        _ => builder.half_adder(taken[0], taken[1]),
                    };
                    push(&mut columns, c, sum);
                    push(&mut columns, c + 1, carry);
                }
            }
        }
        add_two(builder, &columns, adder)
    }
}

/// Puts `bit` into a column, unless it is known to be 0 or beyond the highest.
pub(super) fn push(columns: &mut [Vec<Wire>; OUTPUTS], column: usize, bit: Wire) {
    if let Some(column) = columns.get_mut(column).filter(|_| bit != Wire::ZERO) {
        column.push(bit);
    }
}

/// The most bits any column has.
pub(super) fn height(columns: &[Vec<Wire>; OUTPUTS]) -> usize {
    columns.iter().map(Vec::len).max().unwrap_or(0)
}

/// The sum of columns of at most two bits.
pub(super) fn add_two(
    builder: &mut Builder,
    columns: &[Vec<Wire>; OUTPUTS],
    adder: FinalAdder,
) -> [Wire; OUTPUTS] {
    debug_assert!(height(columns) <= 2);
    let row = |r: usize| columns.each_ref().map(|column| column.get(r).copied().unwrap_or(Wire::ZERO));
    let sum = match adder {
        FinalAdder::Ripple => builder.ripple_add(&row(0), &row(1), Wire::ZERO),
        FinalAdder::Prefix => builder.prefix_add(&row(0), &row(1)),
    };
    std::array::from_fn(|c| sum[c])
}

/// The product of two unsigned numbers of any length by a Dadda tree, modulo 2^16.
pub(super) fn multiply(builder: &mut Builder, x: &[Wire], y: &[Wire]) -> [Wire; OUTPUTS] {
    let mut heap = Heap::new();
    for (i, &x) in x.iter().enumerate() {
        for (j, &y) in y.iter().enumerate() {
            heap.add(i + j, builder.gate(GateKind::And, x, y));
        }
    }
    heap.dadda(builder, FinalAdder::Ripple)
}
