//! Choosing how a convolution is computed, and computing it over many images.

use super::kernels::{self, Isa};
use super::matrix::{self, Matrix};
use super::padded::{Layout, PaddedImages};
use super::planner::{self, Kernel};
use super::requantize::BlockFactors;
use super::vector_tables::{self, Done, Start, VectorTables};
use super::{ApproximateConv, rows};
use crate::error::{Error, Result};
use crate::multiplier::Scheme;
use crate::quantize::QuantizedConv;
use rayon::prelude::*;
use skimp_runtime::arithmetic::requantize;
use skimp_runtime::image::OutputKind;
use std::cell::RefCell;
use std::ops::Range;

/// Images that share tables where the caller brings enough of them.
pub const BATCH_IMAGES: usize = 128;

/// A convolution with its multiplier, checked and ready to run over any number of images.
pub struct ConvPlan<'a> {
    conv: &'a QuantizedConv,
    approximate: &'a ApproximateConv,
    isa: Isa,
    /// The folded bias of each output channel.
    bias: Vec<i32>,
    layout: Layout,
    fast: Fast,
    /// Pixels for which the fast kernel's tables pay; fewer are looked up in rows.
    least_pixels: usize,
    /// Why this kernel.
    reason: String,
    /// For each block of output channels of the fast kernel.
    factors: Vec<BlockFactors>,
}

enum Fast {
    VectorTables(VectorTables),
    Matrix(Matrix),
    /// Neither would pay, or rows were asked for.
    None,
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
        let (isa, pixels) = (Isa::best(), BATCH_IMAGES * conv.pixels());
        let (kernel, reason) = planner::choose(isa, conv, &approximate.products, pixels);
        let mut plan = Self::with_kernel(conv, scheme, approximate, kernel, isa)?;
        plan.reason = reason;
        let per_pixel =
            |kernel| planner::estimate(kernel, isa, conv, &approximate.products, BATCH_IMAGES).pixels_ns;
        let faster_ns = (per_pixel(Kernel::Rows) - per_pixel(kernel)) / BATCH_IMAGES as f64;
        let build_ns = planner::estimate(kernel, isa, conv, &approximate.products, 1).build_ns;
        plan.least_pixels = if faster_ns > 0.0 { (build_ns / faster_ns) as usize } else { 0 };
        Ok(plan)
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
                let terms = products.terms().ok_or_else(|| {
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
            least_pixels: 0,
            reason: "as asked for".to_owned(),
            factors: Vec::new(),
        };
        if let OutputKind::Codes(range) = conv.output_kind {
            let requantization = &approximate.requantization;
            let factors = |(channels, lanes)| -> BlockFactors {
                let channels: Range<usize> = channels;
                BlockFactors::new(&requantization[channels], lanes, range)
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

    /// The instructions it uses.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Why this kernel was chosen.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether so many images are better looked up in rows.
    fn uses_rows(&self, inputs: &[u8]) -> bool {
        let images = inputs.len() / self.input_bytes().max(1);
        matches!(self.fast, Fast::None) || images * self.conv.pixels() < self.least_pixels
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
        let images = self.images_per_task(inputs.len() / self.input_bytes().max(1));
        acc.par_chunks_mut(images * self.outputs())
            .zip(inputs.par_chunks(images * self.input_bytes()))
            .for_each(|(acc, inputs)| {
                with_scratch(|scratch| self.accumulate_serially(inputs, acc, scratch));
            });
    }

    /// Writes the output codes of the images in `inputs`, as `[image][pixel][output channel]`; for layers
    /// that do not write logits. Uses all threads.
    pub fn codes(&self, inputs: &[u8], codes: &mut [u8]) {
        let images = self.images_per_task(inputs.len() / self.input_bytes().max(1));
        codes
            .par_chunks_mut(images * self.outputs())
            .zip(inputs.par_chunks(images * self.input_bytes()))
            .for_each(|(codes, inputs)| {
                with_scratch(|scratch| self.codes_serially(inputs, codes, scratch));
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
        if self.uses_rows(inputs) {
            for (acc, input) in
                acc.chunks_exact_mut(self.outputs()).zip(inputs.chunks_exact(self.input_bytes()))
            {
                rows::accumulate(self.conv, self.approximate, &self.bias, input, acc);
            }
            return;
        }
        let images = self.images_in_cache();
        let batches = inputs.chunks(images * self.input_bytes());
        for (inputs, acc) in batches.zip(acc.chunks_mut(images * self.outputs())) {
            self.run(inputs, scratch, &mut |done, _| {
                let acc = &mut acc[done.pixels.start * outputs..];
                copy_channels(done.acc, done.lanes, acc, outputs, done.channels);
            });
        }
    }

    /// As [`codes`](Self::codes) on the caller's thread.
    pub fn codes_serially(&self, inputs: &[u8], codes: &mut [u8], scratch: &mut Scratch) {
        let OutputKind::Codes(range) = self.conv.output_kind else { return };
        let outputs = self.conv.outputs();
        if self.uses_rows(inputs) {
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
        let images = self.images_in_cache();
        let batches = inputs.chunks(images * self.input_bytes());
        for (inputs, codes) in batches.zip(codes.chunks_mut(images * self.outputs())) {
            self.run(inputs, scratch, &mut |done, block_codes| {
                let codes = &mut codes[done.pixels.start * outputs..];
                let factors = &self.factors[done.block];
                if done.lanes == outputs && done.channels.len() == outputs {
                    factors.requantize(self.isa, done.acc, &mut codes[..done.acc.len()]);
                    return;
                }
                block_codes.resize(block_codes.len().max(done.acc.len()), 0);
                let block_codes = &mut block_codes[..done.acc.len()];
                factors.requantize(self.isa, done.acc, block_codes);
                copy_channels(block_codes, done.lanes, codes, outputs, done.channels);
            });
        }
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

    /// Images that a thread works on at a time: as many as share one set of tables.
    fn images_in_cache(&self) -> usize {
        let pixels = match &self.fast {
            Fast::VectorTables(tables) => tables.pixels_at_once(),
            _ => 1 << 12,
        };
        // Windows are counted in 32 bits.
        let limit = (1 << 31) / self.layout.image_bytes().max(1);
        pixels.div_ceil(self.conv.pixels().max(1)).min(limit).max(1)
    }

    /// Images in a task: enough to pay for building tables, and something for every thread.
    fn images_per_task(&self, images: usize) -> usize {
        images.div_ceil(rayon::current_num_threads()).clamp(1, self.images_in_cache())
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

/// Copies `[pixel][lane]` to the `channels` of `[pixel][output channel]`.
fn copy_channels<T: Copy>(from: &[T], lanes: usize, to: &mut [T], outputs: usize, channels: Range<usize>) {
    if lanes == outputs && channels.len() == outputs {
        return to[..from.len()].copy_from_slice(from);
    }
    for (from, to) in from.chunks_exact(lanes).zip(to.chunks_exact_mut(outputs)) {
        let (from, to) = (&from[..channels.len()], &mut to[channels.clone()]);
        // Mostly multiples of 16: copies of a known length need no call.
        let ((from, from_rest), (to, to_rest)) = (from.as_chunks::<16>(), to.as_chunks_mut::<16>());
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        to_rest.copy_from_slice(from_rest);
    }
}

/// Calls `work` with this thread's memory, which outlives the call: fresh pages cost as much as some layers.
fn with_scratch(work: impl FnOnce(&mut Scratch)) {
    thread_local!(static SCRATCH: RefCell<Scratch> = RefCell::default());
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => work(&mut scratch),
        Err(_) => work(&mut Scratch::default()),
    });
}
