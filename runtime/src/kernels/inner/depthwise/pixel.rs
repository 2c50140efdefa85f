//! What assembly takes: one pixel's blocks of four channels.

use super::{CHANNELS, Codes};

/// The arguments of a kernel. The list of places and the blocks of channels are not empty.
#[repr(C)]
pub(super) struct Pixel {
    places: *const u32,
    places_end: *const u32,
    /// The address that places count from, at the first channel.
    base: usize,
    weights: *const u32,
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

/// Runs a kernel over all channels, at least four, with `weights` of `bytes` for each tap of a block.
///
/// # Safety
///
/// Rows that weights name are at the address `values`.
pub(super) unsafe fn run<W>(
    kernel: Kernel,
    codes: &Codes,
    weights: &[W],
    values: usize,
    starts: Option<&[i32]>,
    sums: &mut [i32],
) {
    let (taps, channels) = (codes.places.len(), sums.len());
    let whole = channels / CHANNELS;
    let rest = !channels.is_multiple_of(CHANNELS);
    let enough = taps > 0
        && whole > 0
        && channels <= codes.padding.len()
        && starts.is_none_or(|starts| starts.len() >= channels)
        && weights.len() >= (whole + usize::from(rest)) * taps;
    if !enough {
        return;
    }
    let places = codes.places.as_ptr_range();
    let at = |first: usize, first_weights: usize, count: usize, sums: *mut i32, starts: *const i32| Pixel {
        places: places.start,
        places_end: places.end,
        base: codes.base_address().wrapping_add(first),
        weights: weights.as_ptr().wrapping_add(first_weights).cast(),
        values,
        starts: starts.wrapping_add(first),
        sums: sums.wrapping_add(first),
        sums_end: sums.wrapping_add(first + count).cast_const(),
    };
    // The last channels, where they end in the middle of a block, are one with some of those before. It begins
    // with what is there before any is finished.
    let mut last = [0; CHANNELS];
    if rest {
        let first = channels - CHANNELS;
        let begun = starts.unwrap_or(&*sums).get(first..).unwrap_or(&[]);
        last.iter_mut().zip(begun).for_each(|(last, &start)| *last = start);
        let mut pixel = at(first, whole * taps, 0, core::ptr::null_mut(), core::ptr::null());
        (pixel.starts, pixel.sums, pixel.sums_end) = {
            let range = last.as_mut_ptr_range();
            (range.start.cast_const(), range.start, range.end.cast_const())
        };
        // SAFETY: places name as many codes as there are channels, and there are weights for this block; the
        // caller vouches for rows.
        unsafe { kernel(&pixel) };
    }
    let sums_start = sums.as_mut_ptr();
    let pixel =
        at(0, 0, whole * CHANNELS, sums_start, starts.map_or(sums_start.cast_const(), <[i32]>::as_ptr));
    // SAFETY: as above, and starts and sums are as many as channels. Where they are the same, a block's starts
    // are read before its sums are written.
    unsafe { kernel(&pixel) };
    if rest && let Some(place) = sums.last_chunk_mut::<CHANNELS>() {
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
