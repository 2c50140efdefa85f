//! Convolution by multiplication, for multipliers whose products are `f(x) * g(w)`: exact ones, and those
//! that ignore bits of their operands.
//!
//! Columns hold `f(x)` as i16, four pixels and four taps together in the order that dual multiplications
//! want: see [`Column`].

use super::finish::Requantization;
use super::runs::{QUAD, Run, for_each_quad, for_each_run};
use super::{PRODUCT_PIXELS, TAP_GROUP};
use crate::image::Conv2d;
use crate::kernels::inner::{self, ProductWeights};

/// Four taps of four pixels: word `p` holds taps 0 and 2 of pixel `p` (the first in its lower half), word
/// `4 + p` taps 1 and 3. That is how a word of four codes falls apart into halves.
pub(crate) type Column = [u32; 2 * PRODUCT_PIXELS];

/// The function `f` of activation codes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Factor<'a> {
    /// `(x & mask) << shift`, the shift at most 7.
    Masked { mask: u8, shift: u8 },
    /// A value for each code.
    Mapped(&'a [i16; 256]),
}

impl Factor<'_> {
    #[inline]
    pub fn of(self, code: u8) -> i16 {
        match self {
            Factor::Masked { mask, shift } => i16::from(code & mask) << (shift & 7),
            Factor::Mapped(values) => values[usize::from(code)],
        }
    }
}

/// Runs the convolution. `scratch` holds [`Conv2d::scratch_bytes`].
pub(crate) fn product(
    op: &Conv2d,
    factor: Factor,
    weights: ProductWeights,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u32],
) {
    let Some(groups) = op.taps().map(|taps| taps.div_ceil(TAP_GROUP)) else { return };
    let Some((columns, staging)) = scratch.split_at_mut_checked(groups * 2 * PRODUCT_PIXELS) else { return };
    let columns = columns.as_chunks_mut().0;
    // Taps that complete the last group weigh 0, so that their columns may hold anything.
    let mut gather = Gather { op, factor, input, columns, staging: bytemuck::must_cast_slice_mut(staging) };
    let pixels = op.pixels();
    let (outputs, group_outputs) = (usize::from(op.output.channels), op.group_outputs());
    for first in (0..pixels).step_by(PRODUCT_PIXELS) {
        let count = (pixels - first).min(PRODUCT_PIXELS);
        let mut pair_index = 0;
        for group in 0..usize::from(op.groups) {
            gather.block(first, count, group);
            let sums = match requantization.activation_sums {
                Some(_) => gather.code_sums(first, count, group),
                None => [0; PRODUCT_PIXELS],
            };
            for pair in (0..group_outputs).step_by(2) {
                let channel = group * group_outputs + pair;
                let mut acc =
                    [requantization.starts(channel, &sums), requantization.starts(channel + 1, &sums)];
                if count == 1 {
                    inner::add_products_of_one(&mut acc, weights, pair_index, gather.columns);
                } else {
                    inner::add_products(&mut acc, weights, pair_index, gather.columns);
                }
                pair_index += 1;
                let element = first * outputs + channel;
                requantization.store(channel, acc[0].get(..count).unwrap_or(&[]), output, element, outputs);
                if pair + 1 < group_outputs {
                    let done = acc[1].get(..count).unwrap_or(&[]);
                    requantization.store(channel + 1, done, output, element + 1, outputs);
                }
            }
        }
    }
}

/// Brings the taps of pixels into the columns.
struct Gather<'a> {
    op: &'a Conv2d,
    factor: Factor<'a>,
    input: &'a [u8],
    columns: &'a mut [Column],
    /// Holds a pixel's taps byte by byte where [`Conv2d::is_staged`].
    staging: &'a mut [u8],
}

impl Gather<'_> {
    /// The taps of `count` pixels from `first` on.
    fn block(&mut self, first: usize, count: usize, group: usize) {
        let staged = !self.staging.is_empty();
        if !staged && count == QUAD && self.quad(first) {
            return;
        }
        for lane in 0..count {
            if staged {
                self.staged_pixel(first + lane, lane, group);
            } else {
                self.pixel(first + lane, lane, group);
            }
        }
    }

    /// Four pixels at once, where that is possible.
    fn quad(&mut self, first: usize) -> bool {
        let Factor::Masked { mask, shift } = self.factor else { return false };
        let padding = spread(self.op.input_zero_point, mask, shift);
        let columns = &mut *self.columns;
        let row_groups =
            usize::from(self.op.window.kernel[1]) * usize::from(self.op.input.channels) / TAP_GROUP;
        for_each_quad(self.op, self.input, first, &mut |tap, codes| {
            let columns = columns.get_mut(tap / TAP_GROUP..).unwrap_or(&mut []);
            match codes {
                Some(codes) => write_quad(columns, codes, mask, shift),
                None => columns.iter_mut().take(row_groups).for_each(|column| column.fill(padding)),
            }
        })
    }

    /// One pixel, whose runs of taps are multiples of four.
    fn pixel(&mut self, pixel: usize, lane: usize, group: usize) {
        let Factor::Masked { mask, shift } = self.factor else { return };
        let padding = spread(self.op.input_zero_point, mask, shift);
        let columns = &mut *self.columns;
        for_each_run(self.op, self.input, pixel, group, &mut |tap, run| {
            let columns = columns.get_mut(tap / TAP_GROUP..).unwrap_or(&mut []);
            match run {
                Run::Codes(codes) => write_words(columns, codes, lane, mask, shift),
                Run::Padding(taps) => {
                    for column in columns.iter_mut().take(taps / TAP_GROUP) {
                        column[lane % PRODUCT_PIXELS] = padding;
                        column[PRODUCT_PIXELS + lane % PRODUCT_PIXELS] = padding;
                    }
                }
            }
        });
    }

    /// One pixel of any kind.
    fn staged_pixel(&mut self, pixel: usize, lane: usize, group: usize) {
        let staging = &mut *self.staging;
        for_each_run(self.op, self.input, pixel, group, &mut |tap, run| match run {
            Run::Codes(codes) => {
                if let Some(place) = staging.get_mut(tap..tap + codes.len()) {
                    place.copy_from_slice(codes);
                }
            }
            Run::Padding(taps) => {
                staging.get_mut(tap..tap + taps).unwrap_or(&mut []).fill(self.op.input_zero_point);
            }
        });
        match self.factor {
            Factor::Masked { mask, shift } => write_words(self.columns, staging, lane, mask, shift),
            Factor::Mapped(values) => write_mapped(self.columns, staging, lane, values),
        }
    }

    /// Sums of the codes themselves.
    fn code_sums(&self, first: usize, count: usize, group: usize) -> [i32; PRODUCT_PIXELS] {
        let mut sums = [0i32; PRODUCT_PIXELS];
        for (lane, sum) in sums.iter_mut().enumerate().take(count) {
            for_each_run(self.op, self.input, first + lane, group, &mut |_, run| {
                *sum = sum.wrapping_add(match run {
                    Run::Codes(codes) => codes.iter().map(|&code| i32::from(code)).sum(),
                    Run::Padding(taps) => taps as i32 * i32::from(self.op.input_zero_point),
                });
            });
        }
        sums
    }
}

/// A code's value in both halves of a word.
fn spread(code: u8, mask: u8, shift: u8) -> u32 {
    (u32::from(code & mask) << (shift & 7)) * 0x0001_0001
}

/// Writes codes four at a time into a pixel's place.
#[inline(never)]
fn write_words(columns: &mut [Column], codes: &[u8], lane: usize, mask: u8, shift: u8) {
    let masks = spread(mask, mask, shift);
    let (shift, lane) = (shift & 7, lane % PRODUCT_PIXELS);
    for (column, word) in columns.iter_mut().zip(codes.as_chunks::<TAP_GROUP>().0) {
        let word = u32::from_le_bytes(*word);
        // A code's bits that leave their half of the word are masked.
        column[lane] = (word << shift) & masks;
        column[PRODUCT_PIXELS + lane] = (word >> (8 - shift)) & masks;
    }
}

/// Writes the values of codes four at a time into a pixel's place.
#[inline(never)]
fn write_mapped(columns: &mut [Column], codes: &[u8], lane: usize, values: &[i16; 256]) {
    let lane = lane % PRODUCT_PIXELS;
    let value = |code: u8| u32::from(values[usize::from(code)] as u16);
    for (column, &[a, b, c, d]) in columns.iter_mut().zip(codes.as_chunks::<TAP_GROUP>().0) {
        column[lane] = value(a) | value(c) << 16;
        column[PRODUCT_PIXELS + lane] = value(b) | value(d) << 16;
    }
}

/// Writes the codes of four pixels.
#[inline(never)]
fn write_quad(columns: &mut [Column], codes: [&[u8]; QUAD], mask: u8, shift: u8) {
    let masks = spread(mask, mask, shift);
    let shift = shift & 7;
    let words = codes.map(|codes| codes.as_chunks::<TAP_GROUP>().0);
    let quads = words[0].iter().zip(words[1]).zip(words[2]).zip(words[3]);
    for (column, (((a, b), c), d)) in columns.iter_mut().zip(quads) {
        let words = [a, b, c, d].map(|word| u32::from_le_bytes(*word));
        let [a, b, c, d] = words.map(|word| (word << shift) & masks);
        let [e, f, g, h] = words.map(|word| (word >> (8 - shift)) & masks);
        *column = [a, b, c, d, e, f, g, h];
    }
}
