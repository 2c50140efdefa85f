//! Table lookup in Thumb-2 assembly: 6.1 instructions a product for windows of 3x3 and tables whose weights have no
//! sign of their own, 7.7 for those that do.

use super::pixel::{Pixel, begin_block, end_block, enter};
use core::arch::naked_asm;

/// Products of channels 2 and 3 or 0 and 1 of the codes in r8: loads of the second's and the first's weight, where
/// their codes are, and their sums. A row has 512 bytes.
macro_rules! unsigned_pair {
    ($second:literal, $first:literal, $second_code:literal, $first_code:literal, $b:literal, $a:literal) => {
        concat!(
            $second,
            "\n",
            $first,
            "\n",
            $second_code,
            "\nadd lr, r12, lr, lsl #9\nadd r11, r12, r11, lsl #9\nldrh lr, [lr, r10, lsl #1]\n",
            $first_code,
            "\nadd ",
            $b,
            ", lr\nldrh r11, [r11, r10, lsl #1]\nadd ",
            $a,
            ", r11\n",
        )
    };
}

/// One tap, whose place is in the register.
macro_rules! unsigned_tap {
    ($place:literal) => {
        concat!(
            "ldr r8, [r2, ",
            $place,
            "]\n",
            unsigned_pair!(
                "ldrb lr, [r3, #3]",
                "ldrb r11, [r3, #2]",
                "lsr r10, r8, #24",
                "ubfx r10, r8, #16, #8",
                "r7",
                "r6"
            ),
            unsigned_pair!(
                "ldrb lr, [r3, #1]",
                "ldrb r11, [r3], #4",
                "ubfx r10, r8, #8, #8",
                "uxtb r10, r8",
                "r5",
                "r4"
            ),
        )
    };
}

/// Adds rows that have no sign.
///
/// # Safety
///
/// See [`Kernel`](super::pixel::Kernel).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn unsigned_rows(pixel: *const Pixel) {
    naked_asm!(
        enter!(),
        "20:",
        begin_block!(),
        // Two places at a time, of four bytes each; an odd number begins with the second.
        "sub r8, r1, r0",
        "lsls r8, r8, #29",
        "bpl 21f",
        "ldr r9, [r0], #4",
        "b 22f",
        "21:",
        "ldrd r8, r9, [r0], #8",
        unsigned_tap!("r8"),
        "22:",
        unsigned_tap!("r9"),
        "cmp r0, r1",
        "bne 21b",
        end_block!(),
    )
}

/// A product of the weight in r10 and the code in r8, whose bits begin at `$weight` and `$code`, times the sign in
/// r11: -1 or 1 in two bits.
macro_rules! signed_product {
    ($bit:literal, $sign:literal, $sum:literal) => {
        concat!(
            "ubfx lr, r10, #",
            $bit,
            ", #7\nubfx r9, r8, #",
            $bit,
            ", #8\nadd lr, r12, lr, lsl #9\nldrh lr, [lr, r9, lsl #1]\nsbfx r9, r11, #",
            $sign,
            ", #2\nmla ",
            $sum,
            ", lr, r9, ",
            $sum,
            "\n",
        )
    };
}

/// One tap. Bit 7 of a weight is its sign and stands before a 1.
macro_rules! signed_tap {
    () => {
        concat!(
            "ldr r8, [r0], #4\nldr r10, [r3], #4\nldr r8, [r2, r8]\norr r11, r10, #0x40404040\n",
            signed_product!("0", "6", "r4"),
            signed_product!("8", "14", "r5"),
            signed_product!("16", "22", "r6"),
            signed_product!("24", "30", "r7"),
        )
    };
}

/// Adds or subtracts rows by the sign in each weight's highest bit.
///
/// # Safety
///
/// See [`Kernel`](super::pixel::Kernel).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn signed_rows(pixel: *const Pixel) {
    naked_asm!(
        enter!(),
        "20:",
        begin_block!(),
        "sub r8, r1, r0",
        "lsls r8, r8, #29",
        "bmi 22f",
        "21:",
        signed_tap!(),
        "22:",
        signed_tap!(),
        "cmp r0, r1",
        "bne 21b",
        end_block!(),
    )
}

/// A product of the weight in r10, of so many bits, and the code in r8, where both begin at `$bit`, to lr. A row has 258
/// bytes, of which the first two are its slope.
macro_rules! sloped_product {
    ($bit:literal, $bits:literal) => {
        concat!(
            "ubfx lr, r10, #",
            $bit,
            ", #",
            $bits,
            "\nubfx r9, r8, #",
            $bit,
            ", #8\nadd r11, r12, lr, lsl #1\nadd lr, r11, lr, lsl #8\nldrsh r11, [lr], #2\nldrb lr, [lr, r9]\n",
            "mla lr, r11, r9, lr\n",
        )
    };
}

macro_rules! add_sloped {
    ($bit:literal, $sum:literal) => {
        concat!(sloped_product!($bit, "8"), "add ", $sum, ", lr\n")
    };
}

/// The same with the sign in the weight's highest bit.
macro_rules! add_signed_sloped {
    ($bit:literal, $sign:literal, $sum:literal) => {
        concat!(
            sloped_product!($bit, "7"),
            "tst r10, #",
            $sign,
            "\nite eq\naddeq ",
            $sum,
            ", lr\nsubne ",
            $sum,
            ", lr\n"
        )
    };
}

macro_rules! sloped_kernel {
    ($name:ident, $products:expr) => {
        /// # Safety
        ///
        /// See [`Kernel`](super::pixel::Kernel).
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(pixel: *const Pixel) {
            naked_asm!(
                enter!(),
                "20:",
                begin_block!(),
                "21:",
                "ldr r8, [r0], #4",
                "ldr r10, [r3], #4",
                "ldr r8, [r2, r8]",
                $products,
                "cmp r0, r1",
                "bne 21b",
                end_block!(),
            )
        }
    };
}

sloped_kernel!(
    unsigned_sloped_rows,
    concat!(add_sloped!("0", "r4"), add_sloped!("8", "r5"), add_sloped!("16", "r6"), add_sloped!("24", "r7"),)
);
sloped_kernel!(
    signed_sloped_rows,
    concat!(
        add_signed_sloped!("0", "0x80", "r4"),
        add_signed_sloped!("8", "0x8000", "r5"),
        add_signed_sloped!("16", "0x800000", "r6"),
        add_signed_sloped!("24", "0x80000000", "r7"),
    )
);
