//! Sums in the assembly of Cortex-M0 and M0+, where most instructions reach only eight registers: 6.1 instructions
//! a product multiplied for windows of 3x3 (7.1 with masked codes), 8.8 a product looked up (12.8 where weights have
//! signs).

use super::pixel::{self, Kernel, Pixel};
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
    let all = mask == u8::MAX;
    let mask = mask.into();
    // SAFETY: there are no rows.
    match weights {
        DepthwiseWeights::I8(weights) => unsafe {
            let kernel: Kernel = if all { products_i8 } else { masked_products_i8 };
            pixel::run(kernel, codes, weights, mask, starts, sums)
        },
        DepthwiseWeights::I16(weights) => unsafe {
            let kernel: Kernel = if all { products_i16 } else { masked_products_i16 };
            pixel::run(kernel, codes, weights, mask, starts, sums)
        },
    }
}

/// Saves registers and loads the arguments: r2 is the weights, r3 the mask or table, r12 the base, lr the end of the
/// list; on the stack are the list's begin, the starts, the sums and the sums' end.
macro_rules! enter {
    () => {
        "push {{r4-r7, lr}}
         mov r4, r8
         mov r5, r9
         mov r6, r10
         mov r7, r11
         push {{r4-r7}}
         sub sp, #16
         ldr r1, [r0, #0]
         str r1, [sp, #0]
         ldr r1, [r0, #4]
         mov lr, r1
         ldr r1, [r0, #8]
         mov r12, r1
         ldr r2, [r0, #12]
         ldr r3, [r0, #16]
         ldr r1, [r0, #20]
         str r1, [sp, #4]
         ldr r1, [r0, #24]
         str r1, [sp, #8]
         ldr r1, [r0, #28]
         str r1, [sp, #12]"
    };
}

/// Begins a block: starts to r8 to r11, the list's begin to r1. Uses r4 to r7.
macro_rules! begin_block {
    () => {
        "ldr r1, [sp, #4]
         ldm r1!, {{r4-r7}}
         mov r8, r4
         mov r9, r5
         mov r10, r6
         mov r11, r7
         str r1, [sp, #4]
         ldr r1, [sp]"
    };
}

/// Stores the sums of a block, and goes back to `20` unless it was the last.
macro_rules! end_block {
    () => {
        "ldr r1, [sp, #8]
         mov r4, r8
         mov r5, r9
         mov r6, r10
         mov r7, r11
         stm r1!, {{r4-r7}}
         str r1, [sp, #8]
         movs r4, #4
         add r12, r4
         ldr r4, [sp, #12]
         cmp r1, r4
         beq 29f
         b 20b
         29:
         add sp, #16
         pop {{r4-r7}}
         mov r8, r4
         mov r9, r5
         mov r10, r6
         mov r11, r7
         pop {{r4-r7, pc}}"
    };
}

/// A product of the weight at r2 plus a register and a code.
macro_rules! product {
    ($code:literal, $load:literal, $mask:literal, $sum:literal) => {
        concat!(
            "ldrb r4, [r0, #",
            $code,
            "]\n",
            $load,
            "\n",
            $mask,
            "\nmuls r4, r5, r4\nadd ",
            $sum,
            ", r4\n"
        )
    };
}

/// The distance of two neighbouring weights goes to r7, that of four is `$four`; the second weight belongs to
/// channel `$b`, the third to `$c`.
macro_rules! products_kernel {
    (
        $name:ident, $mask:literal, $two:literal, $one:literal, [$first:literal, $second:literal],
        [$b:literal, $b_sum:literal], [$c:literal, $c_sum:literal]
    ) => {
        /// # Safety
        ///
        /// See [`Kernel`].
        #[unsafe(naked)]
        unsafe extern "C" fn $name(pixel: *const Pixel) {
            naked_asm!(
                enter!(),
                "20:",
                begin_block!(),
                "movs r6, #0",
                concat!("movs r7, #", $one),
                "21:",
                "ldm r1!, {{r0}}",
                "add r0, r12",
                product!("0", $first, $mask, "r8"),
                product!($b, $second, $mask, $b_sum),
                concat!("adds r2, #", $two),
                product!($c, $first, $mask, $c_sum),
                product!("3", $second, $mask, "r11"),
                concat!("adds r2, #", $two),
                "cmp r1, lr",
                "bne 21b",
                end_block!(),
            )
        }
    };
}

products_kernel!(
    products_i8,
    "",
    "2",
    "1",
    ["ldrsb r5, [r2, r6]", "ldrsb r5, [r2, r7]"],
    ["1", "r9"],
    ["2", "r10"]
);
products_kernel!(
    masked_products_i8,
    "ands r4, r3",
    "2",
    "1",
    ["ldrsb r5, [r2, r6]", "ldrsb r5, [r2, r7]"],
    ["1", "r9"],
    ["2", "r10"]
);
products_kernel!(
    products_i16,
    "",
    "4",
    "2",
    ["ldrsh r5, [r2, r6]", "ldrsh r5, [r2, r7]"],
    ["2", "r10"],
    ["1", "r9"]
);
products_kernel!(
    masked_products_i16,
    "ands r4, r3",
    "4",
    "2",
    ["ldrsh r5, [r2, r6]", "ldrsh r5, [r2, r7]"],
    ["2", "r10"],
    ["1", "r9"]
);

/// An entry of a row of 512 bytes, added to a sum.
macro_rules! unsigned_product {
    ($channel:literal, $sum:literal) => {
        concat!(
            "ldrb r4, [r2, #",
            $channel,
            "]\nldrb r5, [r0, #",
            $channel,
            "]\nlsls r4, r4, #9\nadds r4, r4, r3\nlsls r5, r5, #1\nldrh r4, [r4, r5]\nadd ",
            $sum,
            ", r4\n",
        )
    };
}

/// The same with the sign in the weight's highest bit: it goes to the carry flag, and from there to r6, which gets
/// 0 if it is set and -1 if not.
macro_rules! signed_product {
    ($channel:literal, $sum:literal) => {
        concat!(
            "ldrb r4, [r2, #",
            $channel,
            "]\nldrb r5, [r0, #",
            $channel,
            "]\nlsls r5, r5, #1\nlsls r4, r4, #25\nsbcs r6, r6\nlsrs r4, r4, #16\nadds r4, r4, r3\n",
            "ldrh r4, [r4, r5]\neors r4, r6\nsubs r4, r6, r4\nadd ",
            $sum,
            ", r4\n",
        )
    };
}

/// The weight at r2 and the code at r0, to r4 and r5.
macro_rules! load_pair {
    ($channel:literal) => {
        concat!("ldrb r4, [r2, #", $channel, "]\nldrb r5, [r0, #", $channel, "]\n")
    };
}

/// The product of the row at r4, of 258 bytes whose first two are its slope, and the code in r5, to r4.
macro_rules! along_slope {
    () => {
        "movs r6, #0
         ldrsh r6, [r4, r6]
         muls r6, r5, r6
         adds r4, #2
         ldrb r4, [r4, r5]
         adds r4, r4, r6\n"
    };
}

macro_rules! unsigned_sloped_product {
    ($channel:literal, $sum:literal) => {
        concat!(
            load_pair!($channel),
            "lsls r6, r4, #8\nlsls r4, r4, #1\nadds r4, r4, r6\nadds r4, r4, r3\n",
            along_slope!(),
            "add ",
            $sum,
            ", r4\n",
        )
    };
}

/// The sign goes to r7 as above.
macro_rules! signed_sloped_product {
    ($channel:literal, $sum:literal) => {
        concat!(
            load_pair!($channel),
            "lsls r4, r4, #25\nsbcs r7, r7\nlsrs r6, r4, #24\nlsrs r4, r4, #17\nadds r4, r4, r6\nadds r4, r4, r3\n",
            along_slope!(),
            "eors r4, r7\nsubs r4, r7, r4\nadd ",
            $sum,
            ", r4\n",
        )
    };
}

macro_rules! rows_kernel {
    ($name:ident, $product:ident) => {
        /// # Safety
        ///
        /// See [`Kernel`].
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(pixel: *const Pixel) {
            naked_asm!(
                enter!(),
                "20:",
                begin_block!(),
                "21:",
                "ldm r1!, {{r0}}",
                "add r0, r12",
                $product!("0", "r8"),
                $product!("1", "r9"),
                $product!("2", "r10"),
                $product!("3", "r11"),
                "adds r2, #4",
                "cmp r1, lr",
                "bne 21b",
                end_block!(),
            )
        }
    };
}

rows_kernel!(unsigned_rows, unsigned_product);
rows_kernel!(signed_rows, signed_product);
rows_kernel!(unsigned_sloped_rows, unsigned_sloped_product);
rows_kernel!(signed_sloped_rows, signed_sloped_product);
