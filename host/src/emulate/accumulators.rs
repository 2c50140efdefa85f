//! What the kernels have in common: how accumulators begin and where they go.

use std::ops::Range;

/// What accumulators start from, by output channel.
pub struct Start<'a> {
    /// The folded bias.
    pub bias: &'a [i32],
    /// Factor of the sum of the window's codes.
    pub operand_sum: &'a [i32],
}

/// Accumulators that are finished.
pub struct Done<'a> {
    /// Which block of output channels.
    pub block: usize,
    /// Output pixels, counted over all images.
    pub pixels: Range<usize>,
    /// Output channels.
    pub channels: Range<usize>,
    /// Accumulators between two pixels; the first `channels.len()` of them are real.
    pub lanes: usize,
    /// `[pixel][lane]`.
    pub acc: &'a [i32],
}
