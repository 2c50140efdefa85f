//! Measuring how fast things are, with every result checked while it is measured.
//!
//! [`emulation`] is about convolutions with approximate multipliers: the kernels of [`crate::emulate`]
//! beside the plain table lookup that emulators commonly do ([`scalar`]) and beside what the first-level
//! cache can deliver at all ([`l1`]). Figures are billions of multiplications a second (`gmps`).

pub mod candidate;
pub mod emulation;
pub mod figures;
pub mod l1;
pub mod layers;
pub mod measure;
pub mod scalar;
pub mod tables;
pub mod workload;
