//! Coordinate descent over weight codes: one weight after another gets the code with which the layer comes
//! nearest to the exact network on a sample of windows, given the true approximate products of all others.
//!
//! For output channel `o` let `r_n` be the accumulator less its target in sample `n`, without the product of the
//! weight `w_k` at hand. The code that is chosen is
//! ```text
//! argmin_c  sum_n (r_n + M(x_nk, c) - mean)^2
//!        =  argmin_c  2 sum_x M(x, c) R(x) + sum_x N(x) M(x, c)^2 - (sum_n r_n + sum_x N(x) M(x, c))^2 / N
//! ```
//! where `N(x)` counts the samples whose activation `x_nk` is `x` and `R(x)` is the sum of their `r_n`: one pass
//! over the samples serves all codes. The mean is free because the bias is fitted afterwards
//! ([`scale_shift`](super::scale_shift)).
//!
//! So is the scale, where it is fitted afterwards as well: before each pass the targets of a channel are divided by
//! the slope of their regression on its accumulators, within bounds, so that a multiplier whose products are all too
//! small is not made up for twice.
//!
//! The windows are those of the approximate network up to this layer, so a layer also makes up for what the ones
//! before it do. Rounding weights to make a layer's outputs right instead of the weights is the idea of AdaRound
//! (Nagel et al., ICML 2020) and GPTQ (Frantar et al., ICLR 2023); there products are exact and the error
//! quadratic in the weights, here the products are any table.
//!
//! Sums are floats, which only decide between codes. What a choice of codes gives is computed anew in integers by
//! whoever asked for it.

use super::allowed_codes::AllowedCodes;
use super::patches::Patches;
use super::scale_shift::PLAUSIBLE_SLOPE;
use super::weight_map::is_weight;
use crate::kernels::{
    self, CandidateSums, DESCENT_LANES, DescentLanes, Isa, TapSamples, add_changes, best_candidates,
    correlate, sum_residuals,
};
use crate::multiplier::{ProductTable, Scheme};
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;

/// A better code has to save at least this share of what the present one's terms come to: less is rounding.
const LEAST_GAIN: f64 = 1e-6;

/// The weight codes of a multiplier that differ in any product, those with opposite products as one.
pub(super) struct Candidates {
    rows: Vec<[f32; 256]>,
    /// For each row the codes that have it, and those that have its negative; the first ones are chosen.
    codes: Vec<[Option<u8>; 2]>,
    /// For each weight code its row and whether it has the negative of it.
    of_code: Vec<(u32, bool)>,
}

impl Candidates {
    /// Those of `products` under `scheme`, of the `allowed` ones if only some are.
    pub(super) fn new(products: &ProductTable, scheme: Scheme, allowed: Option<&AllowedCodes>) -> Candidates {
        let mut places: HashMap<Vec<i32>, u32> = HashMap::new();
        let mut candidates =
            Candidates { rows: Vec::new(), codes: Vec::new(), of_code: vec![(0, false); 256] };
        // Small magnitudes first: of equal codes the plainest is chosen.
        let is_candidate =
            |&code: &u8| is_weight(code, scheme) && allowed.is_none_or(|allowed| allowed.allows(code));
        let mut codes: Vec<u8> = (0..=255).filter(is_candidate).collect();
        codes.sort_by_key(|&code| match scheme {
            Scheme::Unsigned => u16::from(code),
            _ => 2 * u16::from((code as i8).unsigned_abs()) + u16::from((code as i8) < 0),
        });
        for code in codes {
            let row = products.row(code);
            let negative: Vec<i32> = row.iter().map(|p| -p).collect();
            let (place, negated) = match (places.get(&row[..]), places.get(&negative)) {
                (Some(&place), _) => (place, false),
                (None, Some(&place)) => (place, true),
                (None, None) => {
                    let place = candidates.rows.len() as u32;
                    places.insert(row.to_vec(), place);
                    candidates.rows.push(row.map(|p| p as f32));
                    candidates.codes.push([None, None]);
                    (place, false)
                }
            };
            candidates.of_code[usize::from(code)] = (place, negated);
            candidates.codes[place as usize][usize::from(negated)].get_or_insert(code);
        }
        candidates
    }

    /// The code with the products at `place`, or their negatives.
    fn code(&self, place: u32, negated: bool) -> Option<u8> {
        self.codes[place as usize][usize::from(negated)]
    }

    /// The products of a code by activation, and their sign.
    fn row(&self, code: u8) -> (&[f32; 256], f32) {
        let (place, negated) = self.of_code[usize::from(code)];
        (&self.rows[place as usize], if negated { -1.0 } else { 1.0 })
    }
}

/// What is the same for all output channels of a group.
struct Tap {
    samples: TapSamples,
    sums: Vec<CandidateSums>,
}

/// What a layer's weights are to be good for.
pub(super) struct Windows<'a> {
    /// Windows of the layer's input, by channel group.
    pub patches: &'a [Patches],
    /// Accumulators there with the present weights, `[window][output channel]`.
    pub acc: &'a [i32],
    /// What they ought to be.
    pub targets: &'a [i32],
    /// Output channels.
    pub channels: usize,
    /// Whether each channel's results will be scaled, so that their scale does not matter now.
    pub free_scale: bool,
}

/// Descends over the weights of a layer, `[output channel][tap]`. Ends after `sweeps` passes over all weights, or
/// when one changes nothing. Returns for each output channel the variance of the accumulators about their targets in
/// the end. Uses all threads.
pub(super) fn descend(
    candidates: &Candidates,
    windows: &Windows,
    weights: &mut [u8],
    sweeps: usize,
) -> Vec<f64> {
    let samples = windows.patches.first().map_or(0, Patches::samples);
    if samples == 0 || weights.is_empty() {
        return vec![0.0; windows.channels];
    }
    let group_weights = weights.len() / windows.patches.len();
    let group =
        |(group, weights): (usize, &mut [u8])| descend_group(candidates, windows, group, weights, sweeps);
    weights.par_chunks_mut(group_weights).enumerate().flat_map_iter(group).collect()
}

/// The same for the channels of one group.
fn descend_group(
    candidates: &Candidates,
    windows: &Windows,
    group: usize,
    weights: &mut [u8],
    sweeps: usize,
) -> Vec<f64> {
    let patches = &windows.patches[group];
    let count = patches.taps();
    let taps: Vec<Tap> = match sweeps {
        0 => Vec::new(),
        _ => (0..count).into_par_iter().map(|tap| Tap::new(candidates, patches.tap(tap))).collect(),
    };
    let group_channels = windows.channels / windows.patches.len();
    let block = |(block, weights): (usize, &mut [u8])| {
        let first = group * group_channels + block * DESCENT_LANES;
        let lanes = weights.len() / count;
        let mut block = Block::new(candidates, &taps, windows, first..first + lanes);
        block.descend(weights, sweeps);
        block.variances(lanes)
    };
    weights.par_chunks_mut(DESCENT_LANES * count).enumerate().flat_map_iter(block).collect()
}

impl Tap {
    fn new(candidates: &Candidates, codes: &[u8]) -> Tap {
        let samples = TapSamples::new(codes);
        let counts: Vec<f64> = (0..samples.codes.len()).map(|i| samples.bucket(i).len() as f64).collect();
        let sums = candidates.rows.iter().zip(&candidates.codes).map(|(row, codes)| {
            let (mut products, mut squares) = (0.0, 0.0);
            for (&code, count) in samples.codes.iter().zip(&counts) {
                let product = f64::from(row[usize::from(code)]);
                products += count * product;
                squares += count * product * product;
            }
            let negation_cost = if codes[1].is_some() { 0.0 } else { f32::INFINITY };
            CandidateSums { products: products as f32, squares: squares as f32, negation_cost }
        });
        Tap { sums: sums.collect(), samples }
    }
}

/// Up to [`DESCENT_LANES`] output channels.
struct Block<'a> {
    isa: Isa,
    candidates: &'a Candidates,
    rows: Vec<&'a [f32; 256]>,
    taps: &'a [Tap],
    /// Accumulators less their targets times the scales, by window.
    residuals: Vec<DescentLanes>,
    /// By window; none if scales stay 1.
    targets: Vec<DescentLanes>,
    scales: DescentLanes,
    /// Sums of the residuals of all samples.
    totals: [f64; DESCENT_LANES],
    /// By code of the tap at hand.
    by_code: Vec<DescentLanes>,
    /// By candidate.
    correlations: Vec<DescentLanes>,
}

impl<'a> Block<'a> {
    /// The block of the output channels `channels`.
    fn new(candidates: &'a Candidates, taps: &'a [Tap], windows: &Windows, channels: Range<usize>) -> Self {
        let lanes = |of: &dyn Fn(usize) -> f32| -> DescentLanes {
            std::array::from_fn(|l| if l < channels.len() { of(channels.start + l) } else { 0.0 })
        };
        let acc = windows.acc.chunks_exact(windows.channels);
        let targets = windows.targets.chunks_exact(windows.channels);
        let residual =
            |(acc, target): (&[i32], &[i32])| lanes(&|o| (i64::from(acc[o]) - i64::from(target[o])) as f32);
        let residuals = acc.zip(targets.clone()).map(residual).collect();
        let targets = match windows.free_scale {
            true => targets.map(|target| lanes(&|o| target[o] as f32)).collect(),
            false => Vec::new(),
        };
        let mut block = Block {
            isa: Isa::best(),
            candidates,
            rows: candidates.rows.iter().collect(),
            taps,
            residuals,
            targets,
            scales: [1.0; DESCENT_LANES],
            totals: [0.0; DESCENT_LANES],
            by_code: vec![[0.0; DESCENT_LANES]; kernels::CODES],
            correlations: vec![[0.0; DESCENT_LANES]; candidates.rows.len()],
        };
        block.add_up();
        block
    }

    /// Sums up the residuals.
    fn add_up(&mut self) {
        self.totals = [0.0; DESCENT_LANES];
        for row in &self.residuals {
            self.totals.iter_mut().zip(row).for_each(|(total, &r)| *total += f64::from(r));
        }
    }

    /// Divides the targets by the slopes of their regression on the accumulators.
    fn rescale(&mut self) {
        if self.targets.is_empty() {
            return;
        }
        let mut sums = [[0f64; DESCENT_LANES]; 4];
        for (residual, target) in self.residuals.iter().zip(&self.targets) {
            for l in 0..DESCENT_LANES {
                let t = f64::from(target[l]);
                let a = f64::from(residual[l]) + t * f64::from(self.scales[l]);
                sums[0][l] += a;
                sums[1][l] += t;
                sums[2][l] += a * a;
                sums[3][l] += a * t;
            }
        }
        let count = self.targets.len() as f64;
        let mut changes = [0f32; DESCENT_LANES];
        for l in 0..DESCENT_LANES {
            let [a, t, aa, at] = sums.map(|sums| sums[l] / count);
            let slope = (at - a * t) / (aa - a * a);
            if PLAUSIBLE_SLOPE.contains(&slope) {
                changes[l] = (1.0 / slope) as f32 - self.scales[l];
                self.scales[l] += changes[l];
            }
        }
        for (residual, target) in self.residuals.iter_mut().zip(&self.targets) {
            for l in 0..DESCENT_LANES {
                residual[l] -= target[l] * changes[l];
            }
        }
        self.add_up();
    }

    fn descend(&mut self, weights: &mut [u8], sweeps: usize) {
        for _ in 0..sweeps {
            self.rescale();
            let mut changed = false;
            for tap in 0..self.taps.len() {
                changed |= self.improve(tap, weights);
            }
            if !changed {
                return;
            }
        }
    }

    /// The variances of the first `lanes` lanes about their targets, in the targets' scale.
    fn variances(&mut self, lanes: usize) -> Vec<f64> {
        self.rescale();
        let count = self.residuals.len() as f64;
        let of = |l: usize| {
            let squares: f64 = self.residuals.iter().map(|row| f64::from(row[l]) * f64::from(row[l])).sum();
            let mean = self.residuals.iter().map(|row| f64::from(row[l])).sum::<f64>() / count;
            let scale = f64::from(self.scales[l]);
            (squares / count - mean * mean).max(0.0) / (scale * scale)
        };
        (0..lanes).map(of).collect()
    }

    /// Gives the weights of one tap better codes; whether any changed.
    fn improve(&mut self, place: usize, weights: &mut [u8]) -> bool {
        let Tap { samples, sums } = &self.taps[place];
        let (count, lanes) = (self.taps.len(), weights.len() / self.taps.len());
        let by_code = &mut self.by_code[..samples.codes.len()];
        let totals = self.totals.map(|total| total as f32);
        sum_residuals(self.isa, samples, &self.residuals, &totals, by_code);
        // Without the products of the present codes.
        let mut base = self.totals;
        for l in 0..lanes {
            let (row, sign) = self.candidates.row(weights[l * count + place]);
            for (i, &code) in samples.codes.iter().enumerate() {
                let product = sign * row[usize::from(code)] * samples.bucket(i).len() as f32;
                by_code[i][l] -= product;
                base[l] -= f64::from(product);
            }
        }
        let base = base.map(|b| b as f32);
        correlate(self.isa, samples, &self.rows, by_code, &mut self.correlations);
        let best = best_candidates(self.isa, sums, &self.correlations, &base, self.residuals.len());
        let mut changes = None;
        for l in 0..lanes {
            let weight = &mut weights[l * count + place];
            let (present, negated) = self.candidates.of_code[usize::from(*weight)];
            if (best.places[l], best.negated[l]) == (present, negated) {
                continue;
            }
            let cost = self.cost(sums, present, negated, l, base[l]);
            let gain = cost - f64::from(best.costs[l]);
            if gain <= LEAST_GAIN * cost.abs() {
                continue;
            }
            let Some(code) = self.candidates.code(best.places[l], best.negated[l]) else { continue };
            let (old, new) = (self.candidates.row(*weight), self.candidates.row(code));
            *weight = code;
            let changes = changes.get_or_insert_with(|| vec![[0f32; DESCENT_LANES]; samples.codes.len()]);
            for (i, &code) in samples.codes.iter().enumerate() {
                let change = new.1 * new.0[usize::from(code)] - old.1 * old.0[usize::from(code)];
                changes[i][l] = change;
                self.totals[l] += f64::from(change) * samples.bucket(i).len() as f64;
            }
        }
        match changes {
            Some(changes) => {
                add_changes(self.isa, samples, &changes, &mut self.residuals);
                true
            }
            None => false,
        }
    }

    /// What the present code of lane `l` costs, as [`best_candidates`] reckons.
    fn cost(&self, sums: &[CandidateSums], place: u32, negated: bool, l: usize, base: f32) -> f64 {
        let sign = if negated { -1.0 } else { 1.0 };
        let CandidateSums { products, squares, .. } = sums[place as usize];
        let sum = base + sign * products;
        let correlation = self.correlations[place as usize][l];
        f64::from(2.0 * sign * correlation + squares - sum * sum / self.residuals.len() as f32)
    }
}

#[cfg(test)]
mod tests;
