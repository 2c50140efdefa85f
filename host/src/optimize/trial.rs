//! Which of several schemes, and of several ranges of activations, are worth a search.
//!
//! A search takes minutes. One multiplier in every layer, compensated, takes a second, and schemes differ by far more
//! than assignments of the same scheme do: what a scheme makes of a few good multipliers tells whether it has a
//! chance.

use super::evaluator::{Answers, Evaluator};
use super::judge::Images;
use crate::compensate::{Compensator, Steps};
use crate::error::Result;
use crate::multiplier::{Choice, Library, ProductCache};
use crate::quantize::QuantizedNetwork;
use std::sync::Arc;

/// Of each of these powers (relative to the exact multiplier's) and less, the multiplier of least mean error is tried.
const POWERS_REL: [f64; 6] = [0.7, 0.45, 0.28, 0.18, 0.11, 0.07];

/// How many times as much another scheme has to diverge for as little energy: less is luck, as the multipliers are few
/// and so are the images.
const CLEARLY: f64 = 1.25;

/// Divergences (nats) beyond this are no use at any energy.
const USELESS: f64 = 0.5;

/// Divergences (nats) below this one are as good as none.
const LEAST_KL: f64 = 1e-5;

/// What a multiplier does in every layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TrialPoint {
    /// Energy of its multiplications, relative to the exact multiplier's.
    energy_rel: f64,
    /// Divergence from an exact network, nats.
    kl: f64,
}

/// The points of a network, compensated as in the search and measured on its images. Divergences are from `reference`,
/// or from the exact network itself. `done` is told how many there are.
pub(super) fn trial(
    network: &QuantizedNetwork,
    products: &ProductCache,
    images: &Images,
    steps: Steps,
    reference: Option<&Arc<Answers>>,
    done: impl Fn(usize),
) -> Result<Vec<TrialPoint>> {
    let steps = steps.with_kept_codes();
    let compensator = Compensator::new(network, products, steps, &images.search_fit.codes)?;
    let evaluator = match reference {
        Some(reference) => Evaluator::against(&compensator, &images.search, reference.clone()),
        None => Evaluator::new(&compensator, &images.search)?,
    };
    let layers = network.convs().count();
    let library = products.library();
    let mut points = Vec::new();
    for choice in contestants(library) {
        let kl = evaluator.measure(&vec![choice; layers])?.kl;
        points.push(TrialPoint { energy_rel: library.multipliers()[choice.multiplier].power_rel, kl });
        done(points.len());
    }
    Ok(points)
}

/// How many points a trial has at most.
pub(super) const fn most_points() -> usize {
    POWERS_REL.len()
}

/// The multipliers that are tried, each once.
fn contestants(library: &Library) -> Vec<Choice> {
    let multipliers = library.multipliers();
    let of_power = |&power_rel: &f64| {
        let cheap = (0..multipliers.len()).filter(|&m| multipliers[m].power_rel <= power_rel);
        let error = |m: &usize| multipliers[*m].statistics.mae_pct;
        cheap.min_by(|a, b| error(a).total_cmp(&error(b)))
    };
    let mut places: Vec<usize> = POWERS_REL.iter().filter_map(of_power).collect();
    places.dedup();
    places.into_iter().map(|multiplier| Choice { multiplier, swapped: false }).collect()
}

/// Which of several schemes, by their points, are worth a search; at least one. The one with most points that no point of
/// another beats comes first (of equals the first one); others are worth one as well if at some energy they diverge
/// [clearly](CLEARLY) less than all that are.
pub(super) fn worth_a_search(trials: &[Vec<TrialPoint>]) -> Vec<bool> {
    let beaten = |point: &TrialPoint, others: &[TrialPoint], factor: f64| {
        others.iter().any(|o| o.energy_rel <= point.energy_rel && o.kl <= factor * point.kl)
    };
    let useful = |points: &[TrialPoint]| -> Vec<TrialPoint> {
        points.iter().filter(|point| point.kl <= USELESS).copied().collect()
    };
    let useful: Vec<Vec<TrialPoint>> = trials.iter().map(|points| useful(points)).collect();
    let mut order: Vec<usize> = (0..trials.len()).collect();
    order.sort_by_cached_key(|&scheme| {
        let others = || (0..trials.len()).filter(|&other| other != scheme);
        let unbeaten = |point: &&TrialPoint| !others().any(|other| beaten(point, &useful[other], 1.0));
        std::cmp::Reverse(useful[scheme].iter().filter(unbeaten).count())
    });
    let mut worth = vec![false; trials.len()];
    let mut accepted: Vec<TrialPoint> = Vec::new();
    for (rank, scheme) in order.into_iter().enumerate() {
        let better = |point: &TrialPoint| !beaten(point, &accepted, CLEARLY);
        worth[scheme] = rank == 0 || useful[scheme].iter().any(better);
        if worth[scheme] {
            accepted.extend(&useful[scheme]);
        }
    }
    worth
}

/// The logarithm of the divergences of each of several trials of the same multipliers, on average of those multipliers
/// that are of any use in one of them.
pub(super) fn divergences(trials: &[Vec<TrialPoint>]) -> Vec<f64> {
    let useful = |place: usize| trials.iter().any(|points| points[place].kl <= USELESS);
    let places: Vec<usize> = (0..trials.first().map_or(0, Vec::len)).filter(|&place| useful(place)).collect();
    let log = |points: &Vec<TrialPoint>, place: &usize| points[*place].kl.max(LEAST_KL).ln();
    let mean = |points: &Vec<TrialPoint>| {
        places.iter().map(|place| log(points, place)).sum::<f64>() / places.len().max(1) as f64
    };
    trials.iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points<const N: usize>(points: [(f64, f64); N]) -> Vec<TrialPoint> {
        points.into_iter().map(|(energy_rel, kl)| TrialPoint { energy_rel, kl }).collect()
    }

    #[test]
    fn a_scheme_that_another_beats_everywhere_is_not_searched() {
        let good = points([(0.7, 0.001), (0.3, 0.01), (0.1, 0.1)]);
        let bad = points([(0.7, 0.002), (0.3, 0.2), (0.1, 0.4)]);
        // Better at the low end, though no good above it.
        let special = points([(0.7, 0.2), (0.08, 0.09)]);
        // Better only where nothing is any use.
        let useless = points([(0.7, 0.2), (0.01, 2.0)]);
        let nearly = points([(0.7, 0.0009), (0.3, 0.011), (0.1, 0.11)]);
        assert_eq!(worth_a_search(&[good.clone(), bad.clone()]), [true, false]);
        assert_eq!(worth_a_search(&[bad.clone(), good.clone()]), [false, true]);
        assert_eq!(worth_a_search(&[good.clone(), special, bad]), [true, true, false]);
        assert_eq!(worth_a_search(&[good.clone(), useless.clone()]), [true, false]);
        // Of two that hardly differ the one is searched that does better in more places, of equals the first.
        assert_eq!(worth_a_search(&[nearly, good.clone()]), [false, true]);
        assert_eq!(worth_a_search(&[good.clone(), good]), [true, false]);
        // Nothing is any use.
        assert_eq!(worth_a_search(&[points([(0.5, 1.0)]), points([(0.5, 0.9)])]), [true, false]);
        assert_eq!(worth_a_search(&[points([(0.5, 1.0)]), useless]), [false, true]);
    }

    #[test]
    fn what_is_no_use_in_any_trial_is_not_compared() {
        let wide = points([(0.7, 0.001), (0.3, 0.04), (0.1, 3.0)]);
        let narrow = points([(0.7, 0.002), (0.3, 0.01), (0.1, 1.0)]);
        let found = divergences(&[wide, narrow]);
        let wanted = [(0.001f64 * 0.04).ln() / 2.0, (0.002f64 * 0.01).ln() / 2.0];
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        // As good as none is as good as any that is; nothing to compare is no panic.
        let none = divergences(&[points([(0.7, 0.0)]), points([(0.7, 1e-6)])]);
        assert_eq!(none[0], none[1]);
        assert_eq!(divergences(&[points([(0.7, 1.0)]), points([(0.7, 2.0)])]), [0.0, 0.0]);
        assert_eq!(divergences(&[]), [0.0; 0]);
    }

    #[test]
    fn contestants_are_the_best_of_their_power() {
        for signed in [false, true] {
            let library = Library::builtin(signed);
            let contestants = contestants(&library);
            assert_eq!(contestants.len(), most_points());
            let of = |choice: &Choice| &library.multipliers()[choice.multiplier];
            for (choice, power_rel) in contestants.iter().zip(POWERS_REL) {
                let error = of(choice).statistics.mae_pct;
                let others = library.multipliers().iter().filter(|m| m.power_rel <= power_rel);
                assert!(of(choice).power_rel <= power_rel);
                assert!(others.into_iter().all(|m| m.statistics.mae_pct >= error));
            }
        }
        let low_bit = contestants(&Library::low_bit(false));
        assert!(!low_bit.is_empty() && low_bit.len() <= most_points());
    }
}
