//! The record of one convolution: how it multiplies, and its weights in the order its kernel reads them.

use super::build::Options;
use super::by_activation;
use super::lowering::{Factor, Lowered};
use super::sections::Sections;
use super::shared_tables::{Found, Order, SharedTables, TableLayer};
use crate::emulate::ApproximateConv;
use crate::error::Result;
use crate::multiplier::Scheme;
use crate::quantize::QuantizedConv;
use skimp_runtime::image::{Conv2d, EntryKind, Kernel, Operand, RowSource, Scratch, WeightWidth};

/// How a layer gets its products.
#[allow(clippy::large_enum_variant, reason = "there is one for each layer")]
pub(super) enum Products<'a> {
    /// From a table.
    Table(Found<'a>),
    /// By multiplication.
    Lowered(Lowered),
}

/// The lowered form of a layer's products, if there is one.
pub(super) fn lower(approximate: &ApproximateConv) -> Option<Lowered> {
    Lowered::new(&approximate.products, &occurring(approximate))
}

/// Which weight codes occur.
fn occurring(approximate: &ApproximateConv) -> [bool; 256] {
    let mut occurs = [false; 256];
    approximate.weights.iter().for_each(|&w| occurs[usize::from(w)] = true);
    occurs
}

/// The record of a layer whose table no other layer shares, without places and with sections of its own, and the width
/// of the table's entries if it has one: for looking at, not for an image.
pub(crate) fn lone_record(
    scheme: Scheme,
    conv: &QuantizedConv,
    approximate: &ApproximateConv,
    options: &Options,
) -> Result<(Conv2d, Option<EntryKind>)> {
    let lowered = if options.tables_only { None } else { lower(approximate) };
    let (products, weights) = (&approximate.products, approximate.weights.as_slice());
    let layer = lowered.is_none().then_some(TableLayer { name: "", products, weights, conv });
    let tables = SharedTables::new(std::iter::once(layer), options);
    let (entry, products) = match (lowered, tables.of(0)) {
        (Some(lowered), _) => (None, Products::Lowered(lowered)),
        (None, Some(found)) => (Some(found.stored.entry), Products::Table(found)),
        (None, None) => unreachable!("a layer that is not lowered has a table"),
    };
    Ok((record(scheme, conv, approximate, &products, &mut Sections::default())?, entry))
}

/// The record, without its place in the arena.
pub(super) fn record(
    scheme: Scheme,
    conv: &QuantizedConv,
    approximate: &ApproximateConv,
    products: &Products,
    sections: &mut Sections,
) -> Result<Conv2d> {
    let constants = match products {
        Products::Table(found) => &found.stored.constants,
        Products::Lowered(lowered) => &lowered.constants,
    };
    let mut bias = approximate.fold(conv, scheme)?;
    for (bias, weights) in bias.iter_mut().zip(approximate.weights.chunks_exact(conv.taps())) {
        // Sums wrap to the same result in whatever order they are added.
        *bias = weights.iter().map(|&w| constants[usize::from(w)]).fold(*bias, i32::wrapping_add);
    }
    let mut activation_sums = approximate.operand_sum.clone();
    let kernel = match products {
        Products::Table(Found { index, stored, order }) => {
            let weights: Vec<u8> =
                approximate.weights.iter().map(|&w| stored.weight_bytes[usize::from(w)]).collect();
            let (rows, coding) = (RowSource { table: *index, copy: None }, stored.coding);
            if *order == Order::Activation {
                let weights = sections.add(by_activation::by_block(conv, &weights));
                Kernel::TableByActivation { rows, weights }
            } else if is_depthwise(conv) {
                let weights = sections.add(by_block(conv, &weights, [0, 1, 2, 3]));
                Kernel::DepthwiseTable { rows, coding, weights }
            } else {
                Kernel::Table { rows, coding, weights: sections.add(weights) }
            }
        }
        Products::Lowered(lowered) => {
            product_kernel(conv, approximate, lowered, &mut activation_sums, sections)
        }
    };
    let (multipliers, shifts): (Vec<i32>, Vec<u8>) = approximate.requantization.iter().copied().unzip();
    let mut record = Conv2d {
        input: conv.input,
        output: conv.output,
        scratch: Scratch { offset: 0, bytes: 0 },
        window: conv.window,
        groups: conv.groups as u16,
        input_zero_point: conv.input_zero_point,
        kernel,
        bias: sections.add_i32(&bias),
        multipliers: sections.add_i32(&multipliers),
        shifts: sections.add(shifts),
        activation_sums: activation_sums.iter().any(|&s| s != 0).then(|| sections.add_i32(&activation_sums)),
        output_kind: conv.output_kind,
    };
    // A window whose taps overflowed the address space could not have been quantized.
    record.scratch.bytes = record.scratch_bytes().unwrap_or(0) as u32;
    Ok(record)
}

/// Whether each group has one input and one output channel.
pub(super) fn is_depthwise(conv: &QuantizedConv) -> bool {
    conv.groups > 1
        && conv.groups == usize::from(conv.input.channels)
        && conv.groups == usize::from(conv.output.channels)
}

pub(super) fn product_kernel(
    conv: &QuantizedConv,
    approximate: &ApproximateConv,
    lowered: &Lowered,
    activation_sums: &mut [i32],
    sections: &mut Sections,
) -> Kernel {
    let mut weights: Vec<i32> =
        approximate.weights.iter().map(|&w| lowered.weights[usize::from(w)]).collect();
    let fits = |weights: &[i32]| weights.iter().all(|&w| i8::try_from(w).is_ok());
    let mut factor = lowered.factor;
    let plain = Factor::Masked { mask: u8::MAX, shift: 0 };
    if is_depthwise(conv) {
        // For its kernels, shifts and sums of activations take longer than weights of 16 bits.
        if let Factor::Masked { shift, .. } = &mut factor {
            weights.iter_mut().for_each(|w| *w <<= *shift);
            *shift = 0;
        }
        if factor == plain {
            add_activation_sums(&mut weights, activation_sums);
        }
    } else if !fits(&weights) && factor == plain && weights.iter().all(|w| (0..256).contains(w)) {
        // Unsigned weights fit 8 bits less 128, which the sum of the activations makes good.
        weights.iter_mut().for_each(|w| *w -= 128);
        activation_sums.iter_mut().for_each(|sum| *sum = sum.wrapping_add(128));
    }
    let width = if fits(&weights) { WeightWidth::I8 } else { WeightWidth::I16 };
    let operand = match factor {
        Factor::Masked { mask, shift } => Operand::Masked { mask, shift },
        Factor::Mapped(values) => {
            Operand::Mapped(sections.add(values.iter().flat_map(|v| v.to_le_bytes()).collect()))
        }
    };
    if is_depthwise(conv) {
        let order = match width {
            WeightWidth::I8 => [0, 1, 2, 3],
            WeightWidth::I16 => [0, 2, 1, 3],
        };
        let weights = sections.add(to_bytes(by_block(conv, &weights, order).into_iter(), width));
        Kernel::DepthwiseProduct { operand, width, weights }
    } else {
        let weights = sections.add(to_bytes(by_pair(conv, &weights, width).into_iter(), width));
        Kernel::Product { operand, width, weights }
    }
}

/// `sum x * w + a * sum x` is `sum x * (w + a)`: moves activation sums to the weights, if they have room for all.
fn add_activation_sums(weights: &mut [i32], activation_sums: &mut [i32]) {
    let taps = weights.len() / activation_sums.len().max(1);
    let channels = || activation_sums.iter().enumerate();
    let moved: Option<Vec<i32>> = channels()
        .flat_map(|(o, &sum)| weights[o * taps..(o + 1) * taps].iter().map(move |w| w.checked_add(sum)))
        .collect();
    if let Some(moved) = moved.filter(|moved| moved.iter().all(|&w| i16::try_from(w).is_ok())) {
        weights.copy_from_slice(&moved);
        activation_sums.fill(0);
    }
}

fn to_bytes(weights: impl Iterator<Item = i32>, width: WeightWidth) -> Vec<u8> {
    match width {
        WeightWidth::I8 => weights.map(|w| w as u8).collect(),
        WeightWidth::I16 => weights.flat_map(|w| (w as i16).to_le_bytes()).collect(),
    }
}

/// Weights by block of four channels, then tap: see [`Kernel::DepthwiseTable`]. `order` is that of the channels in a
/// block.
fn by_block<T: Copy>(conv: &QuantizedConv, weights: &[T], order: [usize; 4]) -> Vec<T> {
    let (taps, channels) = (conv.taps(), conv.outputs());
    let mut ordered = Vec::new();
    for block in (0..channels).step_by(4) {
        let first = block.min(channels.saturating_sub(4));
        for tap in 0..taps {
            ordered.extend(order.map(|i| weights[(first + i).min(channels - 1) * taps + tap]));
        }
    }
    ordered
}

/// Weights by pair of output channels, then group of four taps: see [`Kernel::Product`].
fn by_pair(conv: &QuantizedConv, weights: &[i32], width: WeightWidth) -> Vec<i32> {
    const I8_ORDER: [(usize, usize); 8] = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)];
    const I16_ORDER: [(usize, usize); 8] = [(0, 0), (0, 2), (1, 0), (1, 2), (0, 1), (0, 3), (1, 1), (1, 3)];
    let order = match width {
        WeightWidth::I8 => I8_ORDER,
        WeightWidth::I16 => I16_ORDER,
    };
    let (taps, group_outputs) = (conv.taps(), conv.outputs() / conv.groups);
    let mut ordered = Vec::new();
    for group in 0..conv.groups {
        for pair in (0..group_outputs).step_by(2) {
            for first_tap in (0..taps).step_by(4) {
                ordered.extend(order.iter().map(|&(second, tap)| {
                    let (channel, tap) = (pair + second, first_tap + tap);
                    let exists = channel < group_outputs && tap < taps;
                    if exists { weights[(group * group_outputs + channel) * taps + tap] } else { 0 }
                }));
            }
        }
    }
    ordered
}
