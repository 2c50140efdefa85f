//! The work of depthwise convolutions: the loops of `runtime/src/kernels/conv/depthwise.rs` and those of
//! `runtime/src/kernels/inner/depthwise`, counted.

use super::conv::store;
use super::work::Work;
use skimp_runtime::image::{Conv2d, EntryKind, Operand, OutputKind, WeightCoding, WeightWidth};

/// Channels whose sums are kept at a time.
const CHANNELS: u64 = 4;

pub(super) fn table(op: &Conv2d, entry: EntryKind, coding: WeightCoding, slow: u64) -> Work {
    let mut work = Work::new("depthwise-table");
    let plain = match coding {
        WeightCoding::Row => ["plain-taps", "plain-products"],
        WeightCoding::SignedRow => ["plain-signed-taps", "plain-signed-products"],
    };
    match (entry, coding) {
        (EntryKind::U16, WeightCoding::Row) => blocks(&mut work, op, "u16-taps", plain),
        (EntryKind::U16, WeightCoding::SignedRow) => blocks(&mut work, op, "signed-u16-taps", plain),
        (EntryKind::U8, WeightCoding::Row) => blocks(&mut work, op, "u8-taps", plain),
        (EntryKind::U8, WeightCoding::SignedRow) => blocks(&mut work, op, "signed-u8-taps", plain),
        (EntryKind::I32, _) => plain_blocks(&mut work, op, plain),
    }
    around(&mut work, op, 0, slow);
    work
}

pub(super) fn product(op: &Conv2d, operand: Operand, width: WeightWidth, slow: u64) -> Work {
    let mut work = Work::new("depthwise-product");
    match (operand, width) {
        (Operand::Masked { .. }, WeightWidth::I8) => {
            blocks(&mut work, op, "i8-taps", ["plain-i8-taps", "plain-i8-products"]);
        }
        (Operand::Masked { .. }, WeightWidth::I16) => {
            blocks(&mut work, op, "i16-taps", ["plain-i16-taps", "plain-i16-products"]);
        }
        (Operand::Mapped(_), WeightWidth::I8) => {
            plain_blocks(&mut work, op, ["mapped-i8-taps", "mapped-i8-products"]);
        }
        (Operand::Mapped(_), WeightWidth::I16) => {
            plain_blocks(&mut work, op, ["mapped-i16-taps", "mapped-i16-products"]);
        }
    }
    let shift = match operand {
        Operand::Masked { mask, shift } => {
            if mask != u8::MAX && channels(op) >= CHANNELS {
                let all = pixels(op).saturating_mul(channels(op).div_ceil(CHANNELS));
                work.add("masked-taps", all.saturating_mul(taps(op)));
            }
            shift
        }
        Operand::Mapped(_) => 0,
    };
    around(&mut work, op, shift, slow);
    work
}

fn pixels(op: &Conv2d) -> u64 {
    u64::from(op.output.height) * u64::from(op.output.width)
}

fn channels(op: &Conv2d) -> u64 {
    op.output.channels.into()
}

fn taps(op: &Conv2d) -> u64 {
    u64::from(op.window.kernel[0]) * u64::from(op.window.kernel[1])
}

/// Blocks of channels in assembly, or the plain loops where there is not even one.
fn blocks(work: &mut Work, op: &Conv2d, step: &'static str, plain: [&'static str; 2]) {
    if channels(op) < CHANNELS {
        return plain_blocks(work, op, plain);
    }
    let blocks = pixels(op).saturating_mul(channels(op).div_ceil(CHANNELS));
    work.add("blocks", blocks);
    work.add(step, blocks.saturating_mul(taps(op)));
    work.add("rounds", blocks.saturating_mul(taps(op).div_ceil(2)));
    if !channels(op).is_multiple_of(CHANNELS) {
        work.add("ends", pixels(op));
    }
}

fn plain_blocks(work: &mut Work, op: &Conv2d, [taps_step, products]: [&'static str; 2]) {
    let blocks = pixels(op).saturating_mul(channels(op).div_ceil(CHANNELS));
    work.add("plain-blocks", blocks);
    let taps = blocks.saturating_mul(taps(op));
    work.add(taps_step, taps);
    work.add(products, taps.saturating_mul(channels(op).min(CHANNELS)));
}

/// All that comes before and after products: windows, starts, results.
fn around(work: &mut Work, op: &Conv2d, shift: u8, slow: u64) {
    let (pixels, channels) = (pixels(op), channels(op));
    let outputs = pixels.saturating_mul(channels);
    let listed = listed_windows(op);
    work.add("pixels", pixels);
    work.add("windows", listed);
    work.add("window-rows", listed.saturating_mul(op.window.kernel[0].into()));
    work.add("window-taps", listed.saturating_mul(taps(op)));
    if shift != 0 || op.activation_sums.is_some() {
        work.add("started-pixels", pixels);
        work.add("started-outputs", outputs);
    }
    if op.activation_sums.is_some() {
        let blocks = pixels.saturating_mul(channels.div_ceil(CHANNELS));
        work.add("summed-blocks", blocks);
        work.add("summed-taps", blocks.saturating_mul(taps(op)));
        work.add("summed-codes", outputs.saturating_mul(taps(op)));
    }
    match op.output_kind {
        OutputKind::Codes(range) if slow == 0 => {
            work.add("requantized-fours", pixels.saturating_mul(channels / CHANNELS));
            work.add("requantized-rest", pixels.saturating_mul(channels % CHANNELS));
            if !channels.is_multiple_of(CHANNELS) {
                work.add("requantized-ends", pixels);
            }
            if (range.min, range.max) != (0, u8::MAX) {
                work.add("clamped-codes", outputs);
            }
        }
        _ => store(work, op, slow, pixels, 1),
    }
}

/// How many windows are listed tap by tap; the others are the one before, moved.
fn listed_windows(op: &Conv2d) -> u64 {
    // Outputs along an axis, and those whose windows are inside.
    let along = |axis: usize, outputs: u16, size: u16| {
        let [stride, padding, kernel] =
            [op.window.stride, op.window.padding, op.window.kernel].map(|of| u64::from(of[axis]));
        let inside = |&at: &u64| at * stride >= padding && at * stride + kernel <= u64::from(size) + padding;
        (u64::from(outputs), (0..u64::from(outputs)).filter(inside).count() as u64)
    };
    let (rows, inside_rows) = along(0, op.output.height, op.input.height);
    let (columns, inside_columns) = along(1, op.output.width, op.input.width);
    rows * columns - inside_rows * inside_columns.saturating_sub(1)
}
