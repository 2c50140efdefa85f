//! Lookup for one pixel: 7.8 instructions a product, 12.8 for tables whose weights have signs, 6 or 7 more for
//! 8-bit entries beside a product.

use crate::kernels::SlopedRow;
use core::arch::naked_asm;

/// A kernel whose `$product` adds to r4 the product of a weight (from r1 on) and a code (from r3 on), their place
/// given. It may change r2 and r5 to r7.
macro_rules! pixel_kernel {
    ($(#[$doc:meta])* $name:ident, $row:ty, $product:ident) => {
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
                "push {{r4-r7, lr}}",
                "adds r2, r1, r2",
                "mov r12, r2",
                "movs r4, #0",
                // First those that complete no round of eight.
                "20:",
                "mov r2, r12",
                "subs r2, r2, r1",
                "lsls r2, r2, #29",
                "beq 21f",
                $product!("0"),
                "adds r1, #1",
                "adds r3, #1",
                "b 20b",
                "21:",
                "cmp r1, r12",
                "bne 22f",
                "movs r0, r4",
                "pop {{r4-r7, pc}}",
                "22:",
                $product!("0"),
                $product!("1"),
                $product!("2"),
                $product!("3"),
                $product!("4"),
                $product!("5"),
                $product!("6"),
                $product!("7"),
                "adds r1, #8",
                "adds r3, #8",
                "b 21b",
            )
        }
    };
}

/// A row has 512 bytes.
macro_rules! product {
    ($at:literal) => {
        concat!(
            "ldrb r5, [r1, #",
            $at,
            "]\nldrb r6, [r3, #",
            $at,
            "]\n",
            "lsls r5, r5, #8
             adds r5, r5, r6
             lsls r5, r5, #1
             ldrh r5, [r0, r5]
             adds r4, r4, r5\n"
        )
    };
}

/// The product in `$product` added, or subtracted if the weight in r5 is negative: without branches.
macro_rules! with_sign {
    ($product:literal) => {
        concat!(
            "sxtb r5, r5\nasrs r5, r5, #31\neors ",
            $product,
            ", r5\nsubs ",
            $product,
            ", ",
            $product,
            ", r5\n",
            "adds r4, r4, ",
            $product,
            "\n"
        )
    };
}

macro_rules! signed_product {
    ($at:literal) => {
        concat!(
            "ldrb r5, [r1, #",
            $at,
            "]\nldrb r6, [r3, #",
            $at,
            "]\n",
            "lsls r7, r5, #25
             lsrs r7, r7, #16
             lsls r6, r6, #1
             adds r7, r7, r6
             ldrh r7, [r0, r7]\n",
            with_sign!("r7")
        )
    };
}

/// A row has 258 bytes, of which the first two are its slope.
macro_rules! sloped_product {
    ($at:literal) => {
        concat!(
            "ldrb r5, [r1, #",
            $at,
            "]\nldrb r6, [r3, #",
            $at,
            "]\n",
            "lsls r7, r5, #8
             lsls r5, r5, #1
             adds r7, r7, r5
             adds r7, r7, r0
             movs r2, #0
             ldrsh r2, [r7, r2]
             adds r7, #2
             ldrb r7, [r7, r6]
             muls r2, r6, r2
             adds r4, r4, r2
             adds r4, r4, r7\n"
        )
    };
}

macro_rules! signed_sloped_product {
    ($at:literal) => {
        concat!(
            "ldrb r5, [r1, #",
            $at,
            "]\nldrb r6, [r3, #",
            $at,
            "]\n",
            "lsls r7, r5, #25
             lsrs r2, r7, #24
             lsrs r7, r7, #17
             adds r7, r7, r2
             adds r7, r7, r0
             movs r2, #0
             ldrsh r2, [r7, r2]
             adds r7, #2
             ldrb r7, [r7, r6]
             muls r2, r6, r2
             adds r2, r2, r7\n",
            with_sign!("r2")
        )
    };
}

pixel_kernel!(
    /// Adds products that have no sign.
    unsigned,
    [u16; 256],
    product
);
pixel_kernel!(
    /// Adds or subtracts products by the sign in each weight's highest bit.
    signed,
    [u16; 256],
    signed_product
);
pixel_kernel!(
    /// As [`unsigned`], of 8-bit entries.
    unsigned_sloped,
    SlopedRow,
    sloped_product
);
pixel_kernel!(
    /// As [`signed`], of 8-bit entries.
    signed_sloped,
    SlopedRow,
    signed_sloped_product
);
