//! Shapes of the exact matrix product: pairs of 16-bit operands, multiplied and added to 32 bits.

/// Pixels of a tile.
pub const TILE_PIXELS: usize = 8;
/// Pairs of taps that a tile's rows have room for.
pub const PAIRS: usize = 256;
/// Output channels of a panel.
const CHANNELS: usize = 32;

/// The weights of one pair of taps: `[channel][tap of the pair]`.
pub type Panel = [i16; 2 * CHANNELS];
/// Pairs behind the last one that copying in blocks may overwrite.
pub const SLACK_PAIRS: usize = 8;
/// The operands of a tile, a pair of taps in each word, the first in the low half: `[pixel][pair]`.
pub type TileRows = [[i32; PAIRS + SLACK_PAIRS]; TILE_PIXELS];
/// The sums of a tile: `[pixel][channel]`.
pub type TileAcc = [[i32; CHANNELS]; TILE_PIXELS];

/// Output channels of a panel.
pub const fn panel_channels() -> usize {
    CHANNELS
}
