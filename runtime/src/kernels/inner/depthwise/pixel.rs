//! What assembly takes: one pixel's blocks of four channels.

use super::{CHANNELS, Codes};

/// The arguments of a kernel. The list of places and the blocks of channels are not empty.
#[repr(C)]
pub(super) struct Pixel {
    places: *const u32,
    places_end: *const u32,
    /// The address that places count from, at the first channel.
    base: usize,
    weights: *const u8,
    /// The mask of codes in every byte, or the address of the table.
    values: usize,
    starts: *const i32,
    sums: *mut i32,
    sums_end: *const i32,
}

/// A kernel: at each place and the channels of each block, reads four codes; for each, reads four weights; reads
/// starts and writes sums from `sums` to `sums_end`.
///
/// # Safety
///
/// All that is there, and so are the rows that weights name.
pub(super) type Kernel = unsafe extern "C" fn(*const Pixel);

/// Runs a kernel over all channels, at least four, with an element of `weights` for each tap of a block.
///
/// # Safety
///
/// Rows that weights name are at the address `values`.
#[inline]
pub(super) unsafe fn run<W>(
    kernel: Kernel,
    codes: &Codes,
    weights: &[W],
    values: usize,
    starts: Option<&[i32]>,
    sums: &mut [i32],
) {
    let blocks = sums.len().div_ceil(CHANNELS);
    let Some(weights) = weights.get(..blocks.saturating_mul(codes.places.len())) else { return };
    let block_bytes = size_of::<W>() * codes.places.len();
    // SAFETY: there are weights for all blocks; the caller vouches for rows.
    unsafe { run_blocks(kernel, codes, (weights.as_ptr().cast(), block_bytes), values, starts, sums) }
}

/// The same with weights of so many bytes a block.
///
/// # Safety
///
/// As above, and there are weights for every block.
#[inline(never)]
unsafe fn run_blocks(
    kernel: Kernel,
    codes: &Codes,
    (weights, block_bytes): (*const u8, usize),
    values: usize,
    starts: Option<&[i32]>,
    sums: &mut [i32],
) {
    let channels = sums.len();
    let whole = channels / CHANNELS;
    let enough = starts.is_none_or(|starts| starts.len() >= channels);
    if codes.places.is_empty() || whole == 0 || channels > codes.padding.len() || !enough {
        return;
    }
    // The last channels, where they end in the middle of a block, are one with some of those before. It begins
    // with what is there before any is finished.
    let rest = !channels.is_multiple_of(CHANNELS);
    let mut last = [0; CHANNELS];
    if rest && let Some(begun) = starts.unwrap_or(&*sums).get(..channels).and_then(<[i32]>::last_chunk) {
        last = *begun;
    }
    let places = codes.places.as_ptr_range();
    let sums_start = sums.as_mut_ptr();
    let pixel = Pixel {
        places: places.start,
        places_end: places.end,
        base: codes.base_address(),
        weights,
        values,
        starts: starts.map_or(sums_start.cast_const(), <[i32]>::as_ptr),
        sums: sums_start,
        sums_end: sums_start.wrapping_add(whole * CHANNELS).cast_const(),
    };
    // SAFETY: places name as many codes as there are channels, and starts and sums are as many. Where they are the
    // same, a block's starts are read before its sums are written.
    unsafe { kernel(&pixel) };
    if !rest {
        return;
    }
    let range = last.as_mut_ptr_range();
    let pixel = Pixel {
        base: pixel.base.wrapping_add(channels - CHANNELS),
        weights: weights.wrapping_add(whole * block_bytes),
        starts: range.start.cast_const(),
        sums: range.start,
        sums_end: range.end.cast_const(),
        ..pixel
    };
    // SAFETY: as above, with starts and sums of this block.
    unsafe { kernel(&pixel) };
    if let Some(place) = sums.last_chunk_mut::<CHANNELS>() {
        *place = last;
    }
}

/// Saves registers and loads the arguments: r0 to r3 are the list's begin and end, the base and the weights, r12 is
/// the mask or table; on the stack are the list's begin, the starts, the sums and the sums' end.
#[cfg(skimp_thumb)]
macro_rules! enter {
    () => {
        "push {{r4-r11, lr}}
         ldm r0, {{r0-r7}}
         mov r12, r4
         push {{r0, r5-r7}}"
    };
}

/// Begins a block: starts to r4 to r7. Uses r8.
#[cfg(skimp_thumb)]
macro_rules! begin_block {
    () => {
        "ldr r8, [sp, #4]
         ldr r0, [sp]
         ldm r8!, {{r4-r7}}
         str r8, [sp, #4]"
    };
}

/// Stores the sums of a block, and goes back to `20` unless it was the last.
#[cfg(skimp_thumb)]
macro_rules! end_block {
    () => {
        "ldr r8, [sp, #8]
         ldr r9, [sp, #12]
         stm r8!, {{r4-r7}}
         str r8, [sp, #8]
         add r2, #4
         cmp r8, r9
         bne 20b
         add sp, #16
         pop {{r4-r11, pc}}"
    };
}

#[cfg(skimp_thumb)]
pub(super) use {begin_block, end_block, enter};
