//! Convolution by table lookup, row by weight: each weight's row is looked up for every pixel of a block.

use super::TABLE_PIXELS;
use super::finish::Requantization;
use super::runs::{QUAD, Run, for_each_quad, for_each_run};
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
            let mut acc = requantization.starts(channel, &sums);
            inner::add_rows(&mut acc, rows, channel * columns.len(), columns);
            let done = acc.get(..count).unwrap_or(&acc);
            requantization.store(channel, done, output, first * outputs + channel, outputs);
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
        gather_pixel(op, input, column, pixel, group);
        let sum = match requantization.activation_sums {
            Some(_) => column.iter().map(|&code| i32::from(code)).sum(),
            None => 0,
        };
        for _ in 0..group_outputs {
            let [start] = requantization.starts(channel, &[sum]);
            let acc = inner::row_sum(rows, channel * column.len(), column).wrapping_add(start);
            requantization.store(channel, &[acc], output, pixel * outputs + channel, 1);
            channel += 1;
        }
    }
}

/// Writes the taps of one pixel.
pub(super) fn gather_pixel(op: &Conv2d, input: &[u8], column: &mut [u8], pixel: usize, group: usize) {
    for_each_run(op, input, pixel, group, &mut |tap, run| match run {
        Run::Codes(codes) => {
            if let Some(target) = column.get_mut(tap..tap + codes.len()) {
                target.copy_from_slice(codes);
            }
        }
        Run::Padding(taps) => {
            column.get_mut(tap..tap + taps).unwrap_or(&mut []).fill(op.input_zero_point);
        }
    });
}

/// Writes the taps of `count` pixels into the columns; idle lanes hold whatever was there.
#[inline(never)]
fn gather(
    op: &Conv2d,
    input: &[u8],
    columns: &mut [[u8; TABLE_PIXELS]],
    first: usize,
    count: usize,
    group: usize,
) {
    let mut lane = 0;
    while lane < count.min(TABLE_PIXELS) {
        let quad = lane.is_multiple_of(QUAD)
            && count - lane >= QUAD
            && for_each_quad(op, input, first + lane, &mut |tap, codes| {
                let target = columns.get_mut(tap..).unwrap_or(&mut []);
                write_quad(target, codes, lane / QUAD, op.input_zero_point, row_taps(op));
            });
        if quad {
            lane += QUAD;
            continue;
        }
        for_each_run(op, input, first + lane, group, &mut |tap, run| {
            let target = columns.get_mut(tap..).unwrap_or(&mut []);
            match run {
                Run::Codes(codes) => write_lane(target, codes, lane),
                Run::Padding(taps) => {
                    for column in target.iter_mut().take(taps) {
                        column[lane % TABLE_PIXELS] = op.input_zero_point;
                    }
                }
            }
        });
        lane += 1;
    }
}

fn row_taps(op: &Conv2d) -> usize {
    usize::from(op.window.kernel[1]) * usize::from(op.input.channels)
}

#[inline(never)]
fn write_lane(columns: &mut [[u8; TABLE_PIXELS]], codes: &[u8], lane: usize) {
    let lane = lane % TABLE_PIXELS;
    for (column, &code) in columns.iter_mut().zip(codes) {
        column[lane] = code;
    }
}

/// Writes a kernel row's taps of four pixels into one half of the columns: four taps of four pixels at a time
/// change places.
#[inline(never)]
fn write_quad(
    columns: &mut [[u8; TABLE_PIXELS]],
    codes: Option<[&[u8]; QUAD]>,
    half: usize,
    padding: u8,
    taps: usize,
) {
    let Ok(columns) = bytemuck::try_cast_slice_mut::<_, [u32; 2]>(columns) else { return };
    let half = half % 2;
    let Some([a, b, c, d]) = codes else {
        columns.iter_mut().take(taps).for_each(|column| column[half] = u32::from(padding) * 0x0101_0101);
        return;
    };
    const EVEN: u32 = 0x00ff_00ff;
    let (chunks, _) = columns.as_chunks_mut::<4>();
    let words = [a, b, c, d].map(|codes| codes.as_chunks::<4>().0);
    let quads = words[0].iter().zip(words[1]).zip(words[2]).zip(words[3]);
    for ([t0, t1, t2, t3], (((a, b), c), d)) in chunks.iter_mut().zip(quads) {
        let [a, b, c, d] = [a, b, c, d].map(|word| u32::from_le_bytes(*word));
        // Taps 0 and 2 of two pixels, taps 1 and 3 of two pixels.
        let (ab_even, ab_odd) = (a & EVEN | (b & EVEN) << 8, (a >> 8) & EVEN | b & !EVEN);
        let (cd_even, cd_odd) = (c & EVEN | (d & EVEN) << 8, (c >> 8) & EVEN | d & !EVEN);
        t0[half] = ab_even & 0xffff | cd_even << 16;
        t1[half] = ab_odd & 0xffff | cd_odd << 16;
        t2[half] = ab_even >> 16 | cd_even & 0xffff_0000;
        t3[half] = ab_odd >> 16 | cd_odd & 0xffff_0000;
    }
    // What remains of a row that is no multiple of four taps.
    let done = a.len() / 4 * 4;
    if done < a.len() {
        let columns: &mut [[u8; TABLE_PIXELS]] = bytemuck::must_cast_slice_mut(columns);
        let columns = columns.get_mut(done..).unwrap_or(&mut []);
        for (i, codes) in [a, b, c, d].into_iter().enumerate() {
            write_lane(columns, codes.get(done..).unwrap_or(&[]), half * QUAD + i);
        }
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
