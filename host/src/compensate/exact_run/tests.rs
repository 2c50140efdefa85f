use super::*;
use crate::compensate::testing::{conv, exact_layer, network, scattered};
use crate::compensate::{Compensator, Steps};
use crate::multiplier::{Choice, Library, ProductCache};
use crate::network::Shape;
use skimp_runtime::arithmetic::{AddRescale, CodeRange};
use skimp_runtime::image::{Add, Tensor};

const SIDE: u16 = 3;
const CHANNELS: u16 = 2;

type Layer = (QuantizedOp, Vec<TensorId>, TensorId);

fn conv_layer(input: TensorId, output: TensorId) -> Layer {
    let mut conv = conv(SIDE, 1, 1, CHANNELS, CHANNELS);
    // Results that are mostly positive, so that few are clamped.
    (conv.weights, conv.output_scale) = (vec![200, 140, 150, 100], 20.0);
    (QuantizedOp::Conv2d(Box::new(conv)), vec![input], output)
}

fn add_layer(inputs: [TensorId; 2], output: TensorId) -> Layer {
    let tensor = Tensor { offset: 0, height: SIDE, width: SIDE, channels: CHANNELS };
    let add = Add {
        inputs: [tensor; 2],
        output: tensor,
        rescale: AddRescale { zero_points: [0; 2], factors: [1 << 8; 2], shift: 9 },
        range: CodeRange { zero_point: 0, min: 0, max: 255 },
    };
    (QuantizedOp::Fixed(Op::Add(add)), inputs.to_vec(), output)
}

fn of_layers(layers: Vec<Layer>) -> QuantizedNetwork {
    network(Shape::new(SIDE.into(), SIDE.into(), CHANNELS.into()), layers)
}

#[test]
fn branches_are_what_a_result_is_added_to() {
    for inputs in [[2, 1], [1, 2]] {
        let network =
            of_layers(vec![conv_layer(0, 1), conv_layer(1, 2), add_layer(inputs, 3), conv_layer(3, 4)]);
        // Two layers read tensor 1; a convolution reads 3; nothing reads 4.
        let branches: Vec<_> = [0, 1, 3].map(|layer| branch_of(&network, layer)).into();
        assert_eq!(branches, [None, Some(1), None]);
    }
    let with_image = of_layers(vec![conv_layer(0, 1), add_layer([1, 0], 2)]);
    assert_eq!(branch_of(&with_image, 0), Some(0));
}

#[test]
fn only_what_is_known_by_then_is_a_branch() {
    let network = of_layers(vec![conv_layer(0, 1), conv_layer(0, 2), add_layer([1, 2], 3), conv_layer(3, 4)]);
    assert_eq!((branch_of(&network, 0), branch_of(&network, 1)), (None, Some(1)));
}

#[test]
fn results_that_are_seen_elsewhere_have_no_branch() {
    let layers = || vec![conv_layer(0, 1), conv_layer(1, 2), add_layer([2, 1], 3)];
    assert_eq!(branch_of(&of_layers(layers()), 1), Some(1));
    let mut is_output = of_layers(layers());
    is_output.output = 2;
    assert_eq!(branch_of(&is_output, 1), None);
    let read_twice = of_layers([layers(), vec![conv_layer(2, 4)]].concat());
    assert_eq!(branch_of(&read_twice, 1), None);
    let doubled = of_layers(vec![conv_layer(0, 1), add_layer([1, 1], 2)]);
    assert_eq!(branch_of(&doubled, 0), None);
}

#[test]
fn targets_make_up_for_what_the_branch_lacks() {
    let network = of_layers(vec![conv_layer(0, 1), add_layer([1, 0], 2)]);
    let QuantizedOp::Conv2d(mut conv) = network.layers[0].op.clone() else { unreachable!() };
    // One step of an accumulator: 0.25 and 1.
    (conv.input_scale, conv.weight_scales) = (0.5, vec![0.5, 2.0]);
    let layer = ExactLayer {
        rows: Rows::draw(2, 2, 0),
        targets: vec![100, 200, i32::MAX - 3, -400],
        seen: Vec::new(),
        places: vec![1],
        exact_targets: Vec::new(),
        branch: Some(Branch { tensor: 0, scale: 0.5, codes: vec![10, 20, 255, 40] }),
        patches: Vec::new(),
        shares: [0.0; 256],
    };
    let present: Vec<u8> = [12, 17, 0, 43].into_iter().chain([0; 14]).collect();
    let tensors = LiveTensors::new(&network, &present);
    let with = layer.targets(&conv, Scheme::Unsigned, &tensors, true);
    // -2 * 0.5 / 0.25; 3 * 0.5 / 1, rounded; more than fits; -3 * 0.5 / 1, rounded.
    assert_eq!(with[..], [96, 202, i32::MAX, -402]);
    assert_eq!(layer.at_descent_rows(&with, 2), [i32::MAX, -402]);
    // Twice the accumulators.
    let shifted = layer.targets(&conv, Scheme::SignMagnitude { weight_shift: 1 }, &tensors, true);
    assert_eq!(shifted[..2], [92, 203]);
    assert_eq!(layer.targets(&conv, Scheme::Unsigned, &tensors, false)[..], layer.targets);
    let alone = ExactLayer { branch: None, ..layer };
    assert_eq!(alone.targets(&conv, Scheme::Unsigned, &tensors, true)[..], alone.targets);
}

/// The sum that ends the network is read by no convolution, and its other branch by none after the first.
#[test]
fn a_sum_at_the_end_is_fitted_to_as_well() {
    let network = of_layers(vec![conv_layer(0, 1), conv_layer(1, 2), conv_layer(2, 3), add_layer([3, 1], 4)]);
    assert_eq!(branch_of(&network, 2), Some(1));
    let library = Library::low_bit(false);
    let products = ProductCache::new(&library, network.scheme).unwrap();
    let images: Vec<u8> = (0..5 * 18).map(scattered).collect();
    let crude = Choice::parse(&library, "mul8u_a4w4").unwrap();
    let biases = |steps: &str| {
        let steps: Steps = steps.parse().unwrap();
        let compensator = Compensator::new(&network, &products, steps, &images).unwrap();
        compensator.compensate(&[crude; 3]).unwrap().into_iter().map(|conv| conv.bias).collect::<Vec<_>>()
    };
    let (with, without) = (biases("bias+branches"), biases("bias"));
    assert_eq!(with[..2], without[..2]);
    assert_ne!(with[2], without[2]);
}

#[test]
fn shares_count_all_taps_of_all_windows() {
    let conv = conv(2, 3, 2, 2, 2);
    let codes = [1, 2, 3, 4, 1, 1, 1, 1];
    let layer = exact_layer(&conv, &codes);
    assert_eq!((layer.rows.len(), layer.patches.len()), (4, 2));
    // Each of the four windows has all four pixels and five padded taps, in two channels.
    let total = f64::from(4 * 9 * 2);
    assert_eq!(layer.shares[1], 4.0 * 5.0 / total);
    assert_eq!([2, 3, 4].map(|code| layer.shares[code]), [4.0 / total; 3]);
    assert_eq!(layer.shares[usize::from(conv.input_zero_point)], 4.0 * 10.0 / total);
    assert!((layer.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}
