//! Any multiplier, by tables that hold the products of many output channels side by side.
//!
//! For a block of output channels and one tap, `T[x][o]` is the product of the activation code `x` with the
//! tap's weight in channel `o`: a code fetches a whole vector of products by plain loads. The tables of a
//! block of taps fit the second-level cache; they are built once and used for thousands of pixels.
//!
//! To stay in 16 bits an entry holds `P(x, w) - slope * x - middle(w)`. The sum of `slope * x` is a multiple
//! of the sum of the window's codes, the sum of the middles a constant of the channel. From the exact bounds
//! of the rows in a block follows how many entries may be added before they must be widened.

mod blocks;
mod residuals;

use super::accumulators::{Done, Start};
use super::padded::{Layout, PaddedImages};
use crate::kernels::{self, CODES, CodeRows, Isa, Residuals, Tables};
use crate::multiplier::ProductTable;
use crate::quantize::QuantizedConv;
pub use blocks::lanes;
use blocks::{Block, TapBlock};
use residuals::Centred;
use std::ops::Range;

/// Bytes of accumulators that are worked on with one set of tables.
const ACC_BYTES: usize = 1 << 21;
/// Pixels whose codes are gathered at a time.
const GATHERED: usize = 256;

/// A convolution in tables, ready to be built.
pub struct VectorTables {
    isa: Isa,
    slope: i32,
    residuals: Box<Residuals>,
    /// Products less their line and middle, for entries that 16 bits can't hold; `[weight][code]`.
    wide: Option<Box<[[i32; CODES]; CODES]>>,
    blocks: Vec<Block>,
}

/// Memory that runs reuse.
#[derive(Default)]
pub struct Scratch {
    tables: Vec<Line>,
    acc: Vec<Line>,
}

/// A cache line, to align tables.
#[repr(C, align(64))]
#[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
struct Line([i32; 16]);

impl VectorTables {
    /// Prepares the tables of `products` for the weights of a convolution.
    pub fn new(isa: Isa, conv: &QuantizedConv, products: &ProductTable, weights: &[u8]) -> VectorTables {
        // A line through the products of an asymmetric weight code takes the zero point out of them.
        let mut centred = Centred::new(products, 0);
        if conv.weight_zero_point != 0 {
            let sloped = Centred::new(products, conv.weight_zero_point.into());
            if sloped.width(weights) < centred.width(weights) {
                centred = sloped;
            }
        }
        VectorTables {
            isa,
            slope: centred.slope,
            residuals: centred.narrow(),
            blocks: blocks::blocks(isa, conv, &centred, weights),
            wide: (!weights.iter().all(|&w| centred.fits(w))).then_some(centred.rest),
        }
    }

    /// Channels of the planes that images are best stored in.
    pub fn plane_channels(isa: Isa, conv: &QuantizedConv) -> usize {
        block_channels(isa, conv).unwrap_or(conv.input.channels.into())
    }

    /// What was taken out of the products for each activation code.
    pub fn slope(&self) -> i32 {
        self.slope
    }

    /// How many blocks of taps have entries of each width: additions in 16 bits that are safe, or 32 bits.
    pub fn widths(&self) -> Vec<(&'static str, usize)> {
        let names =
            [(1, "1 addition"), (2, "2 additions"), (4, "4 additions"), (8, "8 additions"), (0, "32 bits")];
        let blocks = |depth| self.blocks.iter().flat_map(|b| &b.taps).filter(|t| t.depth == depth).count();
        names.into_iter().map(|(depth, name)| (name, blocks(depth))).filter(|(_, count)| *count > 0).collect()
    }

    /// Pixels that are worked on with one set of tables.
    pub fn pixels_at_once(&self) -> usize {
        let lanes = self.blocks.iter().map(|block| block.lanes).max().unwrap_or(16);
        ACC_BYTES / (4 * lanes)
    }

    /// Output channels and lanes of each block.
    pub fn blocks(&self) -> impl Iterator<Item = (Range<usize>, usize)> {
        self.blocks.iter().map(|block| (block.channels.clone(), block.lanes))
    }

    /// Convolves `images`, whose windows' code sums `sums` holds (`[group][pixel]`; empty if no channel has a
    /// use for them). `finish` is shown the accumulators of some pixels and a block of channels at a time.
    pub fn run(
        &self,
        layout: &Layout,
        images: &PaddedImages,
        sums: &[i32],
        start: &Start,
        scratch: &mut Scratch,
        finish: &mut dyn FnMut(Done),
    ) {
        for index in 0..self.blocks.len() {
            match self.blocks[index].lanes {
                64 => self.run_block::<64>(index, layout, images, sums, start, scratch, finish),
                32 => self.run_block::<32>(index, layout, images, sums, start, scratch, finish),
                _ => self.run_block::<16>(index, layout, images, sums, start, scratch, finish),
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn run_block<const O: usize>(
        &self,
        index: usize,
        layout: &Layout,
        images: &PaddedImages,
        sums: &[i32],
        start: &Start,
        scratch: &mut Scratch,
        finish: &mut dyn FnMut(Done),
    ) {
        let block = &self.blocks[index];
        let pixels = images.windows.len();
        // Whole output rows, about as many as accumulators fit.
        let rows = pixels / layout.out_width();
        let parts = pixels.div_ceil(ACC_BYTES / (4 * O)).clamp(1, rows.max(1));
        let at_once = rows.div_ceil(parts) * layout.out_width();
        scratch.acc.resize(scratch.acc.len().max(at_once * O / 16), bytemuck::Zeroable::zeroed());
        let Scratch { tables, acc } = scratch;
        let channels = block.channels.clone();
        let mut base = [0i32; O];
        let mut factor = [0i32; O];
        for (lane, channel) in channels.clone().enumerate() {
            base[lane] = start.bias[channel].wrapping_add(block.middles[lane]);
            factor[lane] = start.operand_sum[channel].wrapping_add(self.slope);
        }
        for first in (0..pixels).step_by(at_once) {
            let range = first..(first + at_once).min(pixels);
            let acc: &mut [[i32; O]] = bytemuck::cast_slice_mut(&mut acc[..range.len() * O / 16]);
            let sums = sums.get(block.group * pixels..).unwrap_or_default();
            if sums.is_empty() || factor == [0; O] {
                acc.fill(base);
            } else {
                for (acc, &sum) in acc.iter_mut().zip(&sums[range.clone()]) {
                    *acc = std::array::from_fn(|o| base[o].wrapping_add(factor[o].wrapping_mul(sum)));
                }
            }
            for taps in &block.taps {
                let windows = &images.windows[range.clone()];
                let tap = TapRun { taps, block, layout, images };
                match (taps.depth, taps.size) {
                    (0, _) => self.add_wide::<O, 4>(&tap, windows, tables, acc),
                    (_, 16) => self.add::<O, 16>(&tap, windows, tables, acc),
                    _ => self.add::<O, 8>(&tap, windows, tables, acc),
                }
            }
            let acc = acc.as_flattened();
            finish(Done { block: index, pixels: range, channels: channels.clone(), lanes: O, acc });
        }
    }

    /// Builds the tables of a block of taps and adds their entries to the pixels of `windows`.
    fn add<const O: usize, const K: usize>(
        &self,
        run: &TapRun,
        windows: &[u32],
        tables: &mut Vec<Line>,
        acc: &mut [[i32; O]],
    ) {
        let tables = tables_in::<i16, O, K>(tables);
        for (k, entries) in tables.iter_mut().enumerate() {
            match run.tap(k) {
                Some((weights, codes)) => {
                    let groups = usize::from(codes.0) / 8..usize::from(codes.1) / 8 + 1;
                    let weights = weights.first_chunk().expect("a weight for each lane");
                    kernels::build_entries(self.isa, &self.residuals, weights, groups, entries);
                }
                None => entries[0] = [0; O],
            }
        }
        run.for_rows::<O, K>(windows, acc, |rows, acc| {
            kernels::add_entries(self.isa, run.taps.depth, tables, rows, acc);
        });
    }

    /// As [`add`](Self::add) with entries of 32 bits.
    fn add_wide<const O: usize, const K: usize>(
        &self,
        run: &TapRun,
        windows: &[u32],
        tables: &mut Vec<Line>,
        acc: &mut [[i32; O]],
    ) {
        let tables = tables_in::<i32, O, K>(tables);
        let Some(wide) = &self.wide else { return };
        for (k, entries) in tables.iter_mut().enumerate() {
            match run.tap(k) {
                Some((weights, codes)) => {
                    // Nothing is widened, so nothing is interleaved: lanes are in the order of the channels.
                    for (lane, &weight) in weights.iter().enumerate() {
                        let channel = kernels::channel_of_lane::<O>(self.isa, lane);
                        for code in usize::from(codes.0)..=usize::from(codes.1) {
                            entries[code][channel] = wide[usize::from(weight)][code];
                        }
                    }
                }
                None => entries[0] = [0; O],
            }
        }
        run.for_rows::<O, K>(windows, acc, |rows, acc| {
            kernels::add_wide_entries(self.isa, tables, rows, acc);
        });
    }
}

/// A block of taps over some images.
struct TapRun<'a> {
    taps: &'a TapBlock,
    block: &'a Block,
    layout: &'a Layout,
    images: &'a PaddedImages,
}

impl TapRun<'_> {
    /// Weights by lane and the range of activation codes of the block's tap `k`; `None` beyond the last tap.
    fn tap(&self, k: usize) -> Option<(&[u8], (u8, u8))> {
        let tap = Some(self.taps.taps.start + k).filter(|tap| self.taps.taps.contains(tap))?;
        let weights = &self.block.weights[tap * self.block.lanes..][..self.block.lanes];
        Some((weights, self.images.code_range(self.layout.channel(tap, self.block.group))))
    }

    /// Calls `add` with the codes under the block's taps: in place where a row's lie side by side, else
    /// copied for some windows at a time.
    fn for_rows<const O: usize, const K: usize>(
        &self,
        windows: &[u32],
        acc: &mut [[i32; O]],
        mut add: impl FnMut(&CodeRows, &mut [[i32; O]]),
    ) {
        let tap = |k| self.images.tap(self.layout, k, self.block.group);
        let taps: Vec<usize> = self.taps.taps.clone().map(tap).collect();
        let codes = self.images.codes.as_slice();
        let width = self.layout.out_width();
        let side_by_side = taps.len() == K && taps.windows(2).all(|pair| pair[1] == pair[0] + 1);
        if side_by_side && width > 1 && self.layout.window_stride() == K {
            let starts: Vec<u32> = windows.iter().copied().step_by(width).collect();
            return add(&CodeRows { codes: &codes[taps[0]..], starts: &starts, width }, acc);
        }
        let mut gathered = [[0; K]; GATHERED];
        for (windows, acc) in windows.chunks(GATHERED).zip(acc.chunks_mut(GATHERED)) {
            for (to, &window) in gathered.iter_mut().zip(windows) {
                let window = &codes[window as usize..];
                match window[taps[0]..].first_chunk() {
                    Some(from) if side_by_side => *to = *from,
                    _ => to.iter_mut().zip(&taps).for_each(|(to, &tap)| *to = window[tap]),
                }
            }
            add(&CodeRows { codes: gathered.as_flattened(), starts: &[0], width: acc.len() }, acc);
        }
    }
}

/// As many channels as a block has taps, if that divides the channels of a group: the codes of a block of taps
/// then lie side by side.
fn block_channels(isa: Isa, conv: &QuantizedConv) -> Option<usize> {
    let divides = |size: &usize| (usize::from(conv.input.channels) / conv.groups).is_multiple_of(*size);
    [isa.table_block().1, 8].into_iter().find(divides)
}

/// Whether the codes of a block of taps lie side by side.
pub fn has_blocks_of_channels(isa: Isa, conv: &QuantizedConv) -> bool {
    block_channels(isa, conv).is_some()
}

/// The tables' memory, as large as need be. Entries that are not built hold whatever was there; no code
/// selects them.
fn tables_in<T: bytemuck::Pod, const O: usize, const K: usize>(
    memory: &mut Vec<Line>,
) -> &mut Tables<T, O, K> {
    let lines = size_of::<Tables<T, O, K>>().div_ceil(size_of::<Line>());
    memory.resize(memory.len().max(lines), bytemuck::Zeroable::zeroed());
    let tables: &mut [[[T; O]; CODES + 1]] = bytemuck::cast_slice_mut(
        &mut bytemuck::cast_slice_mut::<Line, T>(&mut memory[..lines])[..O * (CODES + 1) * K],
    );
    tables.first_chunk_mut().expect("as many taps")
}
