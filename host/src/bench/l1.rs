//! What the first-level data cache delivers: a bound for every kernel that loads its products.

use super::measure::{Threads, fastest};
use crate::kernels::{Isa, STREAM_BYTES, StreamBuffer, stream};
use std::hint::black_box;

/// Passes over the buffer in a run: some microseconds, long against reading the clock.
const PASSES: usize = 1000;

/// Billions of 16-bit products a second that one thread can load, taken from a buffer which the cache holds
/// with the widest loads there are.
pub fn limit_gmps(threads: &Threads, seconds: f64) -> f64 {
    let products = (STREAM_BYTES / 2 * PASSES) as f64;
    threads.on_one(|| {
        let buffer: Box<StreamBuffer> = bytemuck::zeroed_box();
        let rates = Isa::available().into_iter().map(|isa| {
            let seconds = fastest(seconds, || {
                black_box(stream(isa, &buffer, PASSES));
            });
            products / seconds / 1e9
        });
        rates.fold(0.0, f64::max)
    })
}
