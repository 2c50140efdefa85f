//! What each layer's multiplier sees while the exact network runs on calibration images.

use super::live_tensors::{LiveTensors, ReadUntil};
use crate::emulate::{ApproximateConv, ConvPlan};
use crate::error::{Error, Result};
use crate::multiplier::{CodeDistribution, Distribution, ProductTable, TruthTable};
use crate::quantize::{QuantizedConv, QuantizedLayer, QuantizedNetwork, QuantizedOp};
use std::sync::Arc;

/// Images whose tensors are held at a time.
const BATCH_IMAGES: usize = 64;

/// How often the multiplier of a layer is asked for each operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerDistribution {
    /// The layer's name.
    pub layer: String,
    /// Its place among the layers that multiply, counted from 0.
    pub index: usize,
    /// Multiplications by activation code and by weight code, over all images.
    pub codes: CodeDistribution,
}

impl LayerDistribution {
    /// Measures every layer of `network` that multiplies, on the images whose codes `inputs` holds, one after
    /// another, with exact products throughout. Padded taps are multiplications with the zero point's code;
    /// zero weights under sign-magnitude are none. Uses all threads.
    pub fn measure(network: &QuantizedNetwork, inputs: &[u8]) -> Result<Vec<LayerDistribution>> {
        measure(network, inputs, None)
    }

    /// Measures one layer, the `index`th of those that multiply; the layers behind it do not run.
    pub fn measure_one(network: &QuantizedNetwork, inputs: &[u8], index: usize) -> Result<LayerDistribution> {
        let layers = network.convs().count();
        let missing = || {
            let name = &network.name;
            Error::Argument(format!("{name} has {layers} layers that multiply, so none of index {index}"))
        };
        if index >= layers {
            return Err(missing());
        }
        measure(network, inputs, Some(index))?.pop().ok_or_else(missing)
    }

    /// Multiplications by operand.
    pub fn operands(&self) -> Distribution {
        self.codes.operands()
    }

    /// Multiplications by operand in all of `layers`.
    pub fn operands_of_all(layers: &[LayerDistribution]) -> Distribution {
        let mut all = Distribution { activation: [0; 256], weight: [0; 256] };
        layers.iter().for_each(|layer| all.add(&layer.operands()));
        all
    }
}

/// Measures the layers up to `last`, or all.
fn measure(network: &QuantizedNetwork, inputs: &[u8], last: Option<usize>) -> Result<Vec<LayerDistribution>> {
    let each = network.tensors[network.input].shape.elements();
    if inputs.is_empty() || !inputs.len().is_multiple_of(each) {
        return Err(Error::Argument(format!(
            "operands are counted on whole images of {each} codes, at least one; {} codes are given",
            inputs.len()
        )));
    }
    let mut layers: Vec<Layer> =
        network.convs().map(|(layer, conv)| Layer::new(network, layer, conv)).collect();
    layers.truncate(last.map_or(layers.len(), |last| last.saturating_add(1)));
    let reads = ReadUntil::convolutions_only(network);
    let convs = layers.iter().map(|layer| layer.exact(network)).collect::<Result<Vec<_>>>()?;
    let plans = layers.iter().zip(&convs).map(|(layer, exact)| {
        ConvPlan::new(layer.conv, network.scheme, exact)
            .map_err(|e| Error::Mismatch(format!("layer {}: {e}", layer.layer.name)))
    });
    let plans = plans.collect::<Result<Vec<_>>>()?;
    for inputs in inputs.chunks(BATCH_IMAGES * each) {
        let mut tensors = LiveTensors::new(network, inputs);
        let mut to_come = layers.iter_mut().zip(&plans).peekable();
        for (place, layer) in network.layers.iter().enumerate() {
            if to_come.peek().is_none() {
                break;
            }
            let elements = network.tensors[layer.output].shape.elements();
            let is_read = reads.is_read(layer.output);
            match &layer.op {
                QuantizedOp::Conv2d(conv) => {
                    let Some((measured, plan)) = to_come.next() else { break };
                    let codes = tensors.get(layer.inputs[0]);
                    measured.count(codes, tensors.images());
                    if is_read && to_come.peek().is_some() {
                        let mut output = vec![0; tensors.images() * conv.pixels() * conv.outputs()];
                        plan.codes(codes, &mut output);
                        tensors.put(layer.output, output);
                    }
                }
                QuantizedOp::Fixed(op) if is_read => {
                    tensors.run_fixed(op, &layer.inputs, layer.output, elements);
                }
                QuantizedOp::Fixed(_) => {}
            }
            tensors.drop_unread(&reads, place);
        }
    }
    let measured = layers.into_iter().enumerate();
    let measured = measured.map(|(index, layer)| LayerDistribution {
        layer: layer.layer.name.clone(),
        index,
        codes: layer.codes,
    });
    Ok(measured.collect())
}

/// A layer being measured.
struct Layer<'n> {
    layer: &'n QuantizedLayer,
    conv: &'n QuantizedConv,
    codes: CodeDistribution,
    /// Multiplications that each element of an image's input takes part in.
    element_uses: Vec<u64>,
    /// Multiplications of an image with padding.
    padding_uses: u64,
    /// Multiplications of an image with each weight code.
    weight_uses: [u64; 256],
}

impl<'n> Layer<'n> {
    fn new(network: &QuantizedNetwork, layer: &'n QuantizedLayer, conv: &'n QuantizedConv) -> Layer<'n> {
        let scheme = network.scheme;
        let (element_uses, padding_uses) =
            activation_uses(conv, |weight| CodeDistribution::multiplies(scheme, weight));
        let mut weight_uses = [0; 256];
        for &weight in conv.weights.iter().filter(|&&weight| CodeDistribution::multiplies(scheme, weight)) {
            weight_uses[usize::from(weight)] += conv.pixels() as u64;
        }
        let codes = CodeDistribution::new(scheme, conv.input_zero_point);
        Layer { layer, conv, codes, element_uses, padding_uses, weight_uses }
    }

    /// The convolution with exact products.
    fn exact(&self, network: &QuantizedNetwork) -> Result<ApproximateConv> {
        let (scheme, zero_point) = (network.scheme, self.conv.input_zero_point);
        let table = TruthTable::exact(scheme.wants_signed_table());
        let products = Arc::new(ProductTable::new(&table, scheme, false, zero_point)?);
        Ok(ApproximateConv::uncompensated(self.conv, scheme, products))
    }

    /// Counts the multiplications of `images` images, whose codes in the layer's input are `codes`.
    fn count(&mut self, codes: &[u8], images: usize) {
        for image in codes.chunks_exact(self.element_uses.len()) {
            for (&code, uses) in image.iter().zip(&self.element_uses) {
                self.codes.activation[usize::from(code)] += uses;
            }
        }
        let images = images as u64;
        self.codes.activation[usize::from(self.conv.input_zero_point)] += images * self.padding_uses;
        for (count, uses) in self.codes.weight.iter_mut().zip(&self.weight_uses) {
            *count += images * uses;
        }
    }
}

/// How many multiplications of an image each input element takes part in, and how many padding does.
/// `multiplies` says which weights are multiplied with at all.
fn activation_uses(conv: &QuantizedConv, multiplies: impl Fn(u8) -> bool) -> (Vec<u64>, u64) {
    let [height, width, channels] = [conv.input.height, conv.input.width, conv.input.channels].map(i64::from);
    let [kernel, stride, padding] = [conv.window.kernel, conv.window.stride, conv.window.padding];
    let (group_channels, taps) = (channels as usize / conv.groups, conv.taps());
    // By tap and input channel: the output channels whose weight there is multiplied with.
    let mut outputs = vec![0u64; taps * conv.groups];
    for (o, weights) in conv.weights.chunks_exact(taps).enumerate() {
        let group = o / (conv.outputs() / conv.groups);
        for (tap, _) in weights.iter().enumerate().filter(|&(_, &weight)| multiplies(weight)) {
            let channel = group * group_channels + tap % group_channels;
            outputs[tap / group_channels * channels as usize + channel] += 1;
        }
    }
    let mut elements = vec![0; (height * width * channels) as usize];
    let mut padded = 0;
    let places = (0..i64::from(conv.output.height))
        .flat_map(|row| (0..i64::from(conv.output.width)).map(move |column| (row, column)));
    for (row, column) in places {
        for (tap, outputs) in outputs.chunks_exact(channels as usize).enumerate() {
            let tap = tap as i64;
            let (ky, kx) = (tap / i64::from(kernel[1]), tap % i64::from(kernel[1]));
            let y = row * i64::from(stride[0]) + ky - i64::from(padding[0]);
            let x = column * i64::from(stride[1]) + kx - i64::from(padding[1]);
            if (0..height).contains(&y) && (0..width).contains(&x) {
                let first = ((y * width + x) * channels) as usize;
                elements[first..].iter_mut().zip(outputs).for_each(|(uses, outputs)| *uses += outputs);
            } else {
                padded += outputs.iter().sum::<u64>();
            }
        }
    }
    (elements, padded)
}
