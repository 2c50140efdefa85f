//! Convolutions, and dense layers as 1x1 convolutions over one pixel.

use super::constant::{Parameters, Weights};
use super::flatbuffer::Table;
use super::graph::Graph;
use super::importer::Call;
use crate::network::{Activation, Conv2d, Op, Shape, TensorId, Window};

/// Kernels and strides beyond this are taken for damage.
const MAX_SIDE: i32 = 1 << 16;

/// `CONV_2D`: weights `[o][kh][kw][i]`, in groups if `i` is less than the input's channels.
pub(super) fn conv(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let options = call.operator.options(1)?;
    let image = call.image(graph, 0)?;
    let weights = Weights::read(graph, call, 1, 0)?;
    let &[outputs, height, width, depth] = weights.dims.as_slice() else {
        return Err(format!("weights have {} dimensions instead of 4", weights.dims.len()));
    };
    let channels = graph.shape(image).channels;
    if depth == 0 || !channels.is_multiple_of(depth) {
        return Err(format!("weights of {:?} do not fit an input of {channels} channels", weights.dims));
    }
    let groups = channels / depth;
    let window = window(options, [4, 5], [height, width], graph.shape(image))?;
    push(graph, call, image, (weights, outputs), groups, window, fused(options, 3)?)
}

/// `DEPTHWISE_CONV_2D`: weights `[1][kh][kw][o]`, each input channel giving as many outputs in a row.
pub(super) fn depthwise(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let options = call.operator.options(2)?;
    let image = call.image(graph, 0)?;
    let weights = Weights::read(graph, call, 1, 3)?;
    let &[1, height, width, outputs] = weights.dims.as_slice() else {
        return Err(format!("weights of {:?} are not supported", weights.dims));
    };
    let channels = graph.shape(image).channels;
    if outputs == 0 || !outputs.is_multiple_of(channels) {
        return Err(format!("weights of {:?} do not fit an input of {channels} channels", weights.dims));
    }
    let window = window(options, [5, 6], [height, width], graph.shape(image))?;
    let taps = height * width;
    let weights = weights.reordered(|i| i % taps * outputs + i / taps);
    push(graph, call, image, (weights, outputs), channels, window, fused(options, 4)?)
}

/// `FULLY_CONNECTED` over all elements of its input.
pub(super) fn dense(graph: &mut Graph, call: &Call) -> Result<(), String> {
    let options = call.operator.options(8)?;
    if options.map_or(Ok(0), |options| options.u8(1, 0))? != 0 {
        return Err("has its weights in a shuffled format, which is not supported".into());
    }
    let image = call.image(graph, 0)?;
    let weights = Weights::read(graph, call, 1, 0)?;
    let features = graph.shape(image).elements();
    let outputs = match *weights.dims.as_slice() {
        [outputs, inputs] if inputs == features => outputs,
        _ => return Err(format!("weights of {:?} do not fit {features} input features", weights.dims)),
    };
    let image = graph.flattened(call, image);
    push(graph, call, image, (weights, outputs), 1, Window::global(1, 1), fused(options, 0)?)
}

/// Adds the convolution of `image` by weights in our order.
fn push(
    graph: &mut Graph,
    call: &Call,
    image: TensorId,
    (weights, outputs): (Weights, usize),
    groups: usize,
    window: Window,
    activation: Activation,
) -> Result<(), String> {
    let Parameters { weights, bias, codes } = weights.with_bias(call, 2, outputs, graph.coding(image))?;
    let input = graph.shape(image);
    let [rows, columns] = output(&window, input)?;
    let conv = Conv2d { window, groups, weights, bias, activation };
    graph.push(call, Op::Conv2d(conv), &[image], Shape::new(rows, columns, outputs))?;
    graph.set_codes(codes);
    Ok(())
}

/// Height and width that `window` makes of `input`.
pub(super) fn output(window: &Window, input: Shape) -> Result<[usize; 2], String> {
    window
        .output(input.height, input.width)
        .ok_or_else(|| format!("a kernel of {:?} does not fit into a padded input of {input}", window.kernel))
}

/// The activation in field `index` of an operator's options.
pub(super) fn fused(options: Option<Table>, index: usize) -> Result<Activation, String> {
    match options.map_or(Ok(0), |options| options.u8(index, 0))? {
        0 => Ok(Activation::Identity),
        1 => Ok(Activation::Relu),
        2 => Ok(Activation::Clip { min: -1.0, max: 1.0 }),
        3 => Ok(Activation::Clip { min: 0.0, max: 6.0 }),
        other => Err(format!("activation {other} is not supported; RELU, RELU6 and RELU_N1_TO_1 are")),
    }
}

/// The window of a `kernel` over `input`: all such operators' options begin with padding and strides, those of
/// convolutions have dilations in fields `dilations` (width, height).
pub(super) fn window(
    options: Option<Table>,
    dilations: [usize; 2],
    kernel: [usize; 2],
    input: Shape,
) -> Result<Window, String> {
    let options = options.ok_or("has no options")?;
    let side = |what: &str, index: usize, default: i32| match options.i32(index, default)? {
        side @ 1..=MAX_SIDE => Ok(side as usize),
        other => Err(format!("a {what} of {other} is not supported")),
    };
    let stride = [side("stride", 2, 0)?, side("stride", 1, 0)?];
    if kernel.iter().any(|&size| !(1..=MAX_SIDE as usize).contains(&size)) {
        return Err(format!("a kernel of {kernel:?} is not supported"));
    }
    let dilation = [side("dilation", dilations[1], 1)?, side("dilation", dilations[0], 1)?];
    if (0..2).any(|i| dilation[i] != 1 && kernel[i] != 1) {
        return Err(format!("dilations of {dilation:?} are not supported; only 1 is"));
    }
    let sizes = [input.height, input.width];
    let total = match options.u8(0, 0)? {
        // As many outputs as strides fit; of an odd pixel more is at the end.
        0 => [0, 1].map(|i| ((sizes[i] - 1) / stride[i] * stride[i] + kernel[i]).saturating_sub(sizes[i])),
        1 => [0, 0],
        other => return Err(format!("padding {other} is not supported; SAME and VALID are")),
    };
    let (padding_before, padding_after) = (total.map(|all| all / 2), total.map(|all| all.div_ceil(2)));
    Ok(Window { kernel, stride, padding_before, padding_after })
}
