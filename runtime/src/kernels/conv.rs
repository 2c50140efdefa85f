//! Convolution by table lookup, row by weight.
//!
//! A block of pixels is gathered into columns (one byte a pixel for each tap, padding resolved), then each
//! weight's table row is fetched once and looked up for every pixel of the block. Sums wrap: the host
//! refuses networks whose sums could, but an image from elsewhere must not be able to panic.

use super::{Rows, for_each_tap};
use crate::arithmetic::requantize;
use crate::image::{Conv2d, OutputKind, WeightCoding};

/// Pixels of a block; the scratch buffer holds this many bytes for each tap.
pub const BLOCK: usize = 8;

/// The flash-resident data of a convolution; see [`Conv2d`] for the fields.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct ConvData<'a> {
    pub rows: Rows<'a>,
    pub weights: &'a [u8],
    pub bias: &'a [i32],
    pub multipliers: &'a [i32],
    pub shifts: &'a [u8],
    pub activation_sums: Option<&'a [i32]>,
}

/// Runs a convolution. `scratch` holds [`BLOCK`] bytes for each of the K taps of a window.
pub fn conv2d(op: &Conv2d, data: &ConvData, input: &[u8], output: &mut [u8], scratch: &mut [u8]) {
    let pixels = usize::from(op.output.height) * usize::from(op.output.width);
    // Whole blocks first; a short rest runs pixel by pixel, a longer one as a block with idle lanes.
    let whole = pixels - pixels % BLOCK;
    let (columns, _) = scratch.as_chunks_mut::<BLOCK>();
    for first in (0..whole).step_by(BLOCK) {
        run_block::<BLOCK>(op, data, input, output, columns, first, BLOCK);
    }
    let rest = pixels - whole;
    if rest > BLOCK / 2 {
        run_block::<BLOCK>(op, data, input, output, columns, whole, rest);
    } else {
        let (column, _) = scratch.as_chunks_mut::<1>();
        for pixel in whole..pixels {
            run_block::<1>(op, data, input, output, column, pixel, 1);
        }
    }
}

/// All output channels of `count` pixels from `first` on, `count` at most P.
fn run_block<const P: usize>(
    op: &Conv2d,
    data: &ConvData,
    input: &[u8],
    output: &mut [u8],
    columns: &mut [[u8; P]],
    first: usize,
    count: usize,
) {
    let Some(taps) = op.taps().filter(|&taps| taps > 0) else { return };
    let Some(columns) = columns.get_mut(..taps) else { return };
    let outputs = usize::from(op.output.channels);
    let group_outputs = outputs / usize::from(op.groups.max(1));
    let mut weights = data.weights.chunks_exact(taps);
    let parameters = data.bias.iter().zip(data.multipliers).zip(data.shifts);
    let mut sums = [0i32; P];
    for (channel, ((&bias, &multiplier), &shift)) in parameters.enumerate().take(outputs) {
        if channel % group_outputs.max(1) == 0 {
            gather(op, input, columns, first, count, channel / group_outputs.max(1));
            if data.activation_sums.is_some() {
                sums = activation_sums(columns);
            }
        }
        let Some(weights) = weights.next() else { return };
        let factor = data.activation_sums.and_then(|f| f.get(channel)).copied().unwrap_or(0);
        let mut acc = [0i32; P];
        for (acc, sum) in acc.iter_mut().zip(sums) {
            *acc = bias.wrapping_add(factor.wrapping_mul(sum));
        }
        match (data.rows, op.weight_coding) {
            (Rows::U16(rows), WeightCoding::Row) => add_rows(&mut acc, rows, weights, columns),
            (Rows::I16(rows), WeightCoding::Row) => add_rows(&mut acc, rows, weights, columns),
            (Rows::I32(rows), WeightCoding::Row) => add_rows(&mut acc, rows, weights, columns),
            (Rows::U16(rows), WeightCoding::SignedRow) => add_signed_rows(&mut acc, rows, weights, columns),
            (Rows::I16(rows), WeightCoding::SignedRow) => add_signed_rows(&mut acc, rows, weights, columns),
            (Rows::I32(rows), WeightCoding::SignedRow) => add_signed_rows(&mut acc, rows, weights, columns),
        }
        for (lane, acc) in acc.into_iter().enumerate().take(count) {
            let value = requantize(acc, multiplier, shift);
            let element = (first + lane) * outputs + channel;
            match op.output_kind {
                OutputKind::Codes(range) => {
                    if let Some(out) = output.get_mut(element) {
                        *out = range.code(value);
                    }
                }
                OutputKind::Logits => {
                    let logit = value.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
                    if let Some(out) = output.get_mut(element * 4..element * 4 + 4) {
                        out.copy_from_slice(&logit.to_le_bytes());
                    }
                }
            }
        }
    }
}

/// Writes the taps of `count` pixels of one group into the columns; idle lanes keep the zero point.
fn gather<const P: usize>(
    op: &Conv2d,
    input: &[u8],
    columns: &mut [[u8; P]],
    first: usize,
    count: usize,
    group: usize,
) {
    let channels = usize::from(op.input.channels);
    let group_channels = channels / usize::from(op.groups.max(1));
    let width = usize::from(op.output.width).max(1);
    if count < P {
        columns.fill([op.input_zero_point; P]);
    }
    for lane in 0..count.min(P) {
        let (row, column) = ((first + lane) / width, (first + lane) % width);
        for_each_tap(&op.input, &op.window, row, column, |tap, pixel| {
            let Some(target) = columns.get_mut(tap * group_channels..(tap + 1) * group_channels) else {
                return;
            };
            let source = pixel.and_then(|pixel| {
                let start = pixel * channels + group * group_channels;
                input.get(start..start + group_channels)
            });
            match source {
                Some(codes) => target.iter_mut().zip(codes).for_each(|(t, &code)| t[lane] = code),
                None => target.iter_mut().for_each(|t| t[lane] = op.input_zero_point),
            }
        });
    }
}

/// Sum of each lane's activation codes.
fn activation_sums<const P: usize>(columns: &[[u8; P]]) -> [i32; P] {
    let mut sums = [0i32; P];
    for codes in columns {
        for (sum, &code) in sums.iter_mut().zip(codes) {
            *sum = sum.wrapping_add(code.into());
        }
    }
    sums
}

// Not inlined: within the caller the sums would not all get registers.
#[inline(never)]
fn add_rows<const P: usize, E: Copy + Into<i32>>(
    acc: &mut [i32; P],
    rows: &[[E; 256]],
    weights: &[u8],
    columns: &[[u8; P]],
) {
    let mut total = *acc;
    for (&weight, codes) in weights.iter().zip(columns) {
        let Some(row) = rows.get(usize::from(weight)) else { continue };
        for (total, &code) in total.iter_mut().zip(codes) {
            *total = total.wrapping_add(row[usize::from(code)].into());
        }
    }
    *acc = total;
}

#[inline(never)]
fn add_signed_rows<const P: usize, E: Copy + Into<i32>>(
    acc: &mut [i32; P],
    rows: &[[E; 256]],
    weights: &[u8],
    columns: &[[u8; P]],
) {
    let mut total = *acc;
    for (&weight, codes) in weights.iter().zip(columns) {
        let weight = weight as i8;
        // 0 - 1 wraps to a row no table has: zero weights contribute nothing.
        let index = usize::from(weight.unsigned_abs()).wrapping_sub(1);
        let Some(row) = rows.get(index) else { continue };
        if weight > 0 {
            for (total, &code) in total.iter_mut().zip(codes) {
                *total = total.wrapping_add(row[usize::from(code)].into());
            }
        } else {
            for (total, &code) in total.iter_mut().zip(codes) {
                *total = total.wrapping_sub(row[usize::from(code)].into());
            }
        }
    }
    *acc = total;
}
