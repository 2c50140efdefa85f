//! Choosing multipliers for a network: what `skimp optimize` does, as a library.
//!
//! An [`Evaluator`] compensates and measures assignments on images that compensation has not seen, whole batches so
//! that assignments that begin alike share the work on their beginnings. The search is NSGA-II over genomes with it
//! and with compensation that depends on a layer and its multiplier alone; a model of the layers' sensitivities
//! proposes where to begin and screens children. Every scheme that has a chance is searched, under the ranges of
//! activations that suit most multipliers. Points of the fronts are
//! compensated in full by several fits and measured on images that neither calibration nor search used; rivals are found
//! and measured in the same way. [`optimize`] is all of it, up to the flash image.

mod assignments;
mod checkpoint;
mod entrant;
mod evaluator;
mod files;
mod finalists;
mod judge;
mod judged;
mod known;
mod methods;
mod model;
mod objectives;
mod on_device;
mod operating_points;
mod options;
mod outcome;
mod prefix_cache;
mod ranges;
mod run;
mod scheme_search;
mod search;
mod shortlist;
mod stage;
mod trial;
mod verify;
mod walk;

pub use assignments::Candidate;
pub use checkpoint::CheckpointFile;
pub use entrant::Entrant;
pub use evaluator::{Evaluator, Measured};
pub use files::{FrontFile, IMAGE_FILE};
pub use methods::{BUDGETS_PP, Method, Within};
pub use objectives::{Objective, ObjectiveName};
pub use operating_points::PointBudget;
pub use options::{ErrorMeasure, Options};
pub use outcome::{Effort, Optimized};
pub use run::{check_cost_sources, cost_sources, names, optimize};
pub use search::{Progress, Selection, search};
pub use stage::{Stage, Tell};
pub use walk::LayerRuns;
