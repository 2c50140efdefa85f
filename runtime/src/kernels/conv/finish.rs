//! From sums to results.

use crate::arithmetic::{CodeRange, FastRequantizer, requantize};
use crate::image::OutputKind;

/// What happens to a convolution's sums of products, by output channel; see
/// [`Conv2d`](crate::image::Conv2d) for the fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requantization<'a> {
    pub bias: &'a [i32],
    pub multipliers: &'a [i32],
    pub shifts: &'a [u8],
    pub activation_sums: Option<&'a [i32]>,
    pub kind: OutputKind,
}

/// One channel's share of a [`Requantization`].
pub(super) struct Channel {
    bias: i32,
    sum_factor: i32,
    multiplier: i32,
    shift: u8,
    kind: OutputKind,
}

impl Requantization<'_> {
    #[inline]
    pub(super) fn channel(&self, channel: usize) -> Channel {
        Channel {
            bias: self.bias.get(channel).copied().unwrap_or(0),
            sum_factor: self.activation_sums.and_then(|f| f.get(channel)).copied().unwrap_or(0),
            multiplier: self.multipliers.get(channel).copied().unwrap_or(0),
            shift: self.shifts.get(channel).copied().unwrap_or(1),
            kind: self.kind,
        }
    }
}

impl Channel {
    /// What sums begin with, given the sum of the window's activation codes.
    #[inline]
    pub(super) fn start(&self, code_sum: i32) -> i32 {
        self.bias.wrapping_add(self.sum_factor.wrapping_mul(code_sum))
    }

    /// [`start`](Self::start) for several pixels.
    #[inline]
    pub(super) fn starts<const P: usize>(&self, code_sums: &[i32; P]) -> [i32; P] {
        match self.sum_factor {
            0 => [self.bias; P],
            _ => code_sums.map(|sum| self.start(sum)),
        }
    }

    /// Writes the results of finished `sums`: elements `first`, `first + step`, ... of the output.
    #[inline]
    pub(super) fn store(&self, sums: &[i32], output: &mut [u8], first: usize, step: usize) {
        match (self.kind, FastRequantizer::new(self.multiplier, self.shift)) {
            (OutputKind::Codes(range), Some(fast)) => store_codes(sums, output, first, step, range, fast),
            (OutputKind::Codes(range), None) => {
                for (i, &sum) in sums.iter().enumerate() {
                    if let Some(out) = output.get_mut(first + i * step) {
                        *out = range.code(requantize(sum, self.multiplier, self.shift));
                    }
                }
            }
            (OutputKind::Logits, _) => {
                let (logits, _) = output.as_chunks_mut::<4>();
                for (i, &sum) in sums.iter().enumerate() {
                    let value = requantize(sum, self.multiplier, self.shift);
                    let logit = value.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
                    if let Some(out) = logits.get_mut(first + i * step) {
                        *out = logit.to_le_bytes();
                    }
                }
            }
        }
    }
}

#[inline]
fn store_codes(
    sums: &[i32],
    output: &mut [u8],
    first: usize,
    step: usize,
    range: CodeRange,
    fast: FastRequantizer,
) {
    let mut element = first;
    for &sum in sums {
        if let Some(out) = output.get_mut(element) {
            *out = range.code_of_sum(fast.requantize(sum));
        }
        element += step;
    }
}
