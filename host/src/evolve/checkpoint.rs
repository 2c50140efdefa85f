//! A population on disk, to go on from.

use super::goal::Goal;
use super::population::Population;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::Netlist;
use serde::{Deserialize, Serialize};
use std::path::Path;

const VERSION: u32 = 1;

/// What an evolution was asked for, besides its goals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether operands and products are two's complement.
    pub signed: bool,
    /// The seed.
    pub seed: u64,
    /// Candidates for each goal in an epoch.
    pub candidates: u64,
    /// The network and layer whose operands bounds on the noise are about, if any.
    pub layer: Option<String>,
    /// The libraries whose circuits it was begun with besides the classical ones.
    pub begin_with: Option<String>,
}

/// All that decides how a population goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    version: u32,
    /// What was asked for.
    pub settings: Settings,
    /// The goals.
    pub goals: Vec<Goal>,
    /// Epochs so far.
    pub epochs: u64,
    /// Each goal's circuit: see [`Netlist::to_text`].
    pub netlists: Vec<String>,
}

impl Checkpoint {
    /// What `population` has come to.
    pub fn of(population: &Population, settings: &Settings) -> Self {
        Checkpoint {
            version: VERSION,
            settings: settings.clone(),
            goals: population.goals.clone(),
            epochs: population.epochs,
            netlists: population.members.iter().map(|member| member.netlist.to_text()).collect(),
        }
    }

    /// Reads `path`.
    pub fn read(path: &Path) -> Result<Checkpoint> {
        let checkpoint: Checkpoint = serde_json::from_slice(&file::read(path)?)
            .map_err(|e| Error::file(path, format!("no checkpoint of an evolution: {e}")))?;
        if checkpoint.version != VERSION {
            let version = checkpoint.version;
            return Err(Error::file(path, format!("version {version}; this program reads {VERSION}")));
        }
        if checkpoint.netlists.len() != checkpoint.goals.len() {
            let (netlists, goals) = (checkpoint.netlists.len(), checkpoint.goals.len());
            return Err(Error::file(path, format!("{netlists} circuits for {goals} goals")));
        }
        Ok(checkpoint)
    }

    /// Writes `path`.
    pub fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).map_err(|e| Error::file(path, e.to_string()))?;
        file::write_atomically(path, &json)
    }

    /// Takes `population`, which is to be of the same goals and seed, to where this checkpoint is. `path` is
    /// named in errors.
    pub fn restore(&self, path: &Path, population: Population) -> Result<Population> {
        let read = |text: &String| {
            Netlist::from_text(self.settings.signed, text).map_err(|reason| Error::file(path, reason))
        };
        let netlists = self.netlists.iter().map(read).collect::<Result<_>>()?;
        population.resume(netlists, self.epochs).map_err(|e| Error::file(path, e.to_string()))
    }
}
