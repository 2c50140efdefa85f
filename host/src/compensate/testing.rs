//! Layers and tables that tests of several parts begin with.

use super::exact_run::ExactLayer;
use super::live_tensors::LiveTensors;
use crate::emulate::{ApproximateConv, ConvPlan};
use crate::multiplier::{ProductTable, Scheme, TruthTable};
use crate::network::{Shape, TensorId};
use crate::quantize::{QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp, QuantizedTensor};
use skimp_runtime::arithmetic::CodeRange;
use skimp_runtime::image::{OutputKind, Tensor, Window};
use std::sync::Arc;

pub(super) const SCHEMES: [Scheme; 4] = [
    Scheme::Unsigned,
    Scheme::Signed,
    Scheme::SignMagnitude { weight_shift: 0 },
    Scheme::SignMagnitude { weight_shift: 1 },
];

/// The products of a multiplier of the kind that the scheme wants, for activations with zero point 0.
pub(super) fn products(scheme: Scheme, product: impl Fn(i32, i32) -> i32) -> ProductTable {
    let table = TruthTable::from_fn(scheme.wants_signed_table(), product).unwrap();
    ProductTable::new(&table, scheme, false, 0).unwrap()
}

/// Numbers without a pattern.
pub(super) fn scattered(i: usize) -> u8 {
    let mixed = (i as u32 ^ 0x5bd1_e995).wrapping_mul(0x85eb_ca6b);
    let mixed = (mixed ^ mixed >> 13).wrapping_mul(0xc2b2_ae35);
    (mixed ^ mixed >> 16) as u8
}

/// A square convolution that keeps the side of its input.
pub(super) fn conv(side: u16, kernel: u16, groups: usize, channels: u16, outputs: u16) -> QuantizedConv {
    let tensor = |channels: u16| Tensor { offset: 0, height: side, width: side, channels };
    let taps = usize::from(kernel * kernel * channels) / groups;
    QuantizedConv {
        input: tensor(channels),
        output: tensor(outputs),
        window: Window { kernel: [kernel; 2], stride: [1; 2], padding: [kernel / 2; 2] },
        groups,
        input_scale: 0.5,
        input_zero_point: 7,
        weights: (0..usize::from(outputs) * taps).map(scattered).collect(),
        weight_scales: vec![0.5; outputs.into()],
        weight_zero_point: 128,
        bias: vec![0.0; outputs.into()],
        output_scale: 100.0,
        output_kind: OutputKind::Codes(CodeRange { zero_point: 0, min: 0, max: 255 }),
    }
}

/// An unsigned network of tensors of one shape; each layer has its operator, inputs and output. The last output
/// is the network's.
pub(super) fn network(shape: Shape, layers: Vec<(QuantizedOp, Vec<TensorId>, TensorId)>) -> QuantizedNetwork {
    let tensor = |i: usize| QuantizedTensor { name: format!("t{i}"), shape, scale: 0.5, zero_point: 0 };
    let output = layers.last().map_or(0, |layer| layer.2);
    let layers = layers.into_iter().map(|(op, inputs, output)| {
        let name = format!("n{output}");
        QuantizedLayer { name, op, inputs, output }
    });
    let layers: Vec<QuantizedLayer> = layers.collect();
    QuantizedNetwork {
        name: "test".into(),
        scheme: Scheme::Unsigned,
        tensors: (0..=layers.len()).map(tensor).collect(),
        layers,
        input: 0,
        output,
        output_kind: OutputKind::Codes(CodeRange { zero_point: 0, min: 0, max: 255 }),
    }
}

/// The network of `conv` alone and what the exact one has there on `images`.
pub(super) fn exact_layer(conv: &QuantizedConv, images: &[u8]) -> ExactLayer {
    let shape = |t: Tensor| Shape::new(t.height.into(), t.width.into(), t.channels.into());
    let op = QuantizedOp::Conv2d(Box::new(conv.clone()));
    let network = network(shape(conv.input), vec![(op, vec![0], 1)]);
    let exact = Arc::new(products(Scheme::Unsigned, |a, w| a * w));
    let approximate = ApproximateConv::uncompensated(conv, Scheme::Unsigned, exact);
    let tensors = LiveTensors::new(&network, images);
    let mut acc = vec![0; tensors.images() * conv.pixels() * conv.outputs()];
    ConvPlan::new(conv, Scheme::Unsigned, &approximate).unwrap().accumulate(images, &mut acc);
    ExactLayer::new(&network, (0, conv), &approximate, &tensors, &acc)
}
