//! The innermost loops: sums over the taps of a window.
//!
//! On Cortex-M cores they are assembly ([`lookup`] with [`thumb`], [`dsp`], [`mla`], [`armv6m`], and the modules of
//! [`depthwise`]); everywhere else they are the plain loops of [`portable`], to which the assembly is compared on emulated
//! boards. This module and its children
//! are the only unsafe code of the crate. What it relies on: a [`NamedRows`] names only rows that exist.

#![allow(unsafe_code)]

#[cfg(skimp_short_products)]
mod armv6m;
mod depthwise;
#[cfg(skimp_dsp)]
mod dsp;
mod finish;
#[cfg(any(skimp_thumb, skimp_short_products))]
mod lookup;
#[cfg(all(skimp_thumb, not(skimp_dsp)))]
mod mla;
mod portable;
#[cfg(skimp_thumb)]
mod thumb;

#[cfg(skimp_short_products)]
use armv6m as plain;
#[cfg(all(skimp_thumb, not(skimp_dsp)))]
use mla as plain;
#[cfg(not(any(skimp_thumb, skimp_short_products)))]
use portable as plain;

pub(crate) use depthwise::{CHANNELS, Codes, DepthwiseWeights, look_up, multiply};
pub(crate) use finish::store_codes;
#[cfg(not(any(skimp_thumb, skimp_short_products)))]
use portable as lookup;

use super::Rows;
use super::conv::Column;
use crate::image::WeightCoding;

/// Weights and the table rows they name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NamedRows<'a> {
    rows: Rows<'a>,
    coding: WeightCoding,
    weights: &'a [u8],
}

impl<'a> NamedRows<'a> {
    /// Weights all of whose rows exist; `None` if one doesn't.
    pub fn new(rows: Rows<'a>, coding: WeightCoding, weights: &'a [u8]) -> Option<Self> {
        let mask = coding.row_mask();
        let highest = weights.iter().map(|&weight| usize::from(weight & mask)).max();
        highest.is_none_or(|row| row < rows.len()).then_some(NamedRows { rows, coding, weights })
    }

    /// Weights and rows that [`NamedRows::new`] has accepted when the image was loaded, or those rows' copy,
    /// which are as many.
    ///
    /// Only [`Network`](crate::Network) calls this, with what it has found in its image's immutable bytes
    /// once more.
    pub fn accepted_before(rows: Rows<'a>, coding: WeightCoding, weights: &'a [u8]) -> Self {
        NamedRows { rows, coding, weights }
    }

    /// Activation codes instead of weights, for a table that has a row for each; `None` if it has fewer.
    pub fn by_code(rows: Rows<'a>, codes: &'a [u8]) -> Option<Self> {
        let all = rows.len() > usize::from(u8::MAX);
        all.then_some(NamedRows { rows, coding: WeightCoding::Row, weights: codes })
    }

    /// Number of weights.
    pub fn len(&self) -> usize {
        self.weights.len()
    }
}

impl WeightCoding {
    /// The bits of a weight that name its row.
    pub const fn row_mask(self) -> u8 {
        match self {
            WeightCoding::Row => 0xff,
            WeightCoding::SignedRow => 0x7f,
        }
    }
}

/// The weights of a product kernel, in groups of four taps of two channels. Words, for their alignment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ProductWeights<'a> {
    I8(&'a [[u32; 2]]),
    I16(&'a [[u32; 4]]),
}

impl ProductWeights<'_> {
    /// Number of weights.
    pub fn len(&self) -> usize {
        match self {
            ProductWeights::I8(groups) => groups.len() * 8,
            ProductWeights::I16(groups) => groups.len() * 8,
        }
    }
}

/// Adds the products of the weights from number `first` on, one for each column, with the columns' codes.
pub(super) fn add_rows(acc: &mut [i32; 8], rows: &NamedRows, first: usize, columns: &[[u8; 8]]) {
    let weights = rows.weights.get(first..first + columns.len()).unwrap_or(&[]);
    match (rows.rows, rows.coding) {
        (Rows::U16(rows), coding) => lookup::add_rows(acc, rows, coding, weights, columns),
        (Rows::U8(rows), coding) => lookup::add_rows(acc, rows, coding, weights, columns),
        (Rows::I32(rows), coding) => portable::add_rows(acc, rows, coding, weights, columns),
    }
}

/// Sum of the products of the weights from number `first` on with one pixel's codes.
pub(super) fn row_sum(rows: &NamedRows, first: usize, codes: &[u8]) -> i32 {
    let weights = rows.weights.get(first..first + codes.len()).unwrap_or(&[]);
    match (rows.rows, rows.coding) {
        (Rows::U16(rows), coding) => lookup::row_sum(rows, coding, weights, codes),
        (Rows::U8(rows), coding) => lookup::row_sum(rows, coding, weights, codes),
        (Rows::I32(rows), coding) => portable::row_sum(rows, coding, weights, codes),
    }
}

/// Adds to each sum the product of one weight and one code.
pub(super) fn add_looked_up(acc: &mut [i32; 8], rows: &NamedRows, first: usize, codes: &[u8]) {
    let weights = rows.weights.get(first..first + codes.len()).unwrap_or(&[]);
    match (rows.rows, rows.coding) {
        (Rows::U16(rows), coding) => portable::add_looked_up(acc, rows, coding, weights, codes),
        (Rows::U8(rows), coding) => portable::add_looked_up(acc, rows, coding, weights, codes),
        (Rows::I32(rows), coding) => portable::add_looked_up(acc, rows, coding, weights, codes),
    }
}

/// Adds the products of pair number `pair` of output channels with four pixels' columns.
pub(super) fn add_products(
    acc: &mut [[i32; 4]; 2],
    weights: ProductWeights,
    pair: usize,
    columns: &[Column],
) {
    let range = pair * columns.len()..(pair + 1) * columns.len();
    match weights {
        ProductWeights::I8(weights) => {
            let weights = weights.get(range).unwrap_or(&[]);
            #[cfg(skimp_dsp)]
            dsp::add_products_i8(acc, weights, columns);
            #[cfg(not(skimp_dsp))]
            plain::add_products::<i8>(acc, bytemuck::must_cast_slice(weights), columns);
        }
        ProductWeights::I16(weights) => {
            let weights = weights.get(range).unwrap_or(&[]);
            #[cfg(skimp_dsp)]
            dsp::add_products_i16(acc, weights, columns);
            #[cfg(not(skimp_dsp))]
            plain::add_products::<i16>(acc, bytemuck::must_cast_slice(weights), columns);
        }
    }
}

/// The same for the first pixel of the columns only.
pub(super) fn add_products_of_one(
    acc: &mut [[i32; 4]; 2],
    weights: ProductWeights,
    pair: usize,
    columns: &[Column],
) {
    let range = pair * columns.len()..(pair + 1) * columns.len();
    match weights {
        ProductWeights::I8(weights) => {
            let weights = weights.get(range).unwrap_or(&[]);
            portable::add_products_of_one::<i8>(acc, bytemuck::must_cast_slice(weights), columns);
        }
        ProductWeights::I16(weights) => {
            let weights = weights.get(range).unwrap_or(&[]);
            portable::add_products_of_one::<i16>(acc, bytemuck::must_cast_slice(weights), columns);
        }
    }
}
