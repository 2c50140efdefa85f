//! Requantization of many accumulators with the same channels.

use skimp_runtime::arithmetic::{CodeRange, MAX_SHIFT};

/// Multipliers and shifts of `O` channels in the form that vectorizes.
#[derive(Debug, Clone)]
pub struct Factors<const O: usize> {
    multiplier: [i32; O],
    /// Half of a step of the shift, so that it rounds, and `2^63`, so that a logical shift will do.
    offset: [i64; O],
    shift: [u64; O],
    /// What the `2^63` has become.
    excess: [i64; O],
    range: CodeRange,
}

impl<const O: usize> Factors<O> {
    /// The factors of up to `O` channels, each a multiplier and a shift, for outputs in `range`.
    pub fn new(channels: &[(i32, u8)], range: CodeRange) -> Self {
        let at = |o: usize| {
            let (multiplier, shift) = channels.get(o).copied().unwrap_or((0, 1));
            (multiplier, shift.clamp(1, MAX_SHIFT))
        };
        Factors {
            multiplier: std::array::from_fn(|o| at(o).0),
            offset: std::array::from_fn(|o| (1i64 << (at(o).1 - 1)).wrapping_add(i64::MIN)),
            shift: std::array::from_fn(|o| at(o).1.into()),
            excess: std::array::from_fn(|o| (1u64 << 63 >> at(o).1) as i64),
            range,
        }
    }

    /// The codes of one pixel: what [`requantize`](skimp_runtime::arithmetic::requantize) and
    /// [`CodeRange::code`] give.
    #[inline(always)]
    pub(super) fn codes(&self, acc: &[i32; O], codes: &mut [u8; O]) {
        let zero_point = i64::from(self.range.zero_point);
        let (min, max) = (i64::from(self.range.min), i64::from(self.range.max));
        for o in 0..O {
            let product = i64::from(acc[o]) * i64::from(self.multiplier[o]);
            let shifted = (product.wrapping_add(self.offset[o]) as u64 >> (self.shift[o] & 63)) as i64;
            let value = shifted - self.excess[o] + zero_point;
            codes[o] = value.max(min).min(max) as u8;
        }
    }
}
