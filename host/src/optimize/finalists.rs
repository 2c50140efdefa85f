//! From a search's front to points that were compensated in full and measured anew, and the best of them for each
//! loss budget.

use super::assignments::Candidate;
use super::evaluator::Measured;
use super::judge::{Fitted, Judge};
use super::objectives::unbeaten;
use super::on_device::OnDevice;
use crate::error::Result;

/// Losses (percentage points) beyond the largest budget that points may have had while searching to be measured
/// anew: full compensation takes some of it back.
const SLACK_PP: f64 = 1.5;

/// A point that was compensated in full.
pub struct Finalist {
    /// As it was in the search.
    pub candidate: Candidate,
    /// Its compensation.
    pub(super) fitted: Fitted,
    /// What it does on the images that points are chosen on.
    pub choice: Measured,
    /// What its image takes, if anything is asked of it.
    pub(super) image: Option<OnDevice>,
    /// What the judge's further objectives come to.
    pub costs: Vec<f64>,
}

impl Finalist {
    /// What is to be small at a point of a front.
    pub(super) fn figures(&self) -> Vec<f64> {
        let mut figures = vec![-self.candidate.energy.saved_pct, self.choice.kl];
        figures.extend(&self.costs);
        figures
    }
}

/// Measures at most `count` points of `front`, which goes from the least saving to the most: some spread over all of
/// it first, then those between the last point that keeps a budget and the next that was measured.
/// Points that others beat in saving, divergence and all further objectives are left out in the end. `done` is told how many were measured.
pub(super) fn finalists(
    front: &[Candidate],
    judge: &Judge,
    budgets_pp: &[f64],
    count: usize,
    mut done: impl FnMut(usize),
) -> Result<Vec<Finalist>> {
    let most = budgets_pp.iter().copied().fold(0.0, f64::max) + SLACK_PP;
    let front = front.iter().filter(|c| c.measured.loss_pp <= most).collect();
    let front = judge.target().quick_enough(front);
    let mut measured: Vec<Option<Finalist>> = front.iter().map(|_| None).collect();
    let spread = (count / 2).clamp(1, front.len().max(1));
    let mut waiting: Vec<usize> =
        (0..spread.min(front.len())).map(|i| i * (front.len() - 1) / (spread - 1).max(1)).collect();
    waiting.dedup();
    let mut finished = 0;
    while finished < count.max(1) {
        let next = waiting.pop().or_else(|| {
            let losses: Vec<Option<f64>> =
                measured.iter().map(|point| point.as_ref().map(|point| point.choice.loss_pp)).collect();
            budgets_pp.iter().find_map(|&budget| undecided(&losses, budget))
        });
        let Some(index) = next else { break };
        let (fitted, choice) = judge.judge(&front[index].assignment)?;
        let (image, costs) = judge.on_device(&front[index].assignment, &fitted)?;
        measured[index] = Some(Finalist { candidate: front[index].clone(), fitted, choice, image, costs });
        finished += 1;
        done(finished);
    }
    let measured: Vec<Finalist> = measured.into_iter().flatten().collect();
    let kept = unbeaten(&measured.iter().map(Finalist::figures).collect::<Vec<_>>());
    let mut measured: Vec<Option<Finalist>> = measured.into_iter().map(Some).collect();
    Ok(kept.into_iter().filter_map(|i| measured[i].take()).collect())
}

/// The point in the middle between the last one that is known to keep the budget and the next one known.
fn undecided(losses_pp: &[Option<f64>], budget_pp: f64) -> Option<usize> {
    let keeps = |loss: &Option<f64>| loss.is_some_and(|loss| loss <= budget_pp);
    let last = losses_pp.iter().rposition(keeps);
    let first = last.map_or(0, |last| last + 1);
    let unknown = losses_pp[first..].iter().take_while(|loss| loss.is_none()).count();
    (unknown > 0).then(|| first + unknown / 2)
}

/// The last of the points of a front, from the least saving to the most, that keeps a loss budget on the images for
/// choosing. These are training images, which the network has learned: an answer that changes there was mostly right,
/// so that the loss on new images is mostly smaller.
///
/// On few images a point may lose little by luck, and the more points there are the likelier it is that one did. Losses
/// grow with divergence, which is known better: where points before it seem to lose more, half of these and it have to
/// keep the budget as well.
pub(super) fn best_within(losses_pp: &[f64], budget_pp: f64) -> Option<usize> {
    let growing = growing(losses_pp);
    (0..losses_pp.len()).rfind(|&i| losses_pp[i] <= budget_pp && growing[i] <= budget_pp)
}

/// The growing sequence nearest to `values` by the sum of absolute differences, which no single value pulls far: isotonic
/// regression by pooling of adjacent violators (Ayer et al., Annals of Mathematical Statistics 26, 1955), with the medians
/// of the pools.
fn growing(values: &[f64]) -> Vec<f64> {
    let mut pools: Vec<Vec<f64>> = Vec::new();
    for &value in values {
        let mut pool = vec![value];
        while let Some(before) = pools.pop_if(|before| median(before) >= median(&pool)) {
            pool.extend(before);
            pool.sort_by(f64::total_cmp);
        }
        pools.push(pool);
    }
    pools.iter().flat_map(|pool| std::iter::repeat_n(median(pool), pool.len())).collect()
}

/// The median of at least one value, in order.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { 0.5 * (sorted[middle - 1] + sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_between_known_ones_are_asked_for_until_the_budget_is_decided() {
        let all = [0.0, 0.1, 0.1, 0.3, 0.2, 0.5, 0.9, 1.4];
        let mut known: Vec<Option<f64>> = vec![None; all.len()];
        (known[0], known[7]) = (Some(all[0]), Some(all[7]));
        let mut asked = Vec::new();
        while let Some(index) = undecided(&known, 0.25) {
            asked.push(index);
            known[index] = Some(all[index]);
        }
        assert_eq!(asked, [4, 6, 5]);
        assert_eq!(undecided(&[None, None, None], 0.5), Some(1));
        assert_eq!(undecided(&[Some(0.9)], 0.5), None);
        assert_eq!(undecided(&[], 0.5), None);
    }

    #[test]
    fn neither_a_lucky_nor_an_unlucky_point_decides() {
        assert_eq!(growing(&[0.0, 2.0, 1.0, 3.0, -1.0, 7.0]), [0.0, 1.5, 1.5, 1.5, 1.5, 7.0]);
        assert_eq!(growing(&[]), [0.0; 0]);
        assert_eq!(best_within(&[0.0, 0.5, 1.0], 0.6), Some(1));
        // The fourth loses 0.5 only by itself, with the third 0.95.
        assert_eq!(best_within(&[0.0, 0.9, 1.4, 0.5], 0.6), Some(0));
        // The second loses too much, the third and the two together do not.
        assert_eq!(best_within(&[0.0, 0.8, 0.2, 2.0], 0.6), Some(2));
        // The second alone does not tell against the two after it.
        assert_eq!(best_within(&[0.0, 3.0, 0.5, 0.55], 0.6), Some(3));
        assert_eq!(best_within(&[0.3], 0.2), None);
    }
}
