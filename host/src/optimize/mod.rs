//! Choosing multipliers for a network: what `skimp optimize` does, as a library.
//!
//! [`Evaluator`] compensates and measures assignments on images that compensation has not seen, whole batches
//! so that assignments that begin alike share the work on their beginnings;
//! [`search`] runs NSGA-II over genomes with it, and [`Selection`] is what comes out: the front, and the
//! point of least energy within a loss budget. [`optimize`] is all of it, up to the flash image.

mod evaluator;
mod prefix_cache;
mod run;
mod search;
mod seeds;
mod shortlist;
mod walk;

pub use evaluator::{Evaluator, Measured};
pub use run::{FrontFile, IMAGE_FILE, Optimized, check_cost_sources, names, optimize};
pub use search::{Candidate, Options, Progress, Selection, search};
pub use walk::LayerRuns;
