//! From sums to results.

use crate::arithmetic::{CodeRange, FastRequantizer, requantize};
use crate::image::OutputKind;
use crate::kernels::inner;

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

impl Requantization<'_> {
    /// What the sums of `channel` begin with, given the sums of the windows' activation codes.
    #[inline]
    pub(super) fn starts<const P: usize>(&self, channel: usize, code_sums: &[i32; P]) -> [i32; P] {
        let bias = self.bias.get(channel).copied().unwrap_or(0);
        match self.activation_sums.and_then(|factors| factors.get(channel)) {
            Some(&factor) => code_sums.map(|sum| bias.wrapping_add(factor.wrapping_mul(sum))),
            None => [bias; P],
        }
    }

    /// Writes the results of the finished `sums` of `channel`: elements `first`, `first + step`, ... of the
    /// output.
    #[inline]
    pub(super) fn store(&self, channel: usize, sums: &[i32], output: &mut [u8], first: usize, step: usize) {
        let multiplier = self.multipliers.get(channel).copied().unwrap_or(0);
        let shift = self.shifts.get(channel).copied().unwrap_or(1);
        match (self.kind, FastRequantizer::new(multiplier, shift)) {
            (OutputKind::Codes(range), Some(fast)) if range.is_full() => {
                store_all_codes(fast, sums, output, first, step);
            }
            (OutputKind::Codes(range), Some(fast)) => store_codes(fast, range, sums, output, first, step),
            _ => self.store_slowly(multiplier, shift, sums, output, first, step),
        }
    }

    /// Whether results are codes and all shifts usual: what [`store_pixel`](Self::store_pixel) takes.
    pub(super) fn is_usual(&self) -> bool {
        matches!(self.kind, OutputKind::Codes(_))
            && self.shifts.iter().all(|&shift| FastRequantizer::new(0, shift).is_some())
    }

    /// Writes the codes of one pixel, a channel each, where [`is_usual`](Self::is_usual).
    #[inline]
    pub(super) fn store_pixel(&self, sums: &[i32], output: &mut [u8]) {
        let OutputKind::Codes(range) = self.kind else { return };
        inner::store_codes(sums, self.multipliers, self.shifts, range.zero_point, output);
        if (range.min, range.max) != (0, u8::MAX) {
            output.iter_mut().for_each(|code| *code = (*code).max(range.min).min(range.max));
        }
    }

    /// Logits, and codes of unusual shifts.
    #[cold]
    fn store_slowly(
        &self,
        multiplier: i32,
        shift: u8,
        sums: &[i32],
        output: &mut [u8],
        first: usize,
        step: usize,
    ) {
        for (i, &sum) in sums.iter().enumerate() {
            let element = first + i * step;
            let value = requantize(sum, multiplier, shift);
            match self.kind {
                OutputKind::Codes(range) => {
                    if let Some(out) = output.get_mut(element) {
                        *out = range.code(value);
                    }
                }
                OutputKind::Logits => {
                    let logit = value.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
                    if let Some(out) = output.as_chunks_mut::<4>().0.get_mut(element) {
                        *out = logit.to_le_bytes();
                    }
                }
            }
        }
    }
}

// The loops below are not inlined: within their callers the values would not all get registers.

#[inline(never)]
fn store_all_codes(fast: FastRequantizer, sums: &[i32], output: &mut [u8], first: usize, step: usize) {
    let mut element = first;
    for &sum in sums {
        if let Some(out) = output.get_mut(element) {
            *out = fast.requantize(sum).clamp(0, 255) as u8;
        }
        element += step;
    }
}

#[inline(never)]
fn store_codes(
    fast: FastRequantizer,
    range: CodeRange,
    sums: &[i32],
    output: &mut [u8],
    first: usize,
    step: usize,
) {
    let mut element = first;
    for &sum in sums {
        if let Some(out) = output.get_mut(element) {
            *out = range.code_of_sum(fast.requantize(sum));
        }
        element += step;
    }
}
