//! Compensating points in full and measuring them on images that nothing was fitted to or searched with.

use super::evaluator::{Answers, Evaluator, Measured};
use super::judged::Judged;
use super::on_device::{OnDevice, Target};
use super::run::names;
use crate::compensate::{Compensator, Descent, Steps};
use crate::emulate::ApproximateConv;
use crate::error::Result;
use crate::multiplier::{Choice, ProductCache};
use crate::prepare::Prepared;
use crate::quantize::{LabelledCodes, QuantizedNetwork};
use std::sync::{Arc, Mutex};

/// Calibration images that are fitted to while searching.
const SEARCH_CALIBRATION: usize = 128;

/// Images of a prepared network by their use.
pub(super) struct Images {
    /// To fit to while searching: the first of those to fit to.
    pub search_fit: LabelledCodes,
    /// To score candidates on while searching.
    pub search: LabelledCodes,
    /// To choose points on.
    pub choice: LabelledCodes,
}

impl Images {
    /// Those of `prepared`, `search_images` of the selection images for the search, or half of them where that would
    /// leave none to choose on.
    pub(super) fn new(prepared: &Prepared, search_images: usize) -> Images {
        let there_are = prepared.selection.labels.len();
        let search_images = if search_images < there_are { search_images } else { there_are.div_ceil(2) };
        let (search, choice) = prepared.selection.split(search_images);
        let (search_fit, _) = prepared.calibration.split(SEARCH_CALIBRATION);
        Images { search_fit, search, choice }
    }
}

/// The fits that are tried for each point: what `steps` says, and variants that are better for some multipliers.
/// A fit is a step too many where its sample misleads it.
pub(super) fn fits(steps: Steps) -> Vec<Steps> {
    if steps.descent != Descent::OnApproximate {
        return vec![steps];
    }
    vec![steps, Steps { branches: !steps.branches, ..steps }, steps.with_kept_codes()]
}

/// The exact network that losses and divergences are counted against, on the images that points are chosen and tested
/// on. With other ranges it takes the same images; with another scheme they have other codes, and the same labels.
pub(super) struct Reference {
    choice: Arc<Answers>,
    test: Arc<Answers>,
}

impl Reference {
    /// The exact network of `prepared`.
    pub(super) fn new(prepared: &Prepared, products: &ProductCache, images: &Images) -> Result<Reference> {
        let compensator = Compensator::new(&prepared.quantized, products, Steps::NONE, &[])?;
        Ok(Reference {
            choice: Arc::new(Answers::of_exact(&compensator, &images.choice)?),
            test: Arc::new(Answers::of_exact(&compensator, &prepared.test)?),
        })
    }

    /// Its accuracy on the test images, in percent.
    pub(super) fn accuracy_pct(&self) -> f64 {
        self.test.score().accuracy_pct()
    }
}

/// Compensates and measures points.
pub(super) struct Judge<'n> {
    fits: &'n [Compensator<'n>],
    held_out: Option<Evaluator<'n>>,
    choice: Evaluator<'n>,
    test: Evaluator<'n>,
    products: &'n ProductCache<'n>,
    judged: Mutex<Judged>,
    target: Target,
}

/// A compensated point.
pub(super) struct Fitted {
    /// The steps that were best.
    pub steps: Steps,
    /// The convolutions.
    pub convs: Vec<ApproximateConv>,
}

/// The compensators of all fits of `steps` for `network` to `images`, at least one.
pub(super) fn compensators<'n>(
    network: &'n QuantizedNetwork,
    products: &'n ProductCache<'n>,
    steps: Steps,
    images: &'n LabelledCodes,
) -> Result<Vec<Compensator<'n>>> {
    let mut all: Vec<Compensator> = Vec::new();
    for steps in fits(steps) {
        // What the exact network computes is the same for all.
        let next = match all.first() {
            Some(first) => first.with_steps(steps)?,
            None => Compensator::new(network, products, steps, &images.codes)?,
        };
        all.push(next);
    }
    Ok(all)
}

impl<'n> Judge<'n> {
    /// A judge who tries all of `fits`, of which there is at least one, counts against `reference` and goes on from what
    /// was `judged` before.
    pub(super) fn new(
        (prepared, products): (&'n Prepared, &'n ProductCache<'n>),
        fits: &'n [Compensator<'n>],
        images: &'n Images,
        reference: &Reference,
        judged: Judged,
    ) -> Result<Judge<'n>> {
        let compensator = &fits[0];
        let held_out = (fits.len() > 1 && !prepared.held_out.labels.is_empty())
            .then(|| Evaluator::new(compensator, &prepared.held_out))
            .transpose()?;
        Ok(Judge {
            fits,
            held_out,
            choice: Evaluator::against(compensator, &images.choice, reference.choice.clone()),
            test: Evaluator::against(compensator, &prepared.test, reference.test.clone()),
            products,
            judged: Mutex::new(judged),
            target: Target::default(),
        })
    }

    /// The same with an eye on images for `target`.
    pub(super) fn with_target(self, target: Target) -> Self {
        Judge { target, ..self }
    }

    /// What images are for.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// What a point's image takes, if anything is asked of it, and what the further objectives come to.
    pub(super) fn on_device(
        &self,
        assignment: &[Choice],
        fitted: &Fitted,
    ) -> Result<(Option<OnDevice>, Vec<f64>)> {
        if !self.target.is_needed() {
            return Ok((None, Vec::new()));
        }
        let names = names(self.products.library(), assignment);
        let image = self.target.look(self.choice.network(), &fitted.convs, &names)?;
        let costs = self.target.objectives.iter().map(|objective| objective.at(&image)).collect();
        Ok((Some(image), costs))
    }

    /// A point compensated in full, and what it does on the images that points are chosen on.
    pub(super) fn judge(&self, assignment: &[Choice]) -> Result<(Fitted, Measured)> {
        let mut judged = self.judged.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(known) = judged.find(assignment, self.choice.network(), self.products)? {
            return Ok(known);
        }
        let fitted = self.fit(assignment)?;
        let choice = self.choice.measure_convs(&fitted.convs)?;
        judged.add(assignment, &fitted, &choice)?;
        Ok((fitted, choice))
    }

    /// The point under the fit that comes nearest to the exact network on the held-out calibration images; of
    /// equals the first.
    fn fit(&self, assignment: &[Choice]) -> Result<Fitted> {
        let mut best: Option<(f64, Fitted)> = None;
        for compensator in self.fits {
            let convs = compensator.compensate(assignment)?;
            let Some(held_out) = &self.held_out else {
                return Ok(Fitted { steps: compensator.steps(), convs });
            };
            let kl = held_out.measure_convs(&convs)?.kl;
            if best.as_ref().is_none_or(|(least, _)| kl < *least) {
                best = Some((kl, Fitted { steps: compensator.steps(), convs }));
            }
        }
        let (_, fitted) = best.expect("there is at least one fit");
        Ok(fitted)
    }

    /// What a point does on the test images.
    pub(super) fn test(&self, fitted: &Fitted) -> Result<Measured> {
        self.test.measure_convs(&fitted.convs)
    }
}
