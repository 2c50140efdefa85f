//! Ranges of activations, chosen with the multipliers in mind.
//!
//! A narrow range clips what is large and codes all else more finely. How much to clip depends on the multiplier: one that
//! errs by so many units, or that drops last bits, errs the less in real values the finer the units are, while an
//! exact one gains little for what is lost at the top. So before a search several ways to choose ranges are tried.

use super::evaluator::Answers;
use super::judge::Images;
use super::trial::{TrialPoint, divergences, most_points, trial};
use crate::compensate::{Compensator, Steps};
use crate::error::Result;
use crate::multiplier::ProductCache;
use crate::prepare::Prepared;
use crate::quantize::{QuantizedNetwork, RangeMethod};
use std::sync::Arc;

/// A network with the ranges of its activations chosen in one way.
pub(super) struct Ranged {
    /// The way.
    pub method: RangeMethod,
    /// The network.
    pub network: QuantizedNetwork,
}

impl Ranged {
    /// `prepared`'s network as it is, then with ranges chosen in `other` ways.
    pub(super) fn all(prepared: &Prepared, other: &[RangeMethod]) -> Result<Vec<Ranged>> {
        let own = Ranged { method: prepared.range_method(), network: prepared.quantized.clone() };
        let other =
            other.iter().map(|&method| Ok(Ranged { method, network: prepared.quantized_by(method)? }));
        std::iter::once(Ok(own)).chain(other).collect()
    }
}

/// Tries each of `networks` with a few multipliers: the place of the one of least divergence, and how many assignments
/// were measured. Divergences are from the exact network of the first; its points are known if it took part in another
/// trial. `done` is told how many of how many points there are.
pub(super) fn best(
    networks: &[Ranged],
    products: &ProductCache,
    images: &Images,
    steps: Steps,
    known: Option<Vec<TrialPoint>>,
    done: &(dyn Fn(usize, usize) + Sync),
) -> Result<(usize, usize)> {
    let [first, _, ..] = networks else { return Ok((0, 0)) };
    let exact = Compensator::new(&first.network, products, Steps::NONE, &[])?;
    let reference = Arc::new(Answers::of_exact(&exact, &images.search)?);
    let mut trials: Vec<Vec<TrialPoint>> = known.into_iter().collect();
    let known = trials.len();
    for ranged in &networks[known..] {
        let before = (trials.len() - known) * most_points();
        let tell = |count| done(before + count, (networks.len() - known) * most_points());
        trials.push(trial(&ranged.network, products, images, steps, Some(&reference), tell)?);
    }
    let divergences = divergences(&trials);
    let best = (0..trials.len()).min_by(|&a, &b| divergences[a].total_cmp(&divergences[b]));
    Ok((best.unwrap_or(0), trials[known..].iter().map(Vec::len).sum()))
}
