//! From pointers and lengths of C's to Rust's references.

use super::status::SkimpStatus;
use core::ops::Range;

/// Memory that C says is there: not null, aligned, not beyond the address space.
pub struct Area<T> {
    first: *mut T,
    len: usize,
}

impl<T> Area<T> {
    /// `len` elements from `first` on.
    pub fn new(first: *const T, len: usize) -> Result<Self, SkimpStatus> {
        if first.is_null() {
            return Err(SkimpStatus::SkimpNullPointer);
        }
        if !first.is_aligned() {
            return Err(SkimpStatus::SkimpMisalignedPointer);
        }
        // What Rust allows a reference to span.
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| isize::try_from(bytes).is_ok());
        match bytes.and_then(|bytes| first.addr().checked_add(bytes)) {
            Some(_) => Ok(Self { first: first.cast_mut(), len }),
            None => Err(SkimpStatus::SkimpTooLong),
        }
    }

    /// The addresses.
    pub fn span(&self) -> Range<usize> {
        let start = self.first.addr();
        // `new` has checked that neither can overflow.
        start..start.wrapping_add(self.len.wrapping_mul(size_of::<T>()))
    }

    /// The elements, to be read.
    ///
    /// # Safety
    /// They are there, hold values of `T`, and nothing writes to them for as long as `'a`.
    pub unsafe fn read<'a>(&self) -> &'a [T] {
        // SAFETY: not null, aligned and short enough by `new`; the rest is the caller's word.
        unsafe { core::slice::from_raw_parts(self.first, self.len) }
    }

    /// The elements, to be written.
    ///
    /// # Safety
    /// They are there, hold values of `T`, and nothing else uses them for as long as `'a`.
    pub unsafe fn write<'a>(&self) -> &'a mut [T] {
        // SAFETY: as in `read`, and nothing else uses them by the caller's word.
        unsafe { core::slice::from_raw_parts_mut(self.first, self.len) }
    }
}

/// Whether no byte is in two of `spans`.
pub fn check_disjoint(spans: &[Range<usize>]) -> Result<(), SkimpStatus> {
    let shared = |a: &Range<usize>, b: &Range<usize>| a.start.max(b.start) < a.end.min(b.end);
    let mut rest = spans;
    while let Some((first, others)) = rest.split_first() {
        if others.iter().any(|other| shared(first, other)) {
            return Err(SkimpStatus::SkimpSharedMemory);
        }
        rest = others;
    }
    Ok(())
}
