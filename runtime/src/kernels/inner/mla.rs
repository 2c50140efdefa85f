//! Products by 32-bit multiplications (MLA) in Thumb-2 assembly, for cores without dual ones: 1.84
//! instructions a product.
//!
//! Two output channels of four pixels keep eight sums in registers. The tap that stands first in memory comes
//! last, so that its loads move the pointers on.

use super::portable::Weight;
use crate::kernels::conv::Column;
use core::arch::naked_asm;

/// What a kernel takes: sums, groups of weights, columns, their number (at least 1).
///
/// # Safety
///
/// As many groups of weights and columns as said.
type ProductKernel<W> = unsafe extern "C" fn(*mut [[i32; 4]; 2], *const [W; 8], *const Column, usize);

/// A type of weights with a kernel.
pub(super) trait MlaWeight: Weight {
    const KERNEL: ProductKernel<Self>;
}

impl MlaWeight for i8 {
    const KERNEL: ProductKernel<i8> = products_i8;
}

impl MlaWeight for i16 {
    const KERNEL: ProductKernel<i16> = products_i16;
}

/// Adds the products of two output channels' weights with four pixels' columns.
pub(super) fn add_products<W: MlaWeight>(acc: &mut [[i32; 4]; 2], weights: &[[W; 8]], columns: &[Column]) {
    let count = weights.len().min(columns.len());
    if count > 0 {
        // SAFETY: the kernel reads `count` groups of weights and columns and writes the sums.
        unsafe { W::KERNEL(acc, weights.as_ptr(), columns.as_ptr(), count) }
    }
}

/// One tap: a load of each channel's weight, then where the tap's halves of the four pixels are.
macro_rules! tap {
    ($second:literal, $first:literal, $d:literal, $c:literal, $b:literal, $a:literal) => {
        concat!(
            $second,
            "\n",
            $first,
            "\n",
            "ldrsh r0, [r2, #",
            $d,
            "]\n",
            "ldrsh lr, [r2, #",
            $c,
            "]\n",
            "mla r7, r0, r3, r7\n",
            "mla r11, r0, r12, r11\n",
            "mla r6, lr, r3, r6\n",
            "mla r10, lr, r12, r10\n",
            "ldrsh r0, [r2, #",
            $b,
            "]\n",
            "ldrsh lr, [r2",
            $a,
            "\n",
            "mla r5, r0, r3, r5\n",
            "mla r9, r0, r12, r9\n",
            "mla r4, lr, r3, r4\n",
            "mla r8, lr, r12, r8\n",
        )
    };
}

macro_rules! products_kernel {
    ($name:ident, $weight:ty, $($tap:expr),+) => {
        /// # Safety
        ///
        /// See [`ProductKernel`].
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            acc: *mut [[i32; 4]; 2],
            weights: *const [$weight; 8],
            columns: *const Column,
            count: usize,
        ) {
            naked_asm!(
                "push {{r4-r11, lr}}",
                "sub sp, #8",
                "str r0, [sp, #4]",
                "add r12, r2, r3, lsl #5",
                "str r12, [sp]",
                "ldm r0, {{r4-r11}}",
                "20:",
                $($tap,)+
                "ldr r0, [sp]",
                "cmp r2, r0",
                "bne 20b",
                "ldr r0, [sp, #4]",
                "stm r0, {{r4-r11}}",
                "add sp, #8",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

products_kernel!(
    products_i8,
    i8,
    tap!("ldrsb r12, [r1, #5]", "ldrsb r3, [r1, #1]", "28", "24", "20", ", #16]"),
    tap!("ldrsb r12, [r1, #6]", "ldrsb r3, [r1, #2]", "14", "10", "6", ", #2]"),
    tap!("ldrsb r12, [r1, #7]", "ldrsb r3, [r1, #3]", "30", "26", "22", ", #18]"),
    tap!("ldrsb r12, [r1, #4]", "ldrsb r3, [r1], #8", "12", "8", "4", "], #32")
);
products_kernel!(
    products_i16,
    i16,
    tap!("ldrsh r12, [r1, #12]", "ldrsh r3, [r1, #8]", "28", "24", "20", ", #16]"),
    tap!("ldrsh r12, [r1, #6]", "ldrsh r3, [r1, #2]", "14", "10", "6", ", #2]"),
    tap!("ldrsh r12, [r1, #14]", "ldrsh r3, [r1, #10]", "30", "26", "22", ", #18]"),
    tap!("ldrsh r12, [r1, #4]", "ldrsh r3, [r1], #16", "12", "8", "4", "], #32")
);
