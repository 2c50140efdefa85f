//! The classical multipliers, exact and approximate, as circuits.
//!
//! Each exists for unsigned and for two's complement operands. Arrays, trees and compressors take two's
//! complement in the form of Baugh and Wooley (1973); designs with no such form multiply magnitudes and negate.
//! [`Family::source`] and [`Design::source`] have the papers.
//!
//! What leaves partial products `a_i * w_j` (column `i + j`) out adds everything kept exactly, so
//!
//! `M(a, w) = sum of +-a_i * w_j * 2^(i+j)` over the kept pairs `(i, j)`,
//!
//! the sign being minus where exactly one of `i`, `j` is the sign bit of a signed multiplier. Those that
//! [`Design::landmarks`] lists give nothing but zero for a zero operand.
//!
//! # Names
//! `mul8u_` (unsigned) or `mul8s_` (signed), then
//!
//! | name | design | for a zero operand |
//! |---|---|---|
//! | `array` | every partial product, in a carry-save array | 0 |
//! | `wallace`, `dadda` | every partial product, in a tree; with `_ks` a Kogge-Stone adder at the end | 0 |
//! | `booth4` | radix-4 Booth digits of the weight in a Dadda tree; `_ks` as above | 0 |
//! | `truncK` | array without the K lowest columns | 0 |
//! | `truncKc` | the same and a constant, the mean of what is left out | the constant |
//! | `truncKv` | the same and the partial products of column K - 1 added in column K | 0 if unsigned |
//! | `bam_hH_vV` | broken array: without the H lowest weight bits' rows and the V lowest columns | 0 |
//! | `wN` | exact on the N highest bits of the weight and all of the activation | 0 |
//! | `aNwM` | exact on the N highest bits of the activation and the M highest of the weight | 0 |
//! | `leadN` | exact on the weight rounded to the N bits from its leading one on | 0 |
//! | `aNleadM` | the same on the N highest bits of the activation | 0 |
//! | `udmK` | 2x2-bit blocks, approximate (3 * 3 = 7) on the K lowest diagonals of 7; signed by magnitudes | 0 |
//! | `orK` | array with the K lowest columns OR-ed | 0 if unsigned |
//! | `loaK` | the same with carries out of the OR-ed part, as in the lower-part-OR adder | 0 if unsigned |
//! | `C_kK` | tree of 4:2 compressors, in the K lowest columns of the kind C: `momeni1`, `momeni2`, `venkatachalam`, `yang` | not 0 in general |
//! | `mitchellT` | Mitchell's logarithms with T bits after the point; signed by magnitudes | 0 |
//! | `drumK` | the K bits from the leading one of both operands on, unbiased; signed by magnitudes | 0 |

mod array;
mod booth;
mod citation;
mod classical;
mod compressors;
mod dynamic_range;
mod family;
mod heap;
mod leading_bits;
mod logarithmic;
mod lower_or;
mod magnitudes;
mod partial_products;
mod provenance;
#[cfg(test)]
mod tests;
mod truncated;
mod underdesigned;

use super::netlist::{Builder, Netlist};
use heap::Heap;
use magnitudes::of_magnitudes;

pub use compressors::Compressor;
pub use family::Family;

/// How a tree reduces its columns to two bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// As early as possible (Wallace, 1964).
    Wallace,
    /// With as few adders as possible (Dadda, 1965).
    Dadda,
}

/// The adder of the last two rows of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinalAdder {
    /// A chain of full adders: small.
    Ripple,
    /// A parallel-prefix adder (Kogge and Stone, 1973): fast.
    Prefix,
}

/// A way to build a multiplier. Every one exists for both signednesses, and parameters beyond what makes
/// sense are taken for the nearest that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Design {
    /// All partial products, in a carry-save array.
    Exact,
    /// All partial products, in a tree of adders.
    Tree {
        /// The way down to two rows.
        reduction: Reduction,
        /// How these are added.
        adder: FinalAdder,
    },
    /// Radix-4 Booth: exact.
    Booth {
        /// How the last two rows are added.
        adder: FinalAdder,
    },
    /// Those of column `columns` and above.
    Truncated {
        /// Number of columns left out.
        columns: usize,
    },
    /// The same with the mean of what is left out added.
    ConstantCorrected {
        /// Number of columns left out.
        columns: usize,
    },
    /// The same with the partial products of column `columns - 1` counted in column `columns`.
    VariableCorrected {
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
    /// Exact on a weight rounded towards zero to its leading bits.
    LeadingBits {
        /// Activation bits looked at, up to 8.
        activation: usize,
        /// Weight bits looked at, from its leading one on: 1 to 8.
        bits: usize,
    },
    /// 2x2-bit blocks, some underdesigned.
    Underdesigned {
        /// Number of diagonals of equal significance, from the lowest, whose blocks are; up to 7.
        diagonals: usize,
    },
    /// Lower columns OR-ed.
    LowerOr {
        /// Number of columns OR-ed.
        columns: usize,
        /// Whether the OR-ed part gives carries.
        carries: bool,
    },
    /// 4:2 compressors, approximate in the lower columns.
    Compressors {
        /// The approximate one.
        compressor: Compressor,
        /// Number of columns with it.
        columns: usize,
    },
    /// Mitchell's logarithms.
    Logarithmic {
        /// Bits after the point, up to 7.
        fraction: usize,
    },
    /// DRUM.
    DynamicRange {
        /// Bits kept of either operand, 1 to 8.
        bits: usize,
    },
}

impl Design {
    /// The designs that a bred library keeps whatever beats them: landmarks, and the exact multipliers of
    /// fewer bits that any approximate one has to beat.
    pub fn landmarks() -> Vec<Design> {
        let mut designs = vec![Design::Exact];
        designs.extend([2, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(|columns| Design::Truncated { columns }));
        let broken = [(1, 4), (2, 5), (3, 6), (3, 8), (4, 8), (5, 9), (5, 10)];
        designs.extend(broken.map(|(horizontal, vertical)| Design::BrokenArray { horizontal, vertical }));
        designs.extend([7, 6, 5, 4, 3, 2].map(|weight| Design::LowBit { activation: 8, weight }));
        designs.extend([7, 6, 5, 4, 3, 2].map(|bits| Design::LowBit { activation: bits, weight: bits }));
        designs.extend([1, 2].map(|bits| Design::LeadingBits { activation: 8, bits }));
        designs
    }

    /// The idea behind it.
    pub fn family(self) -> Family {
        match self {
            Design::Exact | Design::Tree { .. } | Design::Booth { .. } => Family::Exact,
            Design::Truncated { .. } => Family::Truncated,
            Design::ConstantCorrected { .. } | Design::VariableCorrected { .. } => Family::ErrorBalanced,
            Design::BrokenArray { .. } => Family::BrokenArray,
            Design::LowBit { .. } => Family::LowBit,
            Design::LeadingBits { .. } => Family::LeadingBits,
            Design::Underdesigned { .. } => Family::Underdesigned,
            Design::LowerOr { .. } => Family::LowerOr,
            Design::Compressors { .. } => Family::Compressors,
            Design::Logarithmic { .. } => Family::Logarithmic,
            Design::DynamicRange { .. } => Family::DynamicRange,
        }
    }

    /// The systematic name, such as `mul8u_bam_h2_v5` (see the [module](self)).
    pub fn name(self, signed: bool) -> String {
        let prefix = super::name_prefix(signed);
        let end = |adder| if adder == FinalAdder::Prefix { "_ks" } else { "" };
        let name = match self {
            // A library's cheapest exact multiplier is called `exact`, whatever its design.
            Design::Exact => "array".into(),
            Design::Tree { reduction: Reduction::Wallace, adder } => format!("wallace{}", end(adder)),
            Design::Tree { reduction: Reduction::Dadda, adder } => format!("dadda{}", end(adder)),
            Design::Booth { adder } => format!("booth4{}", end(adder)),
            Design::Truncated { columns } => format!("trunc{columns}"),
            Design::ConstantCorrected { columns } => format!("trunc{columns}c"),
            Design::VariableCorrected { columns } => format!("trunc{columns}v"),
            Design::BrokenArray { horizontal, vertical } => format!("bam_h{horizontal}_v{vertical}"),
            Design::LowBit { activation: 8, weight } => format!("w{weight}"),
            Design::LowBit { activation, weight } => format!("a{activation}w{weight}"),
            Design::LeadingBits { activation: 8, bits } => format!("lead{bits}"),
            Design::LeadingBits { activation, bits } => format!("a{activation}lead{bits}"),
            Design::Underdesigned { diagonals } => format!("udm{diagonals}"),
            Design::LowerOr { columns, carries: false } => format!("or{columns}"),
            Design::LowerOr { columns, carries: true } => format!("loa{columns}"),
            Design::Compressors { compressor, columns } => format!("{}_k{columns}", compressor.name()),
            Design::Logarithmic { fraction } => format!("mitchell{fraction}"),
            Design::DynamicRange { bits } => format!("drum{bits}"),
        };
        format!("{prefix}{name}")
    }

    /// The circuit.
    pub fn netlist(self, signed: bool) -> Netlist {
        match self {
            Design::Exact => array::array(signed, |_, _| true),
            Design::Tree { reduction, adder } => {
                let mut builder = Builder::new();
                let heap = Heap::of_partial_products(&mut builder, signed);
                let product = match reduction {
                    Reduction::Wallace => heap.wallace(&mut builder, adder),
                    Reduction::Dadda => heap.dadda(&mut builder, adder),
                };
                builder.finish(signed, product)
            }
            Design::Booth { adder } => booth::booth(signed, adder),
            Design::Truncated { columns } => array::array(signed, |i, j| i + j >= columns),
            Design::ConstantCorrected { columns } => truncated::constant_corrected(signed, columns),
            Design::VariableCorrected { columns } => truncated::variable_corrected(signed, columns),
            Design::BrokenArray { horizontal, vertical } => {
                array::array(signed, |i, j| j >= horizontal && i + j >= vertical)
            }
            Design::LowBit { activation, weight } => {
                array::array(signed, |i, j| i + activation >= 8 && j + weight >= 8)
            }
            Design::LeadingBits { activation, bits } => leading_bits::leading_bits(signed, activation, bits),
            Design::Underdesigned { diagonals } => {
                of_magnitudes(signed, |builder, a, w| underdesigned::underdesigned(builder, a, w, diagonals))
            }
            Design::LowerOr { columns, carries } => lower_or::lower_or(signed, columns, carries),
            Design::Compressors { compressor, columns } => {
                compressors::compressor_tree(signed, compressor, columns)
            }
            Design::Logarithmic { fraction } => {
                of_magnitudes(signed, |builder, a, w| logarithmic::logarithmic(builder, a, w, fraction))
            }
            Design::DynamicRange { bits } => {
                of_magnitudes(signed, |builder, a, w| dynamic_range::dynamic_range(builder, a, w, bits))
            }
        }
    }
}
