//! Sets of multipliers of one signedness to choose from.

use super::{Family, Netlist, NetlistFile, Statistics, TruthTable, builtin, folder, name_prefix};
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

    /// The multipliers that `sources` names: `builtin` (of which `signed` picks the half), a folder as for
    /// [`load_folder`](Self::load_folder), a file of netlists (`*.jsonl`, a [`NetlistFile`]), or several of
    /// these with commas between them. What has the same name must be the same multiplier, and one of all
    /// must be exact.
    pub fn from_sources(sources: &str, signed: bool) -> Result<Library> {
        let mut multipliers: Vec<Multiplier> = Vec::new();
        let split = split_sources(sources);
        for &source in &split {
            let more = match source {
                "" => {
                    let reason = format!("--multipliers \"{sources}\" names a source without a name");
                    return Err(Error::Argument(reason));
                }
                "builtin" => Library::builtin(signed).multipliers,
                file if file.ends_with(".jsonl") => {
                    NetlistFile::read(Path::new(file))?.multipliers(Path::new(file))?
                }
                folder if split.len() == 1 => return Library::load_folder(folder),
                folder => folder::load(Path::new(folder))?,
            };
            for multiplier in more {
                // Libraries bred by skimp have the exact and the low-bit ones in common.
                let same = |m: &Multiplier| {
                    let costs =
                        (m.cost_source, m.power_rel) == (multiplier.cost_source, multiplier.power_rel);
                    m.name == multiplier.name && m.table == multiplier.table && costs
                };
                if !multipliers.iter().any(same) {
                    multipliers.push(multiplier);
                }
            }
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

    /// Where the multiplier called `name` is in [`multipliers`](Self::multipliers).
    ///
    /// `mul8u_` or `mul8s_` may be left out and case does not matter where that is unambiguous: `185q` finds
    /// `mul8u_185Q`.
    pub fn position(&self, name: &str) -> Result<usize> {
        let long = format!("{}{name}", name_prefix(self.is_signed()));
        let same = |wanted: &str| self.multipliers.iter().position(|m| m.name == wanted);
        if let Some(index) = same(name).or_else(|| same(&long)) {
            return Ok(index);
        }
        let alike = |m: &Multiplier| m.name.eq_ignore_ascii_case(name) || m.name.eq_ignore_ascii_case(&long);
        let mut alike = self.multipliers.iter().enumerate().filter(|(_, m)| alike(m));
        match (alike.next(), alike.next()) {
            (Some((index, _)), None) => Ok(index),
            _ => Err(self.unknown(name)),
        }
    }

    /// The multiplier called `name`, which may be shortened as in [`position`](Self::position).
    pub fn get(&self, name: &str) -> Result<&Multiplier> {
        Ok(&self.multipliers[self.position(name)?])
    }

    fn unknown(&self, name: &str) -> Error {
        let kind = if self.is_signed() { "signed" } else { "unsigned" };
        let prefix = name_prefix(self.is_signed());
        let short = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_lowercase();
        let mut near: Vec<(usize, &str)> =
            self.multipliers.iter().map(|m| (distance(&short(name), &short(&m.name)), &*m.name)).collect();
        near.sort();
        let near: Vec<&str> = near.into_iter().take(3).map(|(_, name)| name).collect();
        Error::Argument(format!(
            "no multiplier \"{name}\" among the {} of the {kind} library; near it: {}. `skimp \
             multipliers list` lists all",
            self.multipliers.len(),
            near.join(", ")
        ))
    }
}

/// The parts of a list of sources. A folder with a comma in its name is one source.
pub(crate) fn split_sources(sources: &str) -> Vec<&str> {
    if Path::new(sources).is_dir() { vec![sources] } else { sources.split(',').map(str::trim).collect() }
}

/// How many characters to insert, delete or replace to turn `x` into `y`.
fn distance(x: &str, y: &str) -> usize {
    let y: Vec<char> = y.chars().collect();
    let mut row: Vec<usize> = (0..=y.len()).collect();
    for (i, p) in x.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &q) in y.iter().enumerate() {
            let replaced = diagonal + usize::from(p != q);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[y.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::NetlistRecord;
    use crate::multiplier::testing::multiplier;

    #[test]
    fn names_may_be_shortened() {
        let library = Library::builtin(false);
        for name in ["mul8u_trunc4", "trunc4", "TRUNC4", "MUL8U_Trunc4"] {
            assert_eq!(library.get(name).unwrap().name, "mul8u_trunc4");
        }
        assert_eq!(library.multipliers()[library.position("w5").unwrap()].name, "mul8u_w5");
    }

    #[test]
    fn case_decides_where_it_has_to() {
        let exact = TruthTable::exact(false);
        let pair = ["mul8u_ab", "mul8u_AB"].map(|name| multiplier(name, 1.0, exact.clone()));
        let library = Library::new(pair.into()).unwrap();
        assert_eq!(library.get("AB").unwrap().name, "mul8u_AB");
        assert!(library.get("Ab").is_err());
    }

    #[test]
    fn unknown_names_are_answered_with_near_ones() {
        let message = Library::builtin(true).get("trnc4").unwrap_err().to_string();
        assert!(message.contains("\"trnc4\"") && message.contains("near it: mul8s_trunc4"), "{message}");
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

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
    fn several_sources_make_one_library_if_what_has_a_name_is_the_same() {
        assert_eq!(Library::from_sources("builtin", true).unwrap(), Library::builtin(true));
        assert_eq!(Library::from_sources("builtin, builtin", false).unwrap(), Library::builtin(false));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.jsonl");
        let record = |name: &str| NetlistRecord {
            name: name.into(),
            family: Family::Evolved,
            provenance: "a test".into(),
            power_rel: 0.0,
            mae_pct: 0.0,
            wce_pct: 0.0,
            gates: "Aa7,w7 > L,L,L,L,L,L,L,L,L,L,L,L,L,L,0,L".into(),
        };
        let sources = format!("builtin,{}", path.display());
        NetlistFile { signed: false, records: vec![record("mine")] }.write(&path).unwrap();
        let library = Library::from_sources(&sources, false).unwrap();
        assert_eq!(library.multipliers().len(), Library::builtin(false).multipliers().len() + 1);
        assert_eq!(library.get("mine").unwrap().table.product(255, 255), 1 << 14);
        NetlistFile { signed: false, records: vec![record("mul8u_w4")] }.write(&path).unwrap();
        let message = Library::from_sources(&sources, false).unwrap_err().to_string();
        assert!(message.contains("two multipliers named mul8u_w4"), "{message}");
        let message = Library::from_sources("builtin,", false).unwrap_err().to_string();
        assert!(message.contains("without a name"), "{message}");
        assert!(
            Library::from_sources("builtin,/no/such", false).unwrap_err().to_string().contains("/no/such")
        );
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
