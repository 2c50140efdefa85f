//! What an optimization tells about itself while it runs.

use super::search::Progress;
use crate::multiplier::Scheme;
use crate::quantize::RangeMethod;

/// What an optimization is doing.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// Schemes are tried with a few multipliers.
    Trial {
        /// So many are done.
        done: usize,
        /// Of at most so many.
        of: usize,
    },
    /// A scheme is not searched: for as little energy another one diverges less.
    NotSearched,
    /// Ways to choose ranges of activations are tried with a few multipliers.
    RangeTrial {
        /// So many are done.
        done: usize,
        /// Of at most so many.
        of: usize,
    },
    /// The ranges that are searched under.
    Range(RangeMethod),
    /// Multipliers are tried in each layer; the share that is done.
    Shortlist(f64),
    /// The search.
    Search(Progress),
    /// Points of the front are compensated in full.
    Finalists {
        /// So many are done.
        done: usize,
        /// Of at most so many.
        of: usize,
    },
    /// The front is measured on the test images.
    Test {
        /// So many points are done.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// A rival is searched for.
    RivalSearch {
        /// The method.
        name: &'static str,
        /// How far the search is.
        progress: Progress,
    },
    /// A rival's points are compensated in full.
    Rival {
        /// The method.
        name: &'static str,
        /// So many points are done.
        done: usize,
        /// Of at most so many.
        of: usize,
    },
}

/// Whoever is told the stages, with the scheme where it is one of several.
pub type Tell<'t> = dyn Fn(Option<Scheme>, Stage) + Sync + 't;
