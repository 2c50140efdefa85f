//! A multiplier in the layer that is measured, and what it must compute.

use super::measure::{Contestant, Expected};
use super::scalar::Scalar;
use crate::emulate::{ApproximateConv, ConvPlan};
use crate::error::Result;
use crate::multiplier::{ProductTable, Scheme, TruthTable};
use crate::quantize::QuantizedConv;
use std::sync::Arc;

/// A multiplier in a layer.
pub struct Multiplier {
    /// Its name.
    pub name: String,
    /// The layer with it.
    pub approximate: ApproximateConv,
}

impl Multiplier {
    /// The multiplier `table` in `conv`.
    pub(super) fn new(
        name: String,
        table: &TruthTable,
        swapped: bool,
        conv: &QuantizedConv,
    ) -> Result<Multiplier> {
        let products = ProductTable::new(table, Scheme::Unsigned, swapped, conv.input_zero_point)?;
        let approximate = ApproximateConv::uncompensated(conv, Scheme::Unsigned, Arc::new(products));
        Ok(Multiplier { name, approximate })
    }

    /// A contestant that computes accumulators as planned.
    pub(super) fn contestant<'p>(&self, plan: &'p ConvPlan, expected: &Expected<i32>) -> Contestant<'p, i32> {
        let name = format!("the {} kernel with {}", plan.kernel().name(), self.name);
        Contestant::new(name, expected.clone(), |inputs, acc| plan.accumulate(inputs, acc))
    }
}

/// The accumulators of the first and the last image of each batch, by the baseline.
pub(super) fn expected_acc(
    conv: &QuantizedConv,
    multiplier: &Multiplier,
    batches: &[Vec<u8>],
) -> Result<Expected<i32>> {
    let scalar = Scalar::new(conv, Scheme::Unsigned, &multiplier.approximate)?;
    let input = &conv.input;
    let bytes = usize::from(input.height) * usize::from(input.width) * usize::from(input.channels);
    let image = |codes: &[u8]| {
        let mut acc = vec![0; conv.pixels() * conv.outputs()];
        scalar.accumulate(codes, &mut acc);
        acc
    };
    let of_batch = |batch: &Vec<u8>| [image(&batch[..bytes]), image(&batch[batch.len() - bytes..])];
    Ok(Arc::new(batches.iter().map(of_batch).collect()))
}
