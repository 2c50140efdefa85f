//! A convolution made ready to run over many images.

use super::{ApproximateConv, conv};
use crate::error::Result;
use crate::multiplier::Scheme;
use crate::quantize::QuantizedConv;
use rayon::prelude::*;
use skimp_runtime::arithmetic::requantize;
use skimp_runtime::image::OutputKind;

/// A convolution with its multiplier, checked and ready to run over any number of images.
pub struct ConvPlan<'a> {
    conv: &'a QuantizedConv,
    approximate: &'a ApproximateConv,
    /// The folded bias of each output channel.
    bias: Vec<i32>,
}

impl<'a> ConvPlan<'a> {
    /// Plans `conv` as `approximate` has it. Fails if an accumulator could overflow.
    pub fn new(conv: &'a QuantizedConv, scheme: Scheme, approximate: &'a ApproximateConv) -> Result<Self> {
        Ok(ConvPlan { conv, approximate, bias: approximate.fold(conv, scheme)? })
    }

    /// Writes the accumulators of the images whose codes `inputs` holds one after another, as
    /// `[image][pixel][output channel]`. Uses all threads.
    pub fn accumulate(&self, inputs: &[u8], acc: &mut [i32]) {
        let (input_bytes, outputs) = (self.input_bytes(), self.conv.pixels() * self.conv.outputs());
        acc.par_chunks_exact_mut(outputs)
            .zip(inputs.par_chunks_exact(input_bytes))
            .for_each(|(acc, input)| conv::accumulate(self.conv, self.approximate, &self.bias, input, acc));
    }

    /// Writes the output codes of the images in `inputs`, as `[image][pixel][output channel]`; for layers
    /// that do not write logits. Uses all threads.
    pub fn codes(&self, inputs: &[u8], codes: &mut [u8]) {
        let OutputKind::Codes(range) = self.conv.output_kind else { return };
        let mut acc = vec![0; codes.len()];
        self.accumulate(inputs, &mut acc);
        codes.par_chunks_mut(self.conv.outputs()).zip(acc.par_chunks(self.conv.outputs())).for_each(
            |(codes, acc)| {
                for ((code, &acc), &(m, r)) in codes.iter_mut().zip(acc).zip(&self.approximate.requantization)
                {
                    *code = range.code(requantize(acc, m, r));
                }
            },
        );
    }

    /// Codes of one image of the input.
    fn input_bytes(&self) -> usize {
        let input = &self.conv.input;
        usize::from(input.height) * usize::from(input.width) * usize::from(input.channels)
    }
}
