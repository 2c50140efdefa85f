//! Products of random layers against the formula.

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
        depthwise_product(&self.op, factor, weights, &requantization, &self.input, &mut output, &mut scratch);
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
