//! Plain loops, for any processor.

use crate::image::WeightCoding;
use crate::kernels::conv::Column;

/// A weight of a product kernel.
pub(super) trait Weight: Copy + Into<i32> {
    /// Where in a group of eight tap `t` of the pair's channel `c` stands: `ORDER[4 * c + t]`.
    const ORDER: [usize; 8];
}

impl Weight for i8 {
    const ORDER: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
}

impl Weight for i16 {
    /// Taps 0 and 2 of both channels come first.
    const ORDER: [usize; 8] = [0, 4, 1, 5, 2, 6, 3, 7];
}

/// Where in a column, taken as halves of words, tap `t` of pixel 0 stands; pixels are two halves apart.
const HALF: [usize; 4] = [0, 8, 1, 9];

/// Adds the products of each weight with its column of codes.
// Not inlined: within the caller the sums would not all get registers.
#[inline(never)]
pub(super) fn add_rows<E: Copy + Into<i32>>(
    acc: &mut [i32; 8],
    rows: &[[E; 256]],
    coding: WeightCoding,
    weights: &[u8],
    columns: &[[u8; 8]],
) {
    let mut total = *acc;
    let mask = coding.row_mask();
    for (&weight, codes) in weights.iter().zip(columns) {
        let Some(row) = rows.get(usize::from(weight & mask)) else { continue };
        if weight & !mask == 0 {
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

/// Sum of the products of each weight with one code.
pub(super) fn row_sum<E: Copy + Into<i32>>(
    rows: &[[E; 256]],
    coding: WeightCoding,
    weights: &[u8],
    codes: &[u8],
) -> i32 {
    let pairs = weights.iter().zip(codes);
    pairs.fold(0, |sum: i32, (&weight, &code)| sum.wrapping_add(product(rows, coding, weight, code)))
}

/// Adds to each sum the product of one weight and one code.
pub(super) fn add_looked_up<E: Copy + Into<i32>>(
    acc: &mut [i32; 8],
    rows: &[[E; 256]],
    coding: WeightCoding,
    weights: &[u8],
    codes: &[u8],
) {
    for ((acc, &weight), &code) in acc.iter_mut().zip(weights).zip(codes) {
        *acc = acc.wrapping_add(product(rows, coding, weight, code));
    }
}

#[inline]
fn product<E: Copy + Into<i32>>(rows: &[[E; 256]], coding: WeightCoding, weight: u8, code: u8) -> i32 {
    let mask = coding.row_mask();
    let product = rows.get(usize::from(weight & mask)).map_or(0, |row| row[usize::from(code)].into());
    if weight & !mask == 0 { product } else { product.wrapping_neg() }
}

/// Adds the products of two output channels' weights with four pixels' columns.
#[cfg_attr(any(skimp_thumb, skimp_short_products), allow(dead_code))]
#[inline(never)]
pub(super) fn add_products<W: Weight>(acc: &mut [[i32; 4]; 2], weights: &[[W; 8]], columns: &[Column]) {
    let [mut first, mut second] = *acc;
    for (weights, column) in weights.iter().zip(columns) {
        let halves: &[i16; 16] = bytemuck::must_cast_ref(column);
        for tap in 0..4 {
            let (a, b): (i32, i32) = (weights[W::ORDER[tap]].into(), weights[W::ORDER[4 + tap]].into());
            for pixel in 0..4 {
                let x = i32::from(halves[HALF[tap] + 2 * pixel]);
                first[pixel] = first[pixel].wrapping_add(a.wrapping_mul(x));
                second[pixel] = second[pixel].wrapping_add(b.wrapping_mul(x));
            }
        }
    }
    *acc = [first, second];
}

/// The same for pixel 0 only.
pub(super) fn add_products_of_one<W: Weight>(
    acc: &mut [[i32; 4]; 2],
    weights: &[[W; 8]],
    columns: &[Column],
) {
    let (mut first, mut second) = (acc[0][0], acc[1][0]);
    for (weights, column) in weights.iter().zip(columns) {
        let halves: &[i16; 16] = bytemuck::must_cast_ref(column);
        for tap in 0..4 {
            let x = i32::from(halves[HALF[tap]]);
            first = first.wrapping_add(x.wrapping_mul(weights[W::ORDER[tap]].into()));
            second = second.wrapping_add(x.wrapping_mul(weights[W::ORDER[4 + tap]].into()));
        }
    }
    (acc[0][0], acc[1][0]) = (first, second);
}
