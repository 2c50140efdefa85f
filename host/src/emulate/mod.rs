//! Running the quantized network on the host, integer for integer as a device will.
//!
//! [`oracle`] is the naive reading of the arithmetic contract; [`Emulator`] is the fast path that is
//! tested against it. It takes batches of images through the layers, each computed by the [`Kernel`] that a
//! [`ConvPlan`] has chosen for its shape and multiplier: vector tables, matrix products or row lookup, over
//! images that were padded and laid out for it. The innermost loops are in [`crate::kernels`]. An
//! [`ApproximateConv`] is what both run: a quantized convolution together with its multiplier and whatever
//! compensation has made of its integers.

mod accumulators;
mod bounds;
mod emulator;
mod engine;
mod layer;
mod matrix;
pub mod metrics;
pub mod oracle;
mod padded;
mod plan;
mod planner;
mod requantize;
mod rows;
mod vector_tables;

pub use emulator::{Emulator, run_fixed};
pub use layer::ApproximateConv;
pub use plan::{ConvPlan, Scratch};
pub use planner::Kernel;
pub use requantize::requantize_codes;
