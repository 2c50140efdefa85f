//! The built-in multipliers: arrays that leave some partial products out.
//!
//! All are carry-save arrays with a ripple-carry adder at the end (Parhami, "Computer Arithmetic", 2nd ed.,
//! section 11.3; Baugh and Wooley, "A Two's Complement Parallel Array Multiplication Algorithm", IEEE
//! Transactions on Computers C-22(12), 1973, for two's complement operands). They differ in which of the 64
//! partial products `a_i * w_j` (column `i + j`) they keep; everything kept is added exactly, so
//!
//! `M(a, w) = sum of +-a_i * w_j * 2^(i+j)` over the kept pairs `(i, j)`,
//!
//! the sign being minus where exactly one of `i`, `j` is the sign bit of a signed multiplier. None gives
//! anything but zero for a zero operand: the signed ones keep only the correction constants of the
//! complemented partial products they keep.
//!
//! # Names
//! `mul8u_` (unsigned) or `mul8s_` (signed), then
//!
//! | name | design |
//! |---|---|
//! | `exact` | every partial product |
//! | `truncK` | without the K lowest columns |
//! | `bam_hH_vV` | broken array: without the H lowest weight bits' rows and the V lowest columns |
//! | `wN` | exact on the N highest bits of the weight and all of the activation |
//! | `aNwM` | exact on the N highest bits of the activation and the M highest of the weight |

use super::netlist::{Builder, GateKind, Netlist, OUTPUTS, Wire};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The idea behind a multiplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Family {
    /// Every product is right.
    Exact,
    /// Fixed-width truncation: the lowest columns of the array are left out (Schulte and Swartzlander,
    /// "Truncated Multiplication with Correction Constant", VLSI Signal Processing VI, 1993, section 2;
    /// here without the correction, which would spoil products with zero).
    Truncated,
    /// Broken-array multiplier: cells above a horizontal and to the right of a vertical line are left out
    /// (Mahdiani, Ahmadi, Fakhraie and Lucas, "Bio-Inspired Imprecise Computational Blocks for Efficient
    /// VLSI Implementation of Soft-Computing Applications", IEEE TCAS-I 57(4), 2010, section III).
    BrokenArray,
    /// An exact multiplier of fewer bits, the other bits ignored: what plain quantization to fewer bits
    /// would use (the rival that ALWANN's authors compare with too: Mrazek et al., "ALWANN: Automatic
    /// Layer-Wise Approximation of Deep Neural Network Accelerators without Retraining", ICCAD 2019).
    LowBit,
    /// Found by evolution (see [`evolve`](crate::evolve)).
    Evolved,
    /// A truth table from elsewhere.
    Imported,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Family::Exact => "exact",
            Family::Truncated => "truncated",
            Family::BrokenArray => "broken array",
            Family::LowBit => "low-bit",
            Family::Evolved => "evolved",
            Family::Imported => "imported",
        })
    }
}

/// Which partial products a multiplier keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Design {
    /// All.
    Exact,
    /// Those of column `columns` and above.
    Truncated {
        /// Number of columns left out.
        columns: usize,
    },
    /// Those of weight bit `horizontal` and above that are in column `vertical` and above.
    BrokenArray {
        /// Number of rows left out, one a weight bit. Mahdiani's horizontal break level.
        horizontal: usize,
        /// Number of columns left out. Mahdiani's vertical break level.
        vertical: usize,
    },
    /// Those of the highest bits of both operands.
    LowBit {
        /// Activation bits looked at, up to 8.
        activation: usize,
        /// Weight bits looked at, up to 8.
        weight: usize,
    },
}

impl Design {
    /// The designs that [`Library::builtin`](super::Library::builtin) holds.
    pub fn builtin() -> Vec<Design> {
        let mut designs = vec![Design::Exact];
        designs.extend([2, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(|columns| Design::Truncated { columns }));
        let broken = [(1, 4), (2, 5), (3, 6), (3, 8), (4, 8), (5, 9), (5, 10)];
        designs.extend(broken.map(|(horizontal, vertical)| Design::BrokenArray { horizontal, vertical }));
        designs.extend([7, 6, 5, 4, 3, 2].map(|weight| Design::LowBit { activation: 8, weight }));
        designs.extend([7, 6, 5, 4, 3, 2].map(|bits| Design::LowBit { activation: bits, weight: bits }));
        designs
    }

    /// Whether the partial product of activation bit `i` and weight bit `j` is kept.
    pub fn keeps(self, i: usize, j: usize) -> bool {
        match self {
            Design::Exact => true,
            Design::Truncated { columns } => i + j >= columns,
            Design::BrokenArray { horizontal, vertical } => j >= horizontal && i + j >= vertical,
            Design::LowBit { activation, weight } => i + activation >= 8 && j + weight >= 8,
        }
    }

    /// The idea behind it.
    pub fn family(self) -> Family {
        match self {
            Design::Exact => Family::Exact,
            Design::Truncated { .. } => Family::Truncated,
            Design::BrokenArray { .. } => Family::BrokenArray,
            Design::LowBit { .. } => Family::LowBit,
        }
    }

    /// The systematic name, such as `mul8u_bam_h2_v5` (see the [module](self)).
    pub fn name(self, signed: bool) -> String {
        let prefix = super::name_prefix(signed);
        match self {
            Design::Exact => format!("{prefix}exact"),
            Design::Truncated { columns } => format!("{prefix}trunc{columns}"),
            Design::BrokenArray { horizontal, vertical } => format!("{prefix}bam_h{horizontal}_v{vertical}"),
            Design::LowBit { activation: 8, weight } => format!("{prefix}w{weight}"),
            Design::LowBit { activation, weight } => format!("{prefix}a{activation}w{weight}"),
        }
    }

    /// The circuit.
    pub fn netlist(self, signed: bool) -> Netlist {
        array(signed, |i, j| self.keeps(i, j))
    }
}

/// The array multiplier of the partial products for which `keeps(activation bit, weight bit)` holds.
///
/// A negative partial product `-x` enters as its complement, `-x = (1 - x) - 1`; all the ones to take away
/// are one constant, known beforehand, modulo 2^16. With every partial product kept it is Baugh and Wooley's
/// `2^15 + 2^8`. The constant takes the place of the sums that enter the array from above.
fn array(signed: bool, keeps: impl Fn(usize, usize) -> bool) -> Netlist {
    let negative = |i: usize, j: usize| signed && (i == 7) != (j == 7);
    let pairs = (0..8).flat_map(|j| (0..8).map(move |i| (i, j)));
    let complemented = pairs.filter(|&(i, j)| keeps(i, j) && negative(i, j));
    let constant = complemented.fold(0u16, |sum, (i, j)| sum.wrapping_sub(1 << (i + j)));

    let mut builder = Builder::new();
    let mut sums: [Wire; OUTPUTS] = std::array::from_fn(|c| Wire::constant(constant >> c & 1 == 1));
    // One place more than there are columns: a carry out of the highest is dropped, modulo 2^16.
    let mut carries = [Wire::ZERO; OUTPUTS + 1];
    for j in 0..8 {
        let arriving = carries;
        for i in 0..8 {
            let column = i + j;
            let partial = match (keeps(i, j), negative(i, j)) {
                (false, _) => Wire::ZERO,
                (true, false) => builder.gate(GateKind::And, Wire::a(i), Wire::w(j)),
                (true, true) => builder.gate(GateKind::Nand, Wire::a(i), Wire::w(j)),
            };
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
    builder.finish(signed, sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;
    use std::collections::HashSet;

    #[test]
    fn exact_arrays_multiply_all_pairs() {
        for signed in [false, true] {
            assert_eq!(Design::Exact.netlist(signed).simulate().table, TruthTable::exact(signed));
        }
    }

    #[test]
    fn every_design_adds_exactly_the_partial_products_it_keeps() {
        for signed in [false, true] {
            for design in Design::builtin() {
                let expected = TruthTable::from_fn(signed, |a, w| {
                    let mut sum = 0;
                    for (i, j) in (0..8).flat_map(|i| (0..8).map(move |j| (i, j))) {
                        if design.keeps(i, j) && a >> i & w >> j & 1 == 1 {
                            let minus = signed && (i == 7) != (j == 7);
                            sum += if minus { -(1 << (i + j)) } else { 1 << (i + j) };
                        }
                    }
                    sum
                });
                let table = design.netlist(signed).simulate().table;
                assert_eq!(table, expected.unwrap(), "{}", design.name(signed));
            }
        }
    }

    #[test]
    fn low_bit_designs_multiply_masked_operands() {
        for signed in [false, true] {
            let table = Design::LowBit { activation: 5, weight: 3 }.netlist(signed).simulate().table;
            assert_eq!(table, TruthTable::from_fn(signed, |a, w| (a & !7) * (w & !31)).unwrap());
        }
    }

    #[test]
    fn the_exact_unsigned_array_has_the_textbook_size() {
        // 64 ANDs, 8 half adders of 2 gates, 48 full adders of 5.
        assert_eq!(Design::Exact.netlist(false).gates().len(), 64 + 8 * 2 + 48 * 5);
    }

    #[test]
    fn designs_out_of_range_are_degenerate_not_fatal() {
        let nothing = Design::Truncated { columns: 99 }.netlist(true);
        assert!(nothing.gates().is_empty());
        let everything = Design::LowBit { activation: 99, weight: 9 }.netlist(false);
        assert_eq!(everything, Design::Exact.netlist(false));
    }

    #[test]
    fn builtin_names_and_tables_are_distinct() {
        for signed in [false, true] {
            let designs = Design::builtin();
            let names: HashSet<String> = designs.iter().map(|d| d.name(signed)).collect();
            assert_eq!(names.len(), designs.len());
            let tables: HashSet<Vec<i32>> =
                designs.iter().map(|d| d.netlist(signed).simulate().table.products().to_vec()).collect();
            assert_eq!(tables.len(), designs.len());
        }
    }
}
