//! The search of one scheme.

use super::assignments::Candidate;
use super::checkpoint::CheckpointFile;
use super::entrant::Entrant;
use super::evaluator::Evaluator;
use super::judge::{Images, Judge, Reference, compensators};
use super::judged::Judged;
use super::on_device::Target;
use super::options::Options;
use super::ranges::{self, Ranged};
use super::search::{Saved, Selection, saved, search_among, uniform};
use super::shortlist::Shortlist;
use super::stage::Stage;
use super::trial::TrialPoint;
use super::verify::Searched;
use crate::compensate::{Compensator, Steps};
use crate::error::Result;
use std::ops::ControlFlow;

/// What an interrupted optimization has left of a scheme.
#[derive(Default)]
pub(super) struct Left {
    search: Option<Saved>,
    judged: Judged,
}

impl Left {
    /// What is in the files.
    pub(super) fn open(checkpoint: Option<&CheckpointFile>) -> Result<Left> {
        let judged = checkpoint.map(|checkpoint| Judged::open(checkpoint.for_points())).transpose()?;
        Ok(Left { search: saved(checkpoint)?, judged: judged.unwrap_or_default() })
    }
}

/// What a scheme's search found.
pub(super) struct SchemeSearch<'a> {
    /// The scheme, its network and multipliers.
    pub entrant: &'a Entrant<'a>,
    /// The network that was searched for.
    pub ranged: &'a Ranged,
    /// Points and effort.
    pub selection: Selection,
    /// The points of one multiplier in every layer, if they were asked for.
    pub uniform: Vec<Candidate>,
    /// Assignments that only told which ranges are best.
    pub trials: usize,
    images: &'a Images,
    target: Target,
    /// Points that were compensated in full before an interruption.
    judged: Judged,
}

impl<'a> SchemeSearch<'a> {
    /// Tries which of `networks`, the entrant's with ranges chosen in several ways, diverges least, where points of the
    /// first may be `known`, and searches for that, going on from what is `left` of an earlier search.
    pub(super) fn run(
        entrant: &'a Entrant,
        (networks, known): (&'a [Ranged], Option<Vec<TrialPoint>>),
        images: &'a Images,
        (steps, options): (Steps, &Options),
        left: Left,
        tell: &(dyn Fn(Stage) + Sync),
    ) -> Result<SchemeSearch<'a>> {
        let (products, library) = (entrant.products, entrant.library());
        let done = |done, of| tell(Stage::RangeTrial { done, of });
        let (best, trials) = ranges::best(networks, products, images, steps, known, &done)?;
        let ranged = &networks[best];
        if networks.len() > 1 {
            tell(Stage::Range(ranged.method));
        }
        let steps = steps.with_kept_codes();
        let searcher = Compensator::new(&ranged.network, products, steps, &images.search_fit.codes)?;
        let done = |share| tell(Stage::Shortlist(share));
        let shortlist = Shortlist::measured(library, &searcher, options.every_choice, &done)?;
        let evaluator = Evaluator::new(&searcher, &images.search)?.with_memory(options.memory_bytes);
        let checkpoint = (entrant.checkpoint.as_ref(), left.search);
        let selection = search_among(&evaluator, library, &shortlist, options, checkpoint, |progress| {
            tell(Stage::Search(progress));
            ControlFlow::Continue(())
        })?;
        let uniform = match options.baselines {
            true => uniform(&evaluator, library, &shortlist, options)?,
            false => Vec::new(),
        };
        let (target, judged) = (Target::of(options), left.judged);
        Ok(SchemeSearch { entrant, ranged, selection, uniform, trials, images, target, judged })
    }

    /// The compensators for points of the front.
    pub(super) fn fits(&self, steps: Steps) -> Result<Vec<Compensator<'a>>> {
        let Entrant { prepared, products, .. } = self.entrant;
        compensators(&self.ranged.network, products, steps, &prepared.calibration)
    }

    /// Whoever judges points of this search under `fits`, and goes on from those that were judged before.
    pub(super) fn judge(&mut self, fits: &'a [Compensator<'a>], reference: &Reference) -> Result<Judge<'a>> {
        let Entrant { prepared, products, .. } = self.entrant;
        let judged = std::mem::take(&mut self.judged);
        let judge = Judge::new((prepared, products), fits, self.images, reference, judged)?;
        Ok(judge.with_target(self.target.clone()))
    }

    /// A front of this scheme, to be verified.
    pub(super) fn searched<'s>(&'s self, judge: &'s Judge<'s>, front: &'s [Candidate]) -> Searched<'s> {
        let (scheme, library) = (self.entrant.scheme(), self.entrant.library());
        Searched { scheme, range: self.ranged.method, library, judge, front }
    }
}
