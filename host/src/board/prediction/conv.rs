//! The work of convolutions: the loops of `runtime/src/kernels/conv`, counted.

use super::depthwise;
use super::walk::{QUAD, Run, for_each_run, quad};
use super::work::Work;
use skimp_runtime::image::{Conv2d, EntryKind, Kernel, Operand, OutputKind, WeightCoding, WeightWidth};

/// Pixels of a block of the table kernel.
const TABLE_PIXELS: usize = 8;
/// Pixels of a block of the product kernel.
const PRODUCT_PIXELS: usize = 4;
/// Products of a round of the kernels for one pixel.
const PIXEL_ROUND: u64 = 8;
/// Output channels of a block of the kernel that looks up row by activation.
const ACTIVATION_CHANNELS: u64 = 8;
/// Taps that the product kernel keeps together.
const TAP_GROUP: usize = 4;

/// The work of a convolution; `entry` tells how wide the entries of a table are, `slow` how many output
/// channels have requantization shifts that take 64 bits.
pub(super) fn work(op: &Conv2d, entry: impl Fn(u16) -> EntryKind, slow: usize) -> Work {
    let slow = slow as u64;
    match &op.kernel {
        Kernel::Table { rows, coding, .. } => {
            let mut work = table(op, entry(rows.table), *coding, slow);
            work.add("table-records", u64::from(rows.table) + 1);
            work
        }
        Kernel::TableByActivation { rows, .. } => {
            let mut work = table_by_activation(op, entry(rows.table), slow);
            work.add("table-records", u64::from(rows.table) + 1);
            work
        }
        Kernel::Product { operand, width, .. } => product(op, *operand, *width, slow),
        Kernel::DepthwiseTable { rows, coding, .. } => {
            let mut work = depthwise::table(op, entry(rows.table), *coding, slow);
            work.add("table-records", u64::from(rows.table) + 1);
            work
        }
        Kernel::DepthwiseProduct { operand, width, .. } => depthwise::product(op, *operand, *width, slow),
    }
}

/// What all kernels ask of a convolution's shape.
struct Shape {
    pixels: usize,
    groups: usize,
    /// Output channels of a group.
    outputs: usize,
    /// Taps of a window in a group.
    taps: usize,
}

impl Shape {
    fn new(op: &Conv2d) -> Shape {
        let groups = usize::from(op.groups.max(1));
        let [height, width] = op.window.kernel.map(usize::from);
        Shape {
            pixels: usize::from(op.output.height) * usize::from(op.output.width),
            groups,
            outputs: usize::from(op.output.channels) / groups,
            taps: height * width * (usize::from(op.input.channels) / groups),
        }
    }
}

/// Stores `pixels` results of each output channel at once, `times` times; `slow` channels take 64 bits.
pub(super) fn store(work: &mut Work, op: &Conv2d, slow: u64, times: u64, pixels: u64) {
    let channels = u64::from(op.output.channels);
    let (steps, slow) = match op.output_kind {
        OutputKind::Codes(range) if range.is_full() => (["stores", "codes"], slow.min(channels)),
        OutputKind::Codes(_) => (["range-stores", "range-codes"], slow.min(channels)),
        OutputKind::Logits => (["logit-stores", "logits"], 0),
    };
    for (steps, channels) in [(steps, channels - slow), (["slow-stores", "slow-codes"], slow)] {
        let stores = times.saturating_mul(channels);
        work.add(steps[0], stores);
        work.add(steps[1], stores.saturating_mul(pixels));
    }
}

/// A pixel's runs, by what becomes of them.
fn walk(
    work: &mut Work,
    op: &Conv2d,
    (pixel, group): (usize, usize),
    [codes, padding]: [&'static str; 2],
    mut each: impl FnMut(&mut Work, usize, Run),
) {
    work.add("walks", 1);
    work.add("walk-rows", op.window.kernel[0].into());
    for_each_run(op, pixel, group, |tap, run| {
        work.add(if matches!(run, Run::Codes { .. }) { codes } else { padding }, 1);
        each(work, tap, run);
    });
}

/// Copies a pixel's taps, byte by byte in their order, to the arena's address `to`.
fn stage(work: &mut Work, op: &Conv2d, at: (usize, usize), to: usize) {
    walk(work, op, at, ["copied-runs", "filled-runs"], |work, tap, run| match run {
        Run::Codes { from, taps } => work.copy(1, op.input.offset as usize + from, to + tap, taps as u64),
        Run::Padding(taps) => work.fill(1, to + tap, taps as u64),
    });
}

fn table(op: &Conv2d, entry: EntryKind, coding: WeightCoding, slow: u64) -> Work {
    let mut work = Work::new("table");
    let shape = Shape::new(op);
    let (outputs, taps) = (shape.outputs as u64, shape.taps as u64);
    let sums = op.activation_sums.is_some();
    let [rows, rounds, products, rest] = match (entry, coding) {
        (EntryKind::U16, WeightCoding::Row) => {
            ["u16-rows", "u16-rounds", "u16-products", "u16-products-rest"]
        }
        (EntryKind::U16, WeightCoding::SignedRow) => {
            ["signed-u16-rows", "signed-u16-rounds", "signed-u16-products", "signed-u16-products-rest"]
        }
        (EntryKind::U8, WeightCoding::Row) => ["u8-rows", "u8-rounds", "u8-products", "u8-products-rest"],
        (EntryKind::U8, WeightCoding::SignedRow) => {
            ["signed-u8-rows", "signed-u8-rounds", "signed-u8-products", "signed-u8-products-rest"]
        }
        (EntryKind::I32, WeightCoding::Row) => {
            ["i32-rows", "i32-rounds", "i32-products", "i32-products-rest"]
        }
        (EntryKind::I32, WeightCoding::SignedRow) => {
            ["signed-i32-rows", "signed-i32-rounds", "signed-i32-products", "signed-i32-products-rest"]
        }
    };
    let mut first = 0;
    while shape.pixels - first > TABLE_PIXELS / 2 {
        let count = (shape.pixels - first).min(TABLE_PIXELS);
        for group in 0..shape.groups {
            work.add("blocks", 1);
            gather_table(&mut work, op, first, count, group);
            work.add("summed-columns", if sums { taps } else { 0 });
            work.add("outputs", outputs);
            work.add("summed-outputs", if sums { outputs } else { 0 });
            work.add(rows, outputs.saturating_mul(taps));
            work.add(rounds, outputs.saturating_mul(taps.div_ceil(4)));
        }
        store(&mut work, op, slow, 1, count as u64);
        first += count;
    }
    for pixel in first..shape.pixels {
        for group in 0..shape.groups {
            work.add("pixels", 1);
            stage(&mut work, op, (pixel, group), op.scratch.offset as usize);
            if sums {
                work.looped(["pixel-sums", "pixel-summed-fours", "pixel-summed-rest"], 1, taps);
                work.add("pixel-summed-outputs", outputs);
            }
            work.add("pixel-outputs", outputs);
            work.add(products, outputs.saturating_mul(taps));
            work.add(rest, outputs.saturating_mul(taps % PIXEL_ROUND));
        }
        store(&mut work, op, slow, 1, 1);
    }
    work
}

fn table_by_activation(op: &Conv2d, entry: EntryKind, slow: u64) -> Work {
    let mut work = Work::new("table-by-activation");
    let shape = Shape::new(op);
    let (taps, blocks) = (shape.taps as u64, (shape.outputs as u64).div_ceil(ACTIVATION_CHANNELS));
    let [rows, rounds] = match entry {
        EntryKind::U16 => ["u16-rows", "u16-rounds"],
        EntryKind::I32 => ["i32-rows", "i32-rounds"],
        EntryKind::U8 => ["u8-rows", "u8-rounds"],
    };
    for pixel in 0..shape.pixels {
        work.add("pixels", 1);
        stage(&mut work, op, (pixel, 0), op.scratch.offset as usize);
        if op.activation_sums.is_some() {
            work.looped(["pixel-sums", "pixel-summed-fours", "pixel-summed-rest"], 1, taps);
            work.add("summed-blocks", blocks);
        }
        work.add("blocks", blocks);
        work.add(rows, blocks.saturating_mul(taps));
        work.add(rounds, blocks.saturating_mul(taps.div_ceil(4)));
        store(&mut work, op, slow, 1, 1);
    }
    work
}

fn gather_table(work: &mut Work, op: &Conv2d, first: usize, count: usize, group: usize) {
    let row_taps = u64::from(op.window.kernel[1]) * u64::from(op.input.channels);
    let mut lane = 0;
    while lane < count {
        if lane.is_multiple_of(QUAD) && count - lane >= QUAD {
            work.add("quad-tries", 1);
            if let Some([inside, outside]) = quad(op, first + lane) {
                let (inside, outside) = (inside as u64, outside as u64);
                work.add("quads", 1);
                work.add("quad-rows", inside);
                work.add("quad-fours", inside * (row_taps / 4));
                if row_taps % 4 > 0 {
                    work.add("quad-row-ends", inside);
                    work.add("quad-rest", inside * (row_taps % 4));
                }
                work.looped(["quad-padding", "quad-padding-fours", "quad-padding-rest"], outside, row_taps);
                lane += QUAD;
                continue;
            }
        }
        walk(work, op, (first + lane, group), ["lane-runs", "lane-padding"], |work, _, run| match run {
            Run::Codes { taps, .. } => {
                work.add("lane-fours", taps as u64 / 4);
                work.add("lane-rest", taps as u64 % 4);
            }
            Run::Padding(taps) => {
                work.add("lane-padding-fours", taps as u64 / 4);
                work.add("lane-padding-rest", taps as u64 % 4);
            }
        });
        lane += 1;
    }
}

fn product(op: &Conv2d, operand: Operand, width: WeightWidth, slow: u64) -> Work {
    let mut work = Work::new("product");
    let shape = Shape::new(op);
    let tap_groups = shape.taps.div_ceil(TAP_GROUP) as u64;
    let pairs = shape.outputs.div_ceil(2) as u64;
    let sums = op.activation_sums.is_some();
    let [groups, rounds, of_one] = match width {
        WeightWidth::I8 => ["i8-groups", "i8-rounds", "i8-groups-of-one"],
        WeightWidth::I16 => ["i16-groups", "i16-rounds", "i16-groups-of-one"],
    };
    for first in (0..shape.pixels).step_by(PRODUCT_PIXELS) {
        let count = (shape.pixels - first).min(PRODUCT_PIXELS);
        for group in 0..shape.groups {
            work.add("blocks", 1);
            gather_product(&mut work, op, operand, first, count, group);
            if sums {
                work.add("sums", 1);
                for lane in 0..count {
                    sum_codes(&mut work, op, first + lane, group);
                }
                work.add("summed-pairs", pairs);
            }
            if count == 1 {
                work.add("pairs-of-one", pairs);
                work.add(of_one, pairs.saturating_mul(tap_groups));
            } else {
                work.add("pairs", pairs);
                work.add(groups, pairs.saturating_mul(tap_groups));
                work.add(rounds, pairs.saturating_mul(tap_groups.div_ceil(2)));
            }
        }
        store(&mut work, op, slow, 1, count as u64);
    }
    work
}

fn gather_product(work: &mut Work, op: &Conv2d, operand: Operand, first: usize, count: usize, group: usize) {
    let shape = Shape::new(op);
    let group_channels = usize::from(op.input.channels) / shape.groups;
    let mapped = matches!(operand, Operand::Mapped(_));
    let staged = mapped || !group_channels.is_multiple_of(TAP_GROUP);
    let row_groups = u64::from(op.window.kernel[1]) * u64::from(op.input.channels) / TAP_GROUP as u64;
    if !staged && count == QUAD {
        work.add("quad-tries", 1);
        if let Some([inside, outside]) = quad(op, first) {
            let (inside, outside) = (inside as u64, outside as u64);
            work.add("quads", 1);
            work.add("quad-rows", inside);
            work.add("quad-words", inside * row_groups);
            work.add("quad-padding", outside);
            work.add("quad-padding-words", outside * row_groups);
            return;
        }
    }
    let tap_groups = shape.taps.div_ceil(TAP_GROUP);
    for lane in 0..count {
        let at = (first + lane, group);
        if staged {
            // Behind the columns.
            stage(work, op, at, op.scratch.offset as usize + tap_groups * 8 * PRODUCT_PIXELS);
            let steps = if mapped { ["mapped-pixels", "mapped-words"] } else { ["pixels", "words"] };
            work.add(steps[0], 1);
            work.add(steps[1], tap_groups as u64);
        } else {
            walk(work, op, at, ["word-runs", "padding-runs"], |work, _, run| match run {
                Run::Codes { taps, .. } => work.add("words", (taps / TAP_GROUP) as u64),
                Run::Padding(taps) => work.add("padding-words", (taps / TAP_GROUP) as u64),
            });
        }
    }
}

fn sum_codes(work: &mut Work, op: &Conv2d, pixel: usize, group: usize) {
    walk(work, op, (pixel, group), ["summed-runs", "summed-padding"], |work, _, run| {
        if let Run::Codes { taps, .. } = run {
            work.add("summed-fours", taps as u64 / 4);
            work.add("summed-rest", taps as u64 % 4);
        }
    });
}
