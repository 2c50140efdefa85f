//! The flash region that holds the image.

#![allow(unsafe_code)]

unsafe extern "C" {
    // From the board's memory.x.
    static __image_start: u32;
    static __image_end: u32;
}

/// The flash between `__image_start` and `__image_end` of the board's `memory.x`: the image, if one has
/// been flashed, and whatever follows it.
pub fn image_region() -> &'static [u8] {
    let start = &raw const __image_start;
    let end = &raw const __image_end;
    // SAFETY: the linker script gives the bounds of a region that is mapped flash, aligned to four
    // bytes, shared with nothing else, and written by no one while the firmware runs.
    unsafe { core::slice::from_raw_parts(start.cast(), end as usize - start as usize) }
}
