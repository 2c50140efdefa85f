//! From the fronts of searches to points that were compensated in full, chosen from and tested.

use super::assignments::Candidate;
use super::evaluator::Measured;
use super::finalists::{Finalist, best_within, finalists};
use super::judge::Judge;
use super::objectives::unbeaten;
use super::run::names;
use crate::error::Result;
use crate::multiplier::{Library, Scheme};
use crate::quantize::RangeMethod;

/// The front of one search, and who judges its points.
pub(super) struct Searched<'a> {
    /// How products are formed.
    pub scheme: Scheme,
    /// How ranges of activations are chosen.
    pub range: RangeMethod,
    /// What the assignments are of.
    pub library: &'a Library,
    /// The judge.
    pub judge: &'a Judge<'a>,
    /// From the least saving to the most.
    pub front: &'a [Candidate],
}

/// A point that was measured on the test images.
pub(super) struct Verified<'a> {
    /// How products are formed.
    pub scheme: Scheme,
    /// How ranges of activations are chosen.
    pub range: RangeMethod,
    /// Which of the searches found it.
    pub search: usize,
    /// The multiplier of each layer.
    pub assignment: Vec<String>,
    /// Where their costs come from.
    pub library: &'a Library,
    /// As it was chosen from.
    pub finalist: Finalist,
    /// What it does on the test images.
    pub test: Measured,
}

/// The places of the points that none beats in saving and divergence, whatever the further objectives, among those that
/// are `allowed`; losses grow along them.
fn by_saving(verified: &[Verified], allowed: impl Fn(&Verified) -> bool) -> Vec<usize> {
    let allowed: Vec<usize> = (0..verified.len()).filter(|&place| allowed(&verified[place])).collect();
    let figures = |&place: &usize| verified[place].finalist.figures()[..2].to_vec();
    let kept = unbeaten(&allowed.iter().map(figures).collect::<Vec<_>>());
    kept.into_iter().map(|i| allowed[i]).collect()
}

/// Of the points that are `allowed` the one that saves most within a loss budget (percentage points).
pub(super) fn best_by_saving(
    verified: &[Verified],
    budget_pp: f64,
    allowed: impl Fn(&Verified) -> bool,
) -> Option<usize> {
    let places = by_saving(verified, allowed);
    let losses: Vec<f64> = places.iter().map(|&place| verified[place].finalist.choice.loss_pp).collect();
    best_within(&losses, budget_pp).map(|i| places[i])
}

/// How far a verification is.
pub(super) enum Step {
    /// So many points are compensated in full.
    Compensated(usize),
    /// So many points, of so many, are tested.
    Tested(usize, usize),
}

/// At most `count` points of each front, compensated in full; those of all that none beats in saving, divergence and
/// further objectives are
/// measured on the test images. From the least saving to the most.
pub(super) fn verify<'a>(
    searched: &[Searched<'a>],
    budgets_pp: &[f64],
    count: usize,
    tell: &dyn Fn(Step),
) -> Result<Vec<Verified<'a>>> {
    let mut all: Vec<(usize, Finalist)> = Vec::new();
    for (search, of) in searched.iter().enumerate() {
        let before = all.len();
        let done = |done| tell(Step::Compensated(before + done));
        let found = finalists(of.front, of.judge, budgets_pp, count, done)?;
        all.extend(found.into_iter().map(|finalist| (search, finalist)));
    }
    let saved = |place: usize| all[place].1.candidate.energy.saved_pct;
    let mut kept = unbeaten(&all.iter().map(|(_, finalist)| finalist.figures()).collect::<Vec<_>>());
    kept.sort_by(|&a, &b| saved(a).total_cmp(&saved(b)));
    let mut all: Vec<Option<(usize, Finalist)>> = all.into_iter().map(Some).collect();
    let mut verified = Vec::new();
    for (search, finalist) in kept.iter().filter_map(|&place| all[place].take()) {
        let of = &searched[search];
        let test = of.judge.test(&finalist.fitted)?;
        verified.push(Verified {
            scheme: of.scheme,
            range: of.range,
            search,
            assignment: names(of.library, &finalist.candidate.assignment),
            library: of.library,
            finalist,
            test,
        });
        tell(Step::Tested(verified.len(), kept.len()));
    }
    Ok(verified)
}
