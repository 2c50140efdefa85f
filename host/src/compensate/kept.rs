//! Weight codes that depend on a layer and its multiplier alone, made when first asked for.

use super::EXACT_SWEEPS;
use super::allowed_codes::AllowedCodes;
use super::descent::{Candidates, Windows, descend};
use super::exact_run::ExactLayer;
use super::patches::{over_windows, window_rows};
use super::steps::{Descent, Fit, MapRule, Steps};
use super::weight_map::{alwann, alwann_among, is_weight, weighted, weighted_among};
use crate::emulate::{ApproximateConv, ConvPlan};
use crate::error::Result;
use crate::multiplier::{Choice, ProductCache, ProductTable, Scheme};
use crate::quantize::QuantizedConv;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The weight codes of a layer for one multiplier.
#[derive(Debug)]
pub(super) struct Kept {
    /// As in [`QuantizedConv::weights`].
    pub weights: Vec<u8>,
    /// What is left of the multiplier's errors: the variance of the layer's results about the exact ones, summed
    /// over its output channels, in units of their real values squared; with the exact network before it.
    pub noise: Option<f64>,
}

/// What the codes depend on: the place of the layer among those that multiply, its multiplier, the rules, whether
/// scales are fitted afterwards, and how codes are restricted.
type Key = (usize, Choice, MapRule, Descent, bool, Option<Restriction>);

/// How many codes are left, and whether means are made up for, which decides which.
type Restriction = (u8, bool);

/// Codes that weights may take, by multiplier, as far as it matters the input's zero point, and restriction.
type AllowedBy = HashMap<(Choice, u8, Restriction), Option<Arc<AllowedCodes>>>;

fn restriction(steps: Steps) -> Option<Restriction> {
    steps.max_codes.map(|count| (count, steps.fit != Fit::None))
}

/// All that were made so far.
#[derive(Default)]
pub(super) struct KeptCodes {
    codes: Mutex<HashMap<Key, Arc<Kept>>>,
    allowed: Mutex<AllowedBy>,
}

impl KeptCodes {
    /// The codes that weights may take for `choice` in layers whose input has `zero_point`, as `choose` finds them from
    /// the number of rows and whether means are made up for; `None` if all.
    pub(super) fn allowed(
        &self,
        steps: Steps,
        (choice, zero_point): (Choice, u8),
        choose: impl FnOnce(usize, bool) -> Result<Option<AllowedCodes>>,
    ) -> Result<Option<Arc<AllowedCodes>>> {
        let Some(restriction @ (count, free_mean)) = restriction(steps) else { return Ok(None) };
        let key = (choice, zero_point, restriction);
        let lock = || self.allowed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(known) = lock().get(&key) {
            return Ok(known.clone());
        }
        let chosen = choose(count.into(), free_mean)?.map(Arc::new);
        Ok(lock().entry(key).or_insert(chosen).clone())
    }

    /// The codes of the convolution at place `layer`, which is `conv`, for `choice`; `exact` is what the exact
    /// network has there, if it was run. They are `allowed` ones, if only some are. Uses all threads.
    pub(super) fn get(
        &self,
        steps: Steps,
        products: &ProductCache,
        (layer, conv): (usize, &QuantizedConv),
        exact: Option<&ExactLayer>,
        choice: Choice,
        allowed: Option<&AllowedCodes>,
    ) -> Result<Arc<Kept>> {
        // Codes for the approximate network begin with those of the map.
        let descent = if steps.descent == Descent::OnExact { Descent::OnExact } else { Descent::None };
        let free_scale = steps.fit == Fit::ScaleShift;
        let key = (layer, choice, steps.map, descent, free_scale, restriction(steps));
        let lock = || self.codes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(kept) = lock().get(&key) {
            return Ok(kept.clone());
        }
        // Not under the lock: it takes all threads, and one of them may come back for other codes.
        let table = products.get(choice, conv.input_zero_point)?;
        let reference = products.get(Choice::exact(products.library()), conv.input_zero_point)?;
        let mut approximate = ApproximateConv::uncompensated(conv, products.scheme(), table.clone());
        if let Some(map) = map(steps.map, (products.scheme(), allowed), exact, &reference, &table) {
            approximate.weights.iter_mut().for_each(|w| *w = map[usize::from(*w)]);
        }
        let noise = match exact {
            Some(exact) => {
                let sweeps = if descent == Descent::OnExact { EXACT_SWEEPS } else { 0 };
                Some(descend_on_exact(
                    conv,
                    products.scheme(),
                    exact,
                    (&mut approximate, allowed),
                    (sweeps, free_scale),
                )?)
            }
            None => None,
        };
        let kept = Arc::new(Kept { weights: approximate.weights, noise });
        Ok(lock().entry(key).or_insert(kept).clone())
    }
}

/// The map of a rule; none if it is not known what occurs. Where only some codes are allowed there always is one: no
/// rule then leaves a weight as it is if it may stay.
fn map(
    rule: MapRule,
    (scheme, allowed): (Scheme, Option<&AllowedCodes>),
    exact: Option<&ExactLayer>,
    reference: &ProductTable,
    products: &ProductTable,
) -> Option<[u8; 256]> {
    let variance = rule == MapRule::Variance;
    let Some(allowed) = allowed else {
        return match rule {
            MapRule::None => None,
            MapRule::Alwann => Some(alwann(reference, products, scheme)),
            MapRule::Squared | MapRule::Variance => {
                exact.map(|exact| weighted(reference, products, scheme, &exact.shares, variance))
            }
        };
    };
    let among = (scheme, &(|code| is_weight(code, scheme) && allowed.allows(code)) as _);
    let shares = exact.map_or([1.0 / 256.0; 256], |exact| exact.shares);
    Some(match rule {
        MapRule::Alwann => alwann_among(reference, products, among),
        MapRule::Squared | MapRule::Variance => weighted_among(reference, products, &shares, variance, among),
        MapRule::None => {
            let nearest = weighted_among(reference, products, &shares, false, among);
            std::array::from_fn(|w| allowed.same_as(w as u8).unwrap_or(nearest[w]))
        }
    })
}

/// Descends from the codes of `approximate` on what the exact network gives the layer; what noise is left.
fn descend_on_exact(
    conv: &QuantizedConv,
    scheme: Scheme,
    exact: &ExactLayer,
    (approximate, allowed): (&mut ApproximateConv, Option<&AllowedCodes>),
    (sweeps, free_scale): (usize, bool),
) -> Result<f64> {
    let small = over_windows(conv);
    let mut acc = vec![0; exact.patches.first().map_or(0, |p| p.samples()) * conv.outputs()];
    ConvPlan::new(&small, scheme, approximate)?.accumulate(&window_rows(conv, &exact.patches), &mut acc);
    let windows = Windows {
        patches: &exact.patches,
        acc: &acc,
        targets: exact.exact_targets(),
        channels: conv.outputs(),
        free_scale,
    };
    let candidates = Candidates::new(&approximate.products, scheme, allowed);
    let variances = descend(&candidates, &windows, &mut approximate.weights, sweeps);
    let scales = (0..conv.outputs()).map(|o| conv.accumulator_scale(scheme, o));
    Ok(variances.iter().zip(scales).map(|(variance, scale)| variance * scale * scale).sum())
}

#[cfg(test)]
mod tests;
