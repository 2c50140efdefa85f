//! Additions, activations, and operators that change nothing.

use super::attributes::{Call, axis};
use super::dense;
use super::graph::{Graph, Image, Value};
use crate::network::{Activation, Op};
use rten_onnx::onnx::DataType;

/// `Add` of two images of equal shape, or of a bias.
pub(super) fn add(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let [a, b] = match call.inputs.as_slice() {
        [Some(Value::Image(a)), Some(Value::Image(b))] => [*a, *b],
        [Some(Value::Image(image)), Some(Value::Constant(bias))]
        | [Some(Value::Constant(bias)), Some(Value::Image(image))] => {
            return dense::add_bias(graph, call, *image, bias);
        }
        _ => return Err("does not have two inputs".into()),
    };
    if a.layout != b.layout || graph.shape(a) != graph.shape(b) {
        return Err(format!(
            "adds tensors of different shapes, {:?} and {:?}, which is not supported",
            graph.dims(a),
            graph.dims(b)
        ));
    }
    graph.push(call, Op::Add(Activation::Identity), &[a, b], graph.shape(a), a.layout)
}

/// `Relu`.
pub(super) fn relu(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    activation(graph, call, Activation::Relu)
}

/// `Clip` with constant bounds, given as attributes (before version 11) or as inputs.
pub(super) fn clip(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let bound = |name: &str, i: usize, default: f32| match (call.float(name)?, call.constant(i)?) {
        (Some(bound), _) => Ok(bound),
        (None, Some(array)) => array.scalar(),
        (None, None) => Ok(default),
    };
    let min = bound("min", 1, f32::NEG_INFINITY)?;
    let max = bound("max", 2, f32::INFINITY)?;
    // Exporters write "no bound" as the largest float too.
    match (min, max >= f32::MAX) {
        _ if min.is_nan() || max.is_nan() || min > max => Err(format!("bounds {min} to {max} are no range")),
        (0.0, true) => activation(graph, call, Activation::Relu),
        (..=f32::MIN, true) => call.image(0).map(Value::Image),
        _ => activation(graph, call, Activation::Clip { min, max }),
    }
}

/// Puts `activation` into the layer before it if nothing else reads that layer's result.
fn activation(graph: &mut Graph, call: &Call, activation: Activation) -> Result<Value, String> {
    let image = call.image(0)?;
    let fused = match graph.exclusive(image) {
        Some(Op::Conv2d(conv)) => Some(&mut conv.activation),
        Some(Op::Add(activation)) => Some(activation),
        _ => None,
    };
    match fused {
        Some(slot) if *slot == Activation::Identity => {
            *slot = activation;
            Ok(graph.renamed(call, image))
        }
        _ => graph.push(call, Op::Activation(activation), &[image], graph.shape(image), image.layout),
    }
}

/// `Cast` of an image, which must stay float.
pub(super) fn cast(call: &Call) -> Result<Value, String> {
    match call.int("to", 0)? {
        to if to == i64::from(DataType::FLOAT.0) => call.image(0).map(Value::Image),
        to => Err(format!("casts the image to type {}; only FLOAT is supported", DataType(to as i32))),
    }
}

/// `Dropout`, which does nothing at inference.
pub(super) fn dropout(call: &Call) -> Result<Value, String> {
    match call.constant(2)?.map(|mode| mode.ints()).transpose()? {
        Some([0]) | None => call.image(0).map(Value::Image),
        Some(_) => Err("is in training mode; export the model for inference".into()),
    }
}

/// `Softmax` at the very end: dropped, since it does not change which logit is the largest.
pub(super) fn softmax(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image: Image = call.image(0)?;
    if !call.is_last {
        return Err("is supported as the model's last node only".into());
    }
    let axes = image.layout.axes()?;
    // Before version 13 the default was 1, since then it is -1: the same axis of two dimensions.
    let along = axis(call.int("axis", if axes.len() == 2 { -1 } else { 1 })?, axes.len())?;
    let shape = graph.shape(image);
    if axes[along] != Some(2) || shape.height * shape.width != 1 {
        return Err("is supported over the channels of one pixel only".into());
    }
    Ok(Value::Image(image))
}
