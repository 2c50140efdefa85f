//! Choosing how a convolution is computed, and computing it over many images.

use super::ApproximateConv;
use super::accumulators::{Done, Start};
use super::engine::{self, Engine};
use super::padded::PaddedImages;
use super::planner::{self, Kernel};
use crate::error::Result;
use crate::kernels::Isa;
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
    engine: Engine<'a>,
    /// What so few pixels (or fewer) are better computed with.
    few: Option<(usize, Engine<'a>)>,
    /// Why this kernel.
    reason: String,
}

/// Memory of one thread, reused from run to run.
#[derive(Default)]
pub struct Scratch {
    images: PaddedImages,
    sums: Vec<i32>,
    engine: engine::Scratch,
    codes: Vec<u8>,
}

impl<'a> ConvPlan<'a> {
    /// Plans `conv` as `approximate` has it. Fails if an accumulator could overflow.
    pub fn new(conv: &'a QuantizedConv, scheme: Scheme, approximate: &'a ApproximateConv) -> Result<Self> {
        let (isa, pixels) = (Isa::best(), BATCH_IMAGES * conv.pixels());
        let (kernel, reason) = planner::choose(isa, conv, &approximate.products, pixels);
        let mut plan = Self::with_kernel(conv, scheme, approximate, kernel, isa)?;
        plan.reason = reason;
        if let Some(few) = planner::few_pixels(kernel, isa, conv, &approximate.products) {
            plan.few = Some((few, Engine::new(conv, approximate, Kernel::Rows, isa)?));
        }
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
        Ok(ConvPlan {
            conv,
            approximate,
            isa,
            bias: approximate.fold(conv, scheme)?,
            engine: Engine::new(conv, approximate, kernel, isa)?,
            few: None,
            reason: "as asked for".to_owned(),
        })
    }

    /// The kernel that runs over many images.
    pub fn kernel(&self) -> Kernel {
        self.engine.kernel()
    }

    /// The instructions it uses.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Why this kernel was chosen.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// How many blocks of vector tables there are by the additions their 16 bits can take, such as
    /// `4 additions`, or `32 bits`.
    pub fn table_widths(&self) -> Vec<(&'static str, usize)> {
        self.engine.table_widths()
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
        self.logits_by(inputs, |acc| self.accumulate(inputs, acc))
    }

    /// As [`logits`](Self::logits) on the caller's thread.
    pub fn logits_serially(&self, inputs: &[u8], scratch: &mut Scratch) -> Vec<i32> {
        self.logits_by(inputs, |acc| self.accumulate_serially(inputs, acc, scratch))
    }

    fn logits_by(&self, inputs: &[u8], accumulate: impl FnOnce(&mut [i32])) -> Vec<i32> {
        let mut logits = vec![0; inputs.len() / self.input_bytes() * self.outputs()];
        accumulate(&mut logits);
        for acc in logits.chunks_exact_mut(self.conv.outputs()) {
            for (acc, &(m, r)) in acc.iter_mut().zip(&self.approximate.requantization) {
                *acc = requantize(*acc, m, r).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
            }
        }
        logits
    }

    /// As [`accumulate`](Self::accumulate) on the caller's thread.
    pub fn accumulate_serially(&self, inputs: &[u8], acc: &mut [i32], scratch: &mut Scratch) {
        let outputs = self.conv.outputs();
        let images = self.images_in_cache();
        let batches = inputs.chunks(images * self.input_bytes());
        for (inputs, acc) in batches.zip(acc.chunks_mut(images * self.outputs())) {
            self.run(inputs, scratch, &mut |_, done, _| {
                let acc = &mut acc[done.pixels.start * outputs..];
                copy_channels(done.acc, done.lanes, acc, outputs, done.channels);
            });
        }
    }

    /// As [`codes`](Self::codes) on the caller's thread.
    pub fn codes_serially(&self, inputs: &[u8], codes: &mut [u8], scratch: &mut Scratch) {
        if self.conv.output_kind == OutputKind::Logits {
            return;
        }
        let outputs = self.conv.outputs();
        let images = self.images_in_cache();
        let batches = inputs.chunks(images * self.input_bytes());
        for (inputs, codes) in batches.zip(codes.chunks_mut(images * self.outputs())) {
            self.run(inputs, scratch, &mut |engine, done, block_codes| {
                let codes = &mut codes[done.pixels.start * outputs..];
                if done.lanes == outputs && done.channels.len() == outputs {
                    return engine.requantize(&done, &mut codes[..done.acc.len()]);
                }
                block_codes.resize(block_codes.len().max(done.acc.len()), 0);
                let block_codes = &mut block_codes[..done.acc.len()];
                engine.requantize(&done, block_codes);
                copy_channels(block_codes, done.lanes, codes, outputs, done.channels);
            });
        }
    }

    /// Runs the kernel for so many images; `finish` also gets memory for codes.
    fn run(&self, inputs: &[u8], scratch: &mut Scratch, finish: &mut dyn FnMut(&Engine, Done, &mut Vec<u8>)) {
        let Scratch { images, sums, engine: memory, codes } = scratch;
        let pixels = inputs.len() / self.input_bytes() * self.conv.pixels();
        let engine = match &self.few {
            Some((few, engine)) if pixels <= *few => engine,
            _ => &self.engine,
        };
        engine.fill(self.conv, inputs, images);
        let start = Start { bias: &self.bias, operand_sum: &self.approximate.operand_sum };
        sums.clear();
        if engine.needs_sums(start.operand_sum) {
            images.sum_windows(self.conv, engine.layout(), sums);
        }
        let finish = &mut |done: Done| finish(engine, done, codes);
        engine.run(images, sums, &start, memory, finish);
    }

    /// Images that a thread works on at a time: as many as share one set of tables.
    fn images_in_cache(&self) -> usize {
        // Windows are counted in 32 bits.
        let limit = (1 << 31) / self.engine.layout().image_bytes().max(1);
        self.engine.pixels_at_once().div_ceil(self.conv.pixels().max(1)).min(limit).max(1)
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
