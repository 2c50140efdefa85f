//! Compensation as its definition reads: every image through every layer, sums of integers, every code tried.
//!
//! Each layer is judged behind the layers that the judged network really has, so that one doubtful decision does
//! not excuse all that follow. Two kinds of decisions are doubtful, because floats make them: which of two codes is
//! better where descent gains less than their rounding, and which way a coefficient is rounded that lies halfway.
//! A channel with none of them has to be met exactly; one with some must not be worse than before, and
//! [`Tally`] tells how many there are and how they compare.

mod descent;
mod fits;
mod layer;
mod libraries;

pub use libraries::random_library;

use layer::Layer;
use skimp::compensate::Steps;
use skimp::emulate::{ApproximateConv, oracle, run_fixed};
use skimp::multiplier::{Choice, ProductCache};
use skimp::quantize::{QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp};
use skimp_runtime::arithmetic::requantize;
use skimp_runtime::image::OutputKind;

/// By tensor and image.
type Tensors = Vec<Vec<Vec<u8>>>;

/// What was judged.
#[derive(Debug, Default)]
pub struct Tally {
    /// Channels that had to end with the oracle's weights.
    pub clear: usize,
    /// The others.
    pub doubtful: usize,
    /// Of the doubtful ones the sums of what was left of the variances in proportion to what there was: by the
    /// oracle, and as judged.
    pub left: [f64; 2],
    /// Weights that descent changed.
    pub descended: usize,
    /// Channels whose scale was free and which came nearer to their targets.
    pub scaled: usize,
    /// Coefficients of activation sums.
    pub coefficients: usize,
    /// Channels with results that count several times.
    pub repeated: usize,
    /// Layers with another branch.
    pub branches: usize,
}

/// The exact network on the calibration images.
pub struct Oracle<'a> {
    network: &'a QuantizedNetwork,
    products: &'a ProductCache<'a>,
    exact: Choice,
    tensors: Tensors,
    /// By convolution.
    accumulators: Vec<Vec<i64>>,
}

impl<'a> Oracle<'a> {
    pub fn new(network: &'a QuantizedNetwork, products: &'a ProductCache<'a>, images: &[u8]) -> Oracle<'a> {
        let exact = Choice::exact(products.library());
        let mut oracle = Oracle { network, products, exact, tensors: Vec::new(), accumulators: Vec::new() };
        let (mut tensors, mut accumulators) = (oracle.start(images), Vec::new());
        for layer in &network.layers {
            if let QuantizedOp::Conv2d(conv) = &layer.op {
                let approximate = oracle.uncompensated(conv, exact);
                accumulators.push(oracle.accumulate(conv, exact, &approximate, &tensors[layer.inputs[0]]));
                oracle.run(layer, Some((exact, &approximate)), &mut tensors);
            } else {
                oracle.run(layer, None, &mut tensors);
            }
        }
        (oracle.tensors, oracle.accumulators) = (tensors, accumulators);
        oracle
    }

    /// Judges what was made of `assignment`.
    pub fn judge(
        &self,
        steps: Steps,
        assignment: &[Choice],
        got: &[ApproximateConv],
        tally: &mut Tally,
        place: &str,
    ) {
        assert_eq!(got.len(), assignment.len(), "{place}");
        let images: Vec<u8> = self.tensors[self.network.input].concat();
        let mut tensors = self.start(&images);
        let mut convs = 0;
        for (index, layer) in self.network.layers.iter().enumerate() {
            if let QuantizedOp::Conv2d(conv) = &layer.op {
                let layer = Layer {
                    oracle: self,
                    index,
                    place: convs,
                    conv,
                    choice: assignment[convs],
                    inputs: &tensors[layer.inputs[0]],
                    fits: assignment[..=convs].iter().any(|&choice| choice != self.exact),
                    name: format!("{place}, layer {convs}"),
                };
                layer.judge(steps, &got[convs], &tensors, tally);
                convs += 1;
            }
            let conv = convs.checked_sub(1).map(|i| (assignment[i], &got[i]));
            self.run(layer, conv, &mut tensors);
        }
    }

    fn start(&self, images: &[u8]) -> Tensors {
        let mut tensors = vec![Vec::new(); self.network.tensors.len()];
        let size = self.network.tensors[self.network.input].shape.elements();
        tensors[self.network.input] = images.chunks_exact(size).map(<[u8]>::to_vec).collect();
        tensors
    }

    fn uncompensated(&self, conv: &QuantizedConv, choice: Choice) -> ApproximateConv {
        let products = self.products.get(choice, conv.input_zero_point).unwrap();
        ApproximateConv::uncompensated(conv, self.network.scheme, products)
    }

    /// `[image][pixel][output channel]`.
    fn accumulate(
        &self,
        conv: &QuantizedConv,
        choice: Choice,
        approximate: &ApproximateConv,
        inputs: &[Vec<u8>],
    ) -> Vec<i64> {
        let table = &self.products.library().multipliers()[choice.multiplier].table;
        let multiplier = oracle::Use { table, swapped: choice.swapped };
        let scheme = self.network.scheme;
        inputs.iter().flat_map(|i| oracle::accumulate(conv, scheme, multiplier, approximate, i)).collect()
    }

    /// Runs a layer on all images, the last convolution so far being `conv`.
    fn run(
        &self,
        layer: &QuantizedLayer,
        approximate: Option<(Choice, &ApproximateConv)>,
        tensors: &mut Tensors,
    ) {
        let inputs = &tensors[layer.inputs[0]];
        tensors[layer.output] = match (&layer.op, approximate) {
            (QuantizedOp::Conv2d(conv), Some((choice, approximate))) => {
                let acc = self.accumulate(conv, choice, approximate, inputs);
                let code = |(i, &acc): (usize, &i64)| {
                    let (m, r) = approximate.requantization[i % conv.outputs()];
                    match conv.output_kind {
                        OutputKind::Codes(range) => range.code(requantize(acc as i32, m, r)),
                        OutputKind::Logits => 0,
                    }
                };
                let images = acc.chunks_exact(conv.pixels() * conv.outputs());
                images.map(|acc| acc.iter().enumerate().map(code).collect()).collect()
            }
            (QuantizedOp::Conv2d(_), None) => unreachable!("a convolution without a multiplier"),
            (QuantizedOp::Fixed(op), _) => {
                let run = |(image, input): (usize, &Vec<u8>)| {
                    let second = layer.inputs.get(1).map_or(&[][..], |&id| &tensors[id][image]);
                    let mut output = vec![0; self.network.tensors[layer.output].shape.elements()];
                    run_fixed(op, input, second, &mut output);
                    output
                };
                inputs.iter().enumerate().map(run).collect()
            }
        };
    }
}
