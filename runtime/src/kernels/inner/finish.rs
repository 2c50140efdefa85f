//! Sums of neighbouring channels to codes: 7.3 instructions a code in Thumb-2 assembly, 32 in that of Cortex-M0 and
//! M0+.

#[cfg(any(skimp_thumb, skimp_short_products))]
use core::arch::naked_asm;

#[cfg(not(skimp_short_products))]
use crate::arithmetic::FastRequantizer;

/// Channels that are requantized together.
#[cfg(skimp_thumb)]
const TOGETHER: usize = 4;
#[cfg(skimp_short_products)]
const TOGETHER: usize = 1;

/// Writes the codes of `sums`, one a channel: requantized by each channel's multiplier and shift, whose shift a
/// [`FastRequantizer`] takes, with the zero point added, and clamped to 0 to 255.
pub(crate) fn store_codes(
    sums: &[i32],
    multipliers: &[i32],
    shifts: &[u8],
    zero_point: u8,
    output: &mut [u8],
) {
    #[cfg(any(skimp_thumb, skimp_short_products))]
    if sums.len() >= TOGETHER {
        return store_together(sums, multipliers, shifts, zero_point, output);
    }
    #[cfg(not(skimp_short_products))]
    store_singly(sums, multipliers, shifts, zero_point, output);
}

// Not inlined: within its caller the values would not all get registers.
#[cfg(not(skimp_short_products))]
#[inline(never)]
fn store_singly(sums: &[i32], multipliers: &[i32], shifts: &[u8], zero_point: u8, output: &mut [u8]) {
    let channels = sums.iter().zip(multipliers).zip(shifts);
    for (out, ((&sum, &multiplier), &shift)) in output.iter_mut().zip(channels) {
        let Some(requantizer) = FastRequantizer::new(multiplier, shift) else { continue };
        let value = requantizer.requantize(sum).wrapping_add(zero_point.into());
        *out = value.clamp(0, 255) as u8;
    }
}

#[cfg(any(skimp_thumb, skimp_short_products))]
fn store_together(sums: &[i32], multipliers: &[i32], shifts: &[u8], zero_point: u8, output: &mut [u8]) {
    let count = sums.len().min(multipliers.len()).min(shifts.len()).min(output.len());
    if count < TOGETHER {
        return;
    }
    // `((a + b / 2) / b) + z` for b = 2^s is `((a / (b / 2)) + 1 + 2 * z) / 2`, rounded down everywhere.
    let twice = 2 * i32::from(zero_point) + 1;
    let mut run = |first: usize, channels: usize| {
        let (sums, multipliers) =
            (sums.as_ptr().wrapping_add(first), multipliers.as_ptr().wrapping_add(first));
        let (shifts, output) = (shifts.as_ptr().wrapping_add(first), output.as_mut_ptr().wrapping_add(first));
        // SAFETY: there are `first + channels` of each, and `channels` is as it must be.
        unsafe { requantize(sums, multipliers, shifts, output, sums.wrapping_add(channels), twice) }
    };
    run(0, count / TOGETHER * TOGETHER);
    if !count.is_multiple_of(TOGETHER) {
        // The last ones, some of them once more.
        run(count - TOGETHER, TOGETHER);
    }
}

/// Requantizes four channels at a time, from `sums` to `end`.
///
/// Only the upper halves of products count, as in [`FastRequantizer`], and an arithmetic shift to the right takes
/// as many places as the lowest byte of its register says: the four channels' shifts are moved along in one.
///
/// # Safety
///
/// As many of all as from `sums` to `end`, a multiple of four and not 0.
#[cfg(skimp_thumb)]
#[unsafe(naked)]
unsafe extern "C" fn requantize(
    sums: *const i32,
    multipliers: *const i32,
    shifts: *const u8,
    output: *mut u8,
    end: *const i32,
    twice: i32,
) {
    naked_asm!(
        "push {{r4-r11, lr}}",
        "ldrd r12, lr, [sp, #36]",
        "20:",
        "ldm r0!, {{r4-r7}}",
        "ldm r1!, {{r8-r11}}",
        "smull r8, r4, r4, r8",
        "ldr r8, [r2], #4",
        "smull r9, r5, r5, r9",
        "smull r10, r6, r6, r10",
        "smull r11, r7, r7, r11",
        // 32 for the lower half, and the last place is for rounding.
        "sub r8, r8, #0x21212121",
        "asr r4, r4, r8",
        "lsr r8, r8, #8",
        "asr r5, r5, r8",
        "lsr r8, r8, #8",
        "asr r6, r6, r8",
        "lsr r8, r8, #8",
        "asr r7, r7, r8",
        "add r4, r4, lr",
        "add r5, r5, lr",
        "add r6, r6, lr",
        "add r7, r7, lr",
        "usat r4, #8, r4, asr #1",
        "usat r5, #8, r5, asr #1",
        "usat r6, #8, r6, asr #1",
        "usat r7, #8, r7, asr #1",
        "strb r4, [r3], #4",
        "strb r5, [r3, #-3]",
        "strb r6, [r3, #-2]",
        "strb r7, [r3, #-1]",
        "cmp r0, r12",
        "bne 20b",
        "pop {{r4-r11, pc}}",
    )
}

/// Requantizes channels from `sums` to `end`, by the upper halves of products as
/// [`FastRequantizer`](crate::arithmetic::FastRequantizer) finds them.
///
/// # Safety
///
/// As many of all as from `sums` to `end`, and not 0.
#[cfg(skimp_short_products)]
#[unsafe(naked)]
unsafe extern "C" fn requantize(
    sums: *const i32,
    multipliers: *const i32,
    shifts: *const u8,
    output: *mut u8,
    end: *const i32,
    twice: i32,
) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "push {{r4, r5}}",
        "ldr r4, [sp, #28]",
        "mov r8, r4",
        "ldr r4, [sp, #32]",
        "mov r9, r4",
        "20:",
        "ldm r0!, {{r4}}",
        "ldm r1!, {{r7}}",
        "uxth r6, r7",
        "asrs r7, r7, #16",
        "uxth r5, r4",
        "asrs r4, r4, #16",
        "mov r12, r5",
        "muls r5, r6, r5",
        "lsrs r5, r5, #16",
        "muls r6, r4, r6",
        "adds r6, r6, r5",
        "mov r5, r12",
        "muls r5, r7, r5",
        "muls r4, r7, r4",
        "uxth r7, r6",
        "adds r5, r5, r7",
        "asrs r6, r6, #16",
        "adds r4, r4, r6",
        "asrs r5, r5, #16",
        "adds r4, r4, r5",
        // 32 for the lower half, and the last place is for rounding.
        "ldrb r5, [r2]",
        "adds r2, #1",
        "subs r5, #33",
        "asrs r4, r5",
        "add r4, r9",
        "asrs r4, r4, #1",
        "cmp r4, #255",
        "bhi 22f",
        "21:",
        "strb r4, [r3]",
        "adds r3, #1",
        "cmp r0, r8",
        "bne 20b",
        "pop {{r4, r5}}",
        "mov r8, r4",
        "mov r9, r5",
        "pop {{r4-r7, pc}}",
        // Below 0 or above 255.
        "22:",
        "asrs r4, r4, #31",
        "mvns r4, r4",
        "b 21b",
    )
}
