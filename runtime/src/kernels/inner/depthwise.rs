//! Sums of depthwise convolutions: over the taps of one pixel's window, four neighbouring channels at a time.
//!
//! The taps of a window are found once a pixel and listed; the loops then go through the list for every four
//! channels. On Cortex-M they are assembly, for tables of 16 and 8 bits and for products of masked codes; what is rarer
//! runs through [`portable`], as does everything elsewhere.

#[cfg(skimp_short_products)]
mod armv6m;
#[cfg(skimp_dsp)]
mod dsp;
#[cfg(all(skimp_thumb, not(skimp_dsp)))]
mod mla;
#[cfg(any(skimp_thumb, skimp_short_products))]
mod pixel;
mod portable;
#[cfg(skimp_thumb)]
mod thumb;

#[cfg(skimp_short_products)]
use armv6m as lookup;
#[cfg(skimp_short_products)]
use armv6m as multiplication;
#[cfg(skimp_dsp)]
use dsp as multiplication;
#[cfg(all(skimp_thumb, not(skimp_dsp)))]
use mla as multiplication;
#[cfg(skimp_thumb)]
use thumb as lookup;

use super::NamedRows;
#[cfg(any(skimp_thumb, skimp_short_products))]
use super::Rows;
use crate::image::Tensor;
#[cfg(any(skimp_thumb, skimp_short_products))]
use crate::image::WeightCoding;
use crate::kernels::conv::Factor;

/// Channels whose sums are kept at a time.
pub(crate) const CHANNELS: usize = 4;

/// Weights of a product kernel, of four channels each, by block of channels, then tap. Words, for their alignment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DepthwiseWeights<'a> {
    /// A byte for each channel.
    I8(&'a [u32]),
    /// Channels 0 and 2, then 1 and 3.
    I16(&'a [[u32; 2]]),
}

impl DepthwiseWeights<'_> {
    /// Number of weights.
    pub fn len(&self) -> usize {
        match self {
            DepthwiseWeights::I8(weights) => weights.len() * CHANNELS,
            DepthwiseWeights::I16(weights) => weights.len() * CHANNELS,
        }
    }
}

/// What a place holds where a tap is padding; with assembly, it is the padding's place.
#[cfg(not(any(skimp_thumb, skimp_short_products)))]
const PADDING: u32 = u32::MAX;

/// The codes of the taps of a window.
///
/// With assembly, a place is the distance of a tap's codes from the address of `input[base]`, whether they are
/// in the input or are the padding; at each there are as many bytes as the padding has. Elsewhere, where addresses
/// do not fit, it is an index behind `base`, or [`PADDING`].
pub(crate) struct Codes<'a> {
    places: &'a mut [u32],
    input: &'a [u8],
    base: usize,
    /// A code for every channel.
    padding: &'a [u8],
    padding_place: u32,
    /// Behind the last of the taps' codes in the input; `None` if one is padding.
    end: Option<usize>,
}

impl<'a> Codes<'a> {
    /// Of a window with a tap for each of `places`; all are padding so far.
    pub fn new(places: &'a mut [u32], input: &'a [u8], padding: &'a [u8]) -> Self {
        #[cfg(any(skimp_thumb, skimp_short_products))]
        let padding_place =
            padding.as_ptr().expose_provenance().wrapping_sub(input.as_ptr().expose_provenance()) as u32;
        #[cfg(not(any(skimp_thumb, skimp_short_products)))]
        let padding_place = PADDING;
        places.fill(padding_place);
        Codes { places, input, base: 0, padding, padding_place, end: None }
    }

    /// Goes to the window that is so wide and whose first tap is at row `y` and column `x` of the input. Above it and left of it they
    /// have wrapped to numbers beyond its size.
    #[inline(never)]
    pub fn go_to(&mut self, input: &Tensor, kernel_width: usize, y: usize, x: usize) {
        let (height, width) = (usize::from(input.height), usize::from(input.width));
        let (channels, padding) = (self.padding.len(), self.padding_place);
        // Of each kernel row, the taps from `first` up to `last` are inside, if any.
        let first = if x < width { 0 } else { x.wrapping_neg().min(kernel_width) };
        let column = x.wrapping_add(first);
        let last = width.saturating_sub(column).saturating_add(first).min(kernel_width);
        let bytes = (last - first).wrapping_mul(channels);
        let (mut inside, mut end) = (first == 0 && last == kernel_width, 0);
        self.base = 0;
        for (ky, places) in self.places.chunks_mut(kernel_width.max(1)).enumerate() {
            let row = y.wrapping_add(ky);
            let index = row.wrapping_mul(width).wrapping_add(column).wrapping_mul(channels);
            let row_end = index.wrapping_add(bytes);
            // The last conditions follow from the others where the input is what the record says.
            if row >= height || first == last || row_end <= index || row_end > self.input.len() {
                places.fill(padding);
                inside = false;
                continue;
            }
            let mut index = index as u32;
            for (kx, place) in places.iter_mut().enumerate() {
                *place = padding;
                if kx >= first && kx < last {
                    *place = index;
                    index = index.wrapping_add(channels as u32);
                }
            }
            end = row_end;
        }
        // Places ascend: the last row's are the highest.
        self.end = inside.then_some(end);
    }

    /// Moves all taps on by so many codes, if they are in the input and remain there; returns whether they are.
    #[inline]
    pub fn advance(&mut self, by: usize) -> bool {
        let Some(end) = self.end.and_then(|end| end.checked_add(by)).filter(|&end| end <= self.input.len())
        else {
            return false;
        };
        self.base += by;
        self.end = Some(end);
        true
    }

    /// The codes of each tap, all channels.
    pub fn taps(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|&place| self.tap(place))
    }

    #[cfg(any(skimp_thumb, skimp_short_products))]
    fn tap(&self, place: u32) -> &[u8] {
        let start = self.base_address().wrapping_add(place as usize);
        // SAFETY: at every place there are as many codes as the padding has, in the input or the padding, which
        // are borrowed for as long as this is and whose addresses were exposed.
        unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(start), self.padding.len()) }
    }

    #[cfg(not(any(skimp_thumb, skimp_short_products)))]
    fn tap(&self, place: u32) -> &[u8] {
        if place == PADDING {
            return self.padding;
        }
        let start = self.base + place as usize;
        self.input.get(start..start + self.padding.len()).unwrap_or(self.padding)
    }

    #[cfg(any(skimp_thumb, skimp_short_products))]
    fn base_address(&self) -> usize {
        self.input.as_ptr().addr().wrapping_add(self.base)
    }
}

/// Sums over the window, a sum a channel, of the products of codes and weights; those of masked codes are not
/// shifted. They begin with `starts`, or with what `sums` holds.
pub(crate) fn multiply(
    codes: &Codes,
    factor: Factor,
    weights: DepthwiseWeights,
    starts: Option<&[i32]>,
    sums: &mut [i32],
) {
    #[cfg(any(skimp_thumb, skimp_short_products))]
    if let (Factor::Masked { mask, .. }, CHANNELS..) = (factor, sums.len()) {
        return multiplication::multiply(codes, mask, weights, starts, sums);
    }
    portable::multiply(codes, factor, weights, starts, sums);
}

/// Sums over the window, a sum a channel, of looked up products. They begin with `starts`, or with what `sums`
/// holds.
pub(crate) fn look_up(codes: &Codes, rows: &NamedRows, starts: Option<&[i32]>, sums: &mut [i32]) {
    #[cfg(any(skimp_thumb, skimp_short_products))]
    if let (Some((kernel, address)), CHANNELS..) = (kernel(rows), sums.len()) {
        let (weights, _) = rows.weights.as_chunks::<4>();
        // SAFETY: a `NamedRows` names only rows that exist; a row has an entry for every code.
        return unsafe { pixel::run(kernel, codes, weights, address, starts, sums) };
    }
    portable::look_up(codes, rows, starts, sums);
}

/// The kernel for these rows, and their address, if there is one.
#[cfg(any(skimp_thumb, skimp_short_products))]
#[inline]
fn kernel(rows: &NamedRows) -> Option<(pixel::Kernel, usize)> {
    use lookup::{signed_rows, signed_sloped_rows, unsigned_rows, unsigned_sloped_rows};
    let (unsigned, signed, address): (pixel::Kernel, pixel::Kernel, usize) = match rows.rows {
        Rows::U16(rows) => (unsigned_rows, signed_rows, rows.as_ptr().expose_provenance()),
        Rows::U8(rows) => (unsigned_sloped_rows, signed_sloped_rows, rows.as_ptr().expose_provenance()),
        Rows::I32(_) => return None,
    };
    let kernel = match rows.coding {
        WeightCoding::Row => unsigned,
        WeightCoding::SignedRow => signed,
    };
    Some((kernel, address))
}
