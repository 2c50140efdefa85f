//! The arithmetic contract read aloud: one loop per sum, nothing folded, nothing tabulated by layer.
//!
//! Slow, and obviously right. Every faster path is tested against it.

use super::ApproximateConv;
use super::layer::{operand, weight_value};
use crate::multiplier::{Scheme, TruthTable, scheme_product};
use crate::quantize::{QuantizedConv, QuantizedNetwork, QuantizedOp};
use skimp_runtime::image::OutputKind;

/// A multiplier as a layer uses it.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    /// The multiplier.
    pub table: &'a TruthTable,
    /// Whether its operands are exchanged.
    pub swapped: bool,
}

/// The accumulators of a convolution of one image, `[pixel][output channel]`:
/// ```text
/// acc[o] = bias[o] + sum_k M(a_k, w_ko) + operand_sum[o] * sum_k a_k - z_a * sum_k w0_ko + K * z_a * z_w
/// ```
pub fn accumulate(
    conv: &QuantizedConv,
    scheme: Scheme,
    multiplier: Use,
    approximate: &ApproximateConv,
    input: &[u8],
) -> Vec<i64> {
    let mut result = Vec::new();
    let (offset, z_a) = operand(scheme, conv.input_zero_point);
    let z_w = i64::from(conv.weight_zero_point);
    for row in 0..usize::from(conv.output.height) {
        for column in 0..usize::from(conv.output.width) {
            for o in 0..conv.outputs() {
                let taps = window(conv, row, column, o / (conv.outputs() / conv.groups), input);
                let mut products = 0;
                let mut operand_sum = 0;
                let mut weight_sum = 0;
                for (k, &x) in taps.iter().enumerate() {
                    let w = approximate.weights[o * taps.len() + k];
                    let w0 = conv.weights[o * taps.len() + k];
                    let zero_point = conv.input_zero_point;
                    products += i64::from(scheme_product(
                        multiplier.table,
                        scheme,
                        multiplier.swapped,
                        zero_point,
                        x,
                        w,
                    ));
                    operand_sum += i64::from(x) - offset;
                    weight_sum += weight_value(scheme, w0);
                }
                result.push(
                    approximate.bias[o] + products + i64::from(approximate.operand_sum[o]) * operand_sum
                        - z_a * weight_sum
                        + taps.len() as i64 * z_a * z_w,
                );
            }
        }
    }
    result
}

/// The codes under the window of one output pixel, padded taps included.
fn window(conv: &QuantizedConv, row: usize, column: usize, group: usize, input: &[u8]) -> Vec<u8> {
    let channels = usize::from(conv.input.channels);
    let group_channels = channels / conv.groups;
    let mut taps = Vec::new();
    for ky in 0..i64::from(conv.window.kernel[0]) {
        for kx in 0..i64::from(conv.window.kernel[1]) {
            let y = row as i64 * i64::from(conv.window.stride[0]) + ky - i64::from(conv.window.padding[0]);
            let x = column as i64 * i64::from(conv.window.stride[1]) + kx - i64::from(conv.window.padding[1]);
            for c in 0..group_channels {
                let inside = y >= 0 && x >= 0 && y < conv.input.height.into() && x < conv.input.width.into();
                taps.push(if inside {
                    let pixel = y as usize * usize::from(conv.input.width) + x as usize;
                    input[pixel * channels + group * group_channels + c]
                } else {
                    conv.input_zero_point
                });
            }
        }
    }
    taps
}

/// Logits of one image: `multipliers` and `convs` have one entry for each convolution.
pub fn run(
    network: &QuantizedNetwork,
    multipliers: &[Use],
    convs: &[ApproximateConv],
    input: &[u8],
) -> Vec<i32> {
    let mut tensors: Vec<Vec<u8>> = network.tensors.iter().map(|t| vec![0; t.shape.elements()]).collect();
    tensors[network.input].copy_from_slice(input);
    let mut uses = multipliers.iter().zip(convs);
    let mut logits = Vec::new();
    for layer in &network.layers {
        let mut output = vec![0; tensors[layer.output].len()];
        let input = &tensors[layer.inputs[0]];
        match &layer.op {
            QuantizedOp::Conv2d(conv) => {
                let (&multiplier, approximate) = uses.next().expect("one multiplier for each convolution");
                let acc = accumulate(conv, network.scheme, multiplier, approximate, input);
                for (i, acc) in acc.into_iter().enumerate() {
                    let (m, r) = approximate.requantization[i % conv.outputs()];
                    let value = (acc as i128 * i128::from(m) + (1 << (r - 1))) >> r;
                    match conv.output_kind {
                        OutputKind::Codes(range) => {
                            let code = value + i128::from(range.zero_point);
                            output[i] = code.clamp(range.min.into(), range.max.into()) as u8;
                        }
                        OutputKind::Logits => {
                            logits.push(value.clamp(i32::MIN.into(), i32::MAX.into()) as i32);
                        }
                    }
                }
            }
            QuantizedOp::Fixed(op) => {
                let second = layer.inputs.get(1).map_or(&[][..], |&id| &tensors[id]);
                super::run_fixed(op, input, second, &mut output);
            }
        }
        tensors[layer.output] = output;
    }
    match network.output_kind {
        OutputKind::Logits => logits,
        OutputKind::Codes(range) => {
            tensors[network.output].iter().map(|&c| i32::from(c) - i32::from(range.zero_point)).collect()
        }
    }
}
