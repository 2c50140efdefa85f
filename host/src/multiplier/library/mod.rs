//! Sets of multipliers of one signedness to choose from.

mod lookup;
mod sources;

pub(crate) use sources::split_sources;

use super::{Family, Netlist, Statistics, TruthTable, builtin, classical, folder, low_bit};
use crate::error::{Error, Result};
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// Where a multiplier's cost figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CostSource {
    /// Estimated from its gates by [`cost`](super::cost).
    GateModel,
    /// Measured or synthesized by whoever made it, and taken from the `costs.csv` beside its table.
    Published,
}

impl CostSource {
    /// All of them.
    pub const ALL: [CostSource; 2] = [CostSource::GateModel, CostSource::Published];
}

impl fmt::Display for CostSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CostSource::GateModel => "gate-model",
            CostSource::Published => "published",
        })
    }
}

impl FromStr for CostSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<CostSource> {
        CostSource::ALL.into_iter().find(|source| source.to_string() == text).ok_or_else(|| {
            Error::Argument(format!("a cost source is published or gate-model, not \"{text}\""))
        })
    }
}

/// A multiplier to choose: its products, its errors and what it costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Multiplier {
    /// Its name, such as `mul8u_185Q` or `mul8u_trunc4`.
    pub name: String,
    /// The idea behind it.
    pub family: Family,
    /// All its products.
    pub table: TruthTable,
    /// Its power divided by the exact multiplier's of the same signedness and cost source.
    pub power_rel: f64,
    /// Its area divided by the exact multiplier's, if known.
    pub area_rel: Option<f64>,
    /// Its longest delay divided by the exact multiplier's, if known.
    pub delay_rel: Option<f64>,
    /// Where the three figures come from.
    pub cost_source: CostSource,
    /// Its errors over all operand pairs.
    pub statistics: Statistics,
    /// Its gates, if they are known.
    pub netlist: Option<Arc<Netlist>>,
    /// Where it comes from: the file it was read from, or the seed and command that made it.
    pub provenance: Option<String>,
}

/// Multipliers of one signedness, the most power-hungry first.
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    multipliers: Vec<Multiplier>,
    exact: usize,
}

impl Library {
    /// A library of `multipliers`: at least one, of one signedness, names distinct, one of them exact.
    ///
    /// They are sorted by falling power, then by name.
    pub fn new(mut multipliers: Vec<Multiplier>) -> Result<Library> {
        multipliers.sort_by(|x, y| y.power_rel.total_cmp(&x.power_rel).then_with(|| x.name.cmp(&y.name)));
        let signed = multipliers.first().is_some_and(|m| m.table.is_signed());
        let mut names = std::collections::HashSet::new();
        for multiplier in &multipliers {
            let name = &multiplier.name;
            if !(multiplier.power_rel.is_finite() && multiplier.power_rel >= 0.0) {
                let power = multiplier.power_rel;
                return Err(Error::Mismatch(format!("multiplier {name} has a relative power of {power}")));
            }
            if !names.insert(name) {
                return Err(Error::Mismatch(format!("the library has two multipliers named {name}")));
            }
            if multiplier.table.is_signed() != signed {
                return Err(Error::Mismatch(format!(
                    "a library is signed or unsigned, not both: {} and {name} differ",
                    multipliers[0].name
                )));
            }
        }
        // The cheapest, so that no saving is measured against a wasteful exact multiplier.
        let Some(exact) = multipliers.iter().rposition(|m| m.statistics.is_exact()) else {
            return Err(Error::Mismatch("the library has no exact multiplier".into()));
        };
        Ok(Library { multipliers, exact })
    }

    /// The multipliers that come with skimp: bred and classical ones, costs from their gates.
    pub fn builtin(signed: bool) -> Library {
        builtin::library(signed)
    }

    /// All classical designs, exact and approximate ([`Design::classical`](super::Design::classical)), whether or
    /// not another one beats them; costs from their gates.
    pub fn classical(signed: bool) -> Library {
        classical::library(signed)
    }

    /// The exact multiplier and those of fewer bits ([`Design::low_bit`](super::Design::low_bit)); costs from their
    /// gates.
    pub fn low_bit(signed: bool) -> Library {
        low_bit::library(signed)
    }

    /// The multipliers of a folder: truth tables `NAME.bin` and their costs in `costs.csv`.
    ///
    /// A table is 65,536 products of 16 bits, little endian, entry `a * 256 + w`: u16 if its name begins
    /// with `mul8u_`, i16 if with `mul8s_`; other names go by the folder's, which must then contain
    /// `unsigned` or `signed`. Other files are for [`formats`](super::formats) to import.
    ///
    /// `costs.csv` has a header with at least the columns `name` and `power_mw` or `power_rel`, then one line
    /// a multiplier; blank lines and lines that begin with `#` are skipped. Further columns, all optional:
    /// `area_um2` or `area_rel`, `delay_ns` or `delay_rel`, and `cost_source`, `published` (if nothing is
    /// said) or `gate-model`. Absolute figures (mW, um2, ns) are divided by those of the folder's exact
    /// multiplier of the same cost source, the cheapest if there are several; relative ones (`_rel`) were
    /// divided already. It may list more multipliers than the folder holds, not fewer.
    pub fn load_folder(path: impl AsRef<Path>) -> Result<Library> {
        let path = path.as_ref();
        let multipliers = folder::load(path)?;
        if !multipliers.iter().any(|m| m.statistics.is_exact()) {
            return Err(Error::file(path, "no table is exact; a library needs one that is, with its cost"));
        }
        Library::new(multipliers)
    }

    /// Where the costs come from: usually one source, as figures of different sources do not compare.
    pub fn cost_sources(&self) -> Vec<CostSource> {
        let mut sources: Vec<CostSource> = self.multipliers.iter().map(|m| m.cost_source).collect();
        sources.sort();
        sources.dedup();
        sources
    }

    /// Whether the multipliers are two's complement.
    pub fn is_signed(&self) -> bool {
        self.exact().table.is_signed()
    }

    /// All multipliers, by falling power.
    pub fn multipliers(&self) -> &[Multiplier] {
        &self.multipliers
    }

    /// The exact multiplier that costs least.
    pub fn exact(&self) -> &Multiplier {
        &self.multipliers[self.exact]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::testing::multiplier;

    #[test]
    fn libraries_that_make_no_sense_are_refused() {
        let exact = || multiplier("one", 1.0, TruthTable::exact(false));
        let zero = || TruthTable::from_fn(false, |_, _| 0).unwrap();
        let refused = |multipliers| Library::new(multipliers).unwrap_err().to_string();
        assert!(refused(vec![]).contains("no exact"));
        assert!(refused(vec![multiplier("zero", 0.0, zero())]).contains("no exact"));
        assert!(refused(vec![exact(), exact()]).contains("two multipliers named one"));
        assert!(refused(vec![exact(), multiplier("s", 0.9, TruthTable::exact(true))]).contains("one and s"));
        assert!(refused(vec![exact(), multiplier("nan", f64::NAN, zero())]).contains("nan"));
    }

    #[test]
    fn cost_sources_are_told_apart() {
        let builtin = Library::builtin(false);
        assert_eq!(builtin.cost_sources(), [CostSource::GateModel]);
        let mut multipliers = builtin.multipliers().to_vec();
        multipliers.push(multiplier("other", 1.0, TruthTable::exact(false)));
        let mixed = Library::new(multipliers).unwrap();
        assert_eq!(mixed.cost_sources(), [CostSource::GateModel, CostSource::Published]);
        for source in CostSource::ALL {
            assert_eq!(source.to_string().parse::<CostSource>().unwrap(), source);
        }
    }

    #[test]
    fn the_cheapest_exact_multiplier_is_the_reference() {
        let of = |name, power| multiplier(name, power, TruthTable::exact(false));
        let library = Library::new(vec![of("a", 1.0), of("b", 1.2)]).unwrap();
        assert_eq!((library.exact().name.as_str(), library.multipliers()[0].name.as_str()), ("a", "b"));
    }
}
