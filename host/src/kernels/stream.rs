//! Loads of everything in a buffer that the first-level cache holds, to measure how fast they can be.

use super::Isa;
use super::isa::Kind;

/// Size of the buffer: half of the smallest first-level data cache there is today.
pub const STREAM_BYTES: usize = 16 << 10;

/// Cache lines of a buffer.
pub type StreamBuffer = [StreamLine; STREAM_BYTES / 64];

/// A cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
pub struct StreamLine([i32; 16]);

/// Vectors of sums, so that an addition needn't wait for the one before it.
const CHAINS: usize = 8;

/// Loads all of `buffer` `passes` times, and adds what it has loaded so that no load can be left out.
pub fn stream(isa: Isa, buffer: &StreamBuffer, passes: usize) -> i32 {
    dispatch!(isa, stream(buffer, passes))
}

mod portable {
    use super::{CHAINS, StreamBuffer};
    use std::hint::black_box;

    #[inline(always)]
    pub fn stream(buffer: &StreamBuffer, passes: usize) -> i32 {
        // Vectors of 128 bits, which every 64-bit target has.
        let mut sums = [[0i32; 4]; CHAINS];
        for _ in 0..passes {
            // Opaque to the compiler, which could otherwise load once for all passes.
            let buffer = black_box(buffer);
            let vectors: &[[i32; 4]] = bytemuck::cast_slice(buffer);
            for vectors in vectors.as_chunks::<CHAINS>().0 {
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    for (sum, value) in sum.iter_mut().zip(vector) {
                        *sum = sum.wrapping_add(*value);
                    }
                }
            }
        }
        sums.as_flattened().iter().fold(0, |total, &sum| total.wrapping_add(sum))
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{CHAINS, StreamBuffer};
    use bytemuck::must_cast;
    use std::arch::x86_64::*;
    use std::hint::black_box;

    #[target_feature(enable = "avx2")]
    pub fn stream(buffer: &StreamBuffer, passes: usize) -> i32 {
        let mut sums = [_mm256_setzero_si256(); CHAINS];
        for _ in 0..passes {
            let vectors: &[[i32; 8]] = bytemuck::cast_slice(black_box(buffer));
            for vectors in vectors.as_chunks::<CHAINS>().0 {
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = _mm256_add_epi32(*sum, must_cast(*vector));
                }
            }
        }
        let sums = sums.map(must_cast::<__m256i, [i32; 8]>);
        sums.as_flattened().iter().fold(0, |total, &sum| total.wrapping_add(sum))
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{CHAINS, StreamBuffer};
    use bytemuck::must_cast;
    use std::arch::x86_64::*;
    use std::hint::black_box;

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub fn stream(buffer: &StreamBuffer, passes: usize) -> i32 {
        let mut sums = [_mm512_setzero_si512(); CHAINS];
        for _ in 0..passes {
            for lines in black_box(buffer).as_chunks::<CHAINS>().0 {
                for (sum, line) in sums.iter_mut().zip(lines) {
                    *sum = _mm512_add_epi32(*sum, must_cast(line.0));
                }
            }
        }
        let sums = sums.map(must_cast::<__m512i, [i32; 16]>);
        sums.as_flattened().iter().fold(0, |total, &sum| total.wrapping_add(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_loaded_in_every_pass() {
        let mut buffer: Box<StreamBuffer> = bytemuck::zeroed_box();
        let words: &mut [i32] = bytemuck::cast_slice_mut(&mut buffer[..]);
        let mut expected = 0i32;
        for (i, word) in words.iter_mut().enumerate() {
            *word = (i as i32 + 1).wrapping_mul(0x9e37_79b1_u32 as i32);
            expected = expected.wrapping_add(word.wrapping_mul(3));
        }
        for isa in Isa::available() {
            assert_eq!(stream(isa, &buffer, 3), expected, "{isa}");
        }
    }
}
