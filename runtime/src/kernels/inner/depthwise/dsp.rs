//! Products by 16-bit multiplications (SMLABB, SMLATT) in Thumb-2 assembly with the DSP extension: 3.3 instructions
//! a product for windows of 3x3 and weights of 8 bits, 2.8 for weights of 16 bits.
//!
//! A word of four codes falls apart into halves by the mask itself. The list is read two places at a time; an odd
//! number begins with the second.

use super::pixel::{self, Pixel, begin_block, end_block, enter};
use super::{Codes, DepthwiseWeights};
use core::arch::naked_asm;

/// See [`super::multiply`]; at least four channels.
pub(super) fn multiply(
    codes: &Codes,
    mask: u8,
    weights: DepthwiseWeights,
    starts: Option<&[i32]>,
    sums: &mut [i32],
) {
    // For the codes in the lower bytes of both halves.
    let mask = usize::from(mask) * 0x0001_0001;
    // SAFETY: there are no rows.
    match weights {
        DepthwiseWeights::I8(weights) => unsafe {
            pixel::run(products_i8, codes, weights, mask, starts, sums)
        },
        DepthwiseWeights::I16(weights) => unsafe {
            pixel::run(products_i16, codes, weights, mask, starts, sums)
        },
    }
}

/// One tap whose place is in the register: codes 0 and 2 to r10, codes 1 and 3 to it.
macro_rules! tap {
    ($place:literal, $first:literal, $second:literal, $load:literal, $widen:literal) => {
        concat!(
            "ldr ",
            $place,
            ", [r2, ",
            $place,
            "]\n",
            $load,
            "\nand r10, r12, ",
            $place,
            "\nand ",
            $place,
            ", r12, ",
            $place,
            ", lsr #8\n",
            $widen,
            "\nsmlabb r4, r10, ",
            $first,
            ", r4\nsmlatt r6, r10, ",
            $first,
            ", r6\nsmlabb r5, ",
            $place,
            ", ",
            $second,
            ", r5\nsmlatt r7, ",
            $place,
            ", ",
            $second,
            ", r7\n",
        )
    };
}

/// On Armv8-M the target does not imply the extension, and not every reader of assembly is told the processor.
#[cfg(skimp_optional_dsp)]
macro_rules! extension {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(not(skimp_optional_dsp))]
macro_rules! extension {
    () => {
        ""
    };
}

macro_rules! products_kernel {
    ($name:ident, $first:literal, $second:literal, $load:literal, $widen:literal) => {
        /// # Safety
        ///
        /// See [`pixel::Kernel`].
        #[unsafe(naked)]
        unsafe extern "C" fn $name(pixel: *const Pixel) {
            naked_asm!(
                extension!(),
                enter!(),
                "20:",
                begin_block!(),
                // Four bytes a place.
                "sub r8, r1, r0",
                "lsls r8, r8, #29",
                "bpl 21f",
                "ldr r9, [r0], #4",
                "b 22f",
                "21:",
                "ldrd r8, r9, [r0], #8",
                tap!("r8", $first, $second, $load, $widen),
                "22:",
                tap!("r9", $first, $second, $load, $widen),
                "cmp r0, r1",
                "bne 21b",
                end_block!(),
            )
        }
    };
}

products_kernel!(products_i8, "lr", "r11", "ldr r11, [r3], #4", "sxtb16 lr, r11\nsxtb16 r11, r11, ror #8");
products_kernel!(products_i16, "lr", "r11", "ldrd lr, r11, [r3], #8", "");
