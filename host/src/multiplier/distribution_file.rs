//! Distributions of operands as files: one's own histograms, or a layer's for other tools.
//!
//! A JSON object with `activation` and `weight`, 256 counts each: whole numbers from 0, at the place of the
//! operand as a byte (two's complement for signed multipliers). Only their shares matter, so the two need not
//! add up to the same. `signed`, if it is there, says which multipliers the bytes are for; `from` is for people.
//! Other fields are passed over.

use super::{Distribution, signed_or_unsigned};
use crate::error::{Error, Result};
use crate::file;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A distribution of operands in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistributionFile {
    /// Whether operands are two's complement, if the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<bool>,
    /// Where the counts come from. For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Multiplications with each activation operand.
    activation: Vec<u64>,
    /// Multiplications with each weight operand.
    weight: Vec<u64>,
}

impl DistributionFile {
    /// A file of `operands` of signed or unsigned multipliers; `from` says where they were counted.
    pub fn new(operands: &Distribution, signed: bool, from: String) -> DistributionFile {
        DistributionFile {
            signed: Some(signed),
            from: Some(from),
            activation: operands.activation.to_vec(),
            weight: operands.weight.to_vec(),
        }
    }

    /// Writes the file at `path`.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut json = serde_json::to_string(self).map_err(|e| Error::file(path, e.to_string()))?;
        json.push('\n');
        file::write_atomically(path, json.as_bytes())
    }

    /// Reads the operands of signed or unsigned multipliers from the file at `path`.
    pub fn read(path: &Path, signed: bool) -> Result<Distribution> {
        let file: DistributionFile = serde_json::from_slice(&file::read(path)?).map_err(|e| {
            let wanted = "no distribution of operands, which is {\"activation\": [256 counts], \"weight\": [256 \
                          counts]} with whole numbers from 0";
            Error::file(path, format!("{wanted}: {e}"))
        })?;
        if let Some(theirs) = file.signed.filter(|&theirs| theirs != signed) {
            let [theirs, asked] = [theirs, signed].map(signed_or_unsigned);
            let reason = format!("counts operands of {theirs} multipliers; {asked} ones are asked for");
            return Err(Error::file(path, reason));
        }
        let activation = counts(path, "activation", file.activation)?;
        Ok(Distribution { activation, weight: counts(path, "weight", file.weight)? })
    }
}

fn counts(path: &Path, name: &str, counts: Vec<u64>) -> Result<[u64; 256]> {
    let bad = |reason: String| Error::file(path, format!("\"{name}\" {reason}"));
    let found = counts.len();
    let counts: [u64; 256] =
        counts.try_into().map_err(|_| bad(format!("has {found} counts; one for each byte makes 256")))?;
    match counts.iter().try_fold(0u64, |sum, &count| sum.checked_add(count)) {
        None => Err(bad("adds up to 2^64 or more; divide all counts by the same number".into())),
        Some(0) => Err(bad("has no count above 0".into())),
        Some(_) => Ok(counts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("layer.json");
        let mut operands = Distribution::uniform();
        operands.activation[3] = u64::MAX >> 1;
        DistributionFile::new(&operands, true, "a test".into()).write(&path).unwrap();
        assert_eq!(DistributionFile::read(&path, true).unwrap(), operands);
        let message = DistributionFile::read(&path, false).unwrap_err().to_string();
        assert!(message.contains("layer.json") && message.contains("signed multipliers"), "{message}");
    }

    #[test]
    fn what_is_no_distribution_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.json");
        let one = format!("[1{}]", ",0".repeat(255));
        let with = |activation: &str| {
            std::fs::write(&path, format!("{{\"activation\":{activation},\"weight\":{one},\"by\":\"me\"}}"))
                .unwrap();
            DistributionFile::read(&path, false).map_err(|e| e.to_string())
        };
        assert_eq!(with(&one).unwrap().activation[0], 1);
        for (activation, reason) in [
            ("[1,2]", "\"activation\" has 2 counts"),
            (&*one.replace('1', "0"), "no count above 0"),
            (&one.replace('1', "0.5"), "whole numbers"),
            (&one.replace('1', "-1"), "whole numbers"),
            (&format!("[{m},{m}{}]", ",0".repeat(254), m = u64::MAX), "2^64"),
        ] {
            let message = with(activation).unwrap_err();
            assert!(message.contains("mine.json") && message.contains(reason), "{message}");
        }
    }
}
