//! Which parameters of the classical designs are worth having.

use super::{Compressor, Design, FinalAdder, Reduction};

impl Design {
    /// Every design that a choice may begin with: for every idea the parameters from almost exact to almost
    /// nothing. About two hundred, each in an unsigned and a signed form.
    ///
    /// Some are dominated by others, and a few have the same table as another at another cost.
    pub fn classical() -> Vec<Design> {
        let mut designs = vec![Design::Exact];
        for adder in [FinalAdder::Ripple, FinalAdder::Prefix] {
            let trees = [Reduction::Wallace, Reduction::Dadda];
            designs.extend(trees.map(|reduction| Design::Tree { reduction, adder }));
            designs.push(Design::Booth { adder });
        }
        designs.extend((1..=13).map(|columns| Design::Truncated { columns }));
        designs.extend((2..=12).map(|columns| Design::ConstantCorrected { columns }));
        designs.extend((2..=12).map(|columns| Design::VariableCorrected { columns }));
        for horizontal in 1..=6 {
            // Fewer columns than rows left out is nothing more than the rows.
            let vertical = horizontal + 1..=horizontal + 6;
            designs.extend(vertical.map(|vertical| Design::BrokenArray { horizontal, vertical }));
        }
        // One bit of the weight is too little for any choice but that of low precision alone.
        let two_bits = |design: &Design| !matches!(design, Design::LowBit { weight: 1, .. });
        designs.extend(Design::low_bit().into_iter().filter(two_bits));
        for bits in 1..=3 {
            designs.extend((2..=8).rev().map(|activation| Design::LeadingBits { activation, bits }));
        }
        designs.push(Design::LeadingBits { activation: 8, bits: 4 });
        designs.extend((1..=7).map(|diagonals| Design::Underdesigned { diagonals }));
        for carries in [false, true] {
            designs.extend((2..=12).map(|columns| Design::LowerOr { columns, carries }));
        }
        use Compressor::*;
        for compressor in [Momeni1, Momeni2, Venkatachalam, Yang] {
            let columns = [4, 5, 6, 7, 8, 9, 10, 11, 12, 16];
            designs.extend(columns.map(|columns| Design::Compressors { compressor, columns }));
        }
        designs.extend((1..=7).map(|fraction| Design::Logarithmic { fraction }));
        designs.extend((3..=7).map(|bits| Design::DynamicRange { bits }));
        designs
    }

    /// The exact multipliers of the highest 2 to 8 bits of the activation and 1 to 8 of the weight, all 55
    /// combinations but that of all bits.
    pub fn low_bit() -> Vec<Design> {
        let bits = (2..=8).flat_map(|activation| (1..=8).map(move |weight| (activation, weight)));
        let bits = bits.filter(|&bits| bits != (8, 8));
        bits.map(|(activation, weight)| Design::LowBit { activation, weight }).collect()
    }
}
