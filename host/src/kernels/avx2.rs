//! The loops for AVX2.

use super::circuit::{
    self, BLOCK_ACTIVATIONS, Counter, ErrorSums, ExactBlock, ExactLanes, Instruction, Lanes, Limits, Moments,
    PRODUCT_BITS,
};
use super::gemm::{PAIRS, Panel, TILE_PIXELS, TileAcc, TileRows};
use super::{CODES, CodeRows, Factors, Residuals, Tables, portable};
use bytemuck::must_cast;
use skimp_runtime::image::Add;
use std::arch::x86_64::*;
use std::ops::Range;

/// i16 lanes of a vector.
const LANES: usize = 16;

/// Two sums of `DEPTH` entries each are widened together: interleaved, then added in pairs by a
/// multiplication with ones, which costs half of widening each alone. Eight entries are two sums of four.
#[target_feature(enable = "avx2")]
pub fn add_entries<const O: usize, const K: usize, const DEPTH: usize>(
    tables: &Tables<i16, O, K>,
    code_rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    let depth = const { if DEPTH > 4 { 4 } else { DEPTH } };
    const { assert!(O.is_multiple_of(LANES) && K.is_multiple_of(8)) };
    let ones = _mm256_set1_epi16(1);
    for (codes, acc) in code_rows.rows::<K, _>(acc) {
        for (codes, acc) in codes.iter().zip(acc) {
            let acc = acc.as_chunks_mut::<8>().0;
            // Two vectors at a time: with their totals and two sums of each, they fit the registers.
            for first_vector in (0..O / LANES).step_by(2) {
                let vectors = (O / LANES - first_vector).min(2);
                let acc = &mut acc[2 * first_vector..][..2 * vectors];
                let mut totals = [_mm256_setzero_si256(); 4];
                for (total, acc) in totals.iter_mut().zip(acc.iter()) {
                    *total = must_cast(*acc);
                }
                for first in (0..K).step_by(2 * depth) {
                    let mut sums = [[_mm256_setzero_si256(); 2]; 2];
                    for (half, sums) in sums.iter_mut().enumerate() {
                        for add in 0..depth {
                            let tap = first + half * depth + add;
                            let entry = tables[tap][usize::from(codes[tap])].as_chunks::<LANES>().0;
                            for (sum, &values) in sums.iter_mut().zip(&entry[first_vector..]) {
                                let values = must_cast(values);
                                *sum = if add == 0 { values } else { _mm256_add_epi16(*sum, values) };
                            }
                        }
                    }
                    for j in 0..vectors {
                        let low = _mm256_madd_epi16(_mm256_unpacklo_epi16(sums[0][j], sums[1][j]), ones);
                        let high = _mm256_madd_epi16(_mm256_unpackhi_epi16(sums[0][j], sums[1][j]), ones);
                        totals[2 * j] = _mm256_add_epi32(totals[2 * j], low);
                        totals[2 * j + 1] = _mm256_add_epi32(totals[2 * j + 1], high);
                    }
                }
                for (total, acc) in totals.iter().zip(acc) {
                    *acc = must_cast(*total);
                }
            }
        }
    }
}

#[target_feature(enable = "avx2")]
pub fn add_wide_entries<const O: usize, const K: usize>(
    tables: &Tables<i32, O, K>,
    code_rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    portable::add_wide_entries(tables, code_rows, acc);
}

/// Transposes 16 rows by 8 codes at a time in registers.
#[target_feature(enable = "avx2")]
pub fn build_entries<const O: usize>(
    residuals: &Residuals,
    weights: &[u8; O],
    groups: Range<usize>,
    entries: &mut [[i16; O]; CODES + 1],
) {
    for (block, weights) in weights.as_chunks::<LANES>().0.iter().enumerate() {
        let rows: [&[[i16; 8]; CODES / 8]; LANES] =
            std::array::from_fn(|lane| &residuals[usize::from(weights[lane])]);
        for group in groups.clone() {
            let group = group % (CODES / 8);
            // Rows j and j + 8 side by side.
            let mut a = [_mm256_setzero_si256(); 8];
            for (j, a) in a.iter_mut().enumerate() {
                *a = _mm256_set_m128i(must_cast(rows[j + 8][group]), must_cast(rows[j][group]));
            }
            let mut b = a;
            for j in 0..4 {
                b[2 * j] = _mm256_unpacklo_epi16(a[2 * j], a[2 * j + 1]);
                b[2 * j + 1] = _mm256_unpackhi_epi16(a[2 * j], a[2 * j + 1]);
            }
            let c = [
                _mm256_unpacklo_epi32(b[0], b[2]),
                _mm256_unpackhi_epi32(b[0], b[2]),
                _mm256_unpacklo_epi32(b[1], b[3]),
                _mm256_unpackhi_epi32(b[1], b[3]),
                _mm256_unpacklo_epi32(b[4], b[6]),
                _mm256_unpackhi_epi32(b[4], b[6]),
                _mm256_unpacklo_epi32(b[5], b[7]),
                _mm256_unpackhi_epi32(b[5], b[7]),
            ];
            for j in 0..4 {
                let even = _mm256_unpacklo_epi64(c[j], c[j + 4]);
                let odd = _mm256_unpackhi_epi64(c[j], c[j + 4]);
                entries[group * 8 + 2 * j].as_chunks_mut::<LANES>().0[block] = must_cast(even);
                entries[group * 8 + 2 * j + 1].as_chunks_mut::<LANES>().0[block] = must_cast(odd);
            }
        }
    }
}

/// Four pixels by 16 channels at a time in registers.
#[target_feature(enable = "avx2")]
pub fn add_tile(rows: &TileRows, pairs: usize, panel: &[Panel], acc: &mut TileAcc) {
    const PIXELS: usize = 4;
    const { assert!(TILE_PIXELS.is_multiple_of(PIXELS)) };
    for half in 0..2 {
        for (rows, acc) in rows.as_chunks::<PIXELS>().0.iter().zip(acc.as_chunks_mut::<PIXELS>().0) {
            let mut sums = [[_mm256_setzero_si256(); 2]; PIXELS];
            for (pair, weights) in (0..pairs.min(PAIRS)).zip(panel) {
                let weights = weights.as_chunks::<LANES>().0;
                let weights = [must_cast(weights[2 * half]), must_cast(weights[2 * half + 1])];
                for (sums, row) in sums.iter_mut().zip(rows) {
                    let pixel = _mm256_set1_epi32(row[pair]);
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pixel, weights));
                    }
                }
            }
            for (sums, acc) in sums.iter().zip(acc) {
                let acc = acc.as_chunks_mut::<8>().0;
                for (j, &sum) in sums.iter().enumerate() {
                    let acc = &mut acc[2 * half + j];
                    *acc = must_cast(_mm256_add_epi32(must_cast(*acc), sum));
                }
            }
        }
    }
}

#[target_feature(enable = "avx2")]
pub fn requantize<const O: usize>(factors: &Factors<O>, acc: &[[i32; O]], codes: &mut [[u8; O]]) {
    portable::requantize(factors, acc, codes);
}

#[target_feature(enable = "avx2")]
pub fn add(op: &Add, a: &[u8], b: &[u8], output: &mut [u8]) {
    portable::add(op, a, b, output);
}

#[target_feature(enable = "avx2")]
pub fn add_moments<const O: usize>(
    a: &[i32],
    t: &[i32],
    channels: usize,
    first: usize,
    moments: &mut [[i64; O]; 4],
) {
    portable::add_moments(a, t, channels, first, moments);
}

/// Bits set in each half of a byte.
pub const ONES_OF_HALF_BYTES: [u8; 16] = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4];

#[target_feature(enable = "avx2,popcnt")]
pub fn simulate<const G: usize>(
    program: &[Instruction],
    values: &mut [[Lanes; G]],
    counters: &mut [Counter],
) {
    // More could exceed a byte.
    const { assert!(G < 32) };
    let table = _mm256_broadcastsi128_si256(must_cast(ONES_OF_HALF_BYTES));
    let low = _mm256_set1_epi8(15);
    for instruction in program {
        let [x, y] = instruction.inputs.map(|input| &values[usize::from(input)]);
        let [constant, sum, product] = instruction.masks().map(|mask| _mm256_set1_epi64x(mask as i64));
        let mut results = [[_mm256_setzero_si256(); 2]; G];
        for (result, (x, y)) in results.iter_mut().zip(x.iter().zip(y)) {
            let (x, y): ([__m256i; 2], [__m256i; 2]) = (must_cast(x.0), must_cast(y.0));
            for half in 0..2 {
                let (x, y) = (x[half], y[half]);
                let sum = _mm256_and_si256(sum, _mm256_xor_si256(x, y));
                let product = _mm256_and_si256(product, _mm256_and_si256(x, y));
                result[half] = _mm256_xor_si256(constant, _mm256_xor_si256(sum, product));
            }
        }
        for (value, result) in values[usize::from(instruction.output)].iter_mut().zip(results) {
            value.0 = must_cast(result);
        }
        if let Some(counter) = counters.get_mut(usize::from(instruction.counter)) {
            let mut bytes = [_mm256_setzero_si256(); 2];
            for result in results {
                for (bytes, vector) in bytes.iter_mut().zip(result) {
                    let high = _mm256_and_si256(_mm256_srli_epi16::<4>(vector), low);
                    for half in [_mm256_and_si256(vector, low), high] {
                        *bytes = _mm256_add_epi8(*bytes, _mm256_shuffle_epi8(table, half));
                    }
                }
            }
            // Eight counts of 64 bits, none of which needs 16, side by side.
            let [a, b] = bytes.map(|bytes| _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
            let pairs = _mm256_or_si256(a, _mm256_slli_epi64::<16>(b));
            let upper = _mm_slli_epi64::<32>(_mm256_extracti128_si256::<1>(pairs));
            let ones = _mm_or_si128(_mm256_castsi256_si128(pairs), upper);
            *counter = must_cast(_mm_add_epi16(must_cast(*counter), ones));
        }
    }
}

#[target_feature(enable = "avx2,popcnt")]
pub fn add_errors(
    product: &[&Lanes; PRODUCT_BITS],
    exact: &ExactLanes,
    limits: &Limits,
    sums: &mut ErrorSums,
) -> bool {
    circuit::add_errors(product, exact, limits, sums)
}

#[target_feature(enable = "avx2,popcnt")]
pub fn add_moments_of_errors(
    product: &[&Lanes; PRODUCT_BITS],
    exact: &ExactBlock,
    signed: bool,
    counts: &[i32; BLOCK_ACTIVATIONS],
    moments: &mut Moments,
) {
    circuit::add_moments_of_errors(product, exact, signed, counts, moments);
}
