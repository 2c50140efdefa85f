//! Element-wise addition.

use crate::image::Add;

/// Adds two tensors of codes.
#[inline]
pub fn add(op: &Add, a: &[u8], b: &[u8], output: &mut [u8]) {
    for ((out, &a), &b) in output.iter_mut().zip(a).zip(b) {
        *out = op.range.code_of_sum(op.rescale.sum(a, b));
    }
}
