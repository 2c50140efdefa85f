//! The 64 partial products, and which of them count negative.

use crate::multiplier::netlist::{Builder, GateKind, Wire};

/// The partial product of activation bit `i` and weight bit `j`, complemented if it counts negative.
///
/// A negative partial product `-x` enters as its complement, `-x = (1 - x) - 1`; [`constant`] adds up the
/// ones to take away (Baugh and Wooley, "A Two's Complement Parallel Array Multiplication Algorithm", IEEE
/// Transactions on Computers C-22(12), 1973).
pub(super) fn partial_product(builder: &mut Builder, signed: bool, i: usize, j: usize) -> Wire {
    let kind = if is_negative(signed, i, j) { GateKind::Nand } else { GateKind::And };
    builder.gate(kind, Wire::a(i), Wire::w(j))
}

/// Whether the partial product counts `-2^(i+j)`: exactly one of the bits is a sign.
pub(super) fn is_negative(signed: bool, i: usize, j: usize) -> bool {
    signed && (i == 7) != (j == 7)
}

/// All pairs of an activation bit and a weight bit.
pub(super) fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..8).flat_map(|j| (0..8).map(move |i| (i, j)))
}

/// What has to be added, modulo 2^16, where the partial products for which `keeps` holds are added as
/// [`partial_product`] gives them. With every one kept it is Baugh and Wooley's `2^15 + 2^8`.
pub(super) fn constant(signed: bool, keeps: impl Fn(usize, usize) -> bool) -> u16 {
    let complemented = pairs().filter(|&(i, j)| is_negative(signed, i, j) && keeps(i, j));
    complemented.fold(0, |sum: u16, (i, j)| sum.wrapping_sub(1 << (i + j)))
}
