//! The baseline: one table lookup after the other, in the loop order that public emulators of approximate
//! multipliers have.
//!
//! Each image is unfolded into a matrix with the codes of a window in each column; then every output channel
//! takes every column and sums the products over the taps. Columns lie in memory one after another, the
//! order that suits the sum best. Written plainly, and compiled as everything else is.

use crate::emulate::ApproximateConv;
use crate::error::Result;
use crate::multiplier::Scheme;
use crate::quantize::QuantizedConv;
use rayon::prelude::*;

/// A convolution as the baseline computes it.
pub struct Scalar<'a> {
    conv: &'a QuantizedConv,
    approximate: &'a ApproximateConv,
    bias: Vec<i32>,
}

impl<'a> Scalar<'a> {
    /// Prepares `conv` as `approximate` has it. Fails if an accumulator could overflow.
    pub fn new(conv: &'a QuantizedConv, scheme: Scheme, approximate: &'a ApproximateConv) -> Result<Self> {
        Ok(Scalar { conv, approximate, bias: approximate.fold(conv, scheme)? })
    }

    /// Writes the accumulators of the images whose codes `inputs` holds one after another, as
    /// `[image][pixel][output channel]`. Images are shared out among all threads.
    pub fn accumulate(&self, inputs: &[u8], acc: &mut [i32]) {
        let input = &self.conv.input;
        let bytes = usize::from(input.height) * usize::from(input.width) * usize::from(input.channels);
        acc.par_chunks_mut(self.conv.pixels() * self.conv.outputs())
            .zip(inputs.par_chunks(bytes))
            .for_each_init(Vec::new, |columns, (acc, input)| {
                for group in 0..self.conv.groups {
                    self.unfold(input, group, columns);
                    self.sum(group, columns, acc);
                }
            });
    }

    /// Writes the codes under each window of a channel group, padded taps included, window by window.
    fn unfold(&self, input: &[u8], group: usize, columns: &mut Vec<u8>) {
        let conv = self.conv;
        let (height, width) = (usize::from(conv.input.height), usize::from(conv.input.width));
        let channels = usize::from(conv.input.channels);
        let group_channels = channels / conv.groups;
        let [kernel_height, kernel_width] = conv.window.kernel.map(usize::from);
        let [stride_y, stride_x] = conv.window.stride.map(usize::from);
        let [top, left] = conv.window.padding.map(usize::from);
        columns.clear();
        for row in 0..usize::from(conv.output.height) {
            for column in 0..usize::from(conv.output.width) {
                for ky in 0..kernel_height {
                    for kx in 0..kernel_width {
                        // Before the image's first row or column these wrap to far behind its last.
                        let y = (row * stride_y + ky).wrapping_sub(top);
                        let x = (column * stride_x + kx).wrapping_sub(left);
                        if y < height && x < width {
                            let start = (y * width + x) * channels + group * group_channels;
                            columns.extend_from_slice(&input[start..start + group_channels]);
                        } else {
                            columns.resize(columns.len() + group_channels, conv.input_zero_point);
                        }
                    }
                }
            }
        }
    }

    /// Writes the accumulators of a channel group.
    fn sum(&self, group: usize, columns: &[u8], acc: &mut [i32]) {
        let (taps, outputs) = (self.conv.taps(), self.conv.outputs());
        let group_outputs = outputs / self.conv.groups;
        // Of known size, so that no lookup is checked.
        let rows: &[[i32; 256]] = self.approximate.products.entries().as_chunks().0;
        let rows: &[_; 256] = rows.first_chunk().expect("a row for each weight code");
        let code_sum = |column: &[u8]| column.iter().map(|&code| i32::from(code)).sum::<i32>();
        let code_sums: Vec<i32> = columns.chunks_exact(taps).map(code_sum).collect();
        for o in group * group_outputs..(group + 1) * group_outputs {
            let weights = &self.approximate.weights[o * taps..(o + 1) * taps];
            for (pixel, column) in columns.chunks_exact(taps).enumerate() {
                let mut sum = 0;
                for (&w, &x) in weights.iter().zip(column) {
                    sum += rows[usize::from(w)][usize::from(x)];
                }
                acc[pixel * outputs + o] =
                    self.bias[o] + self.approximate.operand_sum[o] * code_sums[pixel] + sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::workload::{Activations, Shape};
    use crate::emulate::oracle;
    use crate::multiplier::{ProductTable, TruthTable};
    use std::sync::Arc;

    #[test]
    fn gives_the_oracle_s_integers() {
        let table = TruthTable::from_fn(false, |a, w| (a & !3) * w / 2 + (a ^ w) % 7).unwrap();
        let multiplier = oracle::Use { table: &table, swapped: false };
        let products = Arc::new(ProductTable::new(&table, Scheme::Unsigned, false, 0).unwrap());
        for (kernel, stride, padding, inputs, outputs, groups) in
            [(3, 1, 1, 5, 6, 1), (3, 2, 1, 4, 4, 4), (1, 2, 0, 6, 4, 2), (2, 1, 0, 3, 1, 1)]
        {
            let shape = Shape { kernel, stride, padding, inputs, outputs, side: 7, groups };
            let conv = shape.convolution();
            let approximate = ApproximateConv::uncompensated(&conv, Scheme::Unsigned, products.clone());
            let inputs = Activations::Uniform.codes(shape, 2);
            let mut acc = vec![0; 2 * conv.pixels() * conv.outputs()];
            Scalar::new(&conv, Scheme::Unsigned, &approximate).unwrap().accumulate(&inputs, &mut acc);
            let image = |input| oracle::accumulate(&conv, Scheme::Unsigned, multiplier, &approximate, input);
            let expected: Vec<i64> = inputs.chunks(inputs.len() / 2).flat_map(image).collect();
            assert_eq!(acc.into_iter().map(i64::from).collect::<Vec<_>>(), expected, "{shape:?}");
        }
    }
}
