//! The ideas behind multipliers.

use super::citation::citation;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The enumeration, its words, what each family is, and where it is from: everything once.
macro_rules! families {
    ($($family:ident: $word:literal $(or $earlier:literal)*, $about:literal, $source:expr;)*) => {
        /// The idea behind a multiplier.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Family {
            $(
                #[doc = $about]
                #[doc = ""]
                #[doc = $source]
                // Words of earlier versions can still be read.
                #[serde(rename = $word $(, alias = $earlier)*)]
                $family,
            )*
        }

        impl Family {
            /// All of them.
            pub const ALL: &[Family] = &[$(Family::$family),*];

            /// The one word for it, in files, lists and on the command line.
            pub fn word(self) -> &'static str {
                match self {
                    $(Family::$family => $word,)*
                }
            }

            /// What its multipliers are like, in a sentence or two.
            pub fn about(self) -> &'static str {
                match self {
                    $(Family::$family => $about,)*
                }
            }

            /// The papers it is from: authors, title, where and when. None if there are none.
            pub fn source(self) -> Option<&'static str> {
                match self {
                    $(Family::$family => Some($source).filter(|source| !source.is_empty()),)*
                }
            }
        }
    };
}

families! {
    Exact: "exact",
        "Every product is right.",
        concat!(
            citation!(baugh_wooley), "; trees: ", citation!(wallace), "; ", citation!(dadda), "; radix-4: ",
            citation!(macsorley), "; prefix adder: ", citation!(kogge_stone)
        );
    Truncated: "truncated",
        "Fixed-width truncation: the lowest columns of the array are left out, without a correction, which \
         would spoil products with zero.",
        concat!(citation!(schulte), ", section 2");
    ErrorBalanced: "error-balanced-truncation" or "corrected-truncation",
        "Error-balanced truncation: the columns left out are made up for on average, by a compensation \
         constant (names with c at the end) or a variable compensation column (v), the partial products of the \
         highest column left out.",
        concat!("Constant: ", citation!(schulte), "; column: ", citation!(king));
    BrokenArray: "broken-array",
        "Broken-array multiplier: the array's cells above a horizontal and to the right of a vertical line are \
         left out.",
        concat!(citation!(mahdiani), ", section III");
    LowBit: "low-bit",
        "An exact multiplier of fewer bits, the other bits ignored: what plain quantization to fewer bits would \
         use, and the rival that any approximate one has to beat.",
        concat!("Compared with by ", citation!(alwann));
    LeadingBits: "leading-bits",
        "The weight rounded towards zero to its few highest bits from the leading one on, so that a product is a \
         shift and at most a few additions: what non-uniform quantization to powers of two would use.",
        citation!(miyashita);
    Underdesigned: "underdesigned",
        "Multiplier of 2x2-bit blocks, some of which give 7 for 3 * 3.",
        citation!(kulkarni);
    LowerOr: "lower-part-or" or "lower-or",
        "The lower columns are OR-ed instead of added, after the lower-part-OR adder.",
        concat!(citation!(mahdiani), ", section II");
    Compressors: "compressors",
        "A tree of 4:2 compressors that are approximate in the lower columns.",
        concat!(citation!(momeni), "; ", citation!(venkatachalam), "; ", citation!(yang));
    Logarithmic: "logarithmic",
        "Adds logarithms interpolated between powers of two.",
        citation!(mitchell);
    DynamicRange: "dynamic-range",
        "DRUM: multiplies the few bits from each operand's leading one on, unbiased.",
        citation!(hashemi);
    Evolved: "evolved",
        "Found by evolution: a search over netlists by mutation and selection, in the manner of Cartesian genetic \
         programming.",
        concat!(citation!(miller), "; ", citation!(vasicek));
    Imported: "imported",
        "A table or circuit imported from elsewhere.",
        "";
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Family {
    type Err = Error;

    /// The family of a word, or of one that earlier versions had for it; case does not matter, and spaces and
    /// underscores may stand for hyphens.
    fn from_str(text: &str) -> Result<Family> {
        let word = text.to_lowercase().replace([' ', '_'], "-");
        serde_json::from_value(word.into()).map_err(|_| {
            let all: Vec<&str> = Family::ALL.iter().map(|family| family.word()).collect();
            Error::Argument(format!("no family \"{text}\"; there are {}", all.join(", ")))
        })
    }
}
