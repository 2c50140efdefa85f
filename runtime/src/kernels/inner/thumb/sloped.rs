//! Rows of 8-bit entries beside a product: 4.6 instructions a product for tables whose weights have no sign of
//! their own, about 5 for those that do.
//!
//! The slope takes the register that has the table elsewhere: table and length of a row wait on the stack, in a
//! pair that one instruction loads.

use crate::kernels::SlopedRow;
use core::arch::naked_asm;

/// Start: sums in r4 to r11, weights in r2, columns minus one in r3, their number in r12. On the stack the end of
/// the weights, where the sums go, table and length of a row; the same with the table 128 rows further on.
macro_rules! enter {
    () => {
        "push {{r4-r11, lr}}
         sub sp, #24
         str r0, [sp, #4]
         movw r12, #258
         add lr, r1, r12, lsl #7
         strd r1, r12, [sp, #8]
         strd lr, r12, [sp, #16]
         add r12, r2, r3
         str r12, [sp]
         mov r12, r3
         ldr r3, [sp, #60]
         sub r3, #1
         ldm r0, {{r4-r11}}"
    };
}

/// End: writes the sums.
macro_rules! leave {
    () => {
        "ldr r0, [sp, #4]
         stm r0, {{r4-r11}}
         add sp, #24
         pop {{r4-r11, pc}}"
    };
}

/// Eight products of the row that r12 names in the table at `$table` on the stack, added to or subtracted from the
/// sums; moves on to the next column. A row has 258 bytes, of which the first two are its slope.
macro_rules! row {
    ($table:literal, $add:literal, $multiply:literal) => {
        concat!(
            "ldrd r0, r1, [sp, #", $table, "]\n",
            "mla r0, r12, r1, r0\n",
            "ldrsh r1, [r0], #2\n",
            row!(@pair "ldrb lr, [r3, #2]", "1", "r4", "r5", $add, $multiply),
            row!(@pair "ldrb lr, [r3, #4]", "3", "r6", "r7", $add, $multiply),
            row!(@pair "ldrb lr, [r3, #6]", "5", "r8", "r9", $add, $multiply),
            row!(@pair "ldrb lr, [r3, #8]!", "7", "r10", "r11", $add, $multiply),
        )
    };
    (@pair $second:literal, $first:literal, $a:literal, $b:literal, $add:literal, $multiply:literal) => {
        concat!(
            "ldrb r12, [r3, #", $first, "]\n",
            $second, "\n",
            $multiply, " ", $a, ", r1, r12, ", $a, "\n",
            $multiply, " ", $b, ", r1, lr, ", $b, "\n",
            "ldrb r12, [r0, r12]\n",
            "ldrb lr, [r0, lr]\n",
            $add, " ", $a, ", r12\n",
            $add, " ", $b, ", lr\n",
        )
    };
}

/// The next weight and its row.
macro_rules! next_row {
    () => {
        concat!("ldrb r12, [r2], #1\n", row!("8", "add", "mla"))
    };
}

/// Adds rows that have no sign.
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
        // Those to leave out of the first round of four.
        "rsb r12, r12, #0",
        "and r12, r12, #3",
        "cmp r12, #2",
        "bhi 23f",
        "beq 22f",
        "cmp r12, #1",
        "beq 21f",
        "20:",
        next_row!(),
        "21:",
        next_row!(),
        "22:",
        next_row!(),
        "23:",
        next_row!(),
        "ldr r12, [sp]",
        "cmp r2, r12",
        "bne 20b",
        leave!(),
    )
}

/// The sign goes to the flags. Read as a signed number, a negative weight names the row 128 before its own: hence
/// the other table.
macro_rules! next_weight {
    () => {
        "ldrsb r12, [r2], #1
         cmp r12, #0"
    };
}

macro_rules! plus {
    () => {
        row!("8", "add", "mla")
    };
}

macro_rules! minus {
    () => {
        row!("16", "sub", "mls")
    };
}

/// Adds or subtracts rows by the sign in each weight's highest bit, in two tracks.
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
        "lsls r0, r12, #31",
        "beq 29f",
        next_weight!(),
        "blt 41f",
        "b 31f",
        "29:",
        next_weight!(),
        "blt 40f",
        "30:",
        plus!(),
        next_weight!(),
        "blt 41f",
        "31:",
        plus!(),
        "ldr r12, [sp]",
        "cmp r2, r12",
        "beq 50f",
        next_weight!(),
        "bge 30b",
        "40:",
        minus!(),
        next_weight!(),
        "bge 31b",
        "41:",
        minus!(),
        "ldr r12, [sp]",
        "cmp r2, r12",
        "beq 50f",
        next_weight!(),
        "blt 40b",
        "b 30b",
        "50:",
        leave!(),
    )
}
