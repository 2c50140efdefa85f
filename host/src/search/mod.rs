//! Multi-objective search: NSGA-II (Deb, Pratap, Agarwal, Meyarivan, "A fast and elitist multiobjective
//! genetic algorithm: NSGA-II", IEEE Trans. Evolutionary Computation 6(2), 2002).
//!
//! [`run`] knows nothing of networks: a [`Problem`] makes, recombines, mutates and evaluates genomes.
//! [`genome`] has the genome of ALWANN (arXiv 1907.07229): a multiplier for each tile, a tile for each
//! layer. [`exhaustive`] evaluates a whole space. All objectives are minimised.
//!
//! A search is a function of its problem, settings, and initial and injected genomes alone. Random numbers
//! are drawn only in the serial part; a problem may evaluate a batch on as many threads as it likes.

mod breeding;
mod exhaustive;
pub mod genome;
pub mod hypervolume;
mod nsga2;
mod problem;
pub mod sort;

#[cfg(test)]
mod benchmarks;
#[cfg(test)]
mod real;
#[cfg(test)]
mod screening;
#[cfg(test)]
mod tests;

pub use exhaustive::exhaustive;
pub use genome::{Genome, GenomeSpace, Mapping};
pub use hypervolume::hypervolume;
pub use nsga2::{Outcome, Settings, State, resume, run};
pub use problem::{Evaluation, Point, Problem, Stream};
