//! Choosing how a convolution is computed, and computing it over many images.

use super::kernels::{self, Factors, Isa};
use super::matrix::{self, Matrix};
use super::padded::{Layout, PaddedImages};
use super::vector_tables::{self, Done, Start, VectorTables};
use super::{ApproximateConv, rows};
use crate::error::{Error, Result};
use crate::multiplier::Scheme;
use crate::quantize::QuantizedConv;
use rayon::prelude::*;
use skimp_runtime::arithmetic::requantize;
use skimp_runtime::image::OutputKind;

/// A way to compute a convolution. All give the same integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// One lookup for each product, in the row of the weight.
    Rows,
    /// One vector of lookups for each tap, in tables built for the layer's weights.
    VectorTables,
    /// Exact products of transformed operands.
    Matrix,
}

impl Kernel {
    /// Every kernel.
    pub const ALL: [Kernel; 3] = [Kernel::Rows, Kernel::VectorTables, Kernel::Matrix];

    /// `rows`, `vector-tables` or `matrix`.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::Rows => "rows",
            Kernel::VectorTables => "vector-tables",
            Kernel::Matrix => "matrix",
        }
    }
}

impl std::str::FromStr for Kernel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Kernel::ALL.map(Kernel::name).join(", ");
        Kernel::ALL
            .into_iter()
            .find(|kernel| kernel.name() == text)
            .ok_or_else(|| format!("\"{text}\" is no kernel; use one of {names}"))
    }
}

/// Terms a multiplier may have for the matrix product to be as fast as tables.
const MAX_TERMS: usize = 2;

/// A convolution with its multiplier, checked and ready to run over any number of images.
pub struct ConvPlan<'a> {
    conv: &'a QuantizedConv,
    approximate: &'a ApproximateConv,
    isa: Isa,
    /// The folded bias of each output channel.
    bias: Vec<i32>,
    layout: Layout,
    fast: Fast,
    /// For each block of output channels of the fast kernel.
    factors: Vec<BlockFactors>,
}

enum Fast {
    VectorTables(VectorTables),
    Matrix(Matrix),
    /// Neither would pay, or rows were asked for.
    None,
}

/// Requantization of a block's channels.
enum BlockFactors {
    Of16(Box<Factors<16>>),
    Of32(Box<Factors<32>>),
    Of64(Box<Factors<64>>),
}

/// Memory of one thread, reused from run to run.
#[derive(Default)]
pub struct Scratch {
    images: PaddedImages,
    sums: Vec<i32>,
    tables: vector_tables::Scratch,
    matrix: matrix::Scratch,
    codes: Vec<u8>,
}

impl<'a> ConvPlan<'a> {
    /// Plans `conv` as `approximate` has it. Fails if an accumulator could overflow.
    pub fn new(conv: &'a QuantizedConv, scheme: Scheme, approximate: &'a ApproximateConv) -> Result<Self> {
        let kernel = if approximate.products.terms(MAX_TERMS).is_some() {
            Kernel::Matrix
        } else if conv.outputs() / conv.groups > 1 {
            Kernel::VectorTables
        } else {
            Kernel::Rows
        };
        Self::with_kernel(conv, scheme, approximate, kernel, Isa::best())
    }

    /// As [`new`](Self::new) with the kernel and the instructions of the caller's choice. Fails, too, if the
    /// multiplier is not what the kernel can compute.
    pub fn with_kernel(
        conv: &'a QuantizedConv,
        scheme: Scheme,
        approximate: &'a ApproximateConv,
        kernel: Kernel,
        isa: Isa,
    ) -> Result<Self> {
        let bias = approximate.fold(conv, scheme)?;
        let (products, weights) = (&approximate.products, &approximate.weights);
        let fast = match kernel {
            Kernel::Rows => Fast::None,
            Kernel::VectorTables => Fast::VectorTables(VectorTables::new(isa, conv, products, weights)),
            Kernel::Matrix => {
                let terms = products.terms(usize::MAX).ok_or_else(|| {
                    Error::Mismatch(
                        "the multiplier is not a sum of few products of one operand each, which the matrix \
                         kernel needs"
                            .into(),
                    )
                })?;
                Fast::Matrix(Matrix::new(isa, conv, terms, weights))
            }
        };
        let mut plan = ConvPlan {
            conv,
            approximate,
            isa,
            bias,
            layout: Layout::new(conv, conv.input.channels.into()),
            fast,
            factors: Vec::new(),
        };
        if let OutputKind::Codes(range) = conv.output_kind {
            let requantization = &approximate.requantization;
            let factors = |(channels, lanes): (std::ops::Range<usize>, usize)| match lanes {
                64 => BlockFactors::Of64(Box::new(Factors::new(&requantization[channels], range))),
                32 => BlockFactors::Of32(Box::new(Factors::new(&requantization[channels], range))),
                _ => BlockFactors::Of16(Box::new(Factors::new(&requantization[channels], range))),
            };
            plan.factors = match &plan.fast {
                Fast::VectorTables(tables) => tables.blocks().map(factors).collect(),
                Fast::Matrix(matrix) => {
                    matrix.blocks().map(|channels| factors((channels, kernels::panel_channels()))).collect()
                }
                Fast::None => Vec::new(),
            };
        }
        Ok(plan)
    }

    /// The kernel that runs over many images.
    pub fn kernel(&self) -> Kernel {
        match self.fast {
            Fast::VectorTables(_) => Kernel::VectorTables,
            Fast::Matrix(_) => Kernel::Matrix,
            Fast::None => Kernel::Rows,
        }
    }

    /// How many blocks of vector tables there are by the additions their 16 bits can take, such as
    /// `4 additions`, or `32 bits`.
    pub fn table_widths(&self) -> Vec<(&'static str, usize)> {
        match &self.fast {
            Fast::VectorTables(tables) => tables.widths(),
            _ => Vec::new(),
        }
    }

    /// Writes the accumulators of the images whose codes `inputs` holds one after another, as
    /// `[image][pixel][output channel]`. Uses all threads.
    pub fn accumulate(&self, inputs: &[u8], acc: &mut [i32]) {
        let images = self.images_at_once(inputs.len() / self.input_bytes().max(1));
        acc.par_chunks_mut(images * self.outputs())
            .zip(inputs.par_chunks(images * self.input_bytes()))
            .for_each_init(Scratch::default, |scratch, (acc, inputs)| {
                self.accumulate_serially(inputs, acc, scratch);
            });
    }

    /// Writes the output codes of the images in `inputs`, as `[image][pixel][output channel]`; for layers
    /// that do not write logits. Uses all threads.
    pub fn codes(&self, inputs: &[u8], codes: &mut [u8]) {
        let images = self.images_at_once(inputs.len() / self.input_bytes().max(1));
        codes
            .par_chunks_mut(images * self.outputs())
            .zip(inputs.par_chunks(images * self.input_bytes()))
            .for_each_init(Scratch::default, |scratch, (codes, inputs)| {
                self.codes_serially(inputs, codes, scratch);
            });
    }

    /// The logits of the images in `inputs`, as `[image][pixel][output channel]`; for the layer that writes
    /// them. Uses all threads.
    pub fn logits(&self, inputs: &[u8]) -> Vec<i32> {
        let images = inputs.len() / self.input_bytes().max(1);
        let mut logits = vec![0; images * self.outputs()];
        self.accumulate(inputs, &mut logits);
        self.requantize_logits(&mut logits);
        logits
    }

    /// As [`logits`](Self::logits) on the caller's thread.
    pub fn logits_serially(&self, inputs: &[u8], scratch: &mut Scratch) -> Vec<i32> {
        let images = inputs.len() / self.input_bytes().max(1);
        let mut logits = vec![0; images * self.outputs()];
        self.accumulate_serially(inputs, &mut logits, scratch);
        self.requantize_logits(&mut logits);
        logits
    }

    /// Turns accumulators into logits.
    fn requantize_logits(&self, acc: &mut [i32]) {
        for acc in acc.chunks_exact_mut(self.conv.outputs()) {
            for (acc, &(m, r)) in acc.iter_mut().zip(&self.approximate.requantization) {
                *acc = requantize(*acc, m, r).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
            }
        }
    }

    /// As [`accumulate`](Self::accumulate) on the caller's thread.
    pub fn accumulate_serially(&self, inputs: &[u8], acc: &mut [i32], scratch: &mut Scratch) {
        let outputs = self.conv.outputs();
        if matches!(self.fast, Fast::None) {
            for (acc, input) in
                acc.chunks_exact_mut(self.outputs()).zip(inputs.chunks_exact(self.input_bytes()))
            {
                rows::accumulate(self.conv, self.approximate, &self.bias, input, acc);
            }
            return;
        }
        self.run(inputs, scratch, &mut |done, _| {
            let rows = done.acc.chunks_exact(done.lanes);
            for (pixel, row) in done.pixels.clone().zip(rows) {
                let target = &mut acc[pixel * outputs..][done.channels.clone()];
                target.copy_from_slice(&row[..done.channels.len()]);
            }
        });
    }

    /// As [`codes`](Self::codes) on the caller's thread.
    pub fn codes_serially(&self, inputs: &[u8], codes: &mut [u8], scratch: &mut Scratch) {
        let OutputKind::Codes(range) = self.conv.output_kind else { return };
        let outputs = self.conv.outputs();
        if matches!(self.fast, Fast::None) {
            let mut acc = vec![0; self.outputs()];
            for (codes, input) in
                codes.chunks_exact_mut(self.outputs()).zip(inputs.chunks_exact(self.input_bytes()))
            {
                rows::accumulate(self.conv, self.approximate, &self.bias, input, &mut acc);
                for (codes, acc) in codes.chunks_exact_mut(outputs).zip(acc.chunks_exact(outputs)) {
                    for ((code, &acc), &(m, r)) in
                        codes.iter_mut().zip(acc).zip(&self.approximate.requantization)
                    {
                        *code = range.code(requantize(acc, m, r));
                    }
                }
            }
            return;
        }
        self.run(inputs, scratch, &mut |done, block_codes| {
            block_codes.resize(block_codes.len().max(done.acc.len()), 0);
            let block_codes = &mut block_codes[..done.acc.len()];
            self.factors[done.block].requantize(self.isa, done.acc, block_codes);
            for (pixel, row) in done.pixels.clone().zip(block_codes.chunks_exact(done.lanes)) {
                let target = &mut codes[pixel * outputs..][done.channels.clone()];
                target.copy_from_slice(&row[..done.channels.len()]);
            }
        });
    }

    /// Runs the fast kernel; `finish` also gets memory for codes.
    fn run(&self, inputs: &[u8], scratch: &mut Scratch, finish: &mut dyn FnMut(Done, &mut Vec<u8>)) {
        let Scratch { images, sums, tables, matrix, codes } = scratch;
        images.fill(self.conv, &self.layout, inputs);
        let start = Start { bias: &self.bias, operand_sum: &self.approximate.operand_sum };
        let slope = match &self.fast {
            Fast::VectorTables(tables) => tables.slope(),
            _ => 0,
        };
        sums.clear();
        if start.operand_sum.iter().any(|&factor| factor != -slope) {
            images.sum_windows(self.conv, &self.layout, sums);
        }
        let finish = &mut |done: Done| finish(done, codes);
        match &self.fast {
            Fast::VectorTables(fast) => fast.run(&self.layout, images, sums, &start, tables, finish),
            Fast::Matrix(fast) => fast.run(&self.layout, images, sums, &start, matrix, finish),
            Fast::None => {}
        }
    }

    /// Images for one thread to work on at a time: enough pixels to pay for building tables, and something
    /// for every thread.
    fn images_at_once(&self, images: usize) -> usize {
        const PIXELS: usize = 1 << 14;
        let enough = PIXELS.div_ceil(self.conv.pixels().max(1));
        images.div_ceil(rayon::current_num_threads()).clamp(1, enough)
    }

    /// Codes of one image of the input.
    fn input_bytes(&self) -> usize {
        let input = &self.conv.input;
        usize::from(input.height) * usize::from(input.width) * usize::from(input.channels)
    }

    /// Outputs of one image.
    fn outputs(&self) -> usize {
        self.conv.pixels() * self.conv.outputs()
    }
}

impl BlockFactors {
    fn requantize(&self, isa: Isa, acc: &[i32], codes: &mut [u8]) {
        match self {
            BlockFactors::Of16(factors) => {
                kernels::requantize(isa, factors, acc.as_chunks().0, codes.as_chunks_mut().0);
            }
            BlockFactors::Of32(factors) => {
                kernels::requantize(isa, factors, acc.as_chunks().0, codes.as_chunks_mut().0);
            }
            BlockFactors::Of64(factors) => {
                kernels::requantize(isa, factors, acc.as_chunks().0, codes.as_chunks_mut().0);
            }
        }
    }
}
