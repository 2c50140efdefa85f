//! Convolutions whose groups have one channel each. Codes of neighbouring channels are neighbours in the input
//! already, so nothing is gathered: for each pixel, the places of its window's taps are listed.

use super::finish::Requantization;
use super::product::Factor;

use crate::image::Conv2d;
use crate::kernels::inner::{self, Codes, DepthwiseWeights, NamedRows};

/// Table lookup. The output's channels are the input's; `scratch` holds [`Conv2d::scratch_bytes`].
pub(crate) fn depthwise_table(
    op: &Conv2d,
    rows: &NamedRows,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u32],
) {
    run(op, requantization, 0, input, output, scratch, &|codes, starts, sums| {
        inner::look_up(codes, rows, starts, sums);
    });
}

/// Products `f(x) * g(w)`; `scratch` as above.
pub(crate) fn depthwise_product(
    op: &Conv2d,
    factor: Factor,
    weights: DepthwiseWeights,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u32],
) {
    // Sums are shifted rather than all their codes: they wrap to the same.
    let shift = match factor {
        Factor::Masked { shift, .. } => shift,
        Factor::Mapped(_) => 0,
    };
    run(op, requantization, shift, input, output, scratch, &|codes, starts, sums| {
        inner::multiply(codes, factor, weights, starts, sums);
    });
}

/// `add(codes, starts, sums)` adds a pixel's products to the starts or, without them, to the sums. All but starts is
/// then shifted.
// One copy for all callers: what they do takes much longer than an indirect call.
fn run(
    op: &Conv2d,
    requantization: &Requantization,
    shift: u8,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u32],
    add: &dyn Fn(&Codes, Option<&[i32]>, &mut [i32]),
) {
    let channels = usize::from(op.output.channels);
    let Some((places, rest)) = op.taps().and_then(|taps| scratch.split_at_mut_checked(taps)) else { return };
    let Some((sums, padding)) = rest.split_at_mut_checked(channels) else { return };
    let sums: &mut [i32] = bytemuck::must_cast_slice_mut(sums);
    let padding: &mut [u8] = bytemuck::must_cast_slice_mut(padding);
    let Some(padding) = padding.get_mut(..channels) else { return };
    padding.fill(op.input_zero_point);
    let mut codes = Codes::new(places, input, padding);
    let simple = shift == 0 && requantization.activation_sums.is_none();
    let usual = requantization.is_usual();
    let mut pixel = 0;
    let mut walk = Walk::new(op);
    while walk.next(&mut codes) {
        if simple {
            add(&codes, Some(requantization.bias), sums);
        } else {
            sums.fill(0);
            add(&codes, None, sums);
            sums.iter_mut().for_each(|sum| *sum <<= shift & 7);
            add_starts(requantization, &codes, sums);
        }
        let first = pixel * channels;
        if usual {
            let output = output.get_mut(first..first + channels).unwrap_or(&mut []);
            requantization.store_pixel(sums, output);
        } else {
            for (channel, &sum) in sums.iter().enumerate() {
                requantization.store(channel, &[sum], output, first + channel, 1);
            }
        }
        pixel += 1;
    }
}

/// Goes from pixel to pixel.
struct Walk<'a> {
    op: &'a Conv2d,
    row: usize,
    column: usize,
    /// Whether the codes are those of the pixel before.
    follows: bool,
}

impl<'a> Walk<'a> {
    fn new(op: &'a Conv2d) -> Self {
        Walk { op, row: 0, column: 0, follows: false }
    }

    /// Brings the codes to the next pixel; returns whether there is one.
    #[inline]
    fn next(&mut self, codes: &mut Codes) -> bool {
        let op = self.op;
        if self.row >= usize::from(op.output.height) {
            return false;
        }
        let [stride_y, stride_x] = op.window.stride.map(usize::from);
        let [top, left] = op.window.padding.map(usize::from);
        // Left of the image and above it, subtractions wrap to numbers no image size reaches.
        let x = (self.column * stride_x).wrapping_sub(left);
        let inside = x.wrapping_add(op.window.kernel[1].into()) <= usize::from(op.input.width);
        let step = stride_x * usize::from(op.input.channels);
        if !(self.follows && inside && codes.advance(step)) {
            let y = (self.row * stride_y).wrapping_sub(top);
            codes.go_to(&op.input, op.window.kernel[1].into(), y, x);
        }
        self.column += 1;
        self.follows = true;
        if self.column >= usize::from(op.output.width) {
            (self.row, self.column, self.follows) = (self.row + 1, 0, false);
        }
        true
    }
}

/// Adds what the sums of products of each channel begin with.
#[inline(never)]
fn add_starts(requantization: &Requantization, codes: &Codes, sums: &mut [i32]) {
    for (sum, &bias) in sums.iter_mut().zip(requantization.bias) {
        *sum = sum.wrapping_add(bias);
    }
    let Some(factors) = requantization.activation_sums else { return };
    let blocks = sums.chunks_mut(inner::CHANNELS).zip(factors.chunks(inner::CHANNELS));
    for (block, (sums, factors)) in blocks.enumerate() {
        let code_sums = code_sums(codes, block * inner::CHANNELS);
        for ((sum, &factor), code_sum) in sums.iter_mut().zip(factors).zip(code_sums) {
            *sum = sum.wrapping_add(factor.wrapping_mul(code_sum));
        }
    }
}

/// Sums of the codes of four channels from `first` on; those of the last that are fewer may be anything.
#[inline]
fn code_sums(codes: &Codes, first: usize) -> [i32; inner::CHANNELS] {
    let mut sums = [0i32; inner::CHANNELS];
    for codes in codes.taps() {
        for (sum, &code) in sums.iter_mut().zip(codes.get(first..).unwrap_or(&[])) {
            *sum = sum.wrapping_add(code.into());
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::arithmetic::{CodeRange, requantize};
    use crate::image::{Kernel, Operand, OutputKind, Scratch, Section, Tensor, WeightWidth, Window};
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    const EMPTY: Section = Section { offset: 0, bytes: 0 };

    #[derive(Debug, Clone)]
    struct Layer {
        op: Conv2d,
        mask: u8,
        shift: u8,
        range: CodeRange,
        /// Of each channel, by tap.
        weights: Vec<i16>,
        bias: Vec<i32>,
        multipliers: Vec<i32>,
        shifts: Vec<u8>,
        activation_sums: Option<Vec<i32>>,
        input: Vec<u8>,
    }

    impl Layer {
        fn channels(&self) -> usize {
            self.op.output.channels.into()
        }

        /// The weights as they are stored.
        fn stored(&self) -> Vec<[u32; 2]> {
            let (channels, taps) = (self.channels(), self.op.taps().unwrap());
            let blocks = (0..channels).step_by(4).flat_map(|block| (0..taps).map(move |tap| (block, tap)));
            let group = |(block, tap): (usize, usize)| {
                let first = block.min(channels.saturating_sub(4));
                let weight =
                    |i: usize| u32::from(self.weights[(first + i).min(channels - 1) * taps + tap] as u16);
                [weight(0) | weight(2) << 16, weight(1) | weight(3) << 16]
            };
            blocks.map(group).collect()
        }

        /// The results, by the formula.
        fn expected(&self) -> Vec<u8> {
            let Conv2d { input, output, window, .. } = &self.op;
            let [height, width] = [input.height, input.width].map(i64::from);
            let channels = self.channels();
            let taps = self.op.taps().unwrap();
            let mut codes = Vec::new();
            for element in 0..output.elements().unwrap() {
                let (pixel, channel) = (element / channels, element % channels);
                let at = [pixel / usize::from(output.width), pixel % usize::from(output.width)];
                let (mut sum, mut code_sum) = (0i32, 0i32);
                for tap in 0..taps {
                    let of = [tap / usize::from(window.kernel[1]), tap % usize::from(window.kernel[1])];
                    let [y, x] = [0, 1].map(|axis| {
                        let first = at[axis] as i64 * i64::from(window.stride[axis]);
                        first + of[axis] as i64 - i64::from(window.padding[axis])
                    });
                    let inside = (0..height).contains(&y) && (0..width).contains(&x);
                    let code = if inside {
                        self.input[(y * width + x) as usize * channels + channel]
                    } else {
                        self.op.input_zero_point
                    };
                    let factor = i32::from(code & self.mask) << self.shift;
                    let weight = i32::from(self.weights[channel * taps + tap]);
                    sum = sum.wrapping_add(factor.wrapping_mul(weight));
                    code_sum += i32::from(code);
                }
                let factor = self.activation_sums.as_ref().map_or(0, |factors| factors[channel]);
                sum = sum.wrapping_add(self.bias[channel]).wrapping_add(factor.wrapping_mul(code_sum));
                codes.push(self.range.code(requantize(sum, self.multipliers[channel], self.shifts[channel])));
            }
            codes
        }

        fn run(&self) -> Vec<u8> {
            let requantization = Requantization {
                bias: &self.bias,
                multipliers: &self.multipliers,
                shifts: &self.shifts,
                activation_sums: self.activation_sums.as_deref(),
                kind: OutputKind::Codes(self.range),
            };
            let mut output = vec![0; self.op.output.elements().unwrap()];
            let mut scratch = vec![0xa5a5_a5a5; self.op.scratch_bytes().unwrap() / 4];
            let factor = Factor::Masked { mask: self.mask, shift: self.shift };
            let stored = self.stored();
            assert_eq!(Some(DepthwiseWeights::I16(&stored).len()), self.op.stored_weights());
            let weights = DepthwiseWeights::I16(&stored);
            depthwise_product(
                &self.op,
                factor,
                weights,
                &requantization,
                &self.input,
                &mut output,
                &mut scratch,
            );
            output
        }
    }

    fn layers() -> impl Strategy<Value = Layer> {
        let side = || (1u16..7, 1u16..5, 1u16..4, 0u16..4, 1u16..7);
        let shape = (side(), side(), 1u16..14);
        shape.prop_flat_map(|(y, x, channels)| {
            let input = Tensor { offset: 0, height: y.0, width: x.0, channels };
            let output = Tensor { height: y.4, width: x.4, ..input };
            let window = Window { kernel: [y.1, x.1], stride: [y.2, x.2], padding: [y.3, x.3] };
            let count = usize::from(channels);
            let taps = usize::from(y.1 * x.1);
            let vectors = (
                prop::collection::vec(any::<i16>(), taps * count),
                prop::collection::vec(-100_000..100_000i32, count),
                prop::collection::vec(any::<i32>(), count),
                prop::collection::vec(30u8..=62, count),
                prop::option::of(prop::collection::vec(-300..300i32, count)),
                prop::collection::vec(any::<u8>(), input.elements().unwrap()),
            );
            let bytes = (any::<[u8; 4]>(), any::<bool>(), any::<bool>(), 0u8..8);
            (vectors, bytes).prop_map(move |(vectors, (bytes, full, usual, shift))| {
                let kernel = Kernel::DepthwiseProduct {
                    operand: Operand::Masked { mask: bytes[0], shift },
                    width: WeightWidth::I16,
                    weights: EMPTY,
                };
                let (min, max) = if full { (0, 255) } else { (bytes[2] / 2, 128 | bytes[3]) };
                let range = CodeRange { zero_point: bytes[1], min, max };
                let op = Conv2d {
                    input,
                    output,
                    scratch: Scratch { offset: 0, bytes: 0 },
                    window,
                    groups: channels,
                    input_zero_point: bytes[1],
                    kernel,
                    bias: EMPTY,
                    multipliers: EMPTY,
                    shifts: EMPTY,
                    activation_sums: None,
                    output_kind: OutputKind::Codes(range),
                };
                let (weights, bias, multipliers, mut shifts, activation_sums, input) = vectors.clone();
                if usual {
                    shifts.iter_mut().for_each(|shift| *shift = (*shift).max(33));
                }
                let (mask, shift) = (bytes[0], if full { 0 } else { shift });
                Layer { op, mask, shift, range, weights, bias, multipliers, shifts, activation_sums, input }
            })
        })
    }

    proptest! {
        #[test]
        fn results_are_those_of_the_formula(layer in layers()) {
            prop_assert_eq!(layer.run(), layer.expected());
        }
    }
}
