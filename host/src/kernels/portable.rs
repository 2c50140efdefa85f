//! The loops in portable Rust. Bodies are inlined into the functions of the other modules, where the
//! compiler may use more instructions.

pub use super::circuit::{add_errors, add_moments_of_errors, simulate};
use super::gemm::{PAIRS, Panel, TileAcc, TileRows};
use super::{CODES, CodeRows, Factors, Residuals, Tables};
use skimp_runtime::image::Add;
use std::ops::Range;

#[inline(always)]
pub fn add_entries<const O: usize, const K: usize, const DEPTH: usize>(
    tables: &Tables<i16, O, K>,
    code_rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    for (codes, acc) in code_rows.rows::<K, _>(acc) {
        for (codes, acc) in codes.iter().zip(acc) {
            for first in (0..K).step_by(DEPTH) {
                let mut sums = tables[first][usize::from(codes[first])];
                for tap in first + 1..first + DEPTH {
                    let entry = &tables[tap][usize::from(codes[tap])];
                    for (sum, &value) in sums.iter_mut().zip(entry) {
                        *sum = sum.wrapping_add(value);
                    }
                }
                for (acc, sum) in acc.iter_mut().zip(sums) {
                    *acc = acc.wrapping_add(i32::from(sum));
                }
            }
        }
    }
}

#[inline(always)]
pub fn add_wide_entries<const O: usize, const K: usize>(
    tables: &Tables<i32, O, K>,
    code_rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    for (codes, acc) in code_rows.rows::<K, _>(acc) {
        for (codes, acc) in codes.iter().zip(acc) {
            for (table, &code) in tables.iter().zip(codes) {
                for (acc, &value) in acc.iter_mut().zip(&table[usize::from(code)]) {
                    *acc = acc.wrapping_add(value);
                }
            }
        }
    }
}

#[inline(always)]
pub fn build_entries<const O: usize>(
    residuals: &Residuals,
    weights: &[u8; O],
    groups: Range<usize>,
    entries: &mut [[i16; O]; CODES + 1],
) {
    let rows: [_; O] = std::array::from_fn(|lane| &residuals[usize::from(weights[lane])]);
    for group in groups {
        let group = group % (CODES / 8);
        for code in 0..8 {
            let entry = &mut entries[group * 8 + code];
            for (value, row) in entry.iter_mut().zip(&rows) {
                *value = row[group][code];
            }
        }
    }
}

#[inline(always)]
pub fn add_tile(rows: &TileRows, pairs: usize, panel: &[Panel], acc: &mut TileAcc) {
    for (row, acc) in rows.iter().zip(acc) {
        for (&pair, weights) in row[..pairs.min(PAIRS)].iter().zip(panel) {
            let [first, second] = bytemuck::must_cast::<i32, [i16; 2]>(pair).map(i32::from);
            for (acc, w) in acc.iter_mut().zip(weights.as_chunks::<2>().0) {
                let products = [first * i32::from(w[0]), second * i32::from(w[1])];
                *acc = acc.wrapping_add(products[0]).wrapping_add(products[1]);
            }
        }
    }
}

#[inline(always)]
pub fn requantize<const O: usize>(factors: &Factors<O>, acc: &[[i32; O]], codes: &mut [[u8; O]]) {
    for (acc, codes) in acc.iter().zip(codes) {
        factors.codes(acc, codes);
    }
}

#[inline(always)]
pub fn add(op: &Add, a: &[u8], b: &[u8], output: &mut [u8]) {
    skimp_runtime::kernels::add(op, a, b, output);
}

#[inline(always)]
pub fn add_moments<const O: usize>(
    a: &[i32],
    t: &[i32],
    channels: usize,
    first: usize,
    moments: &mut [[i64; O]; 4],
) {
    let mut sums = *moments;
    for (a, t) in a.chunks_exact(channels).zip(t.chunks_exact(channels)) {
        let (Some(a), Some(t)) = (a.get(first..), t.get(first..)) else { return };
        match (a.first_chunk::<O>(), t.first_chunk::<O>()) {
            (Some(a), Some(t)) => add_row(a, t, &mut sums),
            _ => {
                let fill = |row: &[i32]| std::array::from_fn(|o| row.get(o).copied().unwrap_or(0));
                add_row(&fill(a), &fill(t), &mut sums);
            }
        }
    }
    *moments = sums;
}

#[inline(always)]
fn add_row<const O: usize>(a: &[i32; O], t: &[i32; O], sums: &mut [[i64; O]; 4]) {
    for o in 0..O {
        let (a, t) = (i64::from(a[o]), i64::from(t[o]));
        sums[0][o] += a;
        sums[1][o] += t;
        sums[2][o] += a * a;
        sums[3][o] += a * t;
    }
}
