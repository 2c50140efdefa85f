//! Rows of 8-bit entries beside a product: 6.8 instructions a product, 7.4 or so where weights have signs.
//!
//! The end of the weights and the table wait on the stack.

use crate::kernels::SlopedRow;
use core::arch::naked_asm;

/// Start: sums, weights in r1, columns in r2; on top of the stack the table, then the end of the weights.
macro_rules! enter {
    () => {
        concat!(
            save!(),
            "\nadds r3, r2, r3
             push {{r1, r3}}
             mov r1, r2\n",
            load_sums!(),
            "\nldr r2, [sp, #48]\n"
        )
    };
}

/// What is behind the row's address in r3: its slope to r4, and the address of its entries.
macro_rules! slope {
    () => {
        "movs r0, #0
         ldrsh r4, [r3, r0]
         adds r3, #2"
    };
}

/// One product of the row at r3, its entry added or subtracted, added to a sum.
macro_rules! look_up {
    ($pixel:literal, $sum:literal, $with:literal) => {
        concat!(
            "ldrb r0, [r2, #",
            $pixel,
            "]\nldrb r5, [r3, r0]\nmuls r0, r4, r0\n",
            $with,
            " r0, r0, r5\nadd ",
            $sum,
            ", r0\n"
        )
    };
}

/// All products of a column; moves on to the next, and compares the weights with their end.
macro_rules! column {
    ($with:literal) => {
        concat!(
            look_up!("0", "r8", $with),
            look_up!("1", "r9", $with),
            look_up!("2", "r10", $with),
            look_up!("3", "r11", $with),
            look_up!("4", "r12", $with),
            look_up!("5", "lr", $with),
            look_up!("6", "r6", $with),
            look_up!("7", "r7", $with),
            "adds r2, #8
             ldr r0, [sp, #4]
             cmp r1, r0\n",
        )
    };
}

/// Adds rows that have no sign. A row has 258 bytes, of which the first two are its slope.
///
/// # Safety
///
/// See [`RowKernel`](crate::kernels::inner::lookup::RowKernel).
#[unsafe(naked)]
pub(in crate::kernels::inner) unsafe extern "C" fn unsigned_rows(
    acc: *mut [i32; 8],
    rows: *const SlopedRow,
    weights: *const u8,
    count: usize,
    columns: *const [u8; 8],
) {
    naked_asm!(
        enter!(),
        "20:",
        "ldrb r5, [r1]",
        "adds r1, #1",
        "ldr r0, [sp]",
        "lsls r3, r5, #8",
        "adds r3, r3, r0",
        "lsls r5, r5, #1",
        "adds r3, r3, r5",
        slope!(),
        column!("adds"),
        "bne 20b",
        "add sp, #8",
        leave!(),
    )
}

/// Adds or subtracts rows by the sign in each weight's highest bit.
///
/// # Safety
///
/// See [`RowKernel`](crate::kernels::inner::lookup::RowKernel).
#[unsafe(naked)]
pub(in crate::kernels::inner) unsafe extern "C" fn signed_rows(
    acc: *mut [i32; 8],
    rows: *const SlopedRow,
    weights: *const u8,
    count: usize,
    columns: *const [u8; 8],
) {
    naked_asm!(
        enter!(),
        "20:",
        "ldrb r5, [r1]",
        "adds r1, #1",
        "ldr r0, [sp]",
        "lsls r5, r5, #25",
        "lsrs r3, r5, #17",
        "adds r3, r3, r0",
        "lsrs r0, r5, #24",
        "adds r3, r3, r0",
        slope!(),
        // The weight again, for its sign.
        "subs r0, r1, #1",
        "ldrb r0, [r0]",
        "lsls r0, r0, #25",
        "bcs 22f",
        column!("adds"),
        "bne 20b",
        "b 23f",
        "22:",
        "rsbs r4, r4, #0",
        column!("subs"),
        "beq 23f",
        "b 20b",
        "23:",
        "add sp, #8",
        leave!(),
    )
}
