//! What a layer's kernel does, counted: the steps of its loops, from the shapes in its record.

use super::conv;
use super::walk::Taps;
use skimp_runtime::image::{Add, AveragePool, Conv2d, EntryKind, MaxPool, Op, Pad, Slice, Tensor};
use std::collections::BTreeMap;

/// Channels whose sums pools keep at a time.
const CHANNELS: u64 = 8;
/// From so many bytes on, `memcpy` and `memset` take words.
const WORDS_FROM: u64 = 16;

/// The steps of one layer, by what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The kernel or operator; each has steps of its own.
    pub kind: &'static str,
    /// How often each step is made.
    pub steps: BTreeMap<&'static str, u64>,
}

impl Work {
    pub(super) fn new(kind: &'static str) -> Work {
        Work { kind, steps: BTreeMap::from([("layer", 1)]) }
    }

    /// The work of an operator. `table` tells of the table with a certain index how wide its entries are and
    /// how long they are together; `slow`, how many of a convolution's output channels have requantization
    /// shifts that [`FastRequantizer`](skimp_runtime::arithmetic::FastRequantizer) does not take.
    pub fn of(op: &Op, table: impl Fn(u16) -> (EntryKind, u32), slow: impl Fn(&Conv2d) -> usize) -> Work {
        match op {
            Op::Conv2d(op) => conv::work(op, |index| table(index).0, slow(op)),
            Op::Add(op) => add(op),
            Op::MaxPool(op) => max_pool(op),
            Op::AveragePool(op) => average_pool(op),
            Op::Slice(op) => slice(op),
            Op::Pad(op) => pad(op),
            Op::CopyTable(op) => {
                let mut work = Work::new("table-copy");
                work.add("table-records", u64::from(op.table) + 1);
                work.copy(1, 0, 0, u64::from(table(op.table).1));
                work
            }
        }
    }

    pub(super) fn add(&mut self, step: &'static str, times: u64) {
        if times > 0 {
            let count = self.steps.entry(step).or_default();
            *count = count.saturating_add(times);
        }
    }

    /// `times` loops over `each` elements; compilers make four rounds one.
    pub(super) fn looped(&mut self, [loops, fours, rest]: [&'static str; 3], times: u64, each: u64) {
        self.add(loops, times);
        self.add(fours, times.saturating_mul(each / 4));
        self.add(rest, times.saturating_mul(each % 4));
    }

    /// `times` copies of `bytes` from an address to another one, as far as the addresses matter.
    pub(super) fn copy(&mut self, times: u64, from: usize, to: usize, bytes: u64) {
        if bytes < WORDS_FROM {
            return self.looped(["short-copies", "short-copied-fours", "short-copied-rest"], times, bytes);
        }
        let head = to.wrapping_neg() as u64 % 4;
        let (words, tail) = ((bytes - head) / 4, (bytes - head) % 4);
        let aligned = from % 4 == to % 4;
        let (copies, copied) =
            if aligned { ("copies", "copied-words") } else { ("skewed-copies", "skewed-copied-words") };
        self.add(copies, times);
        self.add(copied, times.saturating_mul(words));
        self.add("copied-ends", times.saturating_mul(head + tail));
    }

    /// `times` times `bytes` set to one value.
    pub(super) fn fill(&mut self, times: u64, to: usize, bytes: u64) {
        if bytes < WORDS_FROM {
            return self.looped(["short-fills", "short-filled-fours", "short-filled-rest"], times, bytes);
        }
        let head = to.wrapping_neg() as u64 % 4;
        self.add("fills", times);
        self.add("filled-words", times.saturating_mul((bytes - head) / 4));
        self.add("filled-ends", times.saturating_mul(head + (bytes - head) % 4));
    }
}

fn elements(tensor: &Tensor) -> u64 {
    tensor.elements().unwrap_or(0) as u64
}

fn pixels(tensor: &Tensor) -> u64 {
    u64::from(tensor.height) * u64::from(tensor.width)
}

fn add(op: &Add) -> Work {
    let mut work = Work::new("add");
    let [a, b] = op.inputs.each_ref().map(|input| input.offset);
    let steps = match op.output.offset {
        out if a == out && b == out => ["to-itself", "fours-to-itself", "rest-to-itself"],
        out if a == out => ["onto-first", "fours-onto-first", "rest-onto-first"],
        out if b == out => ["onto-second", "fours-onto-second", "rest-onto-second"],
        _ => ["apart", "fours-apart", "rest-apart"],
    };
    work.looped(steps, 1, elements(&op.output));
    work
}

fn max_pool(op: &MaxPool) -> Work {
    let mut work = Work::new("max-pool");
    let (pixels, channels) = (pixels(&op.output), u64::from(op.output.channels));
    let taps = Taps::new(&op.input, &op.output, &op.window);
    work.add("pixels", pixels);
    work.fill(pixels, 0, channels);
    work.add("rows", pixels.saturating_mul(op.window.kernel[0].into()));
    work.looped(["taps", "fours", "rest"], taps.inside, channels);
    work.add("padding", taps.outside);
    work
}

fn average_pool(op: &AveragePool) -> Work {
    let mut work = Work::new("average-pool");
    let (pixels, channels) = (pixels(&op.output), u64::from(op.output.channels));
    let taps = Taps::new(&op.input, &op.output, &op.window);
    work.add("pixels", pixels);
    let blocks = [(channels / CHANNELS, CHANNELS), (u64::from(channels % CHANNELS > 0), channels % CHANNELS)];
    for (blocks, block) in blocks {
        work.add("blocks", pixels.saturating_mul(blocks));
        work.add("rows", pixels.saturating_mul(blocks).saturating_mul(op.window.kernel[0].into()));
        work.looped(["taps", "fours", "rest"], taps.inside.saturating_mul(blocks), block);
        work.add("padding", taps.outside.saturating_mul(blocks));
    }
    work.add("codes", elements(&op.output));
    work
}

fn slice(op: &Slice) -> Work {
    let mut work = Work::new("slice");
    work.looped(["pixels", "fours", "rest"], pixels(&op.output), op.output.channels.into());
    work
}

fn pad(op: &Pad) -> Work {
    let mut work = Work::new("pad");
    work.fill(1, 0, elements(&op.output));
    let [top, left, first] = op.before.map(usize::from);
    let (width, channels) = (usize::from(op.output.width), usize::from(op.output.channels));
    let (in_width, in_channels) = (usize::from(op.input.width).max(1), usize::from(op.input.channels));
    for pixel in 0..pixels(&op.input) as usize {
        let (y, x) = (top + pixel / in_width, left + pixel % in_width);
        let to = op.output.offset as usize + (y * width + x) * channels + first;
        work.add("pixels", 1);
        work.copy(1, op.input.offset as usize + pixel * in_channels, to, in_channels as u64);
    }
    work
}
