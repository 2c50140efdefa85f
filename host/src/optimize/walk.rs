//! Running many assignments of a network, sharing what their beginnings have in common.

use super::prefix_cache::{Footprint, PrefixCache};
use crate::compensate::{Compensator, Prefix};
use crate::error::Result;
use crate::multiplier::Choice;
use serde::Serialize;
use std::sync::Arc;

/// What it cost to run assignments, and what it would have cost without the cache of beginnings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LayerRuns {
    /// Convolutions that were compensated and run on all images.
    pub layer_runs: usize,
    /// Convolutions that were not run again because the cache had what comes out of them.
    pub layer_runs_saved: usize,
    /// The most bytes the cache held.
    pub peak_cache_bytes: usize,
}

impl LayerRuns {
    /// What this and another search cost, one after the other.
    pub fn and(self, other: LayerRuns) -> LayerRuns {
        LayerRuns {
            layer_runs: self.layer_runs + other.layer_runs,
            layer_runs_saved: self.layer_runs_saved + other.layer_runs_saved,
            peak_cache_bytes: self.peak_cache_bytes.max(other.peak_cache_bytes),
        }
    }
}

/// Runs assignments on a set of images.
pub(super) struct Walk {
    cache: PrefixCache<Arc<Prefix>>,
    start: Arc<Prefix>,
    layer_runs: usize,
    layer_runs_saved: usize,
}

impl Walk {
    /// For the images whose codes `images` holds, with a cache of at most `memory_bytes`.
    pub(super) fn new(compensator: &Compensator, images: &[u8], memory_bytes: usize) -> Walk {
        // All layers run on all images, so that the multiplications for one image compare them.
        let cache = PrefixCache::new(memory_bytes, compensator.network().multiplications());
        let start = Arc::new(compensator.start(images));
        Walk { cache, start, layer_runs: 0, layer_runs_saved: 0 }
    }

    /// What it has cost so far.
    pub(super) fn layer_runs(&self) -> LayerRuns {
        LayerRuns {
            layer_runs: self.layer_runs,
            layer_runs_saved: self.layer_runs_saved,
            peak_cache_bytes: self.cache.peak_bytes(),
        }
    }

    /// Shows `see` the logits of each of the assignments, which are sorted and no two of them equal: so they
    /// are the leaves of a tree, visited depth first, and no beginning is run twice while the cache holds.
    pub(super) fn run(
        &mut self,
        compensator: &Compensator,
        sorted: &[&[Choice]],
        mut see: impl FnMut(Vec<i32>),
    ) -> Result<()> {
        self.cache.begin_batch();
        for (i, assignment) in sorted.iter().enumerate() {
            compensator.check(assignment)?;
            let prefix = self.reach(compensator, assignment, &sorted[i + 1..])?;
            see(compensator.logits(&prefix).unwrap_or_default());
        }
        Ok(())
    }

    /// The whole network under `assignment`, run from where the cache has it.
    fn reach(
        &mut self,
        compensator: &Compensator,
        assignment: &[Choice],
        to_come: &[&[Choice]],
    ) -> Result<Arc<Prefix>> {
        let (known, mut prefix) =
            self.cache.longest(assignment).unwrap_or_else(|| (0, Arc::clone(&self.start)));
        self.layer_runs_saved += known;
        for length in known + 1..=assignment.len() {
            prefix = Arc::new(compensator.extend(&prefix, assignment[length - 1])?);
            self.layer_runs += 1;
            // A whole assignment comes only once.
            if length < assignment.len() {
                let footprint = Footprint { own_bytes: prefix.own_bytes(), shared: prefix.shared() };
                self.cache.insert(&assignment[..length], Arc::clone(&prefix), footprint, to_come);
            }
        }
        Ok(prefix)
    }
}
