//! Repairing a network for the multipliers it was given, without retraining.
//!
//! Steps that compose, each of which leaves only integers that the arithmetic contract already has:
//! - [`weight_map`] replaces weight codes by ones whose approximate products are closer to the exact products: by
//!   ALWANN's rule, or by squared error or its variance under the layer's own activations;
//! - [`descent`] chooses weight codes one by one, so that the layer's outputs on a sample of calibration windows
//!   come nearest to the exact network's;
//! - [`activation_sum`] gives each output channel a coefficient of the sum of its activations;
//! - [`scale_shift`] refits each output channel's bias, or scale and bias.
//!
//! Where tables must be small, weights take few codes only (`allowed_codes`), in all of these.
//!
//! A [`Compensator`] takes the [`Steps`] it is told to, one convolution after another: each is fitted to what the
//! ones before it make of the calibration images. So two assignments with the same beginning have the same
//! [`Prefix`], and whoever tries many of them can go on from it. Weight codes that depend on the layer and its
//! multiplier alone are kept from one assignment to the next.
//!
//! A [`LayerDistribution`] is what a layer's multiplier sees on the same images, for judging and making
//! multipliers.

pub mod activation_sum;
mod allowed_codes;
mod clipping;
mod compensator;
pub mod descent;
mod exact_run;
mod kept;
mod layer_distribution;
mod live_tensors;
mod patches;
mod prefix;
pub mod scale_shift;
mod steps;
#[cfg(test)]
mod testing;
pub mod weight_map;

pub use compensator::Compensator;
pub use layer_distribution::LayerDistribution;
pub use prefix::{Allocation, Prefix};
pub use steps::{Descent, Fit, MapRule, Steps};

/// Passes over all weights of a layer in coordinate descent, at most.
const SWEEPS: usize = 8;

/// The same on what the exact network gives the layer, for many multipliers.
const EXACT_SWEEPS: usize = 2;
