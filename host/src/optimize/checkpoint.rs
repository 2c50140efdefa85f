//! A search on disk, to go on from.

use super::assignments::Known;
use crate::error::{Error, Result};
use crate::file;
use crate::search::{Genome, State};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Changes with what a checkpoint holds.
const VERSION: u32 = 1;

/// Everything a search is in the middle of.
#[derive(Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: u32,
    /// What the search is about.
    fingerprint: [u8; 32],
    pub state: State<Genome>,
    pub known: Known,
}

/// Where a search keeps its checkpoint.
#[derive(Debug, Clone)]
pub struct CheckpointFile {
    path: PathBuf,
    fingerprint: [u8; 32],
    /// Whether to go on from what is there.
    resume: bool,
}

impl CheckpointFile {
    /// At `path`, for a search that is the same only if `about` is.
    pub fn new(path: PathBuf, about: &impl Serialize, resume: bool) -> Result<CheckpointFile> {
        let about = postcard::to_allocvec(about)
            .map_err(|e| Error::Mismatch(format!("the search can't be told from others: {e}")))?;
        Ok(CheckpointFile { path, fingerprint: Sha256::digest(about).into(), resume })
    }

    /// What was saved, if there is anything and it is to be used.
    pub(super) fn load(&self) -> Result<Option<Checkpoint>> {
        if !self.resume || !self.path.exists() {
            return Ok(None);
        }
        let unusable = |reason: &str| Error::file(&self.path, reason);
        let bytes = file::read_regular(&self.path)?;
        let checkpoint: Checkpoint = postcard::from_bytes(&bytes).map_err(|_| {
            unusable("is no checkpoint of a search, or of another version; leave out --resume")
        })?;
        if checkpoint.version != VERSION {
            return Err(unusable("is a checkpoint of another version of skimp; leave out --resume"));
        }
        if checkpoint.fingerprint != self.fingerprint {
            return Err(unusable(
                "is a checkpoint of a search with another network, images, library or options; give those \
                 again, or leave out --resume to start a new search",
            ));
        }
        Ok(Some(checkpoint))
    }

    /// Saves a search.
    pub(super) fn save(&self, state: &State<Genome>, known: &Known) -> Result<()> {
        let checkpoint = Borrowed { version: VERSION, fingerprint: self.fingerprint, state, known };
        let bytes = postcard::to_allocvec(&checkpoint)
            .map_err(|e| Error::file(&self.path, format!("the search can't be saved: {e}")))?;
        file::write_atomically(&self.path, &bytes)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// As [`Checkpoint`] is stored.
#[derive(Serialize)]
struct Borrowed<'a> {
    version: u32,
    fingerprint: [u8; 32],
    state: &'a State<Genome>,
    known: &'a Known,
}
