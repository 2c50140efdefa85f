//! Dense layers, which the network has as 1x1 convolutions over one pixel.

use super::attributes::Call;
use super::constant::Array;
use super::graph::{Graph, Image, Layout, Value};
use super::quantized::channel_scales;
use crate::network::{Activation, Conv2d, Op, Shape, Window};

/// `Gemm` with constant weights.
pub(super) fn gemm(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    if call.int("transA", 0)? != 0 {
        return Err("transA is not supported".into());
    }
    let transposed = call.int("transB", 0)? != 0;
    let alpha = call.float("alpha")?.unwrap_or(1.0);
    let beta = call.float("beta")?.unwrap_or(1.0);
    let bias = call.constant(2)?;
    dense(graph, call, transposed, alpha, bias.map(|bias| (bias, beta)))
}

/// `MatMul` with constant weights on the right.
pub(super) fn mat_mul(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    dense(graph, call, false, 1.0, None)
}

/// `alpha * input * weights + beta * bias`.
fn dense(
    graph: &mut Graph,
    call: &Call,
    transposed: bool,
    alpha: f32,
    bias: Option<(&Array, f32)>,
) -> Result<Value, String> {
    let image = call.image(0)?;
    let Layout::Flat { from } = image.layout else {
        return Err("input must have two dimensions: put a Flatten before it".into());
    };
    let weights = call.required(1)?;
    let inputs = from.elements();
    let outputs = match (weights.dims.as_slice(), transposed) {
        (&[outputs, features], true) | (&[features, outputs], false) if features == inputs => outputs,
        (dims, _) => return Err(format!("weights of {dims:?} do not fit {inputs} input features")),
    };
    graph.spend(weights.len())?;
    let scales = channel_scales(weights, if transposed { 0 } else { 1 }, outputs).filter(|_| alpha == 1.0);
    let values = weights.floats()?;
    // The file's features come channel by channel, ours pixel by pixel.
    let area = from.height * from.width;
    let feature = |i: usize| i % from.channels * area + i / from.channels;
    let at = |o: usize, f: usize| if transposed { o * inputs + f } else { f * outputs + o };
    let weights = (0..values.len()).map(|i| alpha * values[at(i / inputs, feature(i % inputs))]).collect();
    let bias = match bias {
        Some((bias, beta)) => spread(bias, outputs, &[1, outputs])?.iter().map(|x| beta * x).collect(),
        None => vec![0.0; outputs],
    };
    let window = Window::global(1, 1);
    let conv = Conv2d { window, groups: 1, weights, bias, activation: Activation::Identity };
    let value =
        graph.push(call, Op::Conv2d(conv), &[image], Shape::new(1, 1, outputs), Layout::flat(outputs))?;
    graph.set_weight_scales(scales);
    Ok(value)
}

/// Adds a constant per channel to the layer that computes `image`.
pub(super) fn add_bias(graph: &mut Graph, call: &Call, image: Image, bias: &Array) -> Result<Value, String> {
    image.layout.axes()?;
    let channels = graph.shape(image).channels;
    let mut dims = graph.dims(image);
    for (side, axis) in dims.iter_mut().zip(image.layout.axes()?) {
        if *axis != Some(2) {
            *side = 1;
        }
    }
    let bias = spread(bias, channels, &dims)?;
    match graph.exclusive(image) {
        Some(Op::Conv2d(conv)) if conv.activation == Activation::Identity => {
            for (sum, x) in conv.bias.iter_mut().zip(bias) {
                *sum += x;
            }
            Ok(graph.renamed(call, image))
        }
        _ => Err("a constant can only be added to a convolution or dense layer right before it, \
                  whose result nothing else reads"
            .into()),
    }
}

/// One value per channel from a constant that broadcasts to `dims`, all 1 but for the channels.
fn spread(array: &Array, channels: usize, dims: &[usize]) -> Result<Vec<f32>, String> {
    let values = array.floats()?;
    // Broadcasting lines the last axes up.
    let lined_up = array.dims.len() <= dims.len() && {
        let tail = &dims[dims.len() - array.dims.len()..];
        array.dims.iter().zip(tail).all(|(side, full)| side == full)
    };
    match values {
        [value] => Ok(vec![*value; channels]),
        _ if lined_up && values.len() == channels => Ok(values.to_vec()),
        _ => Err(format!("a constant of {:?} is not one value per channel ({channels})", array.dims)),
    }
}
