//! Convolution and the batch normalization after it.

use super::attributes::Call;
use super::constant::Array;
use super::graph::{Graph, Layout, Value};
use super::quantized::channel_scales;
use crate::network::{Activation, Conv2d, Op, Shape, Window};

/// Kernels, strides and padding beyond this are taken for damage.
const MAX_SIDE: i64 = 1 << 16;

/// `Conv` in two dimensions.
pub(super) fn conv(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let (image, input) = graph.spatial(call, 0)?;
    let weights = call.required(1)?;
    let &[outputs, depth, height, width] = weights.dims.as_slice() else {
        return Err(format!("weights have {} dimensions; 2-D convolutions have 4", weights.dims.len()));
    };
    let kernel = [height, width];
    if let Some(given) = pair(call, "kernel_shape")?.filter(|given| *given != kernel) {
        return Err(format!("kernel_shape {given:?} is not that of the weights, {kernel:?}"));
    }
    let groups = usize::try_from(call.int("group", 1)?).unwrap_or(0);
    if groups == 0 || outputs % groups != 0 || depth.checked_mul(groups) != Some(input.channels) {
        return Err(format!(
            "weights of {:?} in {groups} groups do not fit an input of {} channels",
            weights.dims, input.channels
        ));
    }
    let bias = match call.constant(2)? {
        Some(bias) => channel_values(bias, outputs)?.to_vec(),
        None => vec![0.0; outputs],
    };
    let window = window(call, kernel, input)?;
    let [rows, columns] =
        window.output(input.height, input.width).ok_or_else(|| too_large(&window, input))?;
    graph.spend(weights.len())?;
    let scales = channel_scales(weights, 0, outputs);
    let weights = channels_last(weights)?;
    let conv = Conv2d { window, groups, weights, bias, activation: Activation::Identity };
    let value =
        graph.push(call, Op::Conv2d(conv), &[image], Shape::new(rows, columns, outputs), Layout::Nchw)?;
    graph.set_weight_scales(scales);
    Ok(value)
}

/// `BatchNormalization`, folded into the convolution that computes its input.
pub(super) fn batch_normalization(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    let image = call.image(0)?;
    if call.int("training_mode", 0)? != 0 {
        return Err("is in training mode; export the model for inference".into());
    }
    let channels = graph.shape(image).channels;
    let [scale, shift, mean, variance] = [1, 2, 3, 4].map(|i| call.required(i));
    let [scale, shift] = [channel_values(scale?, channels)?, channel_values(shift?, channels)?];
    let [mean, variance] = [channel_values(mean?, channels)?, channel_values(variance?, channels)?];
    let epsilon = f64::from(call.float("epsilon")?.unwrap_or(1e-5));
    let Some(Op::Conv2d(conv)) = graph.exclusive(image) else {
        return Err(NOT_FOLDABLE.into());
    };
    if conv.activation != Activation::Identity {
        return Err(NOT_FOLDABLE.into());
    }
    let taps = conv.weights.len() / channels;
    for (o, weights) in conv.weights.chunks_exact_mut(taps).enumerate() {
        let factor = f64::from(scale[o]) / (f64::from(variance[o]) + epsilon).sqrt();
        for weight in weights {
            *weight = (f64::from(*weight) * factor) as f32;
        }
        let centred = f64::from(conv.bias[o]) - f64::from(mean[o]);
        conv.bias[o] = (centred * factor + f64::from(shift[o])) as f32;
    }
    Ok(graph.renamed(call, image))
}

const NOT_FOLDABLE: &str = "can only be folded into a convolution or dense layer right before it, \
                            whose result nothing else reads";

/// A constant with one float per channel.
fn channel_values(array: &Array, channels: usize) -> Result<&[f32], String> {
    let values = array.floats()?;
    if values.len() == channels {
        Ok(values)
    } else {
        Err(format!("a constant has {} values for {channels} channels", values.len()))
    }
}

/// `[o][i][kh][kw]` to `[o][kh][kw][i]`.
fn channels_last(weights: &Array) -> Result<Vec<f32>, String> {
    let values = weights.floats()?;
    let [depth, area] = [weights.dims[1], weights.dims[2] * weights.dims[3]];
    let indices = (0..values.len()).map(|i| {
        let (o, tap, channel) = (i / (area * depth), i / depth % area, i % depth);
        (o * depth + channel) * area + tap
    });
    Ok(indices.map(|i| values[i]).collect())
}

/// The window that the attributes of a convolution or pooling describe.
pub(super) fn window(call: &Call, kernel: [usize; 2], input: Shape) -> Result<Window, String> {
    let stride = pair(call, "strides")?.unwrap_or([1, 1]);
    let dilation = pair(call, "dilations")?.unwrap_or([1, 1]);
    if (0..2).any(|i| dilation[i] != 1 && kernel[i] != 1) {
        return Err(format!("dilations of {dilation:?} are not supported; only 1 is"));
    }
    if stride.contains(&0) || kernel.contains(&0) {
        return Err("kernel and stride must be at least 1".into());
    }
    let sizes = [input.height, input.width];
    let same = [0, 1].map(|i| ((sizes[i] - 1) / stride[i] * stride[i] + kernel[i]).saturating_sub(sizes[i]));
    let (padding_before, padding_after) = match call.string("auto_pad", "NOTSET")? {
        "NOTSET" => match call.ints("pads")? {
            None => ([0, 0], [0, 0]),
            Some(&[top, left, bottom, right]) => {
                ([side("pads", top)?, side("pads", left)?], [side("pads", bottom)?, side("pads", right)?])
            }
            Some(pads) => return Err(format!("pads {pads:?} are not four")),
        },
        "VALID" => ([0, 0], [0, 0]),
        // An odd pixel goes to the end or to the beginning.
        "SAME_UPPER" => (same.map(|total| total / 2), same.map(|total| total.div_ceil(2))),
        "SAME_LOWER" => (same.map(|total| total.div_ceil(2)), same.map(|total| total / 2)),
        other => return Err(format!("auto_pad \"{other}\" is not supported")),
    };
    Ok(Window { kernel, stride, padding_before, padding_after })
}

/// The message for a window that fits nowhere.
pub(super) fn too_large(window: &Window, input: Shape) -> String {
    format!("a kernel of {:?} does not fit into a padded input of {input}", window.kernel)
}

/// A list attribute of exactly two sides.
pub(super) fn pair(call: &Call, name: &str) -> Result<Option<[usize; 2]>, String> {
    match call.ints(name)? {
        None => Ok(None),
        Some(&[vertical, horizontal]) => Ok(Some([side(name, vertical)?, side(name, horizontal)?])),
        Some(list) => Err(format!("{name} {list:?} is not for two dimensions")),
    }
}

fn side(name: &str, value: i64) -> Result<usize, String> {
    match value {
        0..=MAX_SIDE => Ok(value as usize),
        _ => Err(format!("{name} of {value} is not supported")),
    }
}
