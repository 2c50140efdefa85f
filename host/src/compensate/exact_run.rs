//! What the exact network computes on calibration images, as far as compensation is fitted to it.

use super::clipping;
use super::live_tensors::LiveTensors;
use super::patches::{Patches, Rows};
use crate::emulate::ApproximateConv;
use crate::multiplier::Scheme;
use crate::network::TensorId;
use crate::quantize::{QuantizedConv, QuantizedNetwork, QuantizedOp};
use skimp_runtime::image::Op;
use std::borrow::Cow;

/// Outputs of a layer that scales, shifts and biases are fitted on.
const FIT_ROWS: usize = 65_536;

/// Outputs of a layer whose windows weight codes are chosen on. Samples are numbered in 16 bits.
const DESCENT_ROWS: usize = 32_768;

/// The same where codes are chosen on what the exact network gives the layer, for many multipliers.
const EXACT_ROWS: usize = 8_192;

/// Seed of the draw of outputs; the place of the layer is added to it.
const SEED: u64 = 0x736b_696d_7064_6573;

/// One convolution of the exact network.
pub(super) struct ExactLayer {
    /// The outputs of the sample.
    pub rows: Rows,
    /// Exact accumulators of these outputs, `[row][output channel]`.
    targets: Vec<i32>,
    /// Which of these lie within the range that the layer's results are clipped to, in the same order; none for
    /// logits.
    pub seen: Vec<bool>,
    /// Which of the rows weight codes are chosen on.
    places: Vec<usize>,
    /// Exact accumulators of those that they are chosen on with the exact network before the layer.
    exact_targets: Vec<i32>,
    branch: Option<Branch>,
    /// The windows of these, by channel group.
    pub patches: Vec<Patches>,
    /// How often the layer's multipliers see each activation code; adds up to 1.
    pub shares: [f64; 256],
}

/// Another tensor that a layer's result is added to, known before the layer runs.
struct Branch {
    tensor: TensorId,
    /// Real value of one step of it.
    scale: f64,
    /// Its exact codes at the rows, `[row][channel]`.
    codes: Vec<u8>,
}

impl ExactLayer {
    /// What is kept of the convolution at place `layer` of the network's layers, which is `exact` and whose
    /// accumulators on all images are `acc`; `tensors` are those before it.
    pub(super) fn new(
        network: &QuantizedNetwork,
        (layer, conv): (usize, &QuantizedConv),
        exact: &ApproximateConv,
        tensors: &LiveTensors,
        acc: &[i32],
    ) -> ExactLayer {
        let rows = Rows::draw(acc.len() / conv.outputs(), FIT_ROWS, SEED.wrapping_add(layer as u64));
        let places = rows.places(DESCENT_ROWS);
        let branch = branch_of(network, layer).map(|tensor| Branch {
            tensor,
            scale: network.tensors[tensor].scale,
            codes: rows.pick(tensors.get(tensor), conv.outputs()),
        });
        let inputs = tensors.get(network.layers[layer].inputs[0]);
        let exact_rows = rows.at(&rows.places(EXACT_ROWS));
        let patches = gather(conv, inputs, &exact_rows);
        let targets = rows.pick(acc, conv.outputs());
        let branch_codes = branch.as_ref().map(|branch| branch.codes.as_slice());
        ExactLayer {
            seen: clipping::seen(network, (layer, conv), exact, &targets, branch_codes),
            targets,
            exact_targets: exact_rows.pick(acc, conv.outputs()),
            shares: shares(conv, &patches),
            rows,
            places,
            branch,
            patches,
        }
    }

    /// What the accumulators of the rows ought to be, `[row][output channel]`: the exact ones, and under
    /// `branches` such as make the sum with the other branch of `tensors` the exact one.
    pub(super) fn targets(
        &self,
        conv: &QuantizedConv,
        scheme: Scheme,
        tensors: &LiveTensors,
        branches: bool,
    ) -> Cow<'_, [i32]> {
        let Some(branch) = self.branch.as_ref().filter(|_| branches) else {
            return Cow::Borrowed(&self.targets);
        };
        let outputs = conv.outputs();
        let present = self.rows.pick(tensors.get(branch.tensor), outputs);
        let steps: Vec<f64> =
            (0..outputs).map(|o| branch.scale / conv.accumulator_scale(scheme, o)).collect();
        let targets = self.targets.iter().zip(branch.codes.iter().zip(&present)).enumerate();
        let targets = targets.map(|(i, (&target, (&exact, &present)))| {
            let missing = (f64::from(exact) - f64::from(present)) * steps[i % outputs];
            // `as` saturates.
            (f64::from(target) + missing).round() as i32
        });
        Cow::Owned(targets.collect())
    }

    /// The rows weight codes are chosen on.
    pub(super) fn descent_rows(&self) -> Rows {
        self.rows.at(&self.places)
    }

    /// The exact accumulators of the windows in [`patches`](Self::patches), `[window][output channel]`.
    pub(super) fn exact_targets(&self) -> &[i32] {
        &self.exact_targets
    }

    /// Of `values`, `[row][channel]`, those of the rows weight codes are chosen on.
    pub(super) fn at_descent_rows(&self, values: &[i32], channels: usize) -> Vec<i32> {
        self.places.iter().flat_map(|&place| &values[place * channels..][..channels]).copied().collect()
    }
}

/// The windows of `rows` in each channel group.
pub(super) fn gather(conv: &QuantizedConv, inputs: &[u8], rows: &Rows) -> Vec<Patches> {
    (0..conv.groups).map(|group| Patches::gather(conv, inputs, rows, group)).collect()
}

/// The shares of activation codes in all taps of all windows.
fn shares(conv: &QuantizedConv, patches: &[Patches]) -> [f64; 256] {
    let mut counts = [0u64; 256];
    let codes = patches.iter().flat_map(|patches| (0..conv.taps()).flat_map(|tap| patches.tap(tap)));
    codes.for_each(|&code| counts[usize::from(code)] += 1);
    let total = counts.iter().sum::<u64>().max(1) as f64;
    counts.map(|count| count as f64 / total)
}

/// The tensor that the result of the layer at place `layer`, which nothing else reads, is added to, if it comes
/// from a layer before.
pub(super) fn branch_of(network: &QuantizedNetwork, layer: usize) -> Option<TensorId> {
    let output = network.layers[layer].output;
    let mut readers = network.layers.iter().filter(|reader| reader.inputs.contains(&output));
    let reader = readers.next()?;
    if readers.next().is_some() || network.output == output {
        return None;
    }
    let QuantizedOp::Fixed(Op::Add(_)) = reader.op else { return None };
    let other = *reader.inputs.iter().find(|&&input| input != output)?;
    let before = &network.layers[..layer];
    (other == network.input || before.iter().any(|layer| layer.output == other)).then_some(other)
}

#[cfg(test)]
mod tests;
