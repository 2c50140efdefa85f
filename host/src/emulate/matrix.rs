//! Exact matrix products, for multipliers that are a few products of functions of one operand.

use super::accumulators::{Done, Start};
use super::padded::{Layout, PaddedImages};
use crate::kernels::{self, Isa, PAIRS, Panel, SLACK_PAIRS, TILE_PIXELS, TileAcc, TileRows};
use crate::multiplier::Term;
use crate::quantize::QuantizedConv;
use std::ops::Range;

const CHANNELS: usize = kernels::panel_channels();
/// Pixels that are worked on at a time; their images stay in the second-level cache.
pub const PIXELS: usize = 1 << 12;
/// Operands that are copied at a time.
const COPIED: usize = 2 * SLACK_PAIRS;

/// A convolution as matrix products of transformed operands.
pub struct Matrix {
    isa: Isa,
    /// What becomes of activation codes, by term.
    operands: Vec<Operand>,
    blocks: Vec<Block>,
    /// Taps of all terms.
    taps: usize,
}

/// Up to [`CHANNELS`] output channels of one group.
struct Block {
    group: usize,
    channels: Range<usize>,
    /// Transformed weights by pair of taps, term after term.
    panel: Vec<Panel>,
}

/// How an activation code becomes a 16-bit operand.
enum Operand {
    /// `factor * x + offset`, which needs no lookup.
    Line {
        factor: i16,
        offset: i16,
    },
    Table(Box<[i16; 256]>),
}

/// Memory that runs reuse.
#[derive(Default)]
pub struct Scratch {
    /// Transformed images, term after term.
    operands: Vec<i16>,
    sums: Vec<TileAcc>,
}

/// Codes that lie side by side both in an image and in a tile's row.
struct Run {
    /// Place in the images.
    from: usize,
    /// Place in the row.
    to: usize,
    len: usize,
}

impl Matrix {
    /// Prepares the products of `terms` for the weights of a convolution.
    pub fn new(isa: Isa, conv: &QuantizedConv, terms: &[Term], weights: &[u8]) -> Matrix {
        let (taps, group_outputs) = (conv.taps(), conv.outputs() / conv.groups);
        let all_taps = taps * terms.len();
        let mut blocks = Vec::new();
        for group in 0..conv.groups {
            for first in (0..group_outputs).step_by(CHANNELS) {
                let start = group * group_outputs + first;
                let channels = start..start + CHANNELS.min(group_outputs - first);
                let mut panel: Vec<Panel> = vec![[0; 2 * CHANNELS]; all_taps.div_ceil(2)];
                for (lane, channel) in channels.clone().enumerate() {
                    let weights = &weights[channel * taps..(channel + 1) * taps];
                    let all = terms.iter().flat_map(|t| weights.iter().map(|&w| t.weight[usize::from(w)]));
                    for (tap, weight) in all.enumerate() {
                        panel[tap / 2][2 * lane + tap % 2] = weight;
                    }
                }
                blocks.push(Block { group, channels, panel });
            }
        }
        let operands = terms.iter().map(|t| Operand::new(&t.activation)).collect();
        Matrix { isa, operands, blocks, taps: all_taps }
    }

    /// Output channels of each block.
    pub fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        self.blocks.iter().map(|block| block.channels.clone())
    }

    /// As [`VectorTables::run`](super::vector_tables::VectorTables::run).
    pub fn run(
        &self,
        layout: &Layout,
        images: &PaddedImages,
        sums: &[i32],
        start: &Start,
        scratch: &mut Scratch,
        finish: &mut dyn FnMut(Done),
    ) {
        let Scratch { operands, sums: accs } = scratch;
        operands.clear();
        for operand in &self.operands {
            operand.extend(&images.codes, operands);
        }
        let pixels = images.windows.len();
        let mut groups: Vec<(usize, Vec<(usize, &Block)>)> = Vec::new();
        for (index, block) in self.blocks.iter().enumerate() {
            match groups.last_mut() {
                Some((group, blocks)) if *group == block.group => blocks.push((index, block)),
                _ => groups.push((block.group, vec![(index, block)])),
            }
        }
        let mut rows: Box<TileRows> = bytemuck::zeroed_box();
        for (group, blocks) in groups {
            let passes = self.passes(layout, images, group);
            accs.resize(blocks.len(), bytemuck::Zeroable::zeroed());
            let starts: Vec<_> = blocks.iter().map(|(_, block)| block.start(start)).collect();
            for first in (0..pixels).step_by(TILE_PIXELS) {
                let range = first..(first + TILE_PIXELS).min(pixels);
                let windows = &images.windows[range.clone()];
                for ((base, factor), acc) in starts.iter().zip(accs.iter_mut()) {
                    *acc = [*base; TILE_PIXELS];
                    if *factor == [0; CHANNELS] {
                        continue;
                    }
                    for (pixel, acc) in range.clone().zip(acc.iter_mut()) {
                        let sum = sums.get(group * pixels + pixel).copied().unwrap_or(0);
                        for (acc, factor) in acc.iter_mut().zip(factor) {
                            *acc = acc.wrapping_add(factor.wrapping_mul(sum));
                        }
                    }
                }
                for (pass, runs) in passes.iter().enumerate() {
                    let pairs = self.gather(runs, pass, windows, operands, &mut rows);
                    for ((_, block), acc) in blocks.iter().zip(accs.iter_mut()) {
                        kernels::add_tile(self.isa, &rows, pairs, &block.panel[pass * PAIRS..], acc);
                    }
                }
                for ((index, block), acc) in blocks.iter().zip(accs.iter()) {
                    let acc = &acc.as_flattened()[..range.len() * CHANNELS];
                    let channels = block.channels.clone();
                    finish(Done { block: *index, pixels: range.clone(), channels, lanes: CHANNELS, acc });
                }
            }
        }
    }

    /// What to copy for each pass over the taps of all terms, as many as a tile's rows have room for.
    fn passes(&self, layout: &Layout, images: &PaddedImages, group: usize) -> Vec<Vec<Run>> {
        let term_taps = self.taps / self.operands.len().max(1);
        let mut passes: Vec<Vec<Run>> = Vec::new();
        for tap in 0..self.taps {
            let (term, k) = (tap / term_taps, tap % term_taps);
            let from = term * images.codes.len() + images.tap(layout, k, group);
            let to = tap % (2 * PAIRS);
            if to == 0 {
                passes.push(Vec::new());
            }
            let Some(runs) = passes.last_mut() else { continue };
            match runs.last_mut() {
                Some(run) if run.from + run.len == from => run.len += 1,
                _ => runs.push(Run { from, to, len: 1 }),
            }
        }
        passes
    }

    /// Copies the operands under the taps of a pass, a row for each window. Returns how many pairs there are.
    fn gather(
        &self,
        runs: &[Run],
        pass: usize,
        windows: &[u32],
        operands: &[i16],
        rows: &mut TileRows,
    ) -> usize {
        let taps = (self.taps - pass * 2 * PAIRS).min(2 * PAIRS);
        for (row, &window) in rows.iter_mut().zip(windows) {
            let row: &mut [i16; 2 * (PAIRS + SLACK_PAIRS)] = bytemuck::must_cast_mut(row);
            for run in runs {
                // In blocks, without regard to the end: what is too much the next run overwrites, and behind
                // the last one nobody reads it. Both sides have room for it.
                let from = operands[run.from + window as usize..].as_chunks::<COPIED>().0;
                let to = row[run.to..].as_chunks_mut::<COPIED>().0;
                for (to, from) in to.iter_mut().zip(from).take(run.len.div_ceil(COPIED)) {
                    *to = *from;
                }
            }
        }
        taps.div_ceil(2)
    }
}

impl Block {
    /// What the accumulators of a pixel start from, and their factors of the sum of its window's codes.
    fn start(&self, start: &Start) -> ([i32; CHANNELS], [i32; CHANNELS]) {
        let of = |values: &[i32]| {
            let mut block = [0; CHANNELS];
            block[..self.channels.len()].copy_from_slice(&values[self.channels.clone()]);
            block
        };
        (of(start.bias), of(start.operand_sum))
    }
}

impl Operand {
    fn new(table: &[i16; 256]) -> Operand {
        let (offset, factor) = (table[0], table[1].wrapping_sub(table[0]));
        let line = |x: usize| (x as i16).wrapping_mul(factor).wrapping_add(offset);
        match table.iter().enumerate().all(|(x, &value)| value == line(x)) {
            true => Operand::Line { factor, offset },
            false => Operand::Table(Box::new(*table)),
        }
    }

    fn extend(&self, codes: &[u8], operands: &mut Vec<i16>) {
        match self {
            &Operand::Line { factor, offset } => {
                operands
                    .extend(codes.iter().map(|&x| i16::from(x).wrapping_mul(factor).wrapping_add(offset)));
            }
            Operand::Table(table) => operands.extend(codes.iter().map(|&x| table[usize::from(x)])),
        }
    }
}
