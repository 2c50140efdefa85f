//! Convolution by multiplication, for multipliers whose products are `f(x) * g(w)`: exact ones, and those
//! that ignore bits of their operands.
//!
//! Columns hold `f(x)` as i16, four pixels and four taps together in the order that dual multiplications
//! want: see [`Column`].

use super::finish::Requantization;
use super::runs::{Run, for_each_run};
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
    pub(super) fn of(self, code: u8) -> i16 {
        match self {
            Factor::Masked { mask, shift } => i16::from(code & mask) << (shift & 7),
            Factor::Mapped(values) => values[usize::from(code)],
        }
    }
}

/// Runs the convolution. `columns` are the scratch memory.
pub(crate) fn product(
    op: &Conv2d,
    factor: Factor,
    weights: ProductWeights,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    columns: &mut [Column],
) {
    let Some(taps) = op.taps() else { return };
    let Some(columns) = columns.get_mut(..taps.div_ceil(TAP_GROUP)) else { return };
    // Taps that complete the last group weigh 0, so that their columns may hold anything.
    let pixels = op.pixels();
    let (outputs, group_outputs) = (usize::from(op.output.channels), op.group_outputs());
    for first in (0..pixels).step_by(PRODUCT_PIXELS) {
        let count = (pixels - first).min(PRODUCT_PIXELS);
        let mut pair_index = 0;
        for group in 0..usize::from(op.groups) {
            let mut sums = [0; PRODUCT_PIXELS];
            for (lane, sum) in sums.iter_mut().enumerate().take(count) {
                let sum = requantization.activation_sums.is_some().then_some(sum);
                gather(op, factor, input, columns, first + lane, lane, group, sum);
            }
            for pair in (0..group_outputs).step_by(2) {
                let channel = group * group_outputs + pair;
                let finish = [requantization.channel(channel), requantization.channel(channel + 1)];
                let mut acc = [finish[0].starts(&sums), finish[1].starts(&sums)];
                if count == 1 {
                    inner::add_products_of_one(&mut acc, weights, pair_index, columns);
                } else {
                    inner::add_products(&mut acc, weights, pair_index, columns);
                }
                pair_index += 1;
                let both = finish.iter().zip(&acc).take(group_outputs - pair).enumerate();
                for (second, (finish, acc)) in both {
                    let done = acc.get(..count).unwrap_or(acc);
                    finish.store(done, output, first * outputs + channel + second, outputs);
                }
            }
        }
    }
}

/// Writes the taps of a pixel into its place in the columns, and adds its codes to `sum` if asked for.
#[allow(clippy::too_many_arguments)]
#[inline]
fn gather(
    op: &Conv2d,
    factor: Factor,
    input: &[u8],
    columns: &mut [Column],
    pixel: usize,
    lane: usize,
    group: usize,
    mut sum: Option<&mut i32>,
) {
    let padding = factor.of(op.input_zero_point);
    for_each_run(op, input, pixel, group, |tap, run| match run {
        Run::Codes(codes) => {
            if let Some(sum) = &mut sum {
                **sum = sum.wrapping_add(codes.iter().map(|&code| i32::from(code)).sum());
            }
            match factor {
                Factor::Masked { mask, shift } if tap.is_multiple_of(TAP_GROUP) => {
                    let columns = columns.get_mut(tap / TAP_GROUP..).unwrap_or(&mut []);
                    write_words(columns, codes, lane, mask, shift & 7);
                }
                _ => codes
                    .iter()
                    .enumerate()
                    .for_each(|(i, &code)| write_tap(columns, tap + i, lane, factor.of(code))),
            }
        }
        Run::Padding(taps) => {
            if let Some(sum) = &mut sum {
                **sum = sum.wrapping_add(taps as i32 * i32::from(op.input_zero_point));
            }
            (tap..tap + taps).for_each(|tap| write_tap(columns, tap, lane, padding));
        }
    });
}

/// Writes codes four at a time, beginning with the first tap of a group.
#[inline]
fn write_words(columns: &mut [Column], codes: &[u8], lane: usize, mask: u8, shift: u8) {
    let masks = (u32::from(mask) << shift) * 0x0001_0001;
    let lane = lane % PRODUCT_PIXELS;
    let (words, rest) = codes.as_chunks::<TAP_GROUP>();
    for (column, word) in columns.iter_mut().zip(words) {
        let word = u32::from_le_bytes(*word);
        // A code's bits that leave their half of the word are masked.
        column[lane] = (word << shift) & masks;
        column[PRODUCT_PIXELS + lane] = (word >> (8 - shift)) & masks;
    }
    for (i, &code) in rest.iter().enumerate() {
        let value = Factor::Masked { mask, shift }.of(code);
        write_tap(columns, words.len() * TAP_GROUP + i, lane, value);
    }
}

#[inline]
fn write_tap(columns: &mut [Column], tap: usize, lane: usize, value: i16) {
    let Some(column) = columns.get_mut(tap / TAP_GROUP) else { return };
    let halves: &mut [u16; 4 * PRODUCT_PIXELS] = bytemuck::must_cast_mut(column);
    let place = lane % PRODUCT_PIXELS * 2 + (tap & 1) * 2 * PRODUCT_PIXELS + (tap >> 1 & 1);
    halves[place] = value as u16;
}
