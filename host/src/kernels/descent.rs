//! The loops of coordinate descent over weight codes: sums of residuals by activation code, their products with
//! the rows of candidates, and what a change of weight does to the residuals.
//!
//! Each lane is an output channel and never meets another, and sums are taken in the order of the samples. So
//! the results are the same on every instruction set, to the last bit of the floats.

use super::Isa;
use super::isa::Kind;

/// Output channels that descend side by side.
pub const DESCENT_LANES: usize = 16;

/// One figure for each output channel of a block.
pub type DescentLanes = [f32; DESCENT_LANES];

/// The samples of one tap in the order of their activation codes.
#[derive(Debug, Clone, Default)]
pub struct TapSamples {
    /// Samples, those of one code after those of another.
    pub order: Vec<u16>,
    /// The codes that occur, ascending.
    pub codes: Vec<u8>,
    /// Where in `order` the samples of each code begin, and at last its length.
    pub starts: Vec<u32>,
    /// Place in `codes` of the code with the most samples.
    pub commonest: usize,
}

impl TapSamples {
    /// Sorts samples, at most 65,536, by their codes.
    pub fn new(samples: &[u8]) -> TapSamples {
        let mut counts = [0u32; 256];
        samples.iter().for_each(|&code| counts[usize::from(code)] += 1);
        let codes: Vec<u8> = (0..=255u8).filter(|&code| counts[usize::from(code)] > 0).collect();
        let mut next = [0u32; 256];
        let mut starts = Vec::with_capacity(codes.len() + 1);
        let mut start = 0;
        for &code in &codes {
            (next[usize::from(code)], start) = (start, start + counts[usize::from(code)]);
            starts.push(next[usize::from(code)]);
        }
        starts.push(start);
        let mut order = vec![0; samples.len()];
        for (sample, &code) in samples.iter().enumerate() {
            order[next[usize::from(code)] as usize] = sample as u16;
            next[usize::from(code)] += 1;
        }
        let most = (0..codes.len()).max_by_key(|&i| (counts[usize::from(codes[i])], std::cmp::Reverse(i)));
        TapSamples { order, codes, starts, commonest: most.unwrap_or(0) }
    }

    /// The samples with the code at place `i`.
    #[inline(always)]
    pub fn bucket(&self, i: usize) -> &[u16] {
        &self.order[self.starts[i] as usize..self.starts[i + 1] as usize]
    }
}

/// Writes to `sums`, one entry for each code of `tap`, the sums of the residuals of its samples. Those of the
/// commonest code, mostly zero, are what the others leave of `total`.
pub fn sum_residuals(
    isa: Isa,
    tap: &TapSamples,
    residuals: &[DescentLanes],
    total: &DescentLanes,
    sums: &mut [DescentLanes],
) {
    dispatch!(isa, sum_residuals(tap, residuals, total, sums));
}

/// Writes for each of the `candidates`, rows of products by activation code, the sum over the codes of `tap` of
/// its product times the code's entry of `sums`.
pub fn correlate(
    isa: Isa,
    tap: &TapSamples,
    candidates: &[&[f32; 256]],
    sums: &[DescentLanes],
    out: &mut [DescentLanes],
) {
    dispatch!(isa, correlate(tap, candidates, sums, out));
}

/// The best candidate of each lane by `2 s g + t - (b + s m)^2 / n` for both signs `s`: the first of those that
/// are equally good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestCandidates {
    /// What the best candidate of each lane costs.
    pub costs: DescentLanes,
    /// Its place among the candidates.
    pub places: [u32; DESCENT_LANES],
    /// Whether it is taken with the sign reversed.
    pub negated: [bool; DESCENT_LANES],
}

/// What a candidate brings along, whatever the lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CandidateSums {
    /// Its products over all samples.
    pub products: f32,
    /// The squares of its products over all samples.
    pub squares: f32,
    /// Infinite where no weight has the reversed products, else 0.
    pub negation_cost: f32,
}

/// Finds the best of `candidates`, whose [`correlate`]d sums are `correlations`, for each lane. `base` is the sum
/// of the residuals without the tap's own product, `samples` the number of samples.
pub fn best_candidates(
    isa: Isa,
    candidates: &[CandidateSums],
    correlations: &[DescentLanes],
    base: &DescentLanes,
    samples: usize,
) -> BestCandidates {
    dispatch!(isa, best_candidates(candidates, correlations, base, samples))
}

/// Adds to each residual the entry of `changes` that belongs to its sample's code.
pub fn add_changes(isa: Isa, tap: &TapSamples, changes: &[DescentLanes], residuals: &mut [DescentLanes]) {
    dispatch!(isa, add_changes(tap, changes, residuals));
}

mod portable {
    use super::{BestCandidates, CandidateSums, DESCENT_LANES, DescentLanes, TapSamples};

    /// Candidates whose sums are kept in registers.
    const CANDIDATES: usize = 4;

    #[inline(always)]
    pub fn sum_residuals(
        tap: &TapSamples,
        residuals: &[DescentLanes],
        total: &DescentLanes,
        sums: &mut [DescentLanes],
    ) {
        let mut rest = *total;
        for i in (0..tap.codes.len()).filter(|&i| i != tap.commonest) {
            let mut sum = [0f32; DESCENT_LANES];
            for &sample in tap.bucket(i) {
                let residual = &residuals[usize::from(sample)];
                for l in 0..DESCENT_LANES {
                    sum[l] += residual[l];
                }
            }
            sums[i] = sum;
            for l in 0..DESCENT_LANES {
                rest[l] -= sum[l];
            }
        }
        sums[tap.commonest] = rest;
    }

    #[inline(always)]
    pub fn correlate(
        tap: &TapSamples,
        candidates: &[&[f32; 256]],
        sums: &[DescentLanes],
        out: &mut [DescentLanes],
    ) {
        let (fours, rest) = candidates.as_chunks::<CANDIDATES>();
        let (out_fours, out_rest) = out[..candidates.len()].as_chunks_mut::<CANDIDATES>();
        for (rows, out) in fours.iter().zip(out_fours) {
            *out = correlate_some(tap, *rows, sums);
        }
        for (row, out) in rest.iter().zip(out_rest) {
            [*out] = correlate_some(tap, [*row], sums);
        }
    }

    #[inline(always)]
    fn correlate_some<const N: usize>(
        tap: &TapSamples,
        rows: [&[f32; 256]; N],
        sums: &[DescentLanes],
    ) -> [DescentLanes; N] {
        let mut out = [[0f32; DESCENT_LANES]; N];
        for (&code, sum) in tap.codes.iter().zip(sums) {
            for (out, row) in out.iter_mut().zip(rows) {
                let product = row[usize::from(code)];
                for l in 0..DESCENT_LANES {
                    out[l] += product * sum[l];
                }
            }
        }
        out
    }

    #[inline(always)]
    pub fn best_candidates(
        candidates: &[CandidateSums],
        correlations: &[DescentLanes],
        base: &DescentLanes,
        samples: usize,
    ) -> BestCandidates {
        let per_sample = 1.0 / samples as f32;
        let mut costs = [f32::INFINITY; DESCENT_LANES];
        // Twice the place, and 1 more where the sign is reversed: one integer to select.
        let mut best = [0u32; DESCENT_LANES];
        for (place, (candidate, correlation)) in candidates.iter().zip(correlations).enumerate() {
            for l in 0..DESCENT_LANES {
                let (plus, minus) = (base[l] + candidate.products, base[l] - candidate.products);
                let gain = 2.0 * correlation[l];
                let plus = gain + candidate.squares - plus * plus * per_sample;
                let minus = candidate.negation_cost - gain + candidate.squares - minus * minus * per_sample;
                let (cost, which) = if minus < plus { (minus, 1) } else { (plus, 0) };
                let better = cost < costs[l];
                costs[l] = if better { cost } else { costs[l] };
                best[l] = if better { 2 * place as u32 + which } else { best[l] };
            }
        }
        BestCandidates { costs, places: best.map(|b| b / 2), negated: best.map(|b| b % 2 == 1) }
    }

    #[inline(always)]
    pub fn add_changes(tap: &TapSamples, changes: &[DescentLanes], residuals: &mut [DescentLanes]) {
        for (i, change) in changes.iter().enumerate() {
            // Mostly so for the commonest code, which is 0.
            if change.iter().all(|&c| c == 0.0) {
                continue;
            }
            for &sample in tap.bucket(i) {
                let residual = &mut residuals[usize::from(sample)];
                for l in 0..DESCENT_LANES {
                    residual[l] += change[l];
                }
            }
        }
    }
}

/// The portable loops as compiled for other instructions.
macro_rules! compiled_for {
    ($module:ident, $features:literal) => {
        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::{BestCandidates, CandidateSums, DescentLanes, TapSamples, portable};

            #[target_feature(enable = $features)]
            pub fn sum_residuals(
                tap: &TapSamples,
                residuals: &[DescentLanes],
                total: &DescentLanes,
                sums: &mut [DescentLanes],
            ) {
                portable::sum_residuals(tap, residuals, total, sums);
            }

            #[target_feature(enable = $features)]
            pub fn correlate(
                tap: &TapSamples,
                candidates: &[&[f32; 256]],
                sums: &[DescentLanes],
                out: &mut [DescentLanes],
            ) {
                portable::correlate(tap, candidates, sums, out);
            }

            #[target_feature(enable = $features)]
            pub fn best_candidates(
                candidates: &[CandidateSums],
                correlations: &[DescentLanes],
                base: &DescentLanes,
                samples: usize,
            ) -> BestCandidates {
                portable::best_candidates(candidates, correlations, base, samples)
            }

            #[target_feature(enable = $features)]
            pub fn add_changes(tap: &TapSamples, changes: &[DescentLanes], residuals: &mut [DescentLanes]) {
                portable::add_changes(tap, changes, residuals);
            }
        }
    };
}

compiled_for!(avx2, "avx2");
compiled_for!(avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni");

#[cfg(test)]
mod tests {
    use super::*;

    fn scattered(i: usize) -> f32 {
        (((i as u32).wrapping_mul(0x9e37_79b1) >> 16) as f32 - 32768.0) / 8.0
    }

    #[test]
    fn samples_are_sorted_by_code() {
        let tap = TapSamples::new(&[7, 0, 0, 255, 7, 0]);
        assert_eq!(tap.codes, [0, 7, 255]);
        assert_eq!((tap.bucket(0), tap.bucket(1), tap.bucket(2)), (&[1, 2, 5][..], &[0, 4][..], &[3][..]));
        assert_eq!(tap.commonest, 0);
        assert!(TapSamples::new(&[]).codes.is_empty());
    }

    #[test]
    fn every_instruction_set_gives_the_sums_of_the_definition() {
        let samples: Vec<u8> = (0..500usize).map(|i| (i * i % 61 * (i % 3)) as u8).collect();
        let tap = TapSamples::new(&samples);
        let lanes = |i: usize| std::array::from_fn(|l| scattered(i * DESCENT_LANES + l));
        let residuals: Vec<DescentLanes> = (0..500).map(lanes).collect();
        let total: DescentLanes = std::array::from_fn(|l| residuals.iter().map(|r| r[l]).sum());
        let rows: Vec<[f32; 256]> =
            (0..7).map(|c| std::array::from_fn(|x| scattered(99 * c + x).round())).collect();
        let rows: Vec<&[f32; 256]> = rows.iter().collect();
        let mut seen = Vec::new();
        for isa in Isa::available() {
            let mut sums = vec![[0.0; DESCENT_LANES]; tap.codes.len()];
            sum_residuals(isa, &tap, &residuals, &total, &mut sums);
            for (i, &code) in tap.codes.iter().enumerate() {
                let of_code = samples.iter().zip(&residuals).filter(|&(&x, _)| x == code);
                let want: f32 = of_code.map(|(_, r)| r[3]).sum();
                assert!((sums[i][3] - want).abs() < 1.0, "{isa}: code {code}");
            }
            let mut out = vec![[0.0; DESCENT_LANES]; rows.len()];
            correlate(isa, &tap, &rows, &sums, &mut out);
            for (row, out) in rows.iter().zip(&out) {
                let each = samples.iter().zip(&residuals).map(|(&x, r)| row[usize::from(x)] * r[5]);
                let want: f32 = each.sum();
                assert!((out[5] - want).abs() <= 1e-4 * want.abs() + 1e4, "{isa}: {} {want}", out[5]);
            }
            let mut changed = residuals.clone();
            let changes: Vec<DescentLanes> =
                (0..tap.codes.len()).map(|i| [i as f32; DESCENT_LANES]).collect();
            add_changes(isa, &tap, &changes, &mut changed);
            for (n, &code) in samples.iter().enumerate() {
                let place = tap.codes.iter().position(|&c| c == code).unwrap();
                assert_eq!(changed[n][9], residuals[n][9] + place as f32, "{isa}");
            }
            seen.push((sums, out, changed));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "instruction sets differ");
    }
}
