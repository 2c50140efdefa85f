//! Arrays whose lower columns are OR-ed instead of added.

use super::array::{Edge, add_rows};
use super::partial_products::{constant, partial_product};
use crate::multiplier::netlist::{Builder, GateKind, Netlist, OUTPUTS, Wire};

/// The rows are accumulated by lower-part-OR adders: in the `columns` lowest columns a bit is the OR of all
/// the row bits there, and the columns above are added exactly.
///
/// With `carries`, every adder passes the AND of its highest OR-ed bits on as a carry, as Mahdiani's does.
/// In a signed multiplier the bits OR-ed are complemented where they count negative, and what complementing
/// them takes, [`constant`], is the row that the others are added to.
pub(super) fn lower_or(signed: bool, columns: usize, carries: bool) -> Netlist {
    let columns = columns.min(OUTPUTS);
    let mut builder = Builder::new();
    let constant = constant(signed, |_, _| true);
    let mut low: Vec<Wire> = (0..columns).map(|c| Wire::constant(constant >> c & 1 == 1)).collect();
    let mut entering = [Wire::ZERO; 8];
    for j in 0..8 {
        for i in (0..8).filter(|i| i + j < columns) {
            let partial = partial_product(&mut builder, signed, i, j);
            if carries && i + j + 1 == columns {
                entering[j] = builder.gate(GateKind::And, low[i + j], partial);
            }
            low[i + j] = builder.gate(GateKind::Or, low[i + j], partial);
        }
    }
    let added = u16::MAX.checked_shl(columns as u32).unwrap_or(0);
    let edge = Edge { column: columns, entering };
    let keeps = |i: usize, j: usize| i + j >= columns;
    let mut product = add_rows(&mut builder, signed, keeps, constant & added, Some(edge));
    product[..columns].copy_from_slice(&low);
    builder.finish(signed, product)
}

#[cfg(test)]
mod tests {
    use crate::multiplier::Design;
    use crate::multiplier::families::tests::equals;

    /// Adds `x` and `y`, the low part by OR.
    fn lower_or_add(x: u32, y: u32, columns: u32, carries: bool) -> u32 {
        let low = (1 << columns) - 1;
        let carry = if carries && columns > 0 { (x & y) >> (columns - 1) & 1 } else { 0 };
        (((x >> columns) + (y >> columns) + carry) << columns) | (x | y) & low
    }

    fn model(signed: bool, a: i32, w: i32, columns: u32, carries: bool) -> i32 {
        let mut sum = if signed { 1 << 15 | 1 << 8 } else { 0u32 };
        for j in 0..8 {
            let set = w >> j & 1 == 1;
            let row = if set { a as u32 & 0xff } else { 0 };
            // Baugh and Wooley's rows: of all but the last the highest bit complemented, of the last all others.
            let flipped = match (signed, j) {
                (false, _) => 0,
                (true, 7) => 0x7f,
                (true, _) => 0x80,
            };
            sum = lower_or_add(sum, (row ^ flipped) << j, columns, carries);
        }
        let product = (sum & 0xffff) as u16;
        if signed { i32::from(product as i16) } else { i32::from(product) }
    }

    #[test]
    fn rows_are_added_by_lower_part_or_adders() {
        for signed in [false, true] {
            for columns in [0, 1, 2, 5, 8, 9, 12, 15, 16] {
                for carries in [false, true] {
                    let design = Design::LowerOr { columns, carries };
                    equals(design, signed, |a, w| model(signed, a, w, columns as u32, carries));
                }
            }
        }
    }

    #[test]
    fn or_never_gives_more_than_the_sum() {
        for columns in 0..=16 {
            let table = Design::LowerOr { columns, carries: false }.netlist(false).simulate().table;
            let below = |(i, &p): (usize, &i32)| p <= ((i >> 8) * (i & 255)) as i32;
            assert!(table.products().iter().enumerate().all(below), "{columns}");
        }
    }
}
