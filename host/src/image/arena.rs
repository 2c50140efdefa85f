//! Where each tensor lives in the device's working memory.
//!
//! Greedy by size (Pisarchyk and Lee, MLSys 2020 workshop, "Efficient Memory Management for Deep Neural Net
//! Inference", section 4): buffers are placed from the largest to the smallest, each at the lowest offset
//! where it meets no buffer that is alive at the same time. Where that leaves gaps, other orders are tried,
//! always the same ones.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::ops::RangeInclusive;

/// Offsets are multiples of this: kernels take some buffers for words.
const ALIGNMENT_BYTES: usize = 4;
/// Orders tried at most, beyond the first ones.
const ATTEMPTS: usize = 500;

/// Something that occupies the arena for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffer {
    /// Its size.
    pub bytes: usize,
    /// First and last layer during which it is needed.
    pub alive: RangeInclusive<usize>,
}

impl Buffer {
    /// The space it takes.
    fn room_bytes(&self) -> usize {
        self.bytes.next_multiple_of(ALIGNMENT_BYTES)
    }

    fn meets(&self, other: &Buffer) -> bool {
        self.alive.start() <= other.alive.end() && other.alive.start() <= self.alive.end()
    }
}

/// Offsets for all buffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Offset of each buffer, in the order given.
    pub offsets: Vec<usize>,
    /// Size of the arena.
    pub arena_bytes: usize,
}

/// Places `buffers`.
pub fn plan(buffers: &[Buffer]) -> Plan {
    let bound_bytes = lower_bound_bytes(buffers);
    let length = |b: &Buffer| b.alive.end() - b.alive.start();
    let mut by_size: Vec<usize> = (0..buffers.len()).collect();
    by_size.sort_by_key(|&i| (Reverse(buffers[i].bytes), *buffers[i].alive.start(), i));
    let mut by_area = by_size.clone();
    by_area.sort_by_key(|&i| Reverse(buffers[i].bytes * (length(&buffers[i]) + 1)));
    let mut by_length = by_size.clone();
    by_length.sort_by_key(|&i| Reverse(length(&buffers[i])));

    let mut order = by_size.clone();
    let mut best = place(buffers, &by_size);
    for other in [by_area, by_length] {
        let plan = place(buffers, &other);
        if plan.arena_bytes < best.arena_bytes {
            (best, order) = (plan, other);
        }
    }
    // From the best order on, exchanges that do not make it worse.
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..ATTEMPTS {
        if best.arena_bytes <= bound_bytes || order.len() < 2 {
            break;
        }
        let mut other = order.clone();
        let [a, b] = [0; 2].map(|_| rng.random_range(0..other.len()));
        other.swap(a, b);
        let plan = place(buffers, &other);
        if plan.arena_bytes <= best.arena_bytes {
            (best, order) = (plan, other);
        }
    }
    best
}

/// Places buffers in the given order.
fn place(buffers: &[Buffer], order: &[usize]) -> Plan {
    let mut offsets = vec![0; buffers.len()];
    let mut placed: Vec<usize> = Vec::new();
    for &i in order {
        let meets = |&&j: &&usize| buffers[i].meets(&buffers[j]);
        let mut taken: Vec<(usize, usize)> = placed
            .iter()
            .filter(meets)
            .map(|&j| (offsets[j], offsets[j] + buffers[j].room_bytes()))
            .collect();
        taken.sort_unstable();
        let mut offset = 0;
        for (start, end) in taken {
            if offset + buffers[i].room_bytes() <= start {
                break;
            }
            offset = offset.max(end);
        }
        offsets[i] = offset;
        placed.push(i);
    }
    let arena_bytes = buffers.iter().zip(&offsets).map(|(b, &o)| o + b.room_bytes()).max().unwrap_or(0);
    Plan { offsets, arena_bytes }
}

/// The least any plan could need: the largest sum of buffers alive during one layer.
pub fn lower_bound_bytes(buffers: &[Buffer]) -> usize {
    let layers = buffers.iter().map(|b| *b.alive.start());
    let alive_at =
        |layer: usize| buffers.iter().filter(|b| b.alive.contains(&layer)).map(Buffer::room_bytes).sum();
    layers.map(alive_at).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_chain_needs_its_two_largest_neighbours() {
        let buffers: Vec<Buffer> = [100, 300, 200, 50]
            .iter()
            .enumerate()
            .map(|(i, &bytes)| Buffer { bytes, alive: i..=i + 1 })
            .collect();
        let plan = plan(&buffers);
        assert_eq!(plan.arena_bytes, 500);
        assert_eq!(lower_bound_bytes(&buffers), 500);
    }

    proptest! {
        #[test]
        fn buffers_alive_together_never_overlap(
            specs in proptest::collection::vec((0usize..500, 0usize..12, 0usize..5), 0..40)
        ) {
            let buffers: Vec<Buffer> = specs
                .iter()
                .map(|&(bytes, start, length)| Buffer { bytes, alive: start..=start + length })
                .collect();
            let plan = plan(&buffers);
            for (i, a) in buffers.iter().enumerate() {
                for (j, b) in buffers.iter().enumerate().take(i) {
                    let together = a.alive.start() <= b.alive.end() && b.alive.start() <= a.alive.end();
                    let (a0, b0) = (plan.offsets[i], plan.offsets[j]);
                    let apart = a0 + a.bytes <= b0 || b0 + b.bytes <= a0;
                    prop_assert!(!together || apart || a.bytes == 0 || b.bytes == 0);
                }
            }
            prop_assert!(plan.offsets.iter().all(|offset| offset % ALIGNMENT_BYTES == 0));
            prop_assert!(plan.arena_bytes >= lower_bound_bytes(&buffers));
        }
    }
}
