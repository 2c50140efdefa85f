//! Measuring what an assignment does to the network's answers.

use crate::compensate::{Compensator, Steps};
use crate::emulate::metrics::{Score, kl_divergence};
use crate::emulate::{ApproximateConv, Emulator};
use crate::error::{Error, Result};
use crate::multiplier::{Choice, ProductCache};
use crate::quantize::{LabelledCodes, QuantizedNetwork};

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

/// Compensates assignments on one set of images and measures them on another.
pub struct Evaluator<'n> {
    network: &'n QuantizedNetwork,
    compensator: Compensator<'n>,
    exact: Vec<ApproximateConv>,
    images: &'n LabelledCodes,
    exact_logits: Vec<i32>,
    exact_score: Score,
}

impl<'n> Evaluator<'n> {
    /// An evaluator that compensates on `calibration` (input codes) and measures on `images`.
    pub fn new(
        network: &'n QuantizedNetwork,
        products: &'n ProductCache<'n>,
        steps: Steps,
        calibration: &'n [u8],
        images: &'n LabelledCodes,
    ) -> Result<Self> {
        if images.labels.is_empty() {
            return Err(Error::Argument("there are no images to measure assignments on".into()));
        }
        let compensator = Compensator::new(network, products, steps, calibration)?;
        let exact_choice = Choice::exact(products.library());
        let exact = compensator.compensate(&vec![exact_choice; network.convs().count()])?;
        let exact_logits = Emulator::new(network, &exact)?.run(&images.codes);
        let exact_score = Score::new(&exact_logits, &images.labels);
        Ok(Evaluator { network, compensator, exact, images, exact_logits, exact_score })
    }

    /// The network without approximation.
    pub fn exact(&self) -> &[ApproximateConv] {
        &self.exact
    }

    /// The score of the exact network on the evaluator's images.
    pub fn exact_score(&self) -> &Score {
        &self.exact_score
    }

    /// The compensated network of an assignment.
    pub fn compensate(&self, assignment: &[Choice]) -> Result<Vec<ApproximateConv>> {
        self.compensator.compensate(assignment)
    }

    /// Compensates an assignment and measures it.
    pub fn measure(&self, assignment: &[Choice]) -> Result<Measured> {
        let convs = self.compensate(assignment)?;
        let logits = Emulator::new(self.network, &convs)?.run(&self.images.codes);
        Ok(self.compare(&logits))
    }

    /// Measures logits on the evaluator's images, wherever they were computed.
    pub fn compare(&self, logits: &[i32]) -> Measured {
        let output = &self.network.tensors[self.network.output];
        let score = Score::new(logits, &self.images.labels);
        let (loss_pp, loss_se_pp) = score.loss_pp(&self.exact_score);
        let kl = kl_divergence(&self.exact_logits, logits, output.shape.elements(), output.scale);
        Measured { score, loss_pp, loss_se_pp, kl }
    }
}
