//! Lookup for one pixel: 5.3 instructions a product, 7.3 for tables whose weights have signs, two more for 8-bit
//! entries beside a product.

use crate::kernels::SlopedRow;
use core::arch::naked_asm;

/// A kernel whose `$product` takes the next weight (r1) and the next code (r3) and adds their product to r12. It may
/// change r4 to r8, but for what `$setup` puts there.
macro_rules! pixel_kernel {
    ($(#[$doc:meta])* $name:ident, $row:ty, $setup:literal, $product:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        ///
        /// See [`PixelKernel`](crate::kernels::inner::lookup::PixelKernel).
        #[unsafe(naked)]
        pub(in crate::kernels::inner) unsafe extern "C" fn $name(
            rows: *const $row,
            weights: *const u8,
            count: usize,
            codes: *const u8,
        ) -> i32 {
            naked_asm!(
                "push {{r4-r8, lr}}",
                "add r2, r1",
                "mov r12, #0",
                $setup,
                // First those that complete no round of eight.
                "20:",
                "sub r4, r2, r1",
                "tst r4, #7",
                "beq 21f",
                $product,
                "b 20b",
                "21:",
                "cmp r1, r2",
                "beq 23f",
                "22:",
                $product,
                $product,
                $product,
                $product,
                $product,
                $product,
                $product,
                $product,
                "cmp r1, r2",
                "bne 22b",
                "23:",
                "mov r0, r12",
                "pop {{r4-r8, pc}}",
            )
        }
    };
}

pixel_kernel!(
    /// Adds products that have no sign. A row has 512 bytes.
    unsigned,
    [u16; 256],
    "",
    "ldrb r4, [r1], #1
     ldrb r5, [r3], #1
     add r4, r0, r4, lsl #9
     ldrh r4, [r4, r5, lsl #1]
     add r12, r4"
);

pixel_kernel!(
    /// Adds or subtracts products by the sign in each weight's highest bit: they are multiplied by 1 or -1, which
    /// costs less than branches do.
    signed,
    [u16; 256],
    "mov lr, #1",
    "ldrsb r4, [r1], #1
     ldrb r5, [r3], #1
     ubfx r6, r4, #0, #7
     add r6, r0, r6, lsl #9
     ldrh r6, [r6, r5, lsl #1]
     orr r4, lr, r4, asr #31
     mla r12, r6, r4, r12"
);

pixel_kernel!(
    /// As [`unsigned`]. A row has 258 bytes, of which the first two are its slope.
    unsigned_sloped,
    SlopedRow,
    "movw r8, #258",
    "ldrb r4, [r1], #1
     ldrb r5, [r3], #1
     mla r4, r4, r8, r0
     ldrsh r6, [r4], #2
     ldrb r4, [r4, r5]
     mla r12, r6, r5, r12
     add r12, r4"
);

pixel_kernel!(
    /// As [`signed`], with rows as in [`unsigned_sloped`].
    signed_sloped,
    SlopedRow,
    "mov lr, #1
     movw r8, #258",
    "ldrsb r4, [r1], #1
     ldrb r5, [r3], #1
     ubfx r6, r4, #0, #7
     mla r6, r6, r8, r0
     ldrsh r7, [r6], #2
     ldrb r6, [r6, r5]
     mla r6, r7, r5, r6
     orr r4, lr, r4, asr #31
     mla r12, r6, r4, r12"
);
