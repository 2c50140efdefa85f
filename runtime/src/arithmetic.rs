//! The integer formulas every implementation shares: oracle, emulator and kernels.
//!
//! An activation is a u8 code `x` with zero point `z`; its real value is `scale * (x - z)`.
//!
//! **Convolution and dense layers**, output channel `o`, over the K taps of the window (padded taps hold
//! the code `z`):
//! ```text
//! acc[o]  = bias[o] + sum_k P(x_k, w_ko) + activation_sum[o] * sum_k x_k
//! code[o] = clamp(((acc[o] * m[o] + 2^(r[o]-1)) >> r[o]) + z_out, min, max)
//! ```
//! `P` is the multiplier as the layer's scheme uses it, tabulated over activation *codes*; the host folds
//! every zero-point correction into `bias` and `activation_sum`. Sums are i32 and wrap (the host refuses
//! networks that could), the product with `m` is i64, `>>` is arithmetic: rounding is half up, once.
//!
//! **Add**: `clamp((((a - z_a) * m_a + (b - z_b) * m_b + 2^(r-1)) >> r) + z_out, min, max)` in i32, with
//! `0 <= m_a, m_b < 2^21` and `r <= 29` so that it can't overflow.
//!
//! **Average pooling** over N taps: `clamp(((S * m + 2^(r-1)) >> r) + z_out, min, max)`, i64, where
//! `S = sum (x - z_in)`, padded taps counting 0, and `m / 2^r` holds `scale_in / (N * scale_out)`.
//!
//! **Maximum pooling**: the largest code; padded taps are ignored, a window with no tap gives code 0.
//!
//! **Slice, pad**: codes are copied; added elements hold the zero point.

/// Largest right shift of a requantization.
pub const MAX_SHIFT: u8 = 62;
/// Bound on the factors of [`AddRescale`]: products with a code difference stay within i32.
pub const MAX_ADD_FACTOR: i32 = 1 << 21;
/// Largest right shift of [`AddRescale`].
pub const MAX_ADD_SHIFT: u8 = 29;

/// `(acc * multiplier + 2^(shift-1)) >> shift`: multiplication by `multiplier / 2^shift`, rounded half up.
/// `shift` is 1 to [`MAX_SHIFT`]; other values are taken as the nearest of these.
#[inline]
pub fn requantize(acc: i32, multiplier: i32, shift: u8) -> i64 {
    let shift = shift.clamp(1, MAX_SHIFT);
    (i64::from(acc) * i64::from(multiplier) + (1i64 << (shift - 1))) >> shift
}

/// [`requantize`] for one channel, by the upper half of the product alone.
///
/// With a shift beyond 32, `2^(shift-1)` has no bit in the lower half, so that no carry can come from there:
/// the sum is rounded and shifted in 32 bits. Channels of real networks nearly always have such shifts.
#[derive(Debug, Clone, Copy)]
pub struct FastRequantizer {
    multiplier: i32,
    round: i32,
    shift: u8,
}

impl FastRequantizer {
    /// The requantizer of a channel; `None` for shifts that take all 64 bits.
    #[inline]
    pub const fn new(multiplier: i32, shift: u8) -> Option<Self> {
        if shift <= 32 || shift > MAX_SHIFT {
            return None;
        }
        let shift = shift - 32;
        Some(Self { multiplier, round: 1 << (shift - 1), shift })
    }

    /// [`requantize`] of `acc`.
    #[inline]
    pub const fn requantize(self, acc: i32) -> i32 {
        // The upper half is within 2^30 and the rounding term below 2^29.
        upper_product(acc, self.multiplier).wrapping_add(self.round) >> self.shift
    }
}

/// The upper half of the 64-bit product.
#[cfg(not(skimp_short_products))]
#[inline]
const fn upper_product(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64) >> 32) as i32
}

/// The upper half of the 64-bit product, from 16-bit halves: for cores whose products have 32 bits.
#[cfg(any(test, skimp_short_products))]
#[cfg_attr(not(skimp_short_products), allow(dead_code))]
#[inline]
const fn upper_product_in_halves(a: i32, b: i32) -> i32 {
    let (a_low, a_high) = (a & 0xffff, a >> 16);
    let (b_low, b_high) = (b & 0xffff, b >> 16);
    let low = (a_low as u32).wrapping_mul(b_low as u32);
    // Neither sum leaves 32 bits: |a_high * b_low| < 2^31 - 2^15, and what is added has 16 bits.
    let middle = a_high.wrapping_mul(b_low).wrapping_add((low >> 16) as i32);
    let other = a_low.wrapping_mul(b_high).wrapping_add(middle & 0xffff);
    a_high.wrapping_mul(b_high).wrapping_add(middle >> 16).wrapping_add(other >> 16)
}

#[cfg(skimp_short_products)]
use upper_product_in_halves as upper_product;

/// The range of codes a layer may write, and its zero point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CodeRange {
    /// Code of the real value 0.
    pub zero_point: u8,
    /// Smallest code (the zero point, after a ReLU).
    pub min: u8,
    /// Largest code.
    pub max: u8,
}

impl CodeRange {
    /// Whether all codes are allowed and 0 is the first: what follows most ReLUs.
    #[inline]
    pub const fn is_full(self) -> bool {
        self.zero_point == 0 && self.min == 0 && self.max == u8::MAX
    }

    /// The code of a rescaled sum that is far from the ends of i32, as those of [`AddRescale`] are.
    #[inline]
    pub fn code_of_sum(self, sum: i32) -> u8 {
        let (min, max) = (i32::from(self.min), i32::from(self.max));
        sum.wrapping_add(self.zero_point.into()).max(min).min(max) as u8
    }

    /// The code of a requantized value: shifted by the zero point and clamped.
    #[inline]
    pub fn code(self, requantized: i64) -> u8 {
        let (min, max) = (i64::from(self.min), i64::from(self.max));
        // max(min) before min(max): no panic where an image has them the wrong way round.
        (requantized.saturating_add(i64::from(self.zero_point))).max(min).min(max) as u8
    }
}

/// The integer factors of an addition of two tensors with different scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AddRescale {
    /// Zero points of the two inputs.
    pub zero_points: [u8; 2],
    /// Factors of the two inputs, each below [`MAX_ADD_FACTOR`].
    pub factors: [i32; 2],
    /// Common right shift, 1 to [`MAX_ADD_SHIFT`].
    pub shift: u8,
}

impl AddRescale {
    /// The rescaled sum of two codes, before the output's zero point and clamp.
    #[inline]
    pub fn sum(&self, a: u8, b: u8) -> i32 {
        let shift = self.shift.clamp(1, MAX_ADD_SHIFT);
        let a = (i32::from(a) - i32::from(self.zero_points[0])).wrapping_mul(self.factors[0]);
        let b = (i32::from(b) - i32::from(self.zero_points[1])).wrapping_mul(self.factors[1]);
        a.wrapping_add(b).wrapping_add(1 << (shift - 1)) >> shift
    }

    /// Whether factors and shift are in range.
    pub fn is_valid(&self) -> bool {
        self.factors.iter().all(|f| (0..MAX_ADD_FACTOR).contains(f))
            && (1..=MAX_ADD_SHIFT).contains(&self.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requantization_rounds_half_up_once() {
        // 3/2 and -3/2 by m = 1, r = 1: half up gives 2 and -1.
        assert_eq!(requantize(3, 1, 1), 2);
        assert_eq!(requantize(-3, 1, 1), -1);
        assert_eq!(requantize(i32::MIN, i32::MAX, 31), -2147483647);
        // i64 holds the extreme product; shift bounds are enforced, not trusted.
        assert_eq!(requantize(i32::MIN, i32::MIN, 62), 1);
        assert_eq!(requantize(5, 1, 0), requantize(5, 1, 1));
        assert_eq!(requantize(5, 1, 200), requantize(5, 1, 62));
    }

    #[test]
    fn the_fast_way_requantizes_alike() {
        let mut state = 1u64;
        let mut random = || {
            // A linear congruential generator (Knuth, MMIX).
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as i32
        };
        let extremes = [i32::MIN, i32::MIN + 1, -65_536, -1, 0, 1, 65_535, 65_536, i32::MAX];
        for round in 0..20_000 {
            let (mut acc, mut multiplier) = (random(), random());
            if round < 81 {
                (acc, multiplier) = (extremes[round / 9], extremes[round % 9]);
            }
            let exact = ((i64::from(acc) * i64::from(multiplier)) >> 32) as i32;
            assert_eq!(upper_product_in_halves(acc, multiplier), exact, "{acc} {multiplier}");
            for shift in 33..=MAX_SHIFT {
                let fast = FastRequantizer::new(multiplier, shift).unwrap();
                assert_eq!(i64::from(fast.requantize(acc)), requantize(acc, multiplier, shift));
            }
        }
        assert!(FastRequantizer::new(1, 32).is_none() && FastRequantizer::new(1, 63).is_none());
    }

    #[test]
    fn codes_saturate() {
        let range = CodeRange { zero_point: 10, min: 10, max: 200 };
        assert_eq!(range.code(-5), 10);
        assert_eq!(range.code(5), 15);
        assert_eq!(range.code(i64::MAX), 200);
        assert_eq!(CodeRange { zero_point: 0, min: 9, max: 3 }.code(5), 3);
    }

    #[test]
    fn extreme_additions_stay_in_range() {
        let rescale =
            AddRescale { zero_points: [0, 0], factors: [MAX_ADD_FACTOR - 1; 2], shift: MAX_ADD_SHIFT };
        let exact = (510i64 * (i64::from(MAX_ADD_FACTOR) - 1) + (1 << 28)) >> 29;
        assert_eq!(i64::from(rescale.sum(255, 255)), exact);
        let range = CodeRange { zero_point: 255, min: 3, max: 250 };
        for (a, b) in [(0, 0), (255, 255), (0, 255)] {
            for zero_points in [[0, 0], [255, 255], [0, 255]] {
                let sum = AddRescale { zero_points, shift: 1, ..rescale }.sum(a, b);
                assert_eq!(range.code_of_sum(sum), range.code(sum.into()));
            }
        }
        assert!(rescale.is_valid());
        assert!(!AddRescale { factors: [-1, 1], ..rescale }.is_valid());
    }
}
