//! The codes that a model in 8 bits came in, kept.

use super::weights::WeightCodes;
use super::{RangeMethod, activations};
use crate::multiplier::Scheme;
use crate::network::{ConvCodes, Network, OwnCodes};

impl RangeMethod {
    /// What is done unless a method is asked for: a model's own scales are kept where it has any and `scheme` can use
    /// them, else ranges are measured.
    pub fn default_for(network: &Network, scheme: Scheme) -> RangeMethod {
        match own_codes(network, scheme) {
            Ok(_) => RangeMethod::Model,
            Err(_) => RangeMethod::MinMax,
        }
    }
}

/// The codes that `network` came in, if `scheme` can compute with them; if not, why, and what can be done.
///
/// Stored codes are the model's i8 codes plus 128. The signed scheme's operands are the model's own codes then, the
/// unsigned one's are 128 more, with weights' zero point at 128; zero points of activations may be any in both, as
/// their part of the sum is folded into biases. Sign-magnitude has no such part and takes what is symmetric or never
/// negative.
pub(super) fn own_codes(network: &Network, scheme: Scheme) -> Result<&OwnCodes, String> {
    let name = &network.name;
    let Some(own) = &network.own_codes else {
        return Err(format!(
            "{name} did not come in 8 bits, so it has no scales of its own; measure ranges with --range minmax"
        ));
    };
    if let Scheme::SignMagnitude { .. } = scheme {
        let read = activations::read_by_convs(network);
        let unfit = (0..read.len()).find(|&id| read[id] && !matches!(own.tensors[id].zero_point, -128 | 0));
        if let Some(id) = unfit {
            return Err(format!(
                "{name}: tensor \"{}\" has the zero point {}; the {scheme} scheme needs -128 (nothing is negative) or 0 \
                 (symmetric): use --scheme signed, or measure ranges with --range minmax",
                network.tensors[id].name, own.tensors[id].zero_point
            ));
        }
        if own.convs.iter().flatten().any(|conv| conv.weights.contains(&i8::MIN)) {
            return Err(format!(
                "{name} has a weight code of -128, which the {scheme} scheme can't take: use --scheme signed, or \
                 measure ranges with --range minmax"
            ));
        }
    }
    Ok(own)
}

/// The weights' codes as `scheme` stores them.
pub(super) fn weights(codes: &ConvCodes, scheme: Scheme) -> WeightCodes {
    let zero_point = if scheme == Scheme::Unsigned { 128 } else { 0 };
    WeightCodes {
        codes: codes.weights.iter().map(|&code| code as u8 ^ zero_point).collect(),
        scales: codes.weight_scales.clone(),
        zero_point,
    }
}

/// The biases in real values: so many steps of the accumulator's.
pub(super) fn bias(codes: &ConvCodes, input_scale: f64) -> Vec<f64> {
    let steps = codes.weight_scales.iter().map(|scale| input_scale * scale);
    codes.bias.iter().zip(steps).map(|(&code, step)| f64::from(code) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulate::ApproximateConv;
    use crate::multiplier::{ProductTable, TruthTable};
    use crate::network::{Activation, Conv2d, FloatNetwork, Node, Op, Shape, Tensor, TensorCoding, Window};
    use crate::quantize::{Calibration, QuantizedConv, QuantizedNetwork, QuantizedOp, quantize};
    use std::sync::Arc;

    const WEIGHTS: [i8; 6] = [-128, -1, 0, 1, 77, 127];
    const BIAS: [i32; 2] = [(1 << 30) + 1, -3];

    /// A dense layer whose codes can't be had from its floats: its scales are not those of its largest weights, and a
    /// bias has more bits than a float.
    fn network(input_zero_point: i8) -> Network {
        let scales = [0.013f32, 0.7];
        let weight = |(i, &code): (usize, &i8)| f32::from(code) * scales[i / 3];
        let conv = Conv2d {
            window: Window::global(1, 1),
            groups: 1,
            weights: WEIGHTS.iter().enumerate().map(weight).collect(),
            bias: BIAS.iter().zip(scales).map(|(&code, scale)| code as f32 * 0.3 * scale).collect(),
            activation: Activation::Relu,
        };
        let tensor = |name: &str, channels| Tensor { name: name.into(), shape: Shape::new(1, 1, channels) };
        let own = OwnCodes {
            tensors: vec![
                TensorCoding { scale: f64::from(0.3f32), zero_point: input_zero_point },
                TensorCoding { scale: 0.1, zero_point: -100 },
            ],
            convs: vec![Some(ConvCodes {
                weights: WEIGHTS.to_vec(),
                weight_scales: scales.map(f64::from).to_vec(),
                bias: BIAS.to_vec(),
            })],
        };
        Network {
            name: "net".into(),
            tensors: vec![tensor("in", 3), tensor("out", 2)],
            nodes: vec![Node { name: "dense".into(), op: Op::Conv2d(conv), inputs: vec![0], output: 1 }],
            input: 0,
            output: 1,
            own_codes: Some(own),
        }
    }

    fn quantized(network: &Network, method: RangeMethod, scheme: Scheme) -> Result<QuantizedNetwork, String> {
        let runner = FloatNetwork::new(network).unwrap();
        let calibration = Calibration::measure(&runner, 1, |_, image| image.fill(1.0)).unwrap();
        quantize(network, &calibration, method, scheme).map_err(|error| error.to_string())
    }

    fn conv(network: &QuantizedNetwork) -> &QuantizedConv {
        let QuantizedOp::Conv2d(conv) = &network.layers[0].op else { panic!("no convolution") };
        conv
    }

    #[test]
    fn codes_are_the_model_s_own_and_sums_are_exact_for_any_zero_point() {
        for (scheme, high_bit) in [(Scheme::Signed, 0), (Scheme::Unsigned, 0x80)] {
            for zero_point in [-128i8, -5, 0, 83, 127] {
                let network = quantized(&network(zero_point), RangeMethod::Model, scheme).unwrap();
                let conv = conv(&network);
                assert_eq!(conv.weights, WEIGHTS.map(|code| code as u8 ^ high_bit));
                assert_eq!(i32::from(conv.input_zero_point), i32::from(zero_point) + 128);
                assert_eq!(network.tensors[1].zero_point, 28);
                let table = TruthTable::exact(scheme.wants_signed_table());
                let products = ProductTable::new(&table, scheme, false, conv.input_zero_point).unwrap();
                let own = ApproximateConv::uncompensated(conv, scheme, Arc::new(products));
                assert_eq!(own.bias, BIAS.map(i64::from));
                let folded = own.fold(conv, scheme).unwrap();
                let codes: [i8; 3] = [-128, 3, 127];
                for o in 0..2 {
                    let stored = codes.map(|code| code as u8 ^ 0x80);
                    let sum: i32 = (0..3)
                        .map(|k| {
                            own.products.row(conv.weights[3 * o + k])[usize::from(stored[k])]
                                + own.operand_sum[o] * i32::from(stored[k])
                        })
                        .sum();
                    let expected: i32 = (0..3)
                        .map(|k| {
                            (i32::from(codes[k]) - i32::from(zero_point)) * i32::from(WEIGHTS[3 * o + k])
                        })
                        .sum();
                    assert_eq!(folded[o].wrapping_add(sum), BIAS[o] + expected, "{scheme} {zero_point} {o}");
                }
            }
        }
    }

    #[test]
    fn sign_magnitude_takes_what_it_can_and_says_what_not() {
        let scheme = Scheme::default();
        let message = quantized(&network(-128), RangeMethod::Model, scheme).unwrap_err();
        assert!(message.contains("weight code of -128"), "{message}");
        let mut narrow = network(-128);
        let own = narrow.own_codes.as_mut().unwrap();
        own.convs[0].as_mut().unwrap().weights[0] = -127;
        assert_eq!(RangeMethod::default_for(&narrow, scheme), RangeMethod::Model);
        let kept = quantized(&narrow, RangeMethod::Model, scheme).unwrap();
        assert_eq!((kept.tensors[0].zero_point, conv(&kept).weights[0] as i8), (0, -127));
        narrow.own_codes.as_mut().unwrap().tensors[0].zero_point = 83;
        assert_eq!(RangeMethod::default_for(&narrow, scheme), RangeMethod::MinMax);
        let message = quantized(&narrow, RangeMethod::Model, scheme).unwrap_err();
        assert!(
            message.contains("\"in\" has the zero point 83") && message.contains("--scheme signed"),
            "{message}"
        );
    }

    #[test]
    fn a_model_in_floats_has_nothing_to_keep() {
        let mut float = network(0);
        float.own_codes = None;
        assert_eq!(RangeMethod::default_for(&float, Scheme::Signed), RangeMethod::MinMax);
        let message = quantized(&float, RangeMethod::Model, Scheme::Signed).unwrap_err();
        assert!(message.contains("no scales of its own") && message.contains("--range minmax"), "{message}");
    }

    #[test]
    fn the_input_s_codes_do_not_depend_on_how_ranges_are_chosen() {
        let network = network(83);
        let input = |method, scheme| {
            let tensor = &quantized(&network, method, scheme).unwrap().tensors[0];
            (tensor.scale, tensor.zero_point)
        };
        let kept = input(RangeMethod::Model, Scheme::Signed);
        assert_eq!(kept, (f64::from(0.3f32), 211));
        assert_eq!(
            [input(RangeMethod::MinMax, Scheme::Signed), input(RangeMethod::Mse, Scheme::Unsigned)],
            [kept; 2]
        );
        assert_eq!(input(RangeMethod::MinMax, Scheme::default()).1, 0);
    }
}
