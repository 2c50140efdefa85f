//! Element-wise addition.

use crate::image::Add;

/// Adds two tensors of codes.
#[inline]
pub fn add(op: &Add, a: &[u8], b: &[u8], output: &mut [u8]) {
    for ((out, &a), &b) in output.iter_mut().zip(a).zip(b) {
        *out = op.range.code_of_sum(op.rescale.sum(a, b));
    }
}

/// Adds a tensor to the one whose place the sum takes: the operand number `place`, 0 or 1.
#[inline]
pub fn add_onto(op: &Add, place: usize, other: &[u8], output: &mut [u8]) {
    for (out, &other) in output.iter_mut().zip(other) {
        let (a, b) = if place == 0 { (*out, other) } else { (other, *out) };
        *out = op.range.code_of_sum(op.rescale.sum(a, b));
    }
}

/// Adds a tensor to itself, in place.
#[inline]
pub fn add_to_itself(op: &Add, codes: &mut [u8]) {
    for code in codes {
        *code = op.range.code_of_sum(op.rescale.sum(*code, *code));
    }
}
