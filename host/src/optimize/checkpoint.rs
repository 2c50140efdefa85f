//! Files that long work goes on from.

use crate::error::{Error, Result};
use crate::file;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Changes with what a checkpoint holds.
const VERSION: u32 = 2;

/// As a checkpoint is stored.
#[derive(Serialize, Deserialize)]
struct Stored<T> {
    version: u32,
    /// What the search is about.
    fingerprint: [u8; 32],
    content: T,
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

    /// Another file next to it, of the same search, for points that are compensated in full.
    pub(super) fn for_points(&self) -> CheckpointFile {
        CheckpointFile { path: self.path.with_extension("points.checkpoint"), ..self.clone() }
    }

    /// What was saved, if there is anything and it is to be used.
    pub(super) fn load<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        if !self.resume || !self.path.exists() {
            return Ok(None);
        }
        let unusable = |reason: &str| Error::file(&self.path, reason);
        let bytes = file::read_regular(&self.path)?;
        // Of another version the content may not be readable.
        let (version, _) = postcard::take_from_bytes::<u32>(&bytes)
            .map_err(|_| unusable("is no checkpoint of a search; leave out --resume"))?;
        if version != VERSION {
            return Err(unusable("is a checkpoint of another version of skimp, or none; leave out --resume"));
        }
        let stored: Stored<T> = postcard::from_bytes(&bytes)
            .map_err(|_| unusable("is no checkpoint of a search, or damaged; leave out --resume"))?;
        if stored.fingerprint != self.fingerprint {
            return Err(unusable(
                "is a checkpoint of a search with another network, images, library or options; give those \
                 again, or leave out --resume to start a new search",
            ));
        }
        Ok(Some(stored.content))
    }

    /// Saves `content`.
    pub(super) fn save(&self, content: &impl Serialize) -> Result<()> {
        let stored = Stored { version: VERSION, fingerprint: self.fingerprint, content };
        let bytes = postcard::to_allocvec(&stored)
            .map_err(|e| Error::file(&self.path, format!("the search can't be saved: {e}")))?;
        file::write_atomically(&self.path, &bytes)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
