//! How the channels and taps of a layer are cut into tables.

use super::residuals::Centred;
use crate::kernels::{self, Isa};
use crate::quantize::QuantizedConv;
use std::ops::Range;

/// Some output channels of one group.
pub struct Block {
    pub group: usize,
    /// Output channels.
    pub channels: Range<usize>,
    /// Lanes they take: 16, 32 or 64.
    pub lanes: usize,
    /// Weight codes `[tap][lane]`.
    pub weights: Vec<u8>,
    /// Sum of the middles of each channel's weights.
    pub middles: Vec<i32>,
    pub taps: Vec<TapBlock>,
}

/// Taps whose tables are in the cache together.
pub struct TapBlock {
    pub taps: Range<usize>,
    /// 16 or 8 for entries of 16 bits, 4 for entries of 32 bits.
    pub size: usize,
    /// Entries that may be added in 16 bits; 0 for entries of 32 bits.
    pub depth: usize,
}

/// All blocks of a convolution with `weights`.
pub fn blocks(isa: Isa, conv: &QuantizedConv, centred: &Centred, weights: &[u8]) -> Vec<Block> {
    let group_outputs = conv.outputs() / conv.groups;
    let mut blocks = Vec::new();
    for group in 0..conv.groups {
        let mut first = 0;
        for lanes in lanes(group_outputs, isa.table_block().0) {
            let start = group * group_outputs + first;
            let channels = start..start + lanes.min(group_outputs - first);
            let rows = &weights[channels.start * conv.taps()..channels.end * conv.taps()];
            first += channels.len();
            blocks.push(Block::new(isa, group, channels, lanes, rows, centred));
        }
    }
    blocks
}

/// Lanes of the blocks that hold so many channels, at most `most` (32 or 64) in each.
pub fn lanes(mut channels: usize, most: usize) -> Vec<usize> {
    let mut blocks = Vec::new();
    while channels > 0 {
        let lanes = match channels {
            0..=16 => 16,
            // Two blocks of fewer lanes waste less than one of 64.
            17..=48 => 32,
            _ => most,
        };
        blocks.push(lanes);
        channels -= lanes.min(channels);
    }
    blocks
}

impl Block {
    fn new(
        isa: Isa,
        group: usize,
        channels: Range<usize>,
        lanes: usize,
        rows: &[u8],
        centred: &Centred,
    ) -> Block {
        let taps = rows.len() / channels.len();
        let channel_of_lane = |lane| match lanes {
            64 => kernels::channel_of_lane::<64>(isa, lane),
            32 => kernels::channel_of_lane::<32>(isa, lane),
            _ => kernels::channel_of_lane::<16>(isa, lane),
        };
        // Lanes without a channel repeat the first one's weights; nobody looks at their sums.
        let row = |o: usize| if o < channels.len() { &rows[o * taps..] } else { rows };
        let weight = |tap: usize| (0..lanes).map(move |lane| row(channel_of_lane(lane))[tap]);
        let middle =
            |row: &[u8]| row.iter().fold(0i32, |sum, &w| sum.wrapping_add(centred.middles[usize::from(w)]));
        let bounds = |tap: usize, o: usize| centred.bounds[usize::from(rows[o * taps + tap])];
        let mut tap_blocks = Vec::new();
        let mut at = 0;
        while at < taps {
            let size = if isa.table_block().1 == 16 && taps - at > 8 { 16 } else { 8 };
            let depth = depth(at..(at + size).min(taps), channels.len(), bounds);
            // Wide entries take twice the room, and there are more of them in a block's tables.
            let size = if depth == 0 { 4 } else { size };
            tap_blocks.push(TapBlock { taps: at..(at + size).min(taps), size, depth });
            at += size;
        }
        Block {
            group,
            lanes,
            weights: (0..taps).flat_map(weight).collect(),
            middles: rows.chunks_exact(taps).map(middle).collect(),
            taps: tap_blocks,
            channels,
        }
    }
}

/// How many entries of consecutive taps can be added in 16 bits, whatever the activations are: 8, 4, 2 or 1,
/// in groups that start at the first tap; 0 if a single one does not fit. `bounds` are those of a tap in a
/// channel.
fn depth(taps: Range<usize>, channels: usize, bounds: impl Fn(usize, usize) -> (i32, i32)) -> usize {
    let safe = |depth: usize| {
        taps.clone().step_by(depth).all(|first| {
            (0..channels).all(|o| {
                let group = (first..(first + depth).min(taps.end)).map(|tap| bounds(tap, o));
                let (low, high) = group.fold((0i64, 0i64), |(low, high), bounds| {
                    (low + i64::from(bounds.0), high + i64::from(bounds.1))
                });
                low >= i16::MIN.into() && high <= i16::MAX.into()
            })
        })
    };
    [8, 4, 2, 1].into_iter().find(|&depth| safe(depth)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_lanes_are_wasted() {
        assert_eq!(lanes(1, 64), [16]);
        assert_eq!(lanes(17, 64), [32]);
        assert_eq!(lanes(48, 64), [32, 16]);
        assert_eq!(lanes(65, 64), [64, 16]);
        assert_eq!(lanes(200, 64), [64, 64, 64, 16]);
        assert_eq!(lanes(100, 32), [32, 32, 32, 16]);
    }

    #[test]
    fn depth_is_the_largest_that_no_sum_can_overflow() {
        let of = |low, high| depth(0..16, 2, |_, _| (low, high));
        assert_eq!(of(-4_096, 4_095), 8);
        assert_eq!(of(-4_096, 4_096), 4, "8 x 4,096 is one too many");
        assert_eq!(of(-4_097, 4_095), 4);
        assert_eq!(of(-16_384, 16_383), 2);
        assert_eq!(of(-32_768, 32_767), 1);
        assert_eq!(of(-32_768, 32_768), 0);
        // One large tap in one channel decides for its group alone.
        let one = |tap: usize, o: usize| if (tap, o) == (5, 1) { (0, 32_000) } else { (0, 100) };
        assert_eq!(depth(0..8, 2, one), 8);
        let two = |tap: usize, o: usize| if (4..6).contains(&tap) && o == 1 { (0, 20_000) } else { (0, 0) };
        assert_eq!(depth(0..8, 2, two), 1);
        // The last block may have fewer taps than lanes of tables.
        assert_eq!(depth(16..19, 2, |_, _| (0, 10_000)), 8);
    }
}
