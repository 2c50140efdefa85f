//! Pooling over windows.

use super::for_each_tap;
use crate::arithmetic::requantize;
use crate::image::{AveragePool, MaxPool};

/// Channels whose sums are kept at a time.
const CHANNELS: usize = 8;

/// Largest code of each window; padded taps are ignored.
pub fn max_pool(op: &MaxPool, input: &[u8], output: &mut [u8]) {
    let channels = usize::from(op.output.channels).max(1);
    let width = usize::from(op.output.width).max(1);
    for (pixel, out) in output.chunks_exact_mut(channels).enumerate() {
        out.fill(0);
        for_each_tap(&op.input, &op.window, pixel / width, pixel % width, |_, tap| {
            let codes = tap.and_then(|tap| input.get(tap * channels..(tap + 1) * channels));
            for (out, &code) in out.iter_mut().zip(codes.unwrap_or(&[])) {
                *out = (*out).max(code);
            }
        });
    }
}

/// Rescaled mean of each window; padded taps count as zeros.
pub fn average_pool(op: &AveragePool, input: &[u8], output: &mut [u8]) {
    let channels = usize::from(op.output.channels).max(1);
    let width = usize::from(op.output.width).max(1);
    for (pixel, out) in output.chunks_exact_mut(channels).enumerate() {
        for (block, out) in out.chunks_mut(CHANNELS).enumerate() {
            let mut sums = [0i32; CHANNELS];
            for_each_tap(&op.input, &op.window, pixel / width, pixel % width, |_, tap| {
                let first = |tap: usize| tap * channels + block * CHANNELS;
                let codes = tap.and_then(|tap| input.get(first(tap)..first(tap) + out.len()));
                for (sum, &code) in sums.iter_mut().zip(codes.unwrap_or(&[])) {
                    *sum = sum.wrapping_add(i32::from(code) - i32::from(op.input_zero_point));
                }
            });
            for (out, &sum) in out.iter_mut().zip(&sums) {
                *out = op.range.code(requantize(sum, op.multiplier, op.shift));
            }
        }
    }
}
