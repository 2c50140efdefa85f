//! Table lookup in Thumb-2 assembly: 3.34 instructions a product for tables whose weights have no sign of
//! their own, about 3.6 for those that do. [`sloped`] has the same for 8-bit entries beside a product, [`pixel`]
//! what is for one pixel.
//!
//! Eight sums, the table, the weights and the columns occupy all registers but three, which is why the end
//! of the weights waits on the stack and four weights share one look at it. Codes and entries are loaded in
//! pairs, so that neither waits for the other.

pub(super) mod pixel;
pub(super) mod sloped;

use core::arch::naked_asm;

/// Start: sums in r4 to r11, table in r1, weights in r2, columns minus one in r3, the number of weights to
/// leave out of the first round of four in r12; on the stack the end of the weights and where the sums go.
macro_rules! enter {
    () => {
        "push {{r4-r11, lr}}
         sub sp, #8
         str r0, [sp, #4]
         add r12, r2, r3
         str r12, [sp]
         rsb r12, r3, #0
         and r12, r12, #3
         ldr r3, [sp, #44]
         sub r3, #1
         ldm r0, {{r4-r11}}"
    };
}

/// End: writes the sums.
macro_rules! leave {
    () => {
        "ldr r0, [sp, #4]
         stm r0, {{r4-r11}}
         add sp, #8
         pop {{r4-r11, pc}}"
    };
}

/// Eight products of the row at r0, added to or subtracted from the sums; moves on to the next column.
macro_rules! row {
    ($add:literal) => {
        concat!(
            row!(@pair "ldrb lr, [r3, #2]", "1", "r4", "r5", $add),
            row!(@pair "ldrb lr, [r3, #4]", "3", "r6", "r7", $add),
            row!(@pair "ldrb lr, [r3, #6]", "5", "r8", "r9", $add),
            row!(@pair "ldrb lr, [r3, #8]!", "7", "r10", "r11", $add),
        )
    };
    (@pair $second:literal, $first:literal, $a:literal, $b:literal, $add:literal) => {
        concat!(
            "ldrb r12, [r3, #", $first, "]\n",
            $second, "\n",
            "ldrh r12, [r0, r12, lsl #1]\n",
            "ldrh lr, [r0, lr, lsl #1]\n",
            $add, " ", $a, ", r12\n",
            $add, " ", $b, ", lr\n",
        )
    };
}

/// A row has 512 bytes.
macro_rules! unsigned_rows_weight {
    () => {
        "ldrb r0, [r2], #1
         add r0, r1, r0, lsl #9"
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
        enter!(),
        "cmp r12, #2",
        "bhi 23f",
        "beq 22f",
        "cmp r12, #1",
        "beq 21f",
        "20:",
        unsigned_rows_weight!(),
        row!("add"),
        "21:",
        unsigned_rows_weight!(),
        row!("add"),
        "22:",
        unsigned_rows_weight!(),
        row!("add"),
        "23:",
        unsigned_rows_weight!(),
        row!("add"),
        "ldr r12, [sp]",
        "cmp r2, r12",
        "bne 20b",
        leave!(),
    )
}

/// The sign goes to the carry flag, seven bits choose a row of 512 bytes.
macro_rules! signed_rows_weight {
    () => {
        "ldrb r0, [r2], #1
         lsls r0, r0, #25
         add r0, r1, r0, lsr #16"
    };
}

/// Adds or subtracts rows by the sign in each weight's highest bit. There are two tracks, one that
/// adds and one that subtracts, and a jump where the sign changes.
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
        enter!(),
        "mov r0, r12",
        "cmp r0, #2",
        "bhi 63f",
        "beq 62f",
        "cmp r0, #1",
        "beq 61f",
        signed_rows_weight!(),
        "bcs 40f",
        "b 30f",
        "61:",
        signed_rows_weight!(),
        "bcs 41f",
        "b 31f",
        "62:",
        signed_rows_weight!(),
        "bcs 42f",
        "b 32f",
        "63:",
        signed_rows_weight!(),
        "bcs 43f",
        "b 33f",
        "30:",
        row!("add"),
        signed_rows_weight!(),
        "bcs 41f",
        "31:",
        row!("add"),
        signed_rows_weight!(),
        "bcs 42f",
        "32:",
        row!("add"),
        signed_rows_weight!(),
        "bcs 43f",
        "33:",
        row!("add"),
        "ldr r12, [sp]",
        "cmp r2, r12",
        "beq 50f",
        signed_rows_weight!(),
        "bcc 30b",
        "40:",
        row!("sub"),
        signed_rows_weight!(),
        "bcc 31b",
        "41:",
        row!("sub"),
        signed_rows_weight!(),
        "bcc 32b",
        "42:",
        row!("sub"),
        signed_rows_weight!(),
        "bcc 33b",
        "43:",
        row!("sub"),
        "ldr r12, [sp]",
        "cmp r2, r12",
        "beq 50f",
        signed_rows_weight!(),
        "bcs 40b",
        "b 30b",
        "50:",
        leave!(),
    )
}
