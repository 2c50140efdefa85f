//! What a network takes under an assignment of multipliers, without an image: for searches.

use super::costs::BoardCosts;
use super::work::Work;
use super::{conv, slow_shifts, sum};
use crate::board::description::Board;
use crate::board::latency::LayerCost;
use crate::emulate::ApproximateConv;
use crate::error::Result;
use crate::image::{Options, lone_record};
use crate::quantize::{QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp};
use rayon::prelude::*;
use skimp_runtime::image::{EntryKind, Op};

/// What each convolution of a network takes on a board with each of several multipliers, and what all else takes. Where
/// tensors lie in the arena is not known, and taken to be where copies are fast; a table is taken to have the rows that
/// one layer needs, in the form that an image built with the given options has.
#[derive(Clone, Debug)]
pub struct AssignmentCosts {
    fixed: LayerCost,
    /// By multiplier, then layer.
    convs: Vec<Vec<LayerCost>>,
}

impl AssignmentCosts {
    /// For `choices` multipliers; `of` makes the convolution at a place among those that multiply with the multiplier at a
    /// place among these. Uses all threads.
    pub fn new(
        network: &QuantizedNetwork,
        (board, options): (&Board, &Options),
        choices: usize,
        of: &(dyn Fn(usize, usize) -> Result<ApproximateConv> + Sync),
    ) -> Result<AssignmentCosts> {
        let costs = BoardCosts::find(board)?;
        let fixed = network.layers.iter().filter_map(|layer| match &layer.op {
            QuantizedOp::Conv2d(_) => None,
            QuantizedOp::Fixed(op) => Some(costs.of(&fixed_work(op, layer))),
        });
        let fixed = sum(fixed.collect::<Result<Vec<LayerCost>>>()?.into_iter());
        let layers: Vec<&QuantizedConv> = network.convs().map(|(_, conv)| conv).collect();
        let of_layers = |choice: usize| -> Result<Vec<LayerCost>> {
            let cost = |(layer, conv): (usize, &&QuantizedConv)| {
                let approximate = of(layer, choice)?;
                let (record, entry) = lone_record(network.scheme, conv, &approximate, options)?;
                let slow = slow_shifts(approximate.requantization.iter().map(|&(_, shift)| shift));
                costs.of(&conv::work(&record, |_| entry.unwrap_or(EntryKind::U16), slow))
            };
            layers.iter().enumerate().map(cost).collect()
        };
        let convs = (0..choices).into_par_iter().map(of_layers).collect::<Result<_>>()?;
        Ok(AssignmentCosts { fixed, convs })
    }

    /// What an inference takes with these multipliers, one for each layer that multiplies, by their places.
    ///
    /// # Panics
    /// If there are more layers or a place is not among the multipliers.
    pub fn total(&self, assignment: &[usize]) -> LayerCost {
        let convs = assignment.iter().enumerate().map(|(layer, &choice)| self.convs[choice][layer]);
        sum(convs.chain([self.fixed]))
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
