//! Accumulators to codes, many at a time.

use super::ApproximateConv;
use super::vector_tables::lanes;
use crate::kernels::{self, Factors, Isa};
use crate::quantize::QuantizedConv;
use rayon::prelude::*;
use skimp_runtime::arithmetic::CodeRange;
use skimp_runtime::image::OutputKind;
use std::ops::Range;

/// Pixels that are requantized at a time.
const PIXELS: usize = 64;

/// Requantization of a block of output channels.
pub enum BlockFactors {
    /// Up to 16 channels.
    Of16(Box<Factors<16>>),
    /// Up to 32.
    Of32(Box<Factors<32>>),
    /// Up to 64.
    Of64(Box<Factors<64>>),
}

impl BlockFactors {
    /// For channels with these multipliers and shifts, in blocks of 16, 32 or 64 lanes.
    pub fn new(channels: &[(i32, u8)], lanes: usize, range: CodeRange) -> BlockFactors {
        match lanes {
            64 => BlockFactors::Of64(Box::new(Factors::new(channels, range))),
            32 => BlockFactors::Of32(Box::new(Factors::new(channels, range))),
            _ => BlockFactors::Of16(Box::new(Factors::new(channels, range))),
        }
    }

    /// Requantizes `[pixel][lane]`.
    pub fn requantize(&self, isa: Isa, acc: &[i32], codes: &mut [u8]) {
        match self {
            BlockFactors::Of16(factors) => {
                kernels::requantize(isa, factors, acc.as_chunks().0, codes.as_chunks_mut().0);
            }
            BlockFactors::Of32(factors) => {
                kernels::requantize(isa, factors, acc.as_chunks().0, codes.as_chunks_mut().0);
            }
            BlockFactors::Of64(factors) => {
                kernels::requantize(isa, factors, acc.as_chunks().0, codes.as_chunks_mut().0);
            }
        }
    }
}

/// Writes the codes of the accumulators `acc` of `conv`, both `[pixel][output channel]`, after adding each
/// channel's entry of `shifts`. Layers that write logits have no codes: nothing is written. Uses all threads.
pub fn requantize_codes(
    conv: &QuantizedConv,
    approximate: &ApproximateConv,
    acc: &[i32],
    shifts: &[i32],
    codes: &mut [u8],
) {
    let OutputKind::Codes(range) = conv.output_kind else { return };
    let outputs = conv.outputs();
    let mut first = 0;
    let blocks = lanes(outputs, 64).into_iter().map(|lanes| {
        let channels = first..(first + lanes).min(outputs);
        first = channels.end;
        let factors = BlockFactors::new(&approximate.requantization[channels.clone()], lanes, range);
        (channels, lanes, factors)
    });
    let blocks: Vec<(Range<usize>, usize, BlockFactors)> = blocks.collect();
    let chunk = PIXELS * outputs;
    codes.par_chunks_mut(chunk).zip(acc.par_chunks(chunk)).for_each(|(codes, acc)| {
        let mut block_acc = [0; 64 * PIXELS];
        let mut block_codes = [0; 64 * PIXELS];
        for (channels, lanes, factors) in &blocks {
            let shifts = &shifts[channels.clone()];
            for (to, from) in block_acc.chunks_exact_mut(*lanes).zip(acc.chunks_exact(outputs)) {
                for ((to, &from), &shift) in to.iter_mut().zip(&from[channels.clone()]).zip(shifts) {
                    *to = from.saturating_add(shift);
                }
            }
            let count = acc.len() / outputs * lanes;
            factors.requantize(Isa::best(), &block_acc[..count], &mut block_codes[..count]);
            for (from, to) in block_codes.chunks_exact(*lanes).zip(codes.chunks_exact_mut(outputs)) {
                to[channels.clone()].copy_from_slice(&from[..channels.len()]);
            }
        }
    });
}
