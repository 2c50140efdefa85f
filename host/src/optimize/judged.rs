//! Points that were compensated in full and measured, on disk to go on from.

use super::checkpoint::CheckpointFile;
use super::evaluator::Measured;
use super::judge::Fitted;
use crate::compensate::Steps;
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::multiplier::{Choice, ProductCache};
use crate::quantize::QuantizedNetwork;
use serde::{Deserialize, Serialize};

/// The points of one search, and the file they are saved in, if they are.
#[derive(Default)]
pub(super) struct Judged {
    points: Vec<Point>,
    file: Option<CheckpointFile>,
}

#[derive(Serialize, Deserialize)]
struct Point {
    assignment: Vec<Choice>,
    steps: Steps,
    layers: Vec<Layer>,
    choice: Measured,
}

/// What compensation made of a layer: an [`ApproximateConv`] without its multiplier's products.
#[derive(Serialize, Deserialize)]
struct Layer {
    weights: Vec<u8>,
    bias: Vec<i64>,
    operand_sum: Vec<i32>,
    requantization: Vec<(i32, u8)>,
}

impl Judged {
    /// Those in `file`.
    pub(super) fn open(file: CheckpointFile) -> Result<Judged> {
        Ok(Judged { points: file.load()?.unwrap_or_default(), file: Some(file) })
    }

    /// What was saved of an assignment of choices to the layers of `network`.
    pub(super) fn find(
        &self,
        assignment: &[Choice],
        network: &QuantizedNetwork,
        products: &ProductCache,
    ) -> Result<Option<(Fitted, Measured)>> {
        let Some(point) = self.points.iter().find(|point| point.assignment == assignment) else {
            return Ok(None);
        };
        let convs: Vec<_> = network.convs().collect();
        let layers = convs.iter().zip(&point.layers).zip(assignment);
        let restored = layers.map(|(((_, conv), layer), &choice)| {
            let outputs = [layer.bias.len(), layer.operand_sum.len(), layer.requantization.len()];
            if layer.weights.len() != conv.weights.len() || outputs.iter().any(|&n| n != conv.outputs()) {
                return Err(Error::Mismatch("the saved points are damaged: start a new search".into()));
            }
            Ok(ApproximateConv {
                products: products.get(choice, conv.input_zero_point)?,
                weights: layer.weights.clone(),
                bias: layer.bias.clone(),
                operand_sum: layer.operand_sum.clone(),
                requantization: layer.requantization.clone(),
            })
        });
        let restored = restored.collect::<Result<Vec<_>>>()?;
        if restored.len() != convs.len() {
            return Err(Error::Mismatch("the saved points are damaged: start a new search".into()));
        }
        Ok(Some((Fitted { steps: point.steps, convs: restored }, point.choice.clone())))
    }

    /// Saves one more.
    pub(super) fn add(&mut self, assignment: &[Choice], fitted: &Fitted, choice: &Measured) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let layer = |conv: &ApproximateConv| Layer {
            weights: conv.weights.clone(),
            bias: conv.bias.clone(),
            operand_sum: conv.operand_sum.clone(),
            requantization: conv.requantization.clone(),
        };
        self.points.push(Point {
            assignment: assignment.to_vec(),
            steps: fitted.steps,
            layers: fitted.convs.iter().map(layer).collect(),
            choice: choice.clone(),
        });
        file.save(&self.points)
    }
}
