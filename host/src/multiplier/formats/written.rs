//! What the sources of a library say about its multipliers that the library itself does not keep.

use super::read_bounded;
use super::text::decode;
use crate::error::Result;
use crate::multiplier::library::split_sources;
use crate::multiplier::netlist_file::{OWN_LICENCE, licence};
use crate::multiplier::{Costs, Library, NetlistFile, folder};
use std::collections::HashMap;
use std::path::Path;

/// Costs and licences as the sources of a library give them, by multiplier.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Costs in the figures of a folder's `costs.csv`, absolute ones among them.
    pub costs: HashMap<String, Costs>,
    /// The licences of those that came as circuits.
    pub licences: HashMap<String, String>,
}

impl Written {
    /// Reads the sources of a library (see [`Library::from_sources`]); `signed` picks the half of the built-in one.
    pub fn of(sources: &str, signed: bool) -> Result<Written> {
        let mut written = Written::default();
        for source in split_sources(sources) {
            let path = Path::new(source);
            if matches!(source, "builtin" | "classical" | "low-bit") {
                // What comes as circuits is charged by the gate model: no costs are written.
                for multiplier in Library::from_sources(source, signed)?.multipliers() {
                    written.licences.entry(multiplier.name.clone()).or_insert_with(|| OWN_LICENCE.into());
                }
            } else if source.ends_with(".jsonl") {
                written.read_licences(path)?;
            } else {
                written.costs.extend(folder::costs(path)?.into_iter().map(|(name, row)| (name, row.costs)));
                let netlists = path.join(folder::NETLISTS);
                if netlists.exists() {
                    written.read_licences(&netlists)?;
                }
            }
        }
        Ok(written)
    }

    fn read_licences(&mut self, path: &Path) -> Result<()> {
        let bytes = read_bounded(path)?;
        let text = decode(path, &bytes)?;
        let licence = licence(path, text)?;
        for record in NetlistFile::parse(path, text)?.records {
            self.licences.entry(record.name).or_insert_with(|| licence.clone());
        }
        Ok(())
    }
}
