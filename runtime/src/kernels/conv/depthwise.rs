//! Convolutions whose groups have one channel each. Nothing is gathered: codes of neighbouring channels are
//! neighbours in the input already.

use super::finish::Requantization;
use super::product::Factor;

use crate::image::Conv2d;
use crate::kernels::for_each_tap;
use crate::kernels::inner::{self, NamedRows};

/// Channels whose sums are kept at a time.
const CHANNELS: usize = 8;

/// Weights `[kernel row][kernel column][channel]`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DepthwiseWeights<'a> {
    I8(&'a [i8]),
    I16(&'a [i16]),
}

impl DepthwiseWeights<'_> {
    /// Number of weights.
    pub fn len(&self) -> usize {
        match self {
            DepthwiseWeights::I8(weights) => weights.len(),
            DepthwiseWeights::I16(weights) => weights.len(),
        }
    }
}

/// Table lookup. The output's channels are the input's.
pub(crate) fn depthwise_table(
    op: &Conv2d,
    rows: &NamedRows,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
) {
    run(op, requantization, input, output, |acc, codes, weight| {
        inner::add_looked_up(acc, rows, weight, codes);
    });
}

/// Products `f(x) * g(w)`.
pub(crate) fn depthwise_product(
    op: &Conv2d,
    factor: Factor,
    weights: DepthwiseWeights,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
) {
    match weights {
        DepthwiseWeights::I8(weights) => run(op, requantization, input, output, |acc, codes, first| {
            add_products(acc, factor, codes, weights.get(first..).unwrap_or(&[]));
        }),
        DepthwiseWeights::I16(weights) => run(op, requantization, input, output, |acc, codes, first| {
            add_products(acc, factor, codes, weights.get(first..).unwrap_or(&[]));
        }),
    }
}

#[inline]
fn add_products<W: Copy + Into<i32>>(acc: &mut [i32; CHANNELS], factor: Factor, codes: &[u8], weights: &[W]) {
    for ((acc, &code), &weight) in acc.iter_mut().zip(codes).zip(weights) {
        *acc = acc.wrapping_add(i32::from(factor.of(code)).wrapping_mul(weight.into()));
    }
}

/// `add(sums, codes, weight)` adds the products of neighbouring channels' codes with the weights from number
/// `weight` on.
#[inline]
fn run(
    op: &Conv2d,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    mut add: impl FnMut(&mut [i32; CHANNELS], &[u8], usize),
) {
    let channels = usize::from(op.output.channels);
    let width = usize::from(op.output.width).max(1);
    let padding = [op.input_zero_point; CHANNELS];
    for pixel in 0..op.pixels() {
        for first in (0..channels).step_by(CHANNELS) {
            let count = (channels - first).min(CHANNELS);
            let mut acc = [0; CHANNELS];
            let mut sums = [0i32; CHANNELS];
            for_each_tap(&op.input, &op.window, pixel / width, pixel % width, |tap, place| {
                let codes = place.and_then(|place| {
                    let start = place * channels + first;
                    input.get(start..start + count)
                });
                let codes = codes.unwrap_or(padding.get(..count).unwrap_or(&padding));
                add(&mut acc, codes, tap * channels + first);
                if requantization.activation_sums.is_some() {
                    sums.iter_mut().zip(codes).for_each(|(sum, &code)| *sum += i32::from(code));
                }
            });
            for (i, (acc, sum)) in acc.into_iter().zip(sums).enumerate().take(count) {
                let [start] = requantization.starts(first + i, &[sum]);
                let total = acc.wrapping_add(start);
                requantization.store(first + i, &[total], output, pixel * channels + first + i, 1);
            }
        }
    }
}
