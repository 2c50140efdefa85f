//! Measuring what an assignment does to the network's answers.

use super::walk::{LayerRuns, Walk};
use crate::compensate::Compensator;
use crate::emulate::metrics::{Score, kl_divergence};
use crate::emulate::{ApproximateConv, Emulator};
use crate::error::{Error, Result};
use crate::multiplier::Choice;
use crate::quantize::{LabelledCodes, QuantizedNetwork};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};

/// What an assignment does on a set of images, against the exact 8-bit network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Which images are classified correctly.
    pub score: Score,
    /// Points of accuracy lost.
    pub loss_pp: f64,
    /// Standard error of the loss, paired.
    pub loss_se_pp: f64,
    /// Mean Kullback-Leibler divergence from the exact network, nats.
    pub kl: f64,
}

/// What an exact network answers on a set of images.
#[derive(Debug)]
pub(super) struct Answers {
    logits: Vec<i32>,
    /// Real value of a logit's step.
    scale: f64,
    score: Score,
}

impl Answers {
    /// Those of the network that `compensator` compensates.
    pub(super) fn of_exact(compensator: &Compensator, images: &LabelledCodes) -> Result<Answers> {
        if images.labels.is_empty() {
            return Err(Error::Argument("there are no images to measure assignments on".into()));
        }
        let exact = compensator.compensate(&compensator.exact_assignment())?;
        let logits = Emulator::new(compensator.network(), &exact)?.run(&images.codes);
        let network = compensator.network();
        let scale = network.tensors[network.output].scale;
        Ok(Answers { score: Score::new(&logits, &images.labels), logits, scale })
    }

    /// Which of them are right.
    pub(super) fn score(&self) -> &Score {
        &self.score
    }
}

/// Measures assignments, compensated on one set of images, on another.
pub struct Evaluator<'n> {
    compensator: &'n Compensator<'n>,
    images: &'n LabelledCodes,
    reference: Arc<Answers>,
    memory_bytes: usize,
    /// Of [`measure_all`](Self::measure_all); made when it is first called.
    walk: Mutex<Option<Walk>>,
}

impl<'n> Evaluator<'n> {
    /// An evaluator that measures on `images` what `compensator` makes of an assignment.
    pub fn new(compensator: &'n Compensator<'n>, images: &'n LabelledCodes) -> Result<Self> {
        let reference = Arc::new(Answers::of_exact(compensator, images)?);
        Ok(Evaluator::against(compensator, images, reference))
    }

    /// One that counts losses and divergences against `reference`, the answers of another exact network on the same
    /// images.
    pub(super) fn against(
        compensator: &'n Compensator<'n>,
        images: &'n LabelledCodes,
        reference: Arc<Answers>,
    ) -> Self {
        Evaluator { compensator, images, reference, memory_bytes: 0, walk: Mutex::new(None) }
    }

    /// The same with a cache of at most `memory_bytes` for [`measure_all`](Self::measure_all); 0 is none.
    pub fn with_memory(self, memory_bytes: usize) -> Self {
        Evaluator { memory_bytes, walk: Mutex::new(None), ..self }
    }

    /// Who compensates.
    pub(super) fn compensator(&self) -> &'n Compensator<'n> {
        self.compensator
    }

    /// The network.
    pub fn network(&self) -> &'n QuantizedNetwork {
        self.compensator.network()
    }

    /// The score of the exact network on the evaluator's images.
    pub fn exact_score(&self) -> &Score {
        self.reference.score()
    }

    /// Compensates an assignment and measures it, without the cache: a batch of images a thread at a time, so
    /// that any number of images fits into memory.
    pub fn measure(&self, assignment: &[Choice]) -> Result<Measured> {
        self.measure_convs(&self.compensator.compensate(assignment)?)
    }

    /// Measures an assignment that has been compensated.
    pub fn measure_convs(&self, convs: &[ApproximateConv]) -> Result<Measured> {
        let logits = Emulator::new(self.compensator.network(), convs)?.run(&self.images.codes);
        Ok(self.judge(&logits))
    }

    /// Measures a batch of assignments, each as [`measure`](Self::measure) would. One is measured after the
    /// other with all threads, in an order in which those that begin alike follow each other; each begins at
    /// the last layer whose outcome is in the cache, which later batches find again.
    ///
    /// Beside the cache this takes the memory of the images and of one layer's inputs and outputs on all of
    /// them, and more than that in a batch measured at the same time as another: only one of them has the cache.
    pub fn measure_all(&self, assignments: &[Vec<Choice>]) -> Result<Vec<Measured>> {
        let mut sorted: Vec<&[Choice]> = assignments.iter().map(Vec::as_slice).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut measured = Vec::with_capacity(sorted.len());
        let see = |logits: Vec<i32>| measured.push(self.judge(&logits));
        let new_walk = |bytes| Walk::new(self.compensator, &self.images.codes, bytes);
        // Not `lock`: while this thread waits for others, it may be given another batch to measure.
        match self.walk.try_lock() {
            Ok(mut walk) => {
                let walk = walk.get_or_insert_with(|| new_walk(self.memory_bytes));
                walk.run(self.compensator, &sorted, see)?;
            }
            Err(_) => new_walk(0).run(self.compensator, &sorted, see)?,
        }
        let place = |assignment: &[Choice]| sorted.partition_point(|&before| before < assignment);
        Ok(assignments.iter().map(|assignment| measured[place(assignment)].clone()).collect())
    }

    /// What [`measure_all`](Self::measure_all) has cost so far and what its cache saved.
    pub fn layer_runs(&self) -> LayerRuns {
        let walk = self.walk.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        walk.as_ref().map(Walk::layer_runs).unwrap_or_default()
    }

    fn judge(&self, logits: &[i32]) -> Measured {
        let network = self.compensator.network();
        let output = &network.tensors[network.output];
        let score = Score::new(logits, &self.images.labels);
        let reference = &*self.reference;
        let (loss_pp, loss_se_pp) = score.loss_pp(reference.score());
        let outputs = output.shape.elements();
        let kl = kl_divergence((&reference.logits, reference.scale), (logits, output.scale), outputs);
        Measured { score, loss_pp, loss_se_pp, kl }
    }
}
