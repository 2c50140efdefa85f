//! The loops for AVX-512 with its byte, word, double word and neural network extensions.

use super::circuit::{
    self, BLOCK_ACTIVATIONS, Counter, ErrorSums, ExactBlock, ExactLanes, Instruction, Lanes, Limits, Moments,
    PRODUCT_BITS,
};
use super::gemm::{PAIRS, Panel, TILE_PIXELS, TileAcc, TileRows};
use super::{CODES, CodeRows, Factors, Residuals, Tables, avx2, portable};
use bytemuck::must_cast;
use skimp_runtime::image::Add;
use std::arch::x86_64::*;
use std::ops::Range;

/// i16 lanes of a vector.
const LANES: usize = 32;

/// As for AVX2, with one instruction to widen and add.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub fn add_entries<const O: usize, const K: usize, const DEPTH: usize>(
    tables: &Tables<i16, O, K>,
    code_rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    if O < LANES {
        add_half_vectors::<O, K, DEPTH>(tables, code_rows, acc);
    } else {
        add_vectors::<O, K, DEPTH>(tables, code_rows, acc);
    }
}

/// The accumulators stay in registers over all taps.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
#[inline]
fn add_vectors<const O: usize, const K: usize, const DEPTH: usize>(
    tables: &Tables<i16, O, K>,
    code_rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    let depth = const { if DEPTH > 4 { 4 } else { DEPTH } };
    const { assert!(K.is_multiple_of(8)) };
    let ones = _mm512_set1_epi16(1);
    for (codes, acc) in code_rows.rows::<K, _>(acc) {
        for (codes, acc) in codes.iter().zip(acc) {
            let acc = acc.as_chunks_mut::<16>().0;
            let mut totals = [_mm512_setzero_si512(); 4];
            for (total, acc) in totals.iter_mut().zip(acc.iter()) {
                *total = must_cast(*acc);
            }
            for first in (0..K).step_by(2 * depth) {
                let mut sums = [[_mm512_setzero_si512(); 2]; 2];
                for (half, sums) in sums.iter_mut().enumerate() {
                    for add in 0..depth {
                        let tap = first + half * depth + add;
                        let entry = tables[tap][usize::from(codes[tap])].as_chunks::<LANES>().0;
                        for (sum, &values) in sums.iter_mut().zip(entry) {
                            let values = must_cast(values);
                            *sum = if add == 0 { values } else { _mm512_add_epi16(*sum, values) };
                        }
                    }
                }
                for j in 0..O / LANES {
                    let low = _mm512_unpacklo_epi16(sums[0][j], sums[1][j]);
                    let high = _mm512_unpackhi_epi16(sums[0][j], sums[1][j]);
                    totals[2 * j] = _mm512_dpwssd_epi32(totals[2 * j], low, ones);
                    totals[2 * j + 1] = _mm512_dpwssd_epi32(totals[2 * j + 1], high, ones);
                }
            }
            for (total, acc) in totals.iter().zip(acc) {
                *acc = must_cast(*total);
            }
        }
    }
}

/// Blocks of 16 channels fill half a vector: the same with vectors of half the length.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
#[inline]
fn add_half_vectors<const O: usize, const K: usize, const DEPTH: usize>(
    tables: &Tables<i16, O, K>,
    code_rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    let depth = const { if DEPTH > 4 { 4 } else { DEPTH } };
    const { assert!(K.is_multiple_of(8)) };
    let ones = _mm256_set1_epi16(1);
    for (codes, acc) in code_rows.rows::<K, _>(acc) {
        for (codes, acc) in codes.iter().zip(acc) {
            let acc = acc.as_chunks_mut::<8>().0;
            let mut totals = [must_cast(acc[0]), must_cast(acc[1])];
            for first in (0..K).step_by(2 * depth) {
                let mut sums = [_mm256_setzero_si256(); 2];
                for (half, sum) in sums.iter_mut().enumerate() {
                    for add in 0..depth {
                        let tap = first + half * depth + add;
                        let entry = tables[tap][usize::from(codes[tap])].as_chunks::<16>().0;
                        let values = must_cast(entry[0]);
                        *sum = if add == 0 { values } else { _mm256_add_epi16(*sum, values) };
                    }
                }
                totals[0] = _mm256_dpwssd_epi32(totals[0], _mm256_unpacklo_epi16(sums[0], sums[1]), ones);
                totals[1] = _mm256_dpwssd_epi32(totals[1], _mm256_unpackhi_epi16(sums[0], sums[1]), ones);
            }
            (acc[0], acc[1]) = (must_cast(totals[0]), must_cast(totals[1]));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub fn add_wide_entries<const O: usize, const K: usize>(
    tables: &Tables<i32, O, K>,
    code_rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    portable::add_wide_entries(tables, code_rows, acc);
}

/// Transposes 32 rows by 8 codes at a time in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub fn build_entries<const O: usize>(
    residuals: &Residuals,
    weights: &[u8; O],
    groups: Range<usize>,
    entries: &mut [[i16; O]; CODES + 1],
) {
    if O < LANES {
        return avx2::build_entries(residuals, weights, groups, entries);
    }
    for (block, weights) in weights.as_chunks::<LANES>().0.iter().enumerate() {
        let rows: [&[[i16; 8]; CODES / 8]; LANES] =
            std::array::from_fn(|lane| &residuals[usize::from(weights[lane])]);
        for group in groups.clone() {
            let group = group % (CODES / 8);
            // Rows j, j + 8, j + 16 and j + 24 side by side.
            let mut a = [_mm512_setzero_si512(); 8];
            for (j, a) in a.iter_mut().enumerate() {
                *a = _mm512_castsi128_si512(must_cast(rows[j][group]));
                *a = _mm512_inserti32x4::<1>(*a, must_cast(rows[j + 8][group]));
                *a = _mm512_inserti32x4::<2>(*a, must_cast(rows[j + 16][group]));
                *a = _mm512_inserti32x4::<3>(*a, must_cast(rows[j + 24][group]));
            }
            let mut b = a;
            for j in 0..4 {
                b[2 * j] = _mm512_unpacklo_epi16(a[2 * j], a[2 * j + 1]);
                b[2 * j + 1] = _mm512_unpackhi_epi16(a[2 * j], a[2 * j + 1]);
            }
            let c = [
                _mm512_unpacklo_epi32(b[0], b[2]),
                _mm512_unpackhi_epi32(b[0], b[2]),
                _mm512_unpacklo_epi32(b[1], b[3]),
                _mm512_unpackhi_epi32(b[1], b[3]),
                _mm512_unpacklo_epi32(b[4], b[6]),
                _mm512_unpackhi_epi32(b[4], b[6]),
                _mm512_unpacklo_epi32(b[5], b[7]),
                _mm512_unpackhi_epi32(b[5], b[7]),
            ];
            for j in 0..4 {
                let even = _mm512_unpacklo_epi64(c[j], c[j + 4]);
                let odd = _mm512_unpackhi_epi64(c[j], c[j + 4]);
                entries[group * 8 + 2 * j].as_chunks_mut::<LANES>().0[block] = must_cast(even);
                entries[group * 8 + 2 * j + 1].as_chunks_mut::<LANES>().0[block] = must_cast(odd);
            }
        }
    }
}

/// Eight pixels by 32 channels at a time in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub fn add_tile(rows: &TileRows, pairs: usize, panel: &[Panel], acc: &mut TileAcc) {
    let mut sums = [[_mm512_setzero_si512(); 2]; TILE_PIXELS];
    for (pair, weights) in (0..pairs.min(PAIRS)).zip(panel) {
        let weights = weights.as_chunks::<LANES>().0;
        let weights = [must_cast(weights[0]), must_cast(weights[1])];
        for (sums, row) in sums.iter_mut().zip(rows) {
            let pixel = _mm512_set1_epi32(row[pair]);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpwssd_epi32(*sum, pixel, weights);
            }
        }
    }
    for (sums, acc) in sums.iter().zip(acc) {
        for (&sum, acc) in sums.iter().zip(acc.as_chunks_mut::<16>().0) {
            *acc = must_cast(_mm512_add_epi32(must_cast(*acc), sum));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub fn requantize<const O: usize>(factors: &Factors<O>, acc: &[[i32; O]], codes: &mut [[u8; O]]) {
    portable::requantize(factors, acc, codes);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub fn add(op: &Add, a: &[u8], b: &[u8], output: &mut [u8]) {
    portable::add(op, a, b, output);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub fn add_moments<const O: usize>(
    a: &[i32],
    t: &[i32],
    channels: usize,
    first: usize,
    moments: &mut [[i64; O]; 4],
) {
    portable::add_moments(a, t, channels, first, moments);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")]
pub fn simulate<const G: usize>(
    program: &[Instruction],
    values: &mut [[Lanes; G]],
    counters: &mut [Counter],
) {
    if is_x86_feature_detected!("avx512vpopcntdq") {
        // SAFETY: this processor was just found to have these instructions.
        unsafe { simulate_counting_words(program, values, counters) }
    } else {
        simulate_counting_bytes(program, values, counters);
    }
}

/// With an instruction that counts.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt,avx512vpopcntdq")]
fn simulate_counting_words<const G: usize>(
    program: &[Instruction],
    values: &mut [[Lanes; G]],
    counters: &mut [Counter],
) {
    simulate_with(program, values, counters, |vectors: [__m512i; G]| {
        vectors
            .into_iter()
            .fold(_mm512_setzero_si512(), |sum, vector| _mm512_add_epi64(sum, _mm512_popcnt_epi64(vector)))
    });
}

/// Without it, as the first processors with AVX-512 are.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")]
fn simulate_counting_bytes<const G: usize>(
    program: &[Instruction],
    values: &mut [[Lanes; G]],
    counters: &mut [Counter],
) {
    simulate_with(program, values, counters, |vectors| ones_by_bytes(vectors));
}

/// How many bits are set in each word of all vectors, by a table of halves of bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")]
#[inline]
fn ones_by_bytes<const G: usize>(vectors: [__m512i; G]) -> __m512i {
    // More could exceed a byte.
    const { assert!(G < 32) };
    let table = _mm512_broadcast_i32x4(must_cast(avx2::ONES_OF_HALF_BYTES));
    let low = _mm512_set1_epi8(15);
    let mut bytes = _mm512_setzero_si512();
    for vector in vectors {
        let halves = [_mm512_and_si512(vector, low), _mm512_and_si512(_mm512_srli_epi16::<4>(vector), low)];
        for half in halves {
            bytes = _mm512_add_epi8(bytes, _mm512_shuffle_epi8(table, half));
        }
    }
    _mm512_sad_epu8(bytes, _mm512_setzero_si512())
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")]
#[inline]
fn simulate_with<const G: usize>(
    program: &[Instruction],
    values: &mut [[Lanes; G]],
    counters: &mut [Counter],
    ones: impl Fn([__m512i; G]) -> __m512i,
) {
    for instruction in program {
        let [x, y] = instruction.inputs.map(|input| &values[usize::from(input)]);
        let [constant, sum, product] = instruction.masks().map(|mask| _mm512_set1_epi64(mask as i64));
        let mut results = [_mm512_setzero_si512(); G];
        for (result, (x, y)) in results.iter_mut().zip(x.iter().zip(y)) {
            let (x, y) = (must_cast(x.0), must_cast(y.0));
            let sum = _mm512_ternarylogic_epi64::<{ 0xf0 & (0xcc ^ 0xaa) }>(sum, x, y);
            let product = _mm512_ternarylogic_epi64::<{ 0xf0 & 0xcc & 0xaa }>(product, x, y);
            *result = _mm512_ternarylogic_epi64::<{ 0xf0 ^ 0xcc ^ 0xaa }>(constant, sum, product);
        }
        for (value, result) in values[usize::from(instruction.output)].iter_mut().zip(results) {
            value.0 = must_cast(result);
        }
        if let Some(counter) = counters.get_mut(usize::from(instruction.counter)) {
            let ones = _mm512_cvtepi64_epi16(ones(results));
            *counter = must_cast(_mm_add_epi16(must_cast(*counter), ones));
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")]
pub fn add_errors(
    product: &[&Lanes; PRODUCT_BITS],
    exact: &ExactLanes,
    limits: &Limits,
    sums: &mut ErrorSums,
) -> bool {
    circuit::add_errors(product, exact, limits, sums)
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,popcnt")]
pub fn add_moments_of_errors(
    product: &[&Lanes; PRODUCT_BITS],
    exact: &ExactBlock,
    signed: bool,
    counts: &[i32; BLOCK_ACTIVATIONS],
    moments: &mut Moments,
) {
    circuit::add_moments_of_errors(product, exact, signed, counts, moments);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Isa, isa::Kind};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn both_ways_of_counting_agree() {
        if Isa::best().kind() != Kind::Avx512 {
            eprintln!("skipped: this processor has no AVX-512");
            return;
        }
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut values: Vec<[Lanes; 4]> =
            (0..8).map(|_| [(); 4].map(|()| Lanes::from_fn(|_| random.random()))).collect();
        values[0] = [Lanes::ONES; 4];
        values.resize(60, Default::default());
        let program: Vec<Instruction> = (8..60)
            .map(|output| Instruction {
                inputs: [(); 2].map(|()| random.random_range(0..output)),
                output,
                terms: random.random_range(0..8),
                counter: output - 8,
            })
            .collect();
        let [mut by_words, mut by_bytes] = [vec![Counter::default(); 52], vec![Counter::default(); 52]];
        // SAFETY: this processor was found to have AVX-512 with the extensions named.
        unsafe {
            simulate(&program, &mut values.clone(), &mut by_words);
            simulate_counting_bytes(&program, &mut values, &mut by_bytes);
        }
        for (place, (words, bytes)) in by_words.iter().zip(&by_bytes).enumerate() {
            let set = values[8 + place].iter().flat_map(|lanes| lanes.0).map(u64::count_ones).sum::<u32>();
            assert_eq!([words, bytes].map(circuit::ones_counted), [set; 2], "gate {place}");
        }
    }
}
