//! Products by 32-bit multiplications (MLA) in Thumb-2 assembly, for cores without the DSP extension: 4.3
//! instructions a product for windows of 3x3.

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
    let mask = usize::from(mask) * 0x0101_0101;
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

/// One tap whose place is in the register: loads of the weights of channels 3, 2, 1 and 0, of which the last moves
/// on.
macro_rules! tap {
    ($place:literal, $third:literal, $second:literal, $first:literal, $zeroth:literal) => {
        concat!(
            "ldr ",
            $place,
            ", [r2, ",
            $place,
            "]\n",
            $third,
            "\n",
            $second,
            "\nand ",
            $place,
            ", ",
            $place,
            ", r12\nlsr r10, ",
            $place,
            ", #24\nmla r7, r10, r11, r7\nubfx r10, ",
            $place,
            ", #16, #8\nmla r6, r10, lr, r6\n",
            $first,
            "\n",
            $zeroth,
            "\nubfx r10, ",
            $place,
            ", #8, #8\nmla r5, r10, r11, r5\nuxtb ",
            $place,
            ", ",
            $place,
            "\nmla r4, ",
            $place,
            ", lr, r4\n",
        )
    };
}

macro_rules! products_kernel {
    ($name:ident, $third:literal, $second:literal, $first:literal, $zeroth:literal) => {
        /// # Safety
        ///
        /// See [`pixel::Kernel`].
        #[unsafe(naked)]
        unsafe extern "C" fn $name(pixel: *const Pixel) {
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
                tap!("r8", $third, $second, $first, $zeroth),
                "22:",
                tap!("r9", $third, $second, $first, $zeroth),
                "cmp r0, r1",
                "bne 21b",
                end_block!(),
            )
        }
    };
}

products_kernel!(
    products_i8,
    "ldrsb r11, [r3, #3]",
    "ldrsb lr, [r3, #2]",
    "ldrsb r11, [r3, #1]",
    "ldrsb lr, [r3], #4"
);
products_kernel!(
    products_i16,
    "ldrsh r11, [r3, #6]",
    "ldrsh lr, [r3, #2]",
    "ldrsh r11, [r3, #4]",
    "ldrsh lr, [r3], #8"
);
