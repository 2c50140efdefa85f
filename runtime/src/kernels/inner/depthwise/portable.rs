//! Plain loops, for any processor and all kernels.

use super::{CHANNELS, Codes, DepthwiseWeights};
use crate::kernels::conv::Factor;
use crate::kernels::inner::{NamedRows, add_looked_up};

// Not inlined: where there is assembly, it is rarely needed.
#[inline(never)]
pub(super) fn multiply(
    codes: &Codes,
    factor: Factor,
    weights: DepthwiseWeights,
    starts: Option<&[i32]>,
    sums: &mut [i32],
) {
    let add = |sums: &mut [i32; CHANNELS], codes: &[u8], weights: [i32; CHANNELS]| {
        for ((sum, &code), weight) in sums.iter_mut().zip(codes).zip(weights) {
            let value = match factor {
                Factor::Masked { mask, .. } => i32::from(code & mask),
                Factor::Mapped(_) => factor.of(code).into(),
            };
            *sum = sum.wrapping_add(value.wrapping_mul(weight));
        }
    };
    match weights {
        DepthwiseWeights::I8(all) => each_block(codes, starts, sums, |sums, first_tap, channels| {
            let weights = all.get(first_tap..).unwrap_or(&[]);
            for (codes, weights) in codes.taps().zip(weights) {
                let weights = weights.to_le_bytes().map(|weight| i32::from(weight as i8));
                add(sums, codes.get(channels..).unwrap_or(&[]), weights);
            }
        }),
        DepthwiseWeights::I16(all) => each_block(codes, starts, sums, |sums, first_tap, channels| {
            let weights = all.get(first_tap..).unwrap_or(&[]);
            for (codes, &[even, odd]) in codes.taps().zip(weights) {
                let low = |word: u32| i32::from(word as i16);
                let weights = [low(even), low(odd), low(even >> 16), low(odd >> 16)];
                add(sums, codes.get(channels..).unwrap_or(&[]), weights);
            }
        }),
    }
}

#[inline(never)]
pub(super) fn look_up(codes: &Codes, rows: &NamedRows, starts: Option<&[i32]>, sums: &mut [i32]) {
    each_block(codes, starts, sums, |sums, first_tap, channels| {
        let mut acc = [0; 8];
        for (tap, codes) in codes.taps().enumerate() {
            let codes = codes.get(channels..).unwrap_or(&[]);
            let codes = codes.get(..CHANNELS).unwrap_or(codes);
            add_looked_up(&mut acc, rows, (first_tap + tap) * CHANNELS, codes);
        }
        sums.iter_mut().zip(acc).for_each(|(sum, acc)| *sum = sum.wrapping_add(acc));
    });
}

/// For each block of four channels, or the fewer that there are, `add(sums, first group of weights, first
/// channel)`. The last four channels are a block of their own where they end in the middle of one.
#[inline]
fn each_block(
    codes: &Codes,
    starts: Option<&[i32]>,
    sums: &mut [i32],
    mut add: impl FnMut(&mut [i32; CHANNELS], usize, usize),
) {
    let (channels, taps) = (sums.len(), codes.places.len());
    let last = channels.saturating_sub(CHANNELS);
    let mut begun = 0;
    for block in 0..channels.div_ceil(CHANNELS) {
        let first = (block * CHANNELS).min(last);
        let mut acc = [0; CHANNELS];
        let end = (first + CHANNELS).min(channels);
        // What an earlier block has finished must not be begun with again.
        let done = begun - first;
        let Some(place) = sums.get_mut(first..end) else { return };
        for (i, (acc, sum)) in acc.iter_mut().zip(&*place).enumerate() {
            *acc = match starts {
                Some(starts) => starts.get(first + i).copied().unwrap_or(0),
                None => *sum,
            };
        }
        add(&mut acc, block * taps, first);
        for (sum, acc) in place.iter_mut().zip(acc).skip(done) {
            *sum = acc;
        }
        begun = end;
    }
}
