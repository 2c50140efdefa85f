//! Constant tensors: weights, biases and lists.

use super::graph::Graph;
use super::importer::Call;
use super::schema::{Kind, Tensor};
use crate::network::{ConvCodes, TensorCoding};

/// Weights in the file's order.
pub(super) struct Weights {
    pub(super) dims: Vec<usize>,
    pub(super) values: Vec<f32>,
    /// Codes and the scale of each output channel, of weights that came in 8 bits.
    codes: Option<(Vec<i8>, Vec<f64>)>,
}

/// All that a convolution is fitted with, in our order.
pub(super) struct Parameters {
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) codes: Option<ConvCodes>,
}

impl Kind {
    /// The kind in words.
    pub(super) fn name(self) -> String {
        match self {
            Kind::Float32 => "elements of float32".into(),
            Kind::Int8 => "elements of int8".into(),
            Kind::Int32 => "elements of int32".into(),
            Kind::Other(1) => "elements of float16".into(),
            Kind::Other(3) => "elements of uint8".into(),
            Kind::Other(4) => "elements of int64".into(),
            Kind::Other(7) => "elements of int16".into(),
            Kind::Other(17) => "elements of int4".into(),
            Kind::Other(other) => format!("elements of type {other}"),
        }
    }
}

/// The elements of a constant, `N` bytes each, as many as its sides say and at least one.
fn elements<'a, const N: usize>(tensor: &Tensor<'a>) -> Result<&'a [[u8; N]], String> {
    let count = tensor.dims.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
    let (elements, rest) = tensor.data.as_chunks();
    if !rest.is_empty() || elements.is_empty() || count != Some(elements.len()) {
        return Err(format!(
            "constant \"{}\" of {:?} has {} bytes, which is not {N} for each element",
            tensor.name,
            tensor.dims,
            tensor.data.len()
        ));
    }
    Ok(elements)
}

/// A constant of integers, such as axes.
pub(super) fn ints(tensor: &Tensor) -> Result<Vec<i32>, String> {
    match tensor.kind {
        Kind::Int32 => Ok(elements(tensor)?.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect()),
        other => Err(format!("constant \"{}\" has {}; int32 is supported", tensor.name, other.name())),
    }
}

impl Weights {
    /// Input `i` of `call` as weights whose dimension `channels` is that of the outputs.
    pub(super) fn read(graph: &mut Graph, call: &Call, i: usize, channels: usize) -> Result<Weights, String> {
        let tensor = call.stored(i)?;
        let name = &tensor.name;
        graph.spend(tensor.data.len())?;
        let (values, codes) = match tensor.kind {
            Kind::Float32 => {
                (elements(&tensor)?.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(), None)
            }
            Kind::Int8 => {
                // First of all, so that no side is larger than what is there.
                let codes: Vec<i8> = elements::<1>(&tensor)?.iter().map(|&[byte]| byte as i8).collect();
                let outputs = *tensor.dims.get(channels).ok_or("weights have too few dimensions")?;
                let scales = channel_scales(&tensor, outputs, channels)?;
                if tensor.zero_points.iter().any(|&zero_point| zero_point != 0) {
                    return Err(format!("weights \"{name}\" have a zero point other than 0"));
                }
                // Elements that one step along the channels' dimension passes over.
                let stride =
                    tensor.dims[channels + 1..].iter().fold(1, |a: usize, &b| a.saturating_mul(b)).max(1);
                let scale = |i: usize| scales[i / stride % outputs];
                let values = codes.iter().enumerate().map(|(i, &code)| (f64::from(code) * scale(i)) as f32);
                (values.collect(), Some((codes, scales)))
            }
            other => {
                return Err(format!(
                    "weights \"{name}\" have {}; convert the model with weights of int8 or float32",
                    other.name()
                ));
            }
        };
        Ok(Weights { dims: tensor.dims, values, codes })
    }

    /// The weights in another order: element `i` of the result is `at(i)` here.
    pub(super) fn reordered(mut self, at: impl Fn(usize) -> usize) -> Weights {
        self.values = (0..self.values.len()).map(|i| self.values[at(i)]).collect();
        if let Some((codes, _)) = &mut self.codes {
            *codes = (0..codes.len()).map(|i| codes[at(i)]).collect();
        }
        self
    }

    /// Biases from input `i` of `call`, 0 where it is left out, and the layer's codes if weights, biases and the
    /// input, coded by `input`, are all in 8 bits.
    pub(super) fn with_bias(
        self,
        call: &Call,
        i: usize,
        outputs: usize,
        input: Option<TensorCoding>,
    ) -> Result<Parameters, String> {
        let Weights { values, codes, .. } = self;
        let tensor = call.optional(i)?;
        let floats = match &tensor {
            None => vec![0.0; outputs],
            Some(tensor) if tensor.kind == Kind::Float32 => {
                elements(tensor)?.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
            }
            Some(_) => Vec::new(),
        };
        if floats.len() == outputs && (input.is_none() || codes.is_none()) {
            return Ok(Parameters { weights: values, bias: floats, codes: None });
        }
        let (Some(input), Some((weights, weight_scales))) = (input, codes) else {
            return Err("has biases in integers, but weights or inputs in floats".into());
        };
        let bias = match &tensor {
            None => vec![0; outputs],
            Some(tensor) => ints(tensor)?,
        };
        if bias.len() != outputs {
            return Err(format!("has {} biases for {outputs} channels", bias.len()));
        }
        let steps: Vec<f64> = weight_scales.iter().map(|scale| scale * input.scale).collect();
        if let Some(tensor) = tensor.filter(|tensor| !tensor.scales.is_empty()) {
            let given = channel_scales(&tensor, outputs, 0)?;
            if let Some((given, step)) = given.iter().zip(&steps).find(|(a, b)| (*a / *b - 1.0).abs() > 1e-3)
            {
                return Err(format!(
                    "biases have a scale of {given}; that of the input times that of the weights is {step}"
                ));
            }
        }
        let floats = bias.iter().zip(&steps).map(|(&code, step)| (f64::from(code) * step) as f32).collect();
        let codes = ConvCodes { weights, weight_scales, bias };
        Ok(Parameters { weights: values, bias: floats, codes: Some(codes) })
    }
}

/// The scale of each of `outputs` channels, which are along dimension `channels`.
fn channel_scales(tensor: &Tensor, outputs: usize, channels: usize) -> Result<Vec<f64>, String> {
    let name = &tensor.name;
    let scales: Vec<f64> = match tensor.scales.as_slice() {
        &[scale] => vec![scale.into(); outputs],
        scales if scales.len() == outputs && tensor.channel_dimension == channels as i32 => {
            scales.iter().map(|&scale| f64::from(scale)).collect()
        }
        scales => {
            return Err(format!(
                "\"{name}\" has {} scales, which are not one for each channel",
                scales.len()
            ));
        }
    };
    match scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
        Some(scale) => Err(format!("\"{name}\" has a scale of {scale}")),
        None => Ok(scales),
    }
}
