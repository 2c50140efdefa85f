//! Models in 8 bits, whose floats go through `QuantizeLinear` and `DequantizeLinear` wherever codes stand for them.
//!
//! Real values are what tensors have here, so both operators disappear; what they say of the codes is kept, and from it
//! and the floats the codes are worked out in the end. Activations may be int8 or uint8, weights are symmetric int8.

use super::attributes::{Call, axis};
use super::constant::{Array, Data, Origin, element_count};
use super::graph::{Graph, Value};
use crate::network::{Activation, ConvCodes, Node, Op, OwnCodes, TensorCoding};

/// `DequantizeLinear` of a constant: floats that remember the scales of their codes.
pub(super) fn constant(call: &Call) -> Result<Array, String> {
    let (input, scales) = (call.required(0)?, call.required(1)?.floats()?);
    if call.int("block_size", 0)? != 0 {
        return Err("scales of blocks are not supported".into());
    }
    let codes = input.ints()?;
    let (along, side, inner) = match scales.len() {
        1 => (0, 1, 1),
        count => {
            let along = axis(call.int("axis", 1)?, input.dims.len())?;
            if input.dims[along] != count {
                return Err(format!("has {count} scales for a constant of {:?}", input.dims));
            }
            (along, count, element_count(&input.dims[along + 1..]).unwrap_or(1).max(1))
        }
    };
    let zero_points = match call.constant(2)? {
        None => vec![0; scales.len()],
        Some(array) => array.ints()?.to_vec(),
    };
    if zero_points.len() != scales.len() {
        return Err(format!("has {} zero points for {} scales", zero_points.len(), scales.len()));
    }
    if let Some(scale) = scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
        return Err(format!("has a scale of {scale}"));
    }
    let value = |(i, &code): (usize, &i64)| {
        let channel = i / inner % side;
        (code.saturating_sub(zero_points[channel]) as f64 * f64::from(scales[channel])) as f32
    };
    let values = codes.iter().enumerate().map(value).collect();
    let mut array = Array::new(input.dims.clone(), Data::Floats(values))?;
    if zero_points.iter().all(|&zero_point| zero_point == 0) {
        array.origin = Origin::Codes { scales: scales.to_vec(), axis: along };
    }
    Ok(array)
}

/// Scale and zero point that `call` says its codes have.
fn coding(call: &Call) -> Result<TensorCoding, String> {
    let scale = call.required(1)?.scalar()?;
    if !(scale.is_finite() && scale > 0.0) {
        return Err(format!("has a scale of {scale}"));
    }
    let (zero_point, signed) = match call.constant(2)? {
        None => (0, false),
        Some(array) => match (array.ints()?, &array.origin) {
            (&[zero_point], origin) => (zero_point, *origin != Origin::Uint8),
            (list, _) => return Err(format!("has {} zero points instead of one", list.len())),
        },
    };
    // u8 codes are the same codes, 128 higher.
    let zero_point = if signed { zero_point } else { zero_point.saturating_sub(128) };
    let zero_point = zero_point.try_into().map_err(|_| "has a zero point of more than 8 bits")?;
    Ok(TensorCoding { scale: scale.into(), zero_point })
}

/// `QuantizeLinear` of an image.
pub(super) fn quantize(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let to = coding(call)?;
    match graph.codings[image.id] {
        None => graph.codings[image.id] = Some(to),
        // At the end a softmax may have been dropped, whose result this codes.
        Some(from) if from == to || call.is_last => {}
        Some(_) => {
            let op = Op::Activation(Activation::Identity);
            let value = graph.push(call, op, &[image], graph.shape(image), image.layout)?;
            if let Some(last) = graph.codings.last_mut() {
                *last = Some(to);
            }
            return Ok(value);
        }
    }
    Ok(Value::Image(image))
}

/// `DequantizeLinear` of an image.
pub(super) fn dequantize(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    let from = coding(call)?;
    match *graph.codings[image.id].get_or_insert(from) {
        same if same == from || call.is_last => Ok(Value::Image(image)),
        _ => Err("takes codes for other values than they were made of".into()),
    }
}

/// The scale of each of `outputs` channels along `axis` of weights that came in 8 bits.
pub(super) fn channel_scales(weights: &Array, channels: usize, outputs: usize) -> Option<Vec<f64>> {
    match &weights.origin {
        Origin::Codes { scales, .. } if scales.len() == 1 => Some(vec![scales[0].into(); outputs]),
        Origin::Codes { scales, axis } if *axis == channels && scales.len() == outputs => {
            Some(scales.iter().map(|&scale| scale.into()).collect())
        }
        _ => None,
    }
}

/// The codes of the whole network, if there are any for all of it: all tensors coded, all weights symmetric codes, all
/// biases whole steps (of less than 22 bits, which is what their floats tell).
pub(super) fn own_codes(graph: &Graph) -> Option<OwnCodes> {
    let mut tensors = graph.codings.clone();
    for node in graph.nodes.iter().filter(|node| node.op.copies_elements()) {
        let from = tensors[node.inputs[0]];
        match tensors[node.output] {
            None => tensors[node.output] = from,
            to if to == from => {}
            Some(_) => return None,
        }
    }
    let tensors: Vec<TensorCoding> = tensors.into_iter().collect::<Option<_>>()?;
    let convs = graph.nodes.iter().zip(&graph.weight_scales).map(|(node, scales)| match node.op {
        Op::Conv2d(_) => Some(Some(conv_codes(node, scales.as_ref()?, tensors[node.inputs[0]].scale)?)),
        _ => Some(None),
    });
    let convs = convs.collect::<Option<_>>()?;
    Some(OwnCodes { tensors, convs })
}

fn conv_codes(node: &Node, scales: &[f64], input_scale: f64) -> Option<ConvCodes> {
    let Op::Conv2d(conv) = &node.op else { return None };
    let taps = conv.weights.len() / scales.len().max(1);
    let whole = |steps: f64| Some(steps.round()).filter(|code| (code - steps).abs() < 0.25);
    let weight = |(i, &weight): (usize, &f32)| {
        whole(f64::from(weight) / scales[i / taps]).filter(|code| code.abs() <= 128.0).map(|code| code as i8)
    };
    let bias = |(&bias, scale): (&f32, &f64)| {
        let code = whole(f64::from(bias) / (input_scale * scale))?;
        (code.abs() < f64::from(1 << 22)).then_some(code as i32)
    };
    Some(ConvCodes {
        weights: conv.weights.iter().enumerate().map(weight).collect::<Option<_>>()?,
        weight_scales: scales.to_vec(),
        bias: conv.bias.iter().zip(scales).map(bias).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::from_bytes;
    use super::super::testing::{Attr, Model};
    use super::*;
    use crate::network::{Network, Shape};
    use rten_onnx::onnx::DataType;

    const WEIGHTS: [i8; 8] = [1, -2, 3, -128, 5, 127, -7, 0];

    /// Codes to a convolution of 1x1 and one of two pixels, each in the order of exporters; the last coded, after a softmax.
    fn model(input: DataType, weights: &[i8], zero_point: i8) -> Model {
        Model::new(&[1, 1, 2, 2])
            .taking(input)
            .floats("s", &[], &[0.5])
            .codes("z", input, &[], &[5])
            .node("Transpose", &["x"], "t", &[("perm", Attr::Ints(&[0, 3, 1, 2]))])
            .node("DequantizeLinear", &["t", "s", "z"], "xf", &[])
            .codes("w", DataType::INT8, &[2, 2, 1, 2], weights)
            .floats("ws", &[2], &[0.25, 2.0])
            .codes("wz", DataType::INT8, &[2], &[zero_point; 2])
            .node("DequantizeLinear", &["w", "ws", "wz"], "wf", &[("axis", Attr::Int(0))])
            .ints("b", &[1000, -7])
            .floats("bs", &[2], &[0.125, 1.0])
            .node("DequantizeLinear", &["b", "bs"], "bf", &[("axis", Attr::Int(0))])
            .node("Conv", &["xf", "wf", "bf"], "y", &[])
            .node("Relu", &["y"], "r", &[])
            .floats("rs", &[], &[3.0])
            .codes("rz", DataType::INT8, &[], &[-128])
            .node("QuantizeLinear", &["r", "rs", "rz"], "q", &[])
            .node("DequantizeLinear", &["q", "rs", "rz"], "d", &[])
            .node("Flatten", &["d"], "f", &[])
            .node("Softmax", &["f"], "soft", &[])
            .codes("sz", DataType::INT8, &[], &[-128])
            .floats("ss", &[], &[0.00390625])
            .node("QuantizeLinear", &["soft", "ss", "sz"], "out", &[])
    }

    fn import(model: Model) -> Network {
        from_bytes(&model.bytes("out"), "test").unwrap()
    }

    #[test]
    fn codes_and_scales_are_kept_and_the_operators_gone() {
        for (kind, zero_point) in [(DataType::INT8, 5), (DataType::UINT8, -123)] {
            let network = import(model(kind, &WEIGHTS, 0));
            assert_eq!(network.nodes.len(), 1, "{:?}", network.nodes);
            assert_eq!(network.tensors[network.input].shape, Shape::new(1, 2, 2));
            let own = network.own_codes.unwrap();
            let coding = |scale, zero_point| TensorCoding { scale, zero_point };
            assert_eq!(own.tensors, [coding(0.5, zero_point), coding(3.0, -128)]);
            let codes = own.convs[0].as_ref().unwrap();
            // From [o][i][kh][kw] to [o][kh][kw][i].
            assert_eq!(codes.weights, [1, 3, -2, -128, 5, -7, 127, 0]);
            assert_eq!(
                (codes.weight_scales.as_slice(), codes.bias.as_slice()),
                (&[0.25, 2.0][..], &[1000, -7][..])
            );
        }
    }

    #[test]
    fn what_is_not_symmetric_comes_in_as_floats_alone() {
        let network = import(model(DataType::INT8, &WEIGHTS, 1));
        let Op::Conv2d(conv) = &network.nodes[0].op else { panic!("no convolution") };
        assert_eq!((conv.weights[3], network.own_codes.is_none()), (-129.0 * 0.25, true));
    }

    #[test]
    fn codes_without_a_scale_are_refused() {
        let bare = Model::new(&[1, 2]).taking(DataType::INT8).node("Relu", &["x"], "out", &[]);
        let message = from_bytes(&bare.bytes("out"), "test").unwrap_err().to_string();
        assert!(message.contains("no DequantizeLinear"), "{message}");
        let scaled = |scale: f32| {
            let model =
                Model::new(&[1, 2]).floats("s", &[], &[scale]).node("QuantizeLinear", &["x", "s"], "q", &[]);
            from_bytes(&model.node("Relu", &["q"], "out", &[]).bytes("out"), "test")
        };
        assert!(scaled(f32::NAN).unwrap_err().to_string().contains("a scale of NaN"));
        assert_eq!(scaled(0.5).unwrap().name, "test");
    }
}
