//! The innermost loops in the assembly of Cortex-M0 and M0+, where most instructions reach only eight
//! registers: 4.9 instructions a product looked up (5.4 or so where weights have signs), 4.2 a product
//! multiplied. [`sloped`] looks up 8-bit entries beside a product, [`pixel`] is for one pixel.
//!
//! Sums live in the upper registers, which an addition can reach, and in r6 and r7.

use super::portable::Weight;
use crate::kernels::conv::Column;
use core::arch::naked_asm;

/// What a product kernel takes: sums, groups of weights, columns, their number (at least 1).
///
/// # Safety
///
/// As many groups of weights and columns as said.
type ProductKernel<W> = unsafe extern "C" fn(*mut [[i32; 4]; 2], *const [W; 8], *const Column, usize);

/// A type of weights with a kernel.
pub(super) trait MulsWeight: Weight {
    const KERNEL: ProductKernel<Self>;
}

impl MulsWeight for i8 {
    const KERNEL: ProductKernel<i8> = products_i8;
}

impl MulsWeight for i16 {
    const KERNEL: ProductKernel<i16> = products_i16;
}

/// Adds the products of two output channels' weights with four pixels' columns.
pub(super) fn add_products<W: MulsWeight>(acc: &mut [[i32; 4]; 2], weights: &[[W; 8]], columns: &[Column]) {
    let count = weights.len().min(columns.len());
    if count > 0 {
        // SAFETY: the kernel reads `count` groups of weights and columns and writes the sums.
        unsafe { W::KERNEL(acc, weights.as_ptr(), columns.as_ptr(), count) }
    }
}

/// Saves the registers, and the first argument on top of the stack, below 36 bytes of what was saved.
macro_rules! save {
    () => {
        "push {{r4-r7, lr}}
         mov r4, r8
         mov r5, r9
         mov r6, r10
         mov r7, r11
         push {{r0, r4-r7}}"
    };
}

/// Sums from the address in r0 to r8 to r12, lr, r6 and r7.
macro_rules! load_sums {
    () => {
        "ldm r0!, {{r4-r7}}
         mov r8, r4
         mov r9, r5
         mov r10, r6
         mov r11, r7
         ldm r0!, {{r4-r7}}
         mov r12, r4
         mov lr, r5"
    };
}

/// Writes the sums and returns.
macro_rules! leave {
    () => {
        "pop {{r0}}
         mov r1, r8
         mov r2, r9
         mov r3, r10
         mov r4, r11
         stm r0!, {{r1-r4}}
         mov r1, r12
         mov r2, lr
         stm r0!, {{r1, r2, r6, r7}}
         pop {{r4-r7}}
         mov r8, r4
         mov r9, r5
         mov r10, r6
         mov r11, r7
         pop {{r4-r7, pc}}"
    };
}

// The modules below use the macros above.
pub(super) mod pixel;
pub(super) mod sloped;

/// One product of the row at r3, after `$change`, added to a sum.
macro_rules! look_up {
    ($pixel:literal, $sum:literal, $change:literal) => {
        concat!(
            "ldrb r0, [r2, #",
            $pixel,
            "]\nlsls r0, r0, #1\nldrh r0, [r3, r0]\n",
            $change,
            "\nadd ",
            $sum,
            ", r0\n"
        )
    };
}

/// All products of a column; moves on to the next.
macro_rules! column {
    ($change:literal) => {
        concat!(
            look_up!("0", "r8", $change),
            look_up!("1", "r9", $change),
            look_up!("2", "r10", $change),
            look_up!("3", "r11", $change),
            look_up!("4", "r12", $change),
            look_up!("5", "lr", $change),
            look_up!("6", "r6", $change),
            look_up!("7", "r7", $change),
            "adds r2, #8\n",
        )
    };
}

/// Adds rows that have no sign.
///
/// # Safety
///
/// See [`RowKernel`](super::lookup::RowKernel).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn unsigned_rows(
    acc: *mut [i32; 8],
    rows: *const [u16; 256],
    weights: *const u8,
    count: usize,
    columns: *const [u8; 8],
) {
    naked_asm!(
        save!(),
        load_sums!(),
        "mov r4, r1",
        "mov r1, r2",
        "adds r5, r1, r3",
        "ldr r2, [sp, #40]",
        "20:",
        "ldrb r3, [r1]",
        "adds r1, #1",
        "lsls r3, r3, #9",
        "adds r3, r3, r4",
        column!(""),
        "cmp r1, r5",
        "bne 20b",
        leave!(),
    )
}

/// Adds or subtracts rows by the sign in each weight's highest bit.
///
/// # Safety
///
/// See [`RowKernel`](super::lookup::RowKernel).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn signed_rows(
    acc: *mut [i32; 8],
    rows: *const [u16; 256],
    weights: *const u8,
    count: usize,
    columns: *const [u8; 8],
) {
    naked_asm!(
        save!(),
        load_sums!(),
        "mov r4, r1",
        "mov r1, r2",
        "adds r5, r1, r3",
        "ldr r2, [sp, #40]",
        "20:",
        "ldrb r3, [r1]",
        "adds r1, #1",
        // The sign goes to the carry flag.
        "lsls r0, r3, #25",
        "bcs 22f",
        "lsrs r3, r0, #16",
        "adds r3, r3, r4",
        column!(""),
        "cmp r1, r5",
        "bne 20b",
        "b 23f",
        "22:",
        "lsrs r3, r0, #16",
        "adds r3, r3, r4",
        // No upper register can be subtracted from.
        column!("rsbs r0, r0, #0"),
        "cmp r1, r5",
        "beq 23f",
        "b 20b",
        "23:",
        leave!(),
    )
}

/// Products of a pixel's tap, `$at` bytes from r2, with both weights.
macro_rules! pixel {
    ($at:literal, $first:literal, $second:literal) => {
        concat!(
            "ldrh r0, [r2, #",
            $at,
            "]\nsxth r0, r0\nmov r5, r0\nmuls r5, r3, r5\nmuls r0, r4, r0\nadd ",
            $first,
            ", r5\nadd ",
            $second,
            ", r0\n"
        )
    };
}

/// One tap: how the weights are loaded, and where the four pixels' halves are.
macro_rules! tap {
    ($first:literal, $second:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            $first,
            "\n",
            $second,
            "\n",
            pixel!($a, "r8", "r12"),
            pixel!($b, "r9", "lr"),
            pixel!($c, "r10", "r6"),
            pixel!($d, "r11", "r7")
        )
    };
}

macro_rules! products_kernel {
    ($name:ident, $weight:ty, $bytes:literal, $($tap:expr),+) => {
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
                save!(),
                // The end of the columns, below where the sums go.
                "lsls r3, r3, #5",
                "adds r3, r3, r2",
                "push {{r3}}",
                load_sums!(),
                "20:",
                $($tap,)+
                "adds r2, #32",
                concat!("adds r1, #", $bytes),
                "ldr r0, [sp]",
                "cmp r2, r0",
                "beq 21f",
                "b 20b",
                "21:",
                "add sp, #4",
                leave!(),
            )
        }
    };
}

products_kernel!(
    products_i8,
    i8,
    "8",
    tap!("ldrb r3, [r1, #0]\nsxtb r3, r3", "ldrb r4, [r1, #4]\nsxtb r4, r4", "0", "4", "8", "12"),
    tap!("ldrb r3, [r1, #1]\nsxtb r3, r3", "ldrb r4, [r1, #5]\nsxtb r4, r4", "16", "20", "24", "28"),
    tap!("ldrb r3, [r1, #2]\nsxtb r3, r3", "ldrb r4, [r1, #6]\nsxtb r4, r4", "2", "6", "10", "14"),
    tap!("ldrb r3, [r1, #3]\nsxtb r3, r3", "ldrb r4, [r1, #7]\nsxtb r4, r4", "18", "22", "26", "30")
);
products_kernel!(
    products_i16,
    i16,
    "16",
    tap!("ldrh r3, [r1, #0]\nsxth r3, r3", "ldrh r4, [r1, #4]\nsxth r4, r4", "0", "4", "8", "12"),
    tap!("ldrh r3, [r1, #8]\nsxth r3, r3", "ldrh r4, [r1, #12]\nsxth r4, r4", "16", "20", "24", "28"),
    tap!("ldrh r3, [r1, #2]\nsxth r3, r3", "ldrh r4, [r1, #6]\nsxth r4, r4", "2", "6", "10", "14"),
    tap!("ldrh r3, [r1, #10]\nsxth r3, r3", "ldrh r4, [r1, #14]\nsxth r4, r4", "18", "22", "26", "30")
);
