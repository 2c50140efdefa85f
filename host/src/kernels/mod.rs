//! The inner loops, once in portable Rust and once for each instruction set that makes them faster.
//!
//! Everything here is plain safe code over fixed-size arrays. The only unsafe act is to call a function
//! that was compiled for instructions the build's target does not promise; an [`Isa`] is the proof that
//! this processor has them.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod circuit;
mod gemm;
mod isa;
mod portable;
mod requantize;

pub use circuit::{
    BLOCK_ACTIVATIONS, BLOCK_WEIGHTS, Counter, ErrorSums, ExactBlock, ExactLanes, Instruction, LANES, Lanes,
    Limits, Moments, PRODUCT_BITS, ones_counted, transpose,
};
pub use gemm::{PAIRS, Panel, SLACK_PAIRS, TILE_PIXELS, TileAcc, TileRows, panel_channels};
pub use isa::Isa;
pub use requantize::Factors;

use isa::Kind;
use skimp_runtime::image::Add;

/// Codes an activation can have.
pub const CODES: usize = 256;

/// Tables of `K` taps and `O` output channels: `[tap][activation code][lane]`. One more entry than there
/// are codes: without it the entries of one code would share cache sets over all taps, and the codes of
/// neighbouring activations are often equal.
pub type Tables<T, const O: usize, const K: usize> = [[[T; O]; CODES + 1]; K];

/// Products less their line and their middle, by weight code: `[weight][code / 8][code % 8]`.
pub type Residuals = [[[i16; 8]; CODES / 8]; CODES];

/// Runs `$function` as compiled for `$isa`.
macro_rules! dispatch {
    ($isa:expr, $function:ident $(::<$($generic:tt),+>)? ($($argument:expr),*)) => {
        match $isa.kind() {
            Kind::Portable => portable::$function$(::<$($generic),+>)?($($argument),*),
            // SAFETY: an `Isa` of this kind exists only where the processor has these instructions.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { avx2::$function$(::<$($generic),+>)?($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { avx512::$function$(::<$($generic),+>)?($($argument),*) },
        }
    };
}

// Behind the macro, which they use.
mod descent;
mod stream;

pub use descent::{
    BestCandidates, CandidateSums, DESCENT_LANES, DescentLanes, TapSamples, add_changes, best_candidates,
    correlate, sum_residuals,
};
pub use stream::{STREAM_BYTES, StreamBuffer, StreamLine, stream};

/// The codes of a block of taps in rows of pixels. Within a row those of the next pixel follow at once: an
/// address that is counted up, not looked up, makes the loop a third faster.
#[derive(Debug, Clone, Copy)]
pub struct CodeRows<'a> {
    /// Codes, in which all rows lie.
    pub codes: &'a [u8],
    /// Start of each row.
    pub starts: &'a [u32],
    /// Pixels of a row.
    pub width: usize,
}

impl<'a> CodeRows<'a> {
    /// The codes and accumulators of each row. Panics if a row does not lie in the codes.
    #[inline(always)]
    fn rows<'acc, const K: usize, A>(
        &self,
        acc: &'acc mut [A],
    ) -> impl Iterator<Item = (&'a [[u8; K]], &'acc mut [A])> {
        let codes = self.codes;
        acc.chunks_mut(self.width)
            .zip(self.starts)
            .map(move |(acc, &start)| (codes[start as usize..][..acc.len() * K].as_chunks().0, acc))
    }
}

/// Adds to each pixel's accumulators the table entries that its codes select. `depth` entries may be added
/// in 16 bits before they are widened: 1, 2, 4 or 8.
pub fn add_entries<const O: usize, const K: usize>(
    isa: Isa,
    depth: usize,
    tables: &Tables<i16, O, K>,
    rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    match depth {
        8 => dispatch!(isa, add_entries::<O, K, 8>(tables, rows, acc)),
        4 => dispatch!(isa, add_entries::<O, K, 4>(tables, rows, acc)),
        2 => dispatch!(isa, add_entries::<O, K, 2>(tables, rows, acc)),
        _ => dispatch!(isa, add_entries::<O, K, 1>(tables, rows, acc)),
    }
}

/// As [`add_entries`] with entries of 32 bits.
pub fn add_wide_entries<const O: usize, const K: usize>(
    isa: Isa,
    tables: &Tables<i32, O, K>,
    rows: &CodeRows,
    acc: &mut [[i32; O]],
) {
    dispatch!(isa, add_wide_entries(tables, rows, acc));
}

/// Writes one tap's entries for the codes `8 * groups.start .. 8 * groups.end`: in lane `l`, those of the
/// weight code `weights[l]`.
pub fn build_entries<const O: usize>(
    isa: Isa,
    residuals: &Residuals,
    weights: &[u8; O],
    groups: std::ops::Range<usize>,
    entries: &mut [[i16; O]; CODES + 1],
) {
    dispatch!(isa, build_entries(residuals, weights, groups, entries));
}

/// Which output channel (of a block of `O`) lane `lane` of a table holds, so that accumulators come out in
/// the order of the channels: widening pairs of sums interleaves the lanes of a vector.
pub fn channel_of_lane<const O: usize>(isa: Isa, lane: usize) -> usize {
    let vector_lanes = match isa.kind() {
        Kind::Portable => return lane,
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => 16,
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => O.min(32),
    };
    // Of each eight lanes, the first four go to the lower half of the vector's channels.
    let (vector, lane) = (lane / vector_lanes, lane % vector_lanes);
    let half = (lane / 4) % 2;
    vector * vector_lanes + half * vector_lanes / 2 + lane / 8 * 4 + lane % 4
}

/// Adds to `acc` the products of the pixels of a tile with one panel of weights, over `pairs` pairs of taps.
pub fn add_tile(isa: Isa, rows: &TileRows, pairs: usize, panel: &[Panel], acc: &mut TileAcc) {
    dispatch!(isa, add_tile(rows, pairs, panel, acc));
}

/// Requantizes the accumulators of `O` channels of each pixel to codes.
pub fn requantize<const O: usize>(isa: Isa, factors: &Factors<O>, acc: &[[i32; O]], codes: &mut [[u8; O]]) {
    dispatch!(isa, requantize(factors, acc, codes));
}

/// Adds two tensors of codes, as [`skimp_runtime::kernels::add`].
pub fn add(isa: Isa, op: &Add, a: &[u8], b: &[u8], output: &mut [u8]) {
    dispatch!(isa, add(op, a, b, output));
}

/// Adds up, for each of `O` channels, `a`, `t`, `a * a` and `a * t` over the rows of `a` and `t`, whose
/// channels `first..first + O` of `channels` are meant; fewer at the end of a row. Sums must fit.
pub fn add_moments<const O: usize>(
    isa: Isa,
    (a, t): (&[i32], &[i32]),
    channels: usize,
    first: usize,
    moments: &mut [[i64; O]; 4],
) {
    dispatch!(isa, add_moments(a, t, channels, first, moments));
}

/// Executes a circuit's gates, from first to last, on `G` blocks of [`LANES`] operand pairs side by side. Adds to
/// each gate's counter how many of its bits are set.
pub fn simulate<const G: usize>(
    isa: Isa,
    program: &[Instruction],
    values: &mut [[Lanes; G]],
    counters: &mut [Counter],
) {
    dispatch!(isa, simulate(program, values, counters));
}

/// Adds up the errors of a block's products, given by their bits; whether all are within the limits.
/// If not, the sums mean nothing.
pub fn add_errors(
    isa: Isa,
    product: &[&Lanes; PRODUCT_BITS],
    exact: &ExactLanes,
    limits: &Limits,
    sums: &mut ErrorSums,
) -> bool {
    dispatch!(isa, add_errors(product, exact, limits, sums))
}

/// Adds up the errors of a block's products, given by their bits, by weight.
///
/// Pair `lane` of a block has the activation `lane % 16` and the weight `lane / 16` of those the block is
/// about; `counts` is how often each activation counts. Sums must fit.
pub fn add_moments_of_errors(
    isa: Isa,
    product: &[&Lanes; PRODUCT_BITS],
    (exact, signed): (&ExactBlock, bool),
    counts: &[i32; BLOCK_ACTIVATIONS],
    moments: &mut Moments,
) {
    dispatch!(isa, add_moments_of_errors(product, exact, signed, counts, moments));
}
