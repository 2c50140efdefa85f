//! The ideas behind multipliers.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The idea behind a multiplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Family {
    /// Every product is right.
    Exact,
    /// Fixed-width truncation: the lowest columns of the array are left out (Schulte and Swartzlander,
    /// "Truncated Multiplication with Correction Constant", VLSI Signal Processing VI, 1993, section 2;
    /// here without the correction, which would spoil products with zero).
    Truncated,
    /// Truncation with the columns left out made up for on average: by a constant (Schulte and
    /// Swartzlander, 1993) or by the partial products of the highest column left out (King and
    /// Swartzlander, "Data-Dependent Truncation Scheme for Parallel Multipliers", 31st Asilomar Conference
    /// on Signals, Systems and Computers, 1997).
    CorrectedTruncation,
    /// Broken-array multiplier: cells above a horizontal and to the right of a vertical line are left out
    /// (Mahdiani, Ahmadi, Fakhraie and Lucas, "Bio-Inspired Imprecise Computational Blocks for Efficient
    /// VLSI Implementation of Soft-Computing Applications", IEEE TCAS-I 57(4), 2010, section III).
    BrokenArray,
    /// An exact multiplier of fewer bits, the other bits ignored: what plain quantization to fewer bits
    /// would use (the rival that ALWANN's authors compare with too: Mrazek et al., "ALWANN: Automatic
    /// Layer-Wise Approximation of Deep Neural Network Accelerators without Retraining", ICCAD 2019).
    LowBit,
    /// The weight rounded towards zero to its few highest bits from the leading one on, so that a product
    /// is a shift and at most a few additions: exact for what non-uniform quantization to powers of two
    /// would use (Miyashita, Lee and Murmann, "Convolutional Neural Networks using Logarithmic Data
    /// Representation", arXiv 1603.01025, 2016).
    LeadingBits,
    /// Multiplier of 2x2-bit blocks that give 7 for 3 * 3 (Kulkarni, Gupta and Ercegovac, "Trading Accuracy
    /// for Power with an Underdesigned Multiplier Architecture", VLSI Design 2011).
    Underdesigned,
    /// The lower columns are OR-ed instead of added, after the lower-part-OR adder (Mahdiani et al., 2010,
    /// section II).
    LowerOr,
    /// A tree of 4:2 compressors that are approximate in the lower columns (Momeni, Han, Montuschi and
    /// Lombardi, "Design and Analysis of Approximate Compressors for Multiplication", IEEE Transactions on
    /// Computers 64(4), 2015).
    Compressors,
    /// Adds logarithms interpolated between powers of two (Mitchell, "Computer Multiplication and Division
    /// Using Binary Logarithms", IRE Transactions on Electronic Computers EC-11(4), 1962).
    Logarithmic,
    /// Multiplies the few bits from each operand's leading one on (Hashemi, Bahar and Reda, "DRUM: A Dynamic
    /// Range Unbiased Multiplier for Approximate Applications", ICCAD 2015).
    DynamicRange,
    /// Found by evolution: a search over netlists by mutation and selection, in the manner of Cartesian
    /// genetic programming (Miller and Thomson, "Cartesian Genetic Programming", EuroGP 2000; Vasicek and
    /// Sekanina, "Evolutionary Approach to Approximate Digital Circuits Design", IEEE Transactions on
    /// Evolutionary Computation 19(3), 2015).
    Evolved,
    /// A truth table from elsewhere.
    Imported,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Family::Exact => "exact",
            Family::Truncated => "truncated",
            Family::CorrectedTruncation => "corrected truncation",
            Family::BrokenArray => "broken array",
            Family::LowBit => "low-bit",
            Family::LeadingBits => "leading bits",
            Family::Underdesigned => "underdesigned",
            Family::LowerOr => "lower-part OR",
            Family::Compressors => "compressors",
            Family::Logarithmic => "logarithmic",
            Family::DynamicRange => "dynamic range",
            Family::Evolved => "evolved",
            Family::Imported => "imported",
        })
    }
}
