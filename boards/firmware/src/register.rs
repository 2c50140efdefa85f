//! Access to device registers: the one place where firmware follows a number as a pointer.

#![allow(unsafe_code)]

/// A 32-bit device register.
#[derive(Clone, Copy)]
pub struct Register(*mut u32);

impl Register {
    /// The register at `address`.
    ///
    /// # Safety
    ///
    /// `address` must be that of a 32-bit device register, which may be read and written at any time
    /// without breaking Rust's memory model: no plain memory, no DMA engine set to roam it.
    pub const unsafe fn new(address: usize) -> Self {
        Self(address as *mut u32)
    }

    /// Reads the register.
    pub fn read(self) -> u32 {
        // SAFETY: `new`'s caller vouches for the address.
        unsafe { self.0.read_volatile() }
    }

    /// Writes the register.
    pub fn write(self, value: u32) {
        // SAFETY: `new`'s caller vouches for the address.
        unsafe { self.0.write_volatile(value) }
    }

    /// Replaces the bits of `mask` by those of `value`.
    pub fn modify(self, mask: u32, value: u32) {
        self.write((self.read() & !mask) | (value & mask));
    }
}
