//! The operands that a layer's multiplier is counted to see are those of every single multiplication, on random
//! networks under every scheme.

// A random case has more than its network, for other tests.
#[allow(dead_code)]
mod common;

use common::random::case;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::compensate::LayerDistribution;
use skimp::emulate::{ApproximateConv, ConvPlan, run_fixed};
use skimp::multiplier::{CodeDistribution, ProductTable, Scheme, TruthTable};
use skimp::quantize::{QuantizedConv, QuantizedNetwork, QuantizedOp};
use skimp_runtime::image::OutputKind;
use std::sync::Arc;

const SEEDS: std::ops::Range<u64> = 0..60;

/// Counts one image's multiplications one by one.
fn count(conv: &QuantizedConv, input: &[u8], codes: &mut CodeDistribution) {
    let [kernel, stride, padding] =
        [conv.window.kernel, conv.window.stride, conv.window.padding].map(|sides| sides.map(i32::from));
    let [height, width, channels] = [conv.input.height, conv.input.width, conv.input.channels].map(i32::from);
    let group_channels = channels / conv.groups as i32;
    for pixel in 0..conv.pixels() as i32 {
        let (row, column) = (pixel / i32::from(conv.output.width), pixel % i32::from(conv.output.width));
        for o in 0..conv.outputs() {
            let group = (o * conv.groups / conv.outputs()) as i32;
            for (tap, &weight) in conv.weights[o * conv.taps()..][..conv.taps()].iter().enumerate() {
                if weight == 0 && matches!(codes.scheme, Scheme::SignMagnitude { .. }) {
                    continue;
                }
                let (place, c) = (tap as i32 / group_channels, tap as i32 % group_channels);
                let y = row * stride[0] + place / kernel[1] - padding[0];
                let x = column * stride[1] + place % kernel[1] - padding[1];
                let inside = y >= 0 && y < height && x >= 0 && x < width;
                let at = (y * width + x) * channels + group * group_channels + c;
                let code = if inside { input[at as usize] } else { conv.input_zero_point };
                codes.activation[usize::from(code)] += 1;
                codes.weight[usize::from(weight)] += 1;
            }
        }
    }
}

/// What one image's multiplications are, by layer, one image and one multiplication at a time.
fn counted(network: &QuantizedNetwork, input: &[u8], layers: &mut Vec<CodeDistribution>) {
    let scheme = network.scheme;
    let table = TruthTable::exact(scheme.wants_signed_table());
    let mut tensors: Vec<Vec<u8>> = vec![Vec::new(); network.tensors.len()];
    tensors[network.input] = input.to_vec();
    let mut index = 0;
    for layer in &network.layers {
        let first = &tensors[layer.inputs[0]];
        let mut output = vec![0; network.tensors[layer.output].shape.elements()];
        match &layer.op {
            QuantizedOp::Conv2d(conv) => {
                if layers.len() == index {
                    layers.push(CodeDistribution::new(scheme, conv.input_zero_point));
                }
                count(conv, first, &mut layers[index]);
                index += 1;
                let products = ProductTable::new(&table, scheme, false, conv.input_zero_point).unwrap();
                let exact = ApproximateConv::uncompensated(conv, scheme, Arc::new(products));
                if conv.output_kind != OutputKind::Logits {
                    ConvPlan::new(conv, scheme, &exact).unwrap().codes(first, &mut output);
                }
            }
            QuantizedOp::Fixed(op) => {
                let second = layer.inputs.get(1).map_or(&[][..], |&id| &tensors[id]);
                run_fixed(op, first, second, &mut output);
            }
        }
        tensors[layer.output] = output;
    }
}

#[test]
fn every_multiplication_is_counted_with_its_operands() {
    let mut schemes = std::collections::HashSet::new();
    for seed in SEEDS {
        let network = case(seed).network;
        schemes.insert(network.scheme);
        let each = network.tensors[network.input].shape.elements();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // More images than are held at a time, where they are small.
        let images = if seed % 10 == 0 { 70 } else { 3 };
        let inputs: Vec<u8> = (0..images * each).map(|_| rng.random()).collect();
        let mut expected = Vec::new();
        inputs.chunks_exact(each).for_each(|image| counted(&network, image, &mut expected));
        let measured = LayerDistribution::measure(&network, &inputs).unwrap();
        assert_eq!(measured.len(), expected.len());
        for (index, (measured, expected)) in measured.iter().zip(&expected).enumerate() {
            let (layer, conv) = network.convs().nth(index).unwrap();
            assert_eq!((measured.index, &measured.layer), (index, &layer.name));
            assert_eq!(measured.codes, *expected, "seed {seed}, layer {index}");
            let operands = measured.operands();
            assert_eq!(operands.weight.iter().sum::<u64>(), operands.multiplications());
            if !matches!(network.scheme, Scheme::SignMagnitude { .. }) {
                assert_eq!(operands.multiplications(), conv.multiplications() * images as u64);
            }
            let alone = LayerDistribution::measure_one(&network, &inputs, index).unwrap();
            assert_eq!(alone, *measured);
        }
    }
    assert_eq!(schemes.len(), 4, "every scheme was met");
}

#[test]
fn missing_images_and_layers_are_refused() {
    let network = case(1).network;
    let each = network.tensors[network.input].shape.elements();
    for codes in [0, each + 1] {
        let message = LayerDistribution::measure(&network, &vec![0; codes]).unwrap_err().to_string();
        assert!(message.contains("whole images") && message.contains(&codes.to_string()), "{message}");
    }
    let layers = network.convs().count();
    for index in [layers, usize::MAX] {
        let refused = LayerDistribution::measure_one(&network, &vec![0; each], index).unwrap_err();
        assert!(refused.to_string().contains(&format!("none of index {index}")), "{refused}");
    }
}
