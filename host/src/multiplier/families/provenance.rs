//! What each design is and where it is from, for users.

use super::citation::citation;
use super::{Compressor, Design, Family, FinalAdder, Reduction};

impl Design {
    /// The classical or low-bit design that a multiplier of this name and family is, if it is one.
    pub fn named(name: &str, family: Family) -> Option<Design> {
        let is = |design: &Design| {
            design.family() == family && [false, true].iter().any(|&signed| design.name(signed) == name)
        };
        Design::classical().into_iter().chain(Design::low_bit()).find(is)
    }

    /// The papers it is from: authors, title, where and when.
    pub fn source(self) -> &'static str {
        use FinalAdder::{Prefix, Ripple};
        match self {
            Design::Exact => citation!(baugh_wooley),
            Design::Tree { reduction: Reduction::Wallace, adder: Ripple } => citation!(wallace),
            Design::Tree { reduction: Reduction::Wallace, adder: Prefix } => {
                concat!(citation!(wallace), "; ", citation!(kogge_stone))
            }
            Design::Tree { reduction: Reduction::Dadda, adder: Ripple } => citation!(dadda),
            Design::Tree { reduction: Reduction::Dadda, adder: Prefix } => {
                concat!(citation!(dadda), "; ", citation!(kogge_stone))
            }
            Design::Booth { adder: Ripple } => citation!(macsorley),
            Design::Booth { adder: Prefix } => concat!(citation!(macsorley), "; ", citation!(kogge_stone)),
            Design::ConstantCorrected { .. } => citation!(schulte),
            Design::VariableCorrected { .. } => citation!(king),
            Design::Compressors { compressor: Compressor::Momeni1 | Compressor::Momeni2, .. } => {
                citation!(momeni)
            }
            Design::Compressors { compressor: Compressor::Venkatachalam, .. } => citation!(venkatachalam),
            Design::Compressors { compressor: Compressor::Yang, .. } => citation!(yang),
            _ => self.family().source().unwrap_or_default(),
        }
    }

    /// What it is and where it is from, as libraries record it.
    pub fn provenance(self) -> String {
        let end = |adder| if adder == FinalAdder::Prefix { ", Kogge-Stone adder at the end" } else { "" };
        let what = match self {
            Design::Exact => "carry-save array".into(),
            Design::Tree { reduction: Reduction::Wallace, adder } => format!("Wallace tree{}", end(adder)),
            Design::Tree { reduction: Reduction::Dadda, adder } => format!("Dadda tree{}", end(adder)),
            Design::Booth { adder } => format!("radix-4 Booth{}", end(adder)),
            Design::ConstantCorrected { columns } => {
                format!("error-balanced truncation of {columns} columns, compensation constant")
            }
            Design::VariableCorrected { columns } => {
                format!("error-balanced truncation of {columns} columns, variable compensation column")
            }
            _ => format!("{} design", self.family()),
        };
        format!("{what}: {}", self.source())
    }
}
