//! Repairing a network for the multipliers it was given, without retraining.
//!
//! Two steps, both of which leave only integers that the arithmetic contract already has:
//! [`weight_map`] replaces weight codes by ones whose approximate products are closer to the exact
//! products (ALWANN), [`scale_shift`] refits each output channel's scale and bias to what the exact
//! network computes on calibration images.

pub mod scale_shift;
pub mod weight_map;

use crate::emulate::{ApproximateConv, Requantized, accumulate, requantize_all, run_fixed};
use crate::error::{Error, Result};
use crate::multiplier::{Choice, ProductCache};
use crate::quantize::{QuantizedConv, QuantizedNetwork, QuantizedOp};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Which steps to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Steps {
    /// Map weight codes by ALWANN's rule.
    pub weight_map: bool,
    /// Refit scale and bias of each output channel.
    pub scale_shift: bool,
}

impl Steps {
    /// No compensation.
    pub const NONE: Steps = Steps { weight_map: false, scale_shift: false };
    /// ALWANN's weight map alone.
    pub const ALWANN: Steps = Steps { weight_map: true, scale_shift: false };
    /// Everything.
    pub const ALL: Steps = Steps { weight_map: true, scale_shift: true };
}

impl std::str::FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Steps::NONE),
            "alwann" => Ok(Steps::ALWANN),
            "scale-shift" => Ok(Steps { weight_map: false, scale_shift: true }),
            "all" => Ok(Steps::ALL),
            _ => Err(format!("\"{text}\" is no compensation; use none, alwann, scale-shift or all")),
        }
    }
}

/// For each weight code the code that takes its place.
type WeightMap = Arc<[u8; 256]>;

/// Compensates assignments of one network, remembering what depends on a multiplier alone.
pub struct Compensator<'n> {
    network: &'n QuantizedNetwork,
    products: &'n ProductCache<'n>,
    steps: Steps,
    inputs: &'n [u8],
    /// For each convolution, the exact network's accumulators on the calibration images.
    targets: Vec<Vec<i32>>,
    maps: Mutex<HashMap<(Choice, u8), WeightMap>>,
}

impl<'n> Compensator<'n> {
    /// Prepares to compensate `network` on the calibration images whose codes `inputs` holds, one after
    /// another.
    pub fn new(
        network: &'n QuantizedNetwork,
        products: &'n ProductCache<'n>,
        steps: Steps,
        inputs: &'n [u8],
    ) -> Result<Self> {
        let mut compensator = Compensator {
            network,
            products,
            steps: Steps::NONE,
            inputs,
            targets: Vec::new(),
            maps: Mutex::default(),
        };
        if steps.scale_shift {
            if inputs.is_empty() {
                return Err(Error::Argument("the scale and shift fit needs calibration images".into()));
            }
            let mut targets = Vec::new();
            compensator.forward(&compensator.exact_assignment(), |acc| targets.push(acc.to_vec()))?;
            compensator.targets = targets;
        }
        compensator.steps = steps;
        Ok(compensator)
    }

    /// The network that is compensated.
    pub fn network(&self) -> &'n QuantizedNetwork {
        self.network
    }

    /// The assignment of the exact multiplier to every layer.
    pub fn exact_assignment(&self) -> Vec<Choice> {
        vec![Choice::exact(self.products.library()); self.network.convs().count()]
    }

    /// The network with the multipliers of `assignment`, one for each convolution, and its compensation.
    pub fn compensate(&self, assignment: &[Choice]) -> Result<Vec<ApproximateConv>> {
        if self.steps.scale_shift {
            return self.forward(assignment, |_| {});
        }
        self.network.convs().zip(assignment).map(|((_, conv), &choice)| self.start(conv, choice)).collect()
    }

    /// The convolution before any fit to data.
    fn start(&self, conv: &QuantizedConv, choice: Choice) -> Result<ApproximateConv> {
        let products = self.products.get(choice, conv.input_zero_point)?;
        let mut approximate = ApproximateConv::uncompensated(conv, self.network.scheme, products);
        if self.steps.weight_map {
            let map = self.weight_map(choice, conv.input_zero_point)?;
            approximate.weights.iter_mut().for_each(|w| *w = map[usize::from(*w)]);
        }
        Ok(approximate)
    }

    fn weight_map(&self, choice: Choice, zero_point: u8) -> Result<WeightMap> {
        let lock = || self.maps.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(map) = lock().get(&(choice, zero_point)) {
            return Ok(map.clone());
        }
        let exact = self.products.get(Choice::exact(self.products.library()), zero_point)?;
        let approximate = self.products.get(choice, zero_point)?;
        let map = Arc::new(weight_map::alwann(&exact, &approximate, self.network.scheme));
        lock().insert((choice, zero_point), map.clone());
        Ok(map)
    }

    /// Runs all calibration images layer by layer, fitting each convolution on the outputs of the ones
    /// already fitted; `see` is shown each convolution's accumulators, `[image][pixel][output channel]`.
    fn forward(&self, assignment: &[Choice], mut see: impl FnMut(&[i32])) -> Result<Vec<ApproximateConv>> {
        let network = self.network;
        let images = self.inputs.len() / network.tensors[network.input].shape.elements();
        let mut tensors: Vec<Vec<u8>> = vec![Vec::new(); network.tensors.len()];
        tensors[network.input] = self.inputs.to_vec();
        let exact = Choice::exact(self.products.library());
        let mut all_exact_so_far = true;
        let mut fitted = Vec::new();
        for layer in &network.layers {
            let elements = network.tensors[layer.output].shape.elements();
            let input_elements = network.tensors[layer.inputs[0]].shape.elements();
            let input = &tensors[layer.inputs[0]];
            let mut output = vec![0; images * elements];
            match &layer.op {
                QuantizedOp::Conv2d(conv) => {
                    let index = fitted.len();
                    let choice = assignment[index];
                    all_exact_so_far &= choice == exact;
                    let mut approximate = self.start(conv, choice)?;
                    let bias = approximate
                        .fold(conv, network.scheme)
                        .map_err(|e| Error::Mismatch(format!("layer {}: {e}", layer.name)))?;
                    let mut acc = vec![0i32; images * elements];
                    acc.par_chunks_exact_mut(elements)
                        .zip(input.par_chunks_exact(input_elements))
                        .for_each(|(acc, input)| accumulate(conv, &approximate, &bias, input, acc));
                    see(&acc);
                    // Up to here the network is the exact one: there is nothing to fit.
                    if self.steps.scale_shift && !all_exact_so_far {
                        let shifts = scale_shift::fit(
                            conv,
                            network.scheme,
                            &mut approximate,
                            &acc,
                            &self.targets[index],
                        );
                        acc.par_chunks_exact_mut(conv.outputs()).for_each(|acc| {
                            acc.iter_mut()
                                .zip(&shifts)
                                .for_each(|(acc, &shift)| *acc = acc.saturating_add(shift));
                        });
                        approximate
                            .fold(conv, network.scheme)
                            .map_err(|e| Error::Mismatch(format!("layer {}: {e}", layer.name)))?;
                    }
                    output.par_chunks_exact_mut(elements).zip(acc.par_chunks_exact(elements)).for_each(
                        |(output, acc)| {
                            // Logits have no codes; nothing reads them here.
                            if let Requantized::Codes(codes) = requantize_all(conv, &approximate, acc) {
                                output.copy_from_slice(&codes);
                            }
                        },
                    );
                    fitted.push(approximate);
                }
                QuantizedOp::Fixed(op) => {
                    let sizes = layer.inputs.iter().map(|&id| network.tensors[id].shape.elements());
                    let sizes: Vec<usize> = sizes.collect();
                    output.par_chunks_exact_mut(elements).enumerate().for_each(|(image, output)| {
                        let part =
                            |i: usize| &tensors[layer.inputs[i]][image * sizes[i]..(image + 1) * sizes[i]];
                        let second = if layer.inputs.len() > 1 { part(1) } else { &[] };
                        run_fixed(op, part(0), second, output);
                    });
                }
            }
            tensors[layer.output] = output;
        }
        Ok(fitted)
    }
}
