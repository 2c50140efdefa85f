//! A population on disk, to go on from.

use super::goal::Goal;
use super::population::Population;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::{Netlist, signed_or_unsigned};
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
    /// [`Distribution::digest`](crate::multiplier::Distribution::digest) of the operands that bounds on the noise
    /// are about, if any. Checkpoints of earlier programs do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operands: Option<String>,
}

impl Settings {
    /// What was `asked` otherwise, in words; nothing if an evolution with these settings can go on as the one
    /// asked for. Operands without a digest are taken for the same.
    pub fn differences(&self, asked: &Settings) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
        let figures = |settings: &Settings| {
            [
                ("multipliers", signed_or_unsigned(settings.signed).to_owned()),
                ("--seed", settings.seed.to_string()),
                ("--candidates", settings.candidates.to_string()),
                ("--begin-with", text(&settings.begin_with)),
                ("operands", text(&settings.layer)),
            ]
        };
        let differ = |(there, now): &((&str, String), (&str, String))| there.1 != now.1;
        let pairs = figures(self).into_iter().zip(figures(asked)).filter(differ);
        let mut differences: Vec<String> =
            pairs.map(|((what, there), (_, now))| format!("{what}: {there} there, {now} now")).collect();
        let digests = self.operands.as_ref().zip(asked.operands.as_ref());
        if differences.is_empty() && digests.is_some_and(|(there, now)| there != now) {
            let reason =
                "operands: the same options, but other counts; the model, its images or the file changed";
            differences.push(reason.into());
        }
        differences
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let layer = Some("--network a --scheme signed".into());
        Settings {
            signed: true,
            seed: 1,
            candidates: 9,
            layer,
            begin_with: None,
            operands: Some("0f".into()),
        }
    }

    #[test]
    fn differences_are_told_with_both_figures() {
        let asked = settings();
        assert!(settings().differences(&asked).is_empty());
        let there = Settings { seed: 2, layer: None, operands: None, ..settings() };
        let told = ["--seed: 2 there, 1 now", "operands: none there, --network a --scheme signed now"];
        assert_eq!(there.differences(&asked), told);
        let there = Settings { operands: Some("10".into()), ..settings() };
        assert!(there.differences(&asked)[0].contains("other counts"));
    }

    #[test]
    fn checkpoints_of_earlier_programs_can_be_read() {
        let json = r#"{"signed":true,"seed":1,"candidates":9,"layer":"--network a --scheme signed",
                       "begin_with":null}"#;
        let earlier: Settings = serde_json::from_str(json).unwrap();
        assert_eq!(earlier.operands, None);
        assert!(earlier.differences(&settings()).is_empty());
    }
}
