//! Any multiplier, one lookup for each product, in the row of the weight.
//!
//! Nothing is built and nothing is shared between output channels, so it is what depthwise layers and very
//! few pixels use. Images are taken apart by channel: the codes that a weight meets in neighbouring windows
//! then lie side by side, and a few sums stay in registers over all taps.

use super::accumulators::{Done, Start};
use super::padded::{Layout, PaddedImages};
use crate::multiplier::ProductTable;
use crate::quantize::QuantizedConv;
use std::ops::Range;

/// Windows whose sums are kept in registers.
const WINDOWS: usize = 8;
/// Channels of a plane: positions and codes are the same.
pub const PLANE_CHANNELS: usize = 1;
/// Output channels of a block.
pub const LANES: usize = 16;
/// Pixels that are worked on at a time; their images stay in the second-level cache.
pub const PIXELS: usize = 1 << 12;

/// A convolution by row lookup.
pub struct Rows<'a> {
    products: &'a ProductTable,
    /// `[output channel][tap]`.
    weights: &'a [u8],
    outputs: usize,
    groups: usize,
}

/// Memory that runs reuse.
#[derive(Default)]
pub struct Scratch {
    /// Sum of the window that begins at each position.
    sums: Vec<i32>,
    acc: Vec<[i32; LANES]>,
}

impl<'a> Rows<'a> {
    /// Prepares nothing.
    pub fn new(conv: &QuantizedConv, products: &'a ProductTable, weights: &'a [u8]) -> Rows<'a> {
        Rows { products, weights, outputs: conv.outputs(), groups: conv.groups }
    }

    /// Output channels of each block.
    pub fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.outputs).step_by(LANES).map(|first| first..(first + LANES).min(self.outputs))
    }

    /// As [`VectorTables::run`](super::vector_tables::VectorTables::run).
    pub fn run(
        &self,
        layout: &Layout,
        images: &PaddedImages,
        window_sums: &[i32],
        start: &Start,
        scratch: &mut Scratch,
        finish: &mut dyn FnMut(Done),
    ) {
        let pixels = images.windows.len();
        let group_outputs = self.outputs / self.groups;
        let runs = images.runs(layout, WINDOWS);
        // Blocks of positions read on behind the last one.
        let sums_end = runs.last().map_or(0, |run| run.end + WINDOWS);
        scratch.sums.resize(scratch.sums.len().max(sums_end), 0);
        scratch.acc.resize(pixels, [0; LANES]);
        for (index, channels) in self.blocks().enumerate() {
            for (lane, o) in channels.clone().enumerate() {
                let group = o / group_outputs;
                let taps = self.weights.len() / self.outputs;
                let weights = &self.weights[o * taps..][..taps];
                let taps = weights.iter().enumerate();
                let taps = taps.map(|(tap, &w)| (self.products.row(w), images.tap(layout, tap, group)));
                let taps: Vec<(&[i32; 256], usize)> = taps.collect();
                for run in &runs {
                    sum_windows(&taps, &images.codes, run.clone(), &mut scratch.sums);
                }
                let (base, factor) = (start.bias[o], start.operand_sum[o]);
                let sums = &scratch.sums;
                let windows = scratch.acc.iter_mut().zip(&images.windows);
                let windows = windows.map(|(acc, &at)| (&mut acc[lane], sums[at as usize]));
                match window_sums.get(group * pixels..(group + 1) * pixels) {
                    Some(window_sums) if factor != 0 => {
                        for ((acc, sum), window_sum) in windows.zip(window_sums) {
                            let offset = base.wrapping_add(factor.wrapping_mul(*window_sum));
                            *acc = sum.wrapping_add(offset);
                        }
                    }
                    _ => windows.for_each(|(acc, sum)| *acc = sum.wrapping_add(base)),
                }
            }
            let acc = scratch.acc.as_flattened();
            finish(Done { block: index, pixels: 0..pixels, channels, lanes: LANES, acc });
        }
    }
}

/// Writes the sums of the windows that begin at the positions of `run`, and perhaps some behind it.
fn sum_windows(taps: &[(&[i32; 256], usize)], codes: &[u8], run: Range<usize>, sums: &mut [i32]) {
    for first in run.step_by(WINDOWS) {
        let mut block = [0i32; WINDOWS];
        for &(row, at) in taps {
            // Only blocks without a window, behind the last image's last one, can lack codes.
            let codes = codes.get(at + first..).and_then(|codes| codes.first_chunk::<WINDOWS>());
            let Some(codes) = codes else { continue };
            for (sum, &code) in block.iter_mut().zip(codes) {
                *sum = sum.wrapping_add(row[usize::from(code)]);
            }
        }
        if let Some(sums) = sums[first..].first_chunk_mut() {
            *sums = block;
        }
    }
}
