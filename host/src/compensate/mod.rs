//! Repairing a network for the multipliers it was given, without retraining.
//!
//! Two steps, both of which leave only integers that the arithmetic contract already has:
//! [`weight_map`] replaces weight codes by ones whose approximate products are closer to the exact
//! products (ALWANN), [`scale_shift`] refits each output channel's scale and bias to what the exact
//! network computes on calibration images.
//!
//! A [`Compensator`] takes both, one convolution after another: each is fitted to what the ones before it make
//! of the calibration images. So two assignments with the same beginning have the same [`Prefix`], and
//! whoever tries many of them can go on from it.
//!
//! A [`LayerDistribution`] is what a layer's multiplier sees on the same images, for judging and making
//! multipliers.

mod compensator;
mod layer_distribution;
mod live_tensors;
mod prefix;
pub mod scale_shift;
pub mod weight_map;

pub use compensator::Compensator;
pub use layer_distribution::LayerDistribution;
pub use prefix::{Allocation, Prefix};

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
