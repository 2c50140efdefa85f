//! Per-channel scale and shift: each output channel is fitted, by least squares, to the accumulators the
//! exact network has on the same calibration images, and the fit is folded into requantization and bias.
//!
//! With `a` the channel's approximate accumulators and `t` the exact ones, both including their biases:
//! ```text
//! rho = cov(a, t) / var(a)        shift = mean(t) / rho - mean(a)
//! t ~ rho * (a + shift)
//! ```
//! Means and moments are weighted: results that the exact network clips, by a ReLU mostly, count for an eighth of those
//! it sees. A line that runs through both alike gives up accuracy where it matters for some where it does not.

use crate::emulate::ApproximateConv;
use crate::kernels::{self, Isa};
use crate::multiplier::Scheme;
use crate::quantize::{QuantizedConv, requantization};
use rayon::prelude::*;

/// Slopes outside these bounds come from channels that carry no signal; those keep their scale.
pub(super) const PLAUSIBLE_SLOPE: std::ops::RangeInclusive<f64> = 0.25..=4.0;

/// How many times a result that is not clipped counts. Of a third, a tenth and a fiftieth for the others a tenth
/// leaves the least divergence from the exact network; a power of two costs no more than any other integer.
const SEEN_WEIGHT: i128 = 8;

/// Pixels whose moments one task sums up.
const CHUNK_PIXELS: usize = 1024;
/// Channels whose sums are kept in registers.
const LANES: usize = 8;

/// Fits `approximate` to `target`, with each channel's scale kept if only biases are to be fitted; both
/// accumulator arrays are `[image and pixel][output channel]`, and so is `seen`, which says what is not clipped;
/// where it is empty all count alike. Returns what was added to each channel's bias, in
/// accumulator steps. Uses all threads.
pub fn fit(
    conv: &QuantizedConv,
    scheme: Scheme,
    approximate: &mut ApproximateConv,
    (acc, target): (&[i32], &[i32]),
    seen: &[bool],
    bias_only: bool,
) -> Vec<i32> {
    let mut moments = moments(acc, target, conv.outputs());
    if !seen.is_empty() {
        add_seen(&mut moments, (acc, target), seen);
    }
    let shifts = moments.iter().enumerate().map(|(o, moments)| {
        let (slope, shift) = if bias_only { (1.0, moments.shift(1.0)) } else { moments.line() };
        let nominal = conv.accumulator_scale(scheme, o) / conv.output_scale;
        approximate.requantization[o] = requantization(slope * nominal);
        approximate.bias[o] += i64::from(shift);
        shift
    });
    shifts.collect()
}

/// The moments of each output channel.
fn moments(acc: &[i32], target: &[i32], outputs: usize) -> Vec<Moments> {
    let chunk = CHUNK_PIXELS * outputs;
    let chunks = acc.par_chunks(chunk).zip(target.par_chunks(chunk));
    let chunks = chunks.map(|(acc, target)| chunk_moments(acc, target, outputs));
    chunks.reduce(|| vec![Moments::default(); outputs], merge_all)
}

/// Lets what is `seen` count [`SEEN_WEIGHT`] times in `moments`, which hold it once already.
fn add_seen(moments: &mut [Moments], (acc, target): (&[i32], &[i32]), seen: &[bool]) {
    let outputs = moments.len();
    let chunk = CHUNK_PIXELS * outputs;
    let chunks = acc.par_chunks(chunk).zip(target.par_chunks(chunk)).zip(seen.par_chunks(chunk));
    let of_seen = chunks.map(|((acc, target), seen)| {
        // Zeros add nothing to any sum but the count.
        let only = |values: &[i32]| -> Vec<i32> {
            values.iter().zip(seen).map(|(&value, &seen)| if seen { value } else { 0 }).collect()
        };
        let mut moments = chunk_moments(&only(acc), &only(target), outputs);
        moments.iter_mut().for_each(|moments| moments.count = 0);
        for row in seen.chunks_exact(outputs) {
            moments.iter_mut().zip(row).for_each(|(moments, &seen)| moments.count += i128::from(seen));
        }
        moments
    });
    let of_seen = of_seen.reduce(|| vec![Moments::default(); outputs], merge_all);
    moments.iter_mut().zip(&of_seen).for_each(|(sum, seen)| sum.merge(seen, SEEN_WEIGHT - 1));
}

/// The sums of two sets of moments.
fn merge_all(mut sums: Vec<Moments>, more: Vec<Moments>) -> Vec<Moments> {
    sums.iter_mut().zip(&more).for_each(|(sum, more)| sum.merge(more, 1));
    sums
}

/// The moments of each output channel over some pixels: in 64 bits if the values are so small that no sum
/// can overflow, as they mostly are.
fn chunk_moments(acc: &[i32], target: &[i32], outputs: usize) -> Vec<Moments> {
    let pixels = acc.len() / outputs;
    let rows = acc.chunks_exact(outputs).zip(target.chunks_exact(outputs));
    if !fits_64_bits(pixels, acc, target) {
        let mut moments = vec![Moments::default(); outputs];
        for (acc, target) in rows {
            moments.iter_mut().zip(acc).zip(target).for_each(|((moments, &a), &t)| moments.add(a, t));
        }
        return moments;
    }
    let mut moments = Vec::with_capacity(outputs);
    for first in (0..outputs).step_by(LANES) {
        let mut sums = [[0i64; LANES]; 4];
        kernels::add_moments(Isa::best(), (acc, target), outputs, first, &mut sums);
        moments.extend((0..LANES.min(outputs - first)).map(|o| {
            let [a, t, aa, at] = sums.map(|sums| i128::from(sums[o]));
            Moments { count: pixels as i128, a, t, aa, at }
        }));
    }
    moments
}

/// Whether `pixels` products of any two of the values add up to no more than an i64 holds.
fn fits_64_bits(pixels: usize, acc: &[i32], target: &[i32]) -> bool {
    let largest = |values: &[i32]| values.iter().map(|v| v.unsigned_abs()).max().unwrap_or(0);
    let largest = u128::from(largest(acc).max(largest(target)));
    pixels as u128 * largest * largest <= i64::MAX as u128
}

/// Sums over one channel, exact: integers, so that their order does not matter.
#[derive(Debug, Clone, Default, PartialEq)]
struct Moments {
    count: i128,
    a: i128,
    t: i128,
    aa: i128,
    at: i128,
}

impl Moments {
    fn add(&mut self, a: i32, t: i32) {
        self.count += 1;
        self.a += i128::from(a);
        self.t += i128::from(t);
        self.aa += i128::from(i64::from(a) * i64::from(a));
        self.at += i128::from(i64::from(a) * i64::from(t));
    }

    /// Adds `other` so many times.
    fn merge(&mut self, other: &Moments, times: i128) {
        self.count += times * other.count;
        self.a += times * other.a;
        self.t += times * other.t;
        self.aa += times * other.aa;
        self.at += times * other.at;
    }

    /// Slope and shift of `t ~ slope * (a + shift)`.
    fn line(&self) -> (f64, i32) {
        let variance = self.count * self.aa - self.a * self.a;
        let covariance = self.count * self.at - self.a * self.t;
        let slope = covariance as f64 / variance as f64;
        let slope = if PLAUSIBLE_SLOPE.contains(&slope) { slope } else { 1.0 };
        (slope, self.shift(slope))
    }

    /// The shift that makes the means equal under `slope`.
    fn shift(&self, slope: f64) -> i32 {
        let count = self.count.max(1) as f64;
        (self.t as f64 / count / slope - self.a as f64 / count).round() as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(pairs: &[(i32, i32)]) -> (f64, i32) {
        let mut moments = Moments::default();
        pairs.iter().for_each(|&(a, t)| moments.add(a, t));
        moments.line()
    }

    #[test]
    fn recovers_a_line() {
        // t = 1.5 * (a + 40)
        let pairs: Vec<(i32, i32)> = (-10..10).map(|i| (i * 20, (i * 20 + 40) * 3 / 2)).collect();
        assert_eq!(line(&pairs), (1.5, 40));
    }

    #[test]
    fn a_bias_alone_makes_the_means_equal() {
        let mut moments = Moments::default();
        [(0, 5), (10, 35)].into_iter().for_each(|(a, t)| moments.add(a, t));
        assert_eq!(moments.shift(1.0), 15);
    }

    #[test]
    fn a_constant_channel_keeps_its_scale_and_gets_the_mean() {
        assert_eq!(line(&[(7, 100), (7, 102)]), (1.0, 94));
        assert_eq!(line(&[]), (1.0, 0));
    }

    #[test]
    fn moments_in_parallel_are_those_added_one_by_one() {
        let outputs = 3;
        let scattered = |i: usize, step: u32| (i as u32).wrapping_mul(step) as i32;
        // Small values stay in 64 bits, large ones do not; several chunks, the last one short.
        for shift in [14, 4, 0] {
            let count = (2 * CHUNK_PIXELS + 5) * outputs;
            let values = |step| (0..count).map(|i| scattered(i, step) >> shift).collect::<Vec<i32>>();
            let (mut acc, target) = (values(0x9e37_79b1), values(0x85eb_ca6b));
            acc[7] = i32::MIN >> shift;
            let mut want = vec![Moments::default(); outputs];
            for (i, (&a, &t)) in acc.iter().zip(&target).enumerate() {
                want[i % outputs].add(a, t);
            }
            assert_eq!(moments(&acc, &target, outputs), want, "values shifted by {shift}");
        }
    }

    #[test]
    fn what_is_seen_counts_so_many_times() {
        let outputs = 3;
        let count = (CHUNK_PIXELS + 5) * outputs;
        let values = |step: u32| -> Vec<i32> {
            (0..count).map(|i| (i as u32).wrapping_mul(step) as i32 >> 14).collect()
        };
        let (acc, target) = (values(0x9e37_79b1), values(0x85eb_ca6b));
        // Of the last channel nothing.
        let seen: Vec<bool> = (0..count).map(|i| i % outputs != 2 && acc[i] > 0).collect();
        let mut want = vec![Moments::default(); outputs];
        for (i, (&a, &t)) in acc.iter().zip(&target).enumerate() {
            let times = if seen[i] { SEEN_WEIGHT } else { 1 };
            (0..times).for_each(|_| want[i % outputs].add(a, t));
        }
        let mut got = moments(&acc, &target, outputs);
        assert_eq!(got[2], want[2]);
        add_seen(&mut got, (&acc, &target), &seen);
        assert_eq!(got, want);
    }

    #[test]
    fn sixty_four_bits_are_used_only_where_they_hold() {
        let large = 1 << 30;
        assert!(fits_64_bits(7, &[large], &[1]) && !fits_64_bits(8, &[large], &[1]));
        assert!(!fits_64_bits(2, &[0], &[i32::MIN]) && fits_64_bits(1, &[i32::MIN], &[0]));
    }

    #[test]
    fn a_reversed_channel_keeps_its_scale() {
        assert_eq!(line(&[(0, 0), (100, -100)]).0, 1.0);
    }
}
