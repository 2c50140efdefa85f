//! What a network takes under an assignment of multipliers, without an image: for searches.

use super::costs::BoardCosts;
use super::work::Work;
use super::{conv, slow_shifts, sum};
use crate::board::description::Board;
use crate::board::latency::LayerCost;
use crate::error::{Error, Result};
use crate::quantize::{QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp, requantization};
use skimp_runtime::image::{
    Conv2d, EntryKind, Kernel, Op, Operand, RowSource, Scratch, Section, WeightCoding, WeightWidth,
};

/// How a convolution forms its products, as far as its time depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Products {
    /// They are looked up.
    Table {
        /// How wide they are.
        entry: EntryKind,
        /// How weights name rows.
        coding: WeightCoding,
    },
    /// They are multiplied: exact ones, and those of multipliers that ignore bits.
    Product {
        /// Whether codes are mapped, one by one, rather than masked.
        mapped: bool,
        /// Type of the weights.
        width: WeightWidth,
    },
}

/// How a convolution multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvKernel {
    /// How products are formed.
    pub products: Products,
    /// Whether sums of codes are added to sums of products.
    pub activation_sums: bool,
}

const ENTRIES: [EntryKind; 2] = [EntryKind::U16, EntryKind::I32];
const CODINGS: [WeightCoding; 2] = [WeightCoding::Row, WeightCoding::SignedRow];
const WIDTHS: [WeightWidth; 2] = [WeightWidth::I8, WeightWidth::I16];
/// How many kernels there are.
const KERNELS: usize = 16;

impl ConvKernel {
    /// The kernel of a record whose table, if any, has entries of the kind `entry`.
    pub fn of(record: &Conv2d, entry: EntryKind) -> ConvKernel {
        let products = match &record.kernel {
            Kernel::Table { coding, .. } | Kernel::DepthwiseTable { coding, .. } => {
                Products::Table { entry, coding: *coding }
            }
            Kernel::Product { operand, width, .. } | Kernel::DepthwiseProduct { operand, width, .. } => {
                Products::Product { mapped: matches!(operand, Operand::Mapped(_)), width: *width }
            }
        };
        ConvKernel { products, activation_sums: record.activation_sums.is_some() }
    }

    fn all() -> impl Iterator<Item = ConvKernel> {
        (0..KERNELS).map(|index| {
            let [a, b] = [index & 1, index >> 1 & 1];
            let products = if index & 4 == 0 {
                Products::Table { entry: ENTRIES[a], coding: CODINGS[b] }
            } else {
                Products::Product { mapped: a == 1, width: WIDTHS[b] }
            };
            ConvKernel { products, activation_sums: index & 8 != 0 }
        })
    }

    /// Its place in [`ConvKernel::all`].
    fn index(self) -> usize {
        let products = match self.products {
            Products::Table { entry, coding } => {
                usize::from(entry == EntryKind::I32) | usize::from(coding == WeightCoding::SignedRow) << 1
            }
            Products::Product { mapped, width } => {
                usize::from(mapped) | usize::from(width == WeightWidth::I16) << 1 | 4
            }
        };
        products | usize::from(self.activation_sums) << 3
    }
}

/// What each convolution of a network takes on a board with each kernel, and what all else takes. Where
/// tensors lie in the arena is not known, and taken to be where copies are fast.
#[derive(Clone, Debug)]
pub struct AssignmentCosts {
    fixed: LayerCost,
    convs: Vec<[LayerCost; KERNELS]>,
}

impl AssignmentCosts {
    /// Works out all costs, once.
    pub fn new(network: &QuantizedNetwork, board: &Board) -> Result<AssignmentCosts> {
        let costs = BoardCosts::find(board)?;
        let fixed = network.layers.iter().filter_map(|layer| match &layer.op {
            QuantizedOp::Conv2d(_) => None,
            QuantizedOp::Fixed(op) => Some(costs.of(&fixed_work(op, layer))),
        });
        let fixed = sum(fixed.collect::<Result<Vec<LayerCost>>>()?.into_iter());
        let convs = network.convs().map(|(_, conv)| {
            let mut all = [LayerCost::default(); KERNELS];
            let factors =
                (0..conv.outputs()).map(|o| conv.accumulator_scale(network.scheme, o) / conv.output_scale);
            let slow = slow_shifts(factors.map(|factor| requantization(factor).1));
            for (place, kernel) in all.iter_mut().zip(ConvKernel::all()) {
                let entry = match kernel.products {
                    Products::Table { entry, .. } => entry,
                    Products::Product { .. } => EntryKind::U16,
                };
                *place = costs.of(&conv::work(&record(conv, kernel), |_| entry, slow))?;
            }
            Ok(all)
        });
        Ok(AssignmentCosts { fixed, convs: convs.collect::<Result<_>>()? })
    }

    /// What convolution number `conv` takes with `kernel`.
    pub fn layer(&self, conv: usize, kernel: ConvKernel) -> Option<LayerCost> {
        self.convs.get(conv).map(|costs| costs[kernel.index()])
    }

    /// What all layers that don't multiply take.
    pub fn fixed(&self) -> LayerCost {
        self.fixed
    }

    /// What an inference takes with a kernel for each convolution.
    pub fn total(&self, kernels: &[ConvKernel]) -> Result<LayerCost> {
        if kernels.len() != self.convs.len() {
            let (given, layers) = (kernels.len(), self.convs.len());
            return Err(Error::Mismatch(format!("{given} kernels for {layers} layers that multiply")));
        }
        let convs = self.convs.iter().zip(kernels).map(|(costs, kernel)| costs[kernel.index()]);
        Ok(sum(convs.chain([self.fixed])))
    }
}

/// The work of an operator whose tensors have no place yet: sums of two take the first one's.
fn fixed_work(op: &Op, layer: &QuantizedLayer) -> Work {
    let none = |_| (EntryKind::U16, 0);
    match op {
        Op::Add(op) if layer.inputs.first() != layer.inputs.last() => {
            let mut op = op.clone();
            op.inputs[1].offset = op.output.offset.wrapping_add(1);
            Work::of(&Op::Add(op), none, |_| 0)
        }
        op => Work::of(op, none, |_| 0),
    }
}

/// A record without weights and places.
fn record(conv: &QuantizedConv, kernel: ConvKernel) -> Conv2d {
    let empty = Section { offset: 0, bytes: 0 };
    let depthwise = conv.groups > 1
        && conv.groups == usize::from(conv.input.channels)
        && conv.groups == usize::from(conv.output.channels);
    let kind = match kernel.products {
        Products::Table { coding, .. } => {
            let (rows, weights) = (RowSource { table: 0, copy: None }, empty);
            if depthwise {
                Kernel::DepthwiseTable { rows, coding, weights }
            } else {
                Kernel::Table { rows, coding, weights }
            }
        }
        Products::Product { mapped, width } => {
            let plain = Operand::Masked { mask: u8::MAX, shift: 0 };
            let (operand, weights) = (if mapped { Operand::Mapped(empty) } else { plain }, empty);
            if depthwise {
                Kernel::DepthwiseProduct { operand, width, weights }
            } else {
                Kernel::Product { operand, width, weights }
            }
        }
    };
    Conv2d {
        input: conv.input,
        output: conv.output,
        scratch: Scratch { offset: 0, bytes: 0 },
        window: conv.window,
        groups: conv.groups as u16,
        input_zero_point: conv.input_zero_point,
        kernel: kind,
        bias: empty,
        multipliers: empty,
        shifts: empty,
        activation_sums: kernel.activation_sums.then_some(empty),
        output_kind: conv.output_kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_found_at_their_index() {
        for (index, kernel) in ConvKernel::all().enumerate() {
            assert_eq!(kernel.index(), index);
        }
    }
}
