//! What C can call. Each pointer and length is checked as far as that is possible; what can't be checked is
//! under "Safety" of each function.
//!
//! To add a function: write it beside those of `network.rs`, get at the network by [`network::loaded`] and at
//! C's memory by `memory.rs`, and make the header anew (see `README.md`).

#![allow(unsafe_code, reason = "C passes pointers; what is relied on stands at each use")]

mod memory;
pub mod network;
pub mod status;
