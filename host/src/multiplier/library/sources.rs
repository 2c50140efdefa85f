//! Libraries by their sources as users type them.

use super::{Library, Multiplier};
use crate::error::{Error, Result};
use crate::multiplier::{NetlistFile, folder};
use std::path::Path;

impl Library {
    /// The multipliers that `sources` names: `builtin`, `classical` or `low-bit` (of which `signed` picks the
    /// half), a folder as for [`load_folder`](Self::load_folder), a file of netlists (`*.jsonl`, a [`NetlistFile`]),
    /// or several of these with commas between them. What has the same name must be the same multiplier, and one of
    /// all must be exact.
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
                "classical" => Library::classical(signed).multipliers,
                "low-bit" => Library::low_bit(signed).multipliers,
                file if file.ends_with(".jsonl") => {
                    NetlistFile::read(Path::new(file))?.multipliers(Path::new(file))?
                }
                folder if split.len() == 1 => return Library::load_folder(folder),
                folder => folder::load(Path::new(folder))?,
            };
            for multiplier in more {
                // All of skimp's own libraries have the exact or some low-bit ones in common.
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

    /// Whether every source that `sources` names has both unsigned and signed multipliers, as skimp's own do and
    /// folders and files do not.
    pub fn sources_have_both_signs(sources: &str) -> bool {
        split_sources(sources).iter().all(|source| OWN.contains(source))
    }
}

/// The libraries that skimp makes itself.
const OWN: [&str; 3] = ["builtin", "classical", "low-bit"];

/// The parts of a list of sources. A folder with a comma in its name is one source.
pub(crate) fn split_sources(sources: &str) -> Vec<&str> {
    if Path::new(sources).is_dir() { vec![sources] } else { sources.split(',').map(str::trim).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Family, NetlistRecord};

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
        for (sources, both) in [("low-bit, builtin", true), ("builtin,/no/such", false), ("", false)] {
            assert_eq!(Library::sources_have_both_signs(sources), both, "{sources}");
        }
        assert!(
            Library::from_sources("builtin,/no/such", false).unwrap_err().to_string().contains("/no/such")
        );
    }
}
