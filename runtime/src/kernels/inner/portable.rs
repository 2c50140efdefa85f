//! Plain loops, for any processor.

use crate::image::WeightCoding;
use crate::kernels::SlopedRow;
use crate::kernels::conv::Column;

/// A row of a table.
pub(super) trait Row {
    /// The product of an activation code.
    fn product(&self, code: u8) -> i32;
}

impl Row for [u16; 256] {
    #[inline(always)]
    fn product(&self, code: u8) -> i32 {
        self[usize::from(code)].into()
    }
}

impl Row for [i32; 256] {
    #[inline(always)]
    fn product(&self, code: u8) -> i32 {
        self[usize::from(code)]
    }
}

impl Row for SlopedRow {
    #[inline(always)]
    fn product(&self, code: u8) -> i32 {
        let [slope, entries @ ..] = self;
        let entries: &[u8; 256] = bytemuck::must_cast_ref(entries);
        i32::from(*slope as i16) * i32::from(code) + i32::from(entries[usize::from(code)])
    }
}

/// A weight of a product kernel.
pub(super) trait Weight: Copy + Into<i32> {
    /// A group of eight weights: the four taps of the pair's first channel, then those of its second.
    // Taken apart without indices, so that nothing has to be checked.
    fn by_channel(group: [Self; 8]) -> [[Self; 4]; 2];
}

impl Weight for i8 {
    #[inline(always)]
    fn by_channel([a, b, c, d, e, f, g, h]: [Self; 8]) -> [[Self; 4]; 2] {
        [[a, b, c, d], [e, f, g, h]]
    }
}

impl Weight for i16 {
    /// Taps 0 and 2 of both channels come first.
    #[inline(always)]
    fn by_channel([a, c, e, g, b, d, f, h]: [Self; 8]) -> [[Self; 4]; 2] {
        [[a, b, c, d], [e, f, g, h]]
    }
}

/// Half of a [`Column`]: two taps of four pixels.
type TwoTaps = [[i16; 2]; 4];

/// Adds the products of each weight with its column of codes.
// Not inlined: within the caller the sums would not all get registers.
#[inline(never)]
pub(super) fn add_rows<R: Row>(
    acc: &mut [i32; 8],
    rows: &[R],
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
                *total = total.wrapping_add(row.product(code));
            }
        } else {
            for (total, &code) in total.iter_mut().zip(codes) {
                *total = total.wrapping_sub(row.product(code));
            }
        }
    }
    *acc = total;
}

/// Sum of the products of each weight with one code.
pub(super) fn row_sum<R: Row>(rows: &[R], coding: WeightCoding, weights: &[u8], codes: &[u8]) -> i32 {
    let pairs = weights.iter().zip(codes);
    pairs.fold(0, |sum: i32, (&weight, &code)| sum.wrapping_add(product(rows, coding, weight, code)))
}

/// Adds to each sum the product of one weight and one code.
pub(super) fn add_looked_up<R: Row>(
    acc: &mut [i32; 8],
    rows: &[R],
    coding: WeightCoding,
    weights: &[u8],
    codes: &[u8],
) {
    for ((acc, &weight), &code) in acc.iter_mut().zip(weights).zip(codes) {
        *acc = acc.wrapping_add(product(rows, coding, weight, code));
    }
}

#[inline]
fn product<R: Row>(rows: &[R], coding: WeightCoding, weight: u8, code: u8) -> i32 {
    let mask = coding.row_mask();
    let product = rows.get(usize::from(weight & mask)).map_or(0, |row| row.product(code));
    if weight & !mask == 0 { product } else { product.wrapping_neg() }
}

/// Adds the products of two output channels' weights with four pixels' columns.
#[cfg_attr(any(skimp_thumb, skimp_short_products), allow(dead_code))]
#[inline(never)]
pub(super) fn add_products<W: Weight>(acc: &mut [[i32; 4]; 2], weights: &[[W; 8]], columns: &[Column]) {
    let mut sums = *acc;
    for (&weights, column) in weights.iter().zip(columns) {
        let [even, odd]: &[TwoTaps; 2] = bytemuck::must_cast_ref(column);
        let [[a0, a1, a2, a3], [b0, b1, b2, b3]] = W::by_channel(weights);
        add_tap::<W, 0>(&mut sums, a0, b0, even);
        add_tap::<W, 0>(&mut sums, a1, b1, odd);
        add_tap::<W, 1>(&mut sums, a2, b2, even);
        add_tap::<W, 1>(&mut sums, a3, b3, odd);
    }
    *acc = sums;
}

/// One tap of both channels and four pixels.
#[inline(always)]
fn add_tap<W: Weight, const PLACE: usize>(sums: &mut [[i32; 4]; 2], a: W, b: W, codes: &TwoTaps) {
    let [first, second] = sums;
    let (a, b): (i32, i32) = (a.into(), b.into());
    for ((first, second), codes) in first.iter_mut().zip(second).zip(codes) {
        let x = i32::from(codes[PLACE]);
        *first = first.wrapping_add(a.wrapping_mul(x));
        *second = second.wrapping_add(b.wrapping_mul(x));
    }
}

/// The same for pixel 0 only.
pub(super) fn add_products_of_one<W: Weight>(
    acc: &mut [[i32; 4]; 2],
    weights: &[[W; 8]],
    columns: &[Column],
) {
    let (mut first, mut second) = (acc[0][0], acc[1][0]);
    for (&weights, column) in weights.iter().zip(columns) {
        let [[[x0, x2], ..], [[x1, x3], ..]]: [TwoTaps; 2] = bytemuck::must_cast(*column);
        let [a, b] = W::by_channel(weights);
        for ((a, b), x) in a.into_iter().zip(b).zip([x0, x1, x2, x3]) {
            let (a, b): (i32, i32) = (a.into(), b.into());
            first = first.wrapping_add(a.wrapping_mul(x.into()));
            second = second.wrapping_add(b.wrapping_mul(x.into()));
        }
    }
    (acc[0][0], acc[1][0]) = (first, second);
}
