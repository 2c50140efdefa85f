//! Measuring what an assignment does to the network's answers.

use crate::compensate::Compensator;
use crate::emulate::metrics::{Score, kl_divergence};
use crate::emulate::{ApproximateConv, Emulator};
use crate::error::{Error, Result};
use crate::multiplier::Choice;
use crate::quantize::LabelledCodes;

/// What an assignment does on a set of images, against the exact 8-bit network.
#[derive(Debug, Clone)]
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

/// Measures assignments, compensated on one set of images, on another.
pub struct Evaluator<'n> {
    compensator: &'n Compensator<'n>,
    images: &'n LabelledCodes,
    exact_logits: Vec<i32>,
    exact_score: Score,
}

impl<'n> Evaluator<'n> {
    /// An evaluator that measures on `images` what `compensator` makes of an assignment.
    pub fn new(compensator: &'n Compensator<'n>, images: &'n LabelledCodes) -> Result<Self> {
        if images.labels.is_empty() {
            return Err(Error::Argument("there are no images to measure assignments on".into()));
        }
        let exact = compensator.compensate(&compensator.exact_assignment())?;
        let exact_logits = Emulator::new(compensator.network(), &exact)?.run(&images.codes);
        let exact_score = Score::new(&exact_logits, &images.labels);
        Ok(Evaluator { compensator, images, exact_logits, exact_score })
    }

    /// The score of the exact network on the evaluator's images.
    pub fn exact_score(&self) -> &Score {
        &self.exact_score
    }

    /// Compensates an assignment and measures it.
    pub fn measure(&self, assignment: &[Choice]) -> Result<Measured> {
        self.measure_convs(&self.compensator.compensate(assignment)?)
    }

    /// Measures an assignment that has been compensated.
    pub fn measure_convs(&self, convs: &[ApproximateConv]) -> Result<Measured> {
        let network = self.compensator.network();
        let logits = Emulator::new(network, convs)?.run(&self.images.codes);
        let output = &network.tensors[network.output];
        let score = Score::new(&logits, &self.images.labels);
        let (loss_pp, loss_se_pp) = score.loss_pp(&self.exact_score);
        let kl = kl_divergence(&self.exact_logits, &logits, output.shape.elements(), output.scale);
        Ok(Measured { score, loss_pp, loss_se_pp, kl })
    }
}
