//! Table lookup in assembly, in that of Thumb-2 ([`thumb`](super::thumb)) or of Cortex-M0 (`armv6m`).

#[cfg(skimp_short_products)]
use super::armv6m as asm;
#[cfg(skimp_thumb)]
use super::thumb as asm;
use crate::image::WeightCoding;
use crate::kernels::SlopedRow;

/// What a kernel takes: sums, first row, weights, their number (at least 1), columns.
///
/// # Safety
///
/// As many weights and columns as said, every weight naming a row behind the pointer.
pub(super) type RowKernel<R> =
    unsafe extern "C" fn(*mut [i32; 8], *const R, *const u8, usize, *const [u8; 8]);

/// What a kernel for one pixel takes: first row, weights, their number, codes. Returns the sum of the products.
///
/// # Safety
///
/// As many weights and codes as said, every weight naming a row behind the pointer.
pub(super) type PixelKernel<R> = unsafe extern "C" fn(*const R, *const u8, usize, *const u8) -> i32;

/// A type of rows with kernels.
pub(super) trait Row: Sized {
    fn row_kernel(coding: WeightCoding) -> RowKernel<Self>;
    fn pixel_kernel(coding: WeightCoding) -> PixelKernel<Self>;
}

impl Row for [u16; 256] {
    fn row_kernel(coding: WeightCoding) -> RowKernel<Self> {
        match coding {
            WeightCoding::Row => asm::unsigned_rows,
            WeightCoding::SignedRow => asm::signed_rows,
        }
    }

    fn pixel_kernel(coding: WeightCoding) -> PixelKernel<Self> {
        match coding {
            WeightCoding::Row => asm::pixel::unsigned,
            WeightCoding::SignedRow => asm::pixel::signed,
        }
    }
}

impl Row for SlopedRow {
    fn row_kernel(coding: WeightCoding) -> RowKernel<Self> {
        match coding {
            WeightCoding::Row => asm::sloped::unsigned_rows,
            WeightCoding::SignedRow => asm::sloped::signed_rows,
        }
    }

    fn pixel_kernel(coding: WeightCoding) -> PixelKernel<Self> {
        match coding {
            WeightCoding::Row => asm::pixel::unsigned_sloped,
            WeightCoding::SignedRow => asm::pixel::signed_sloped,
        }
    }
}

/// Adds the products of each weight with its column of codes.
pub(super) fn add_rows<R: Row>(
    acc: &mut [i32; 8],
    rows: &[R],
    coding: WeightCoding,
    weights: &[u8],
    columns: &[[u8; 8]],
) {
    let count = weights.len().min(columns.len());
    if count > 0 {
        let kernel = R::row_kernel(coding);
        // SAFETY: the kernel reads `count` weights and columns and writes the sums. Rows: `weights` come from a
        // `NamedRows`, which names only rows of `rows`; a row has an entry for every code.
        unsafe { kernel(acc, rows.as_ptr(), weights.as_ptr(), count, columns.as_ptr()) }
    }
}

/// Sum of the products of each weight with one code.
pub(super) fn row_sum<R: Row>(rows: &[R], coding: WeightCoding, weights: &[u8], codes: &[u8]) -> i32 {
    let count = weights.len().min(codes.len());
    // SAFETY: the kernel reads `count` weights and codes. Rows: see `add_rows`.
    unsafe { R::pixel_kernel(coding)(rows.as_ptr(), weights.as_ptr(), count, codes.as_ptr()) }
}
