//! The kinds of accelerator, and how they are written.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How the tiles of an accelerator work together. Written `power-gated`, `pipelined` or, with another idle
/// fraction, `pipelined:0.3`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AcceleratorModel {
    /// Layers run one after another, any layer on any tile; a tile without work is switched off and costs
    /// nothing.
    PowerGated,
    /// Tiles work at the same time on different images, each on a contiguous run of layers; the most loaded
    /// sets the pace and the others wait for it.
    Pipelined {
        /// Energy of a multiplier, or a whole multiply-accumulate, in a cycle without work, relative to one with
        /// work: 0 to 1.
        idle_fraction: f64,
    },
}

impl AcceleratorModel {
    /// The idle fraction of `pipelined` without a number. An assumption, for leakage and the clock: the
    /// true one depends on the technology and on how well operands are held still.
    pub const DEFAULT_IDLE_FRACTION: f64 = 0.1;

    /// A pipelined accelerator. `idle_fraction` is from 0 to 1.
    pub fn pipelined(idle_fraction: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&idle_fraction) {
            Ok(AcceleratorModel::Pipelined { idle_fraction })
        } else {
            Err(Error::Argument(format!("the idle fraction must be from 0 to 1, not {idle_fraction}")))
        }
    }

    /// Energy of a multiplier in a cycle without work, relative to one with work.
    pub fn idle_fraction(&self) -> f64 {
        match *self {
            AcceleratorModel::PowerGated => 0.0,
            AcceleratorModel::Pipelined { idle_fraction } => idle_fraction,
        }
    }
}

impl fmt::Display for AcceleratorModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcceleratorModel::PowerGated => f.write_str("power-gated"),
            AcceleratorModel::Pipelined { idle_fraction } => write!(f, "pipelined:{idle_fraction}"),
        }
    }
}

impl FromStr for AcceleratorModel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || {
            let known = "power-gated, pipelined, or pipelined:F with the energy F of an idle cycle, 0 to 1";
            Error::Argument(format!("no accelerator \"{text}\": use {known}"))
        };
        match text.split_once(':') {
            None if text == "power-gated" => Ok(AcceleratorModel::PowerGated),
            None if text == "pipelined" => AcceleratorModel::pipelined(Self::DEFAULT_IDLE_FRACTION),
            Some(("pipelined", fraction)) => {
                AcceleratorModel::pipelined(fraction.parse().map_err(|_| unknown())?)
            }
            _ => Err(unknown()),
        }
    }
}

impl From<AcceleratorModel> for String {
    fn from(model: AcceleratorModel) -> String {
        model.to_string()
    }
}

impl TryFrom<String> for AcceleratorModel {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["power-gated", "pipelined:0.25", "pipelined:0", "pipelined:1"] {
            let model: AcceleratorModel = text.parse().unwrap();
            assert_eq!(model.to_string(), text);
            let json = serde_json::to_string(&model).unwrap();
            assert_eq!(serde_json::from_str::<AcceleratorModel>(&json).unwrap(), model);
        }
        assert_eq!("pipelined".parse::<AcceleratorModel>().unwrap().idle_fraction(), 0.1);
    }

    #[test]
    fn refuses_the_rest() {
        let bad =
            ["", "gated", "power-gated:1", "pipelined:", "pipelined:x", "pipelined:-0.1", "pipelined:NaN"];
        for text in bad {
            assert!(text.parse::<AcceleratorModel>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<AcceleratorModel>("\"pipelined:2\"").is_err());
    }
}
