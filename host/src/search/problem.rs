//! What the search asks of a problem, and what it gets back.

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::hash::Hash;

/// The stream of random numbers every decision of a search is drawn from.
pub type Stream = rand_chacha::ChaCha8Rng;

/// A space of genomes and the objectives to minimise over it.
pub trait Problem {
    /// A candidate solution. Genomes that mean the same solution should be equal, so that none is
    /// evaluated twice.
    type Genome: Clone + Eq + Hash + Send + Sync;

    /// A genome drawn from the whole space.
    fn random(&self, stream: &mut Stream) -> Self::Genome;

    /// Two children of two parents.
    fn crossover(
        &self,
        a: &Self::Genome,
        b: &Self::Genome,
        stream: &mut Stream,
    ) -> (Self::Genome, Self::Genome);

    /// Changes `genome` a little, or not at all.
    fn mutate(&self, genome: &mut Self::Genome, stream: &mut Stream);

    /// Evaluates a batch of distinct genomes that were never evaluated before: one evaluation for each,
    /// in the same order, all with the same number of objectives. The batch is the place for threads; an
    /// evaluation must not depend on them or on the rest of the batch.
    fn evaluate(&self, genomes: &[Self::Genome]) -> Result<Vec<Evaluation>>;

    /// A guess of what an evaluation would say that costs next to nothing, if there is one. Guesses are
    /// compared with each other alone, so their scale is free; all need as many objectives. They pick the
    /// children that are evaluated where [`Settings::screen`](super::Settings::screen) is more than 1.
    ///
    /// The guesses may become better in the course of a search. The search is then reproducible if what they
    /// are learnt from is.
    fn predict(&self, _genome: &Self::Genome) -> Option<Evaluation> {
        None
    }
}

/// The objectives of one genome, all to be minimised, and by how much it breaks the constraints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    objectives: Vec<f64>,
    violation: f64,
}

impl Evaluation {
    /// An evaluation that meets every constraint. An objective that is NaN counts as infinitely bad.
    pub fn new(objectives: Vec<f64>) -> Self {
        Evaluation::constrained(objectives, 0.0)
    }

    /// An evaluation that breaks its constraints by `violation` in all (0 or less: none is broken; NaN:
    /// infinitely).
    pub fn constrained(mut objectives: Vec<f64>, violation: f64) -> Self {
        for value in &mut objectives {
            // Adding zero turns -0 into 0, so that a total order agrees with `==`.
            *value = if value.is_nan() { f64::INFINITY } else { *value + 0.0 };
        }
        // `f64::max` would answer 0 for NaN.
        let violation = if violation.is_nan() { f64::INFINITY } else { violation.max(0.0) };
        Evaluation { objectives, violation }
    }

    /// The objectives, never NaN.
    pub fn objectives(&self) -> &[f64] {
        &self.objectives
    }

    /// The sum of all constraint violations; 0 for a feasible genome.
    pub fn violation(&self) -> f64 {
        self.violation
    }
}

impl From<Vec<f64>> for Evaluation {
    fn from(objectives: Vec<f64>) -> Self {
        Evaluation::new(objectives)
    }
}

/// A genome with its evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point<G> {
    /// The genome.
    pub genome: G,
    /// Its objectives and constraint violation.
    pub evaluation: Evaluation,
}
