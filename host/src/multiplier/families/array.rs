//! Carry-save arrays with a ripple-carry adder at the end, possibly without some partial products.
//!
//! Parhami, "Computer Arithmetic", 2nd ed., section 11.3. Each row of the array adds the partial products of
//! one weight bit to the sums and carries from above.

use super::partial_products::{constant, partial_product};
use crate::multiplier::netlist::{Builder, Netlist, OUTPUTS, Wire};

/// The array multiplier of the partial products for which `keeps(activation bit, weight bit)` holds.
pub(super) fn array(signed: bool, keeps: impl Fn(usize, usize) -> bool) -> Netlist {
    let mut builder = Builder::new();
    let constant = constant(signed, &keeps);
    let product = add_rows(&mut builder, signed, keeps, constant, None);
    builder.finish(signed, product)
}

/// Bits to add at the lower edge of an array that has none but the constant's bits below some column: there
/// every row of the array has the place of a carry free, as no cells to the right give it any.
pub(super) struct Edge {
    /// The lowest column of the array.
    pub column: usize,
    /// For every row the bit that enters in that column.
    pub entering: [Wire; 8],
}

/// Adds the partial products for which `keeps` holds, `constant` and the bits of `edge`, modulo 2^16.
///
/// The constant takes the place of the sums that enter the array from above.
pub(super) fn add_rows(
    builder: &mut Builder,
    signed: bool,
    keeps: impl Fn(usize, usize) -> bool,
    constant: u16,
    edge: Option<Edge>,
) -> [Wire; OUTPUTS] {
    let mut sums: [Wire; OUTPUTS] = std::array::from_fn(|c| Wire::constant(constant >> c & 1 == 1));
    // One place more than there are columns: a carry out of the highest is dropped, modulo 2^16.
    let mut carries = [Wire::ZERO; OUTPUTS + 1];
    for j in 0..8 {
        let mut arriving = carries;
        if let Some(edge) = edge.as_ref().filter(|edge| edge.column < OUTPUTS) {
            debug_assert_eq!(arriving[edge.column], Wire::ZERO, "no cells below the edge");
            arriving[edge.column] = edge.entering[j];
            carries[edge.column] = Wire::ZERO;
            if edge.column > j + 7 {
                // The row has no cell there: a half adder of its own.
                let (sum, carry) = builder.half_adder(sums[edge.column], edge.entering[j]);
                sums[edge.column] = sum;
                carries[edge.column + 1] = carry;
            }
        }
        for i in 0..8 {
            let column = i + j;
            let partial = if keeps(i, j) { partial_product(builder, signed, i, j) } else { Wire::ZERO };
            let (sum, carry) = builder.full_adder(sums[column], arriving[column], partial);
            sums[column] = sum;
            carries[column + 1] = carry;
        }
        // The row's lowest column has taken its carry, and no later row gives it another.
        carries[j] = Wire::ZERO;
    }
    let mut ripple = Wire::ZERO;
    for column in 0..OUTPUTS {
        (sums[column], ripple) = builder.full_adder(sums[column], carries[column], ripple);
    }
    sums
}
