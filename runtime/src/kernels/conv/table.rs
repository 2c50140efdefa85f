//! Convolution by table lookup, row by weight: each weight's row is looked up for every pixel of a block.

use super::TABLE_PIXELS;
use super::finish::Requantization;
use super::runs::{Run, for_each_run};
use crate::image::Conv2d;
use crate::kernels::inner::{self, NamedRows};

/// Runs the convolution. `scratch` holds [`Conv2d::scratch_bytes`].
pub(crate) fn table(
    op: &Conv2d,
    rows: &NamedRows,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u8],
) {
    let pixels = op.pixels();
    let (columns, _) = scratch.as_chunks_mut::<TABLE_PIXELS>();
    let mut first = 0;
    // Whole blocks first; a short rest runs pixel by pixel, a longer one as a block with idle lanes.
    while pixels - first > TABLE_PIXELS / 2 {
        let count = (pixels - first).min(TABLE_PIXELS);
        run_block(op, rows, requantization, input, output, columns, first, count);
        first += count;
    }
    let column = columns.as_flattened_mut();
    for pixel in first..pixels {
        run_pixel(op, rows, requantization, input, output, column, pixel);
    }
}

/// All output channels of `count` pixels from `first` on, `count` at most [`TABLE_PIXELS`].
#[allow(clippy::too_many_arguments)]
fn run_block(
    op: &Conv2d,
    rows: &NamedRows,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    columns: &mut [[u8; TABLE_PIXELS]],
    first: usize,
    count: usize,
) {
    let Some(columns) = op.taps().and_then(|taps| columns.get_mut(..taps)) else { return };
    let (outputs, group_outputs) = (usize::from(op.output.channels), op.group_outputs());
    let mut channel = 0;
    for group in 0..usize::from(op.groups) {
        gather(op, input, columns, first, count, group);
        let sums = match requantization.activation_sums {
            Some(_) => code_sums(columns),
            None => [0; TABLE_PIXELS],
        };
        for _ in 0..group_outputs {
            let finish = requantization.channel(channel);
            let mut acc = finish.starts(&sums);
            inner::add_rows(&mut acc, rows, channel * columns.len(), columns);
            let done = acc.get(..count).unwrap_or(&acc);
            finish.store(done, output, first * outputs + channel, outputs);
            channel += 1;
        }
    }
}

/// All output channels of one pixel.
fn run_pixel(
    op: &Conv2d,
    rows: &NamedRows,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    column: &mut [u8],
    pixel: usize,
) {
    let Some(column) = op.taps().and_then(|taps| column.get_mut(..taps)) else { return };
    let (outputs, group_outputs) = (usize::from(op.output.channels), op.group_outputs());
    let mut channel = 0;
    for group in 0..usize::from(op.groups) {
        for_each_run(op, input, pixel, group, |tap, run| match run {
            Run::Codes(codes) => {
                if let Some(target) = column.get_mut(tap..tap + codes.len()) {
                    target.copy_from_slice(codes);
                }
            }
            Run::Padding(taps) => {
                column.get_mut(tap..tap + taps).unwrap_or(&mut []).fill(op.input_zero_point);
            }
        });
        let sum = match requantization.activation_sums {
            Some(_) => column.iter().map(|&code| i32::from(code)).sum(),
            None => 0,
        };
        for _ in 0..group_outputs {
            let finish = requantization.channel(channel);
            let acc = inner::row_sum(rows, channel * column.len(), column).wrapping_add(finish.start(sum));
            finish.store(&[acc], output, pixel * outputs + channel, 1);
            channel += 1;
        }
    }
}

/// Writes the taps of `count` pixels into the columns; idle lanes hold whatever was there.
fn gather(
    op: &Conv2d,
    input: &[u8],
    columns: &mut [[u8; TABLE_PIXELS]],
    first: usize,
    count: usize,
    group: usize,
) {
    for lane in 0..count.min(TABLE_PIXELS) {
        for_each_run(op, input, first + lane, group, |tap, run| {
            let Some(target) = columns.get_mut(tap..) else { return };
            match run {
                Run::Codes(codes) => write_lane(target, codes, lane),
                Run::Padding(taps) => {
                    target.iter_mut().take(taps).for_each(|column| column[lane] = op.input_zero_point);
                }
            }
        });
    }
}

#[inline]
fn write_lane(columns: &mut [[u8; TABLE_PIXELS]], codes: &[u8], lane: usize) {
    let lane = lane % TABLE_PIXELS;
    let (eights, rest) = codes.as_chunks::<8>();
    let (column_eights, _) = columns.as_chunks_mut::<8>();
    for (columns, codes) in column_eights.iter_mut().zip(eights) {
        for (column, &code) in columns.iter_mut().zip(codes) {
            column[lane] = code;
        }
    }
    let rest_columns = columns.get_mut(eights.len() * 8..).unwrap_or(&mut []);
    for (column, &code) in rest_columns.iter_mut().zip(rest) {
        column[lane] = code;
    }
}

/// Sum of each pixel's activation codes.
fn code_sums(columns: &[[u8; TABLE_PIXELS]]) -> [i32; TABLE_PIXELS] {
    let mut sums = [0i32; TABLE_PIXELS];
    for codes in columns {
        for (sum, &code) in sums.iter_mut().zip(codes) {
            *sum = sum.wrapping_add(code.into());
        }
    }
    sums
}
