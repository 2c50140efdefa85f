//! Tables turned around: a row for each activation code, an entry for each weight byte. For layers of one or two
//! pixels, whose few activations otherwise share no look at a row.

use super::tables::StoredTable;
use crate::quantize::QuantizedConv;
use skimp_runtime::image::EntryKind;

/// Which layers of [`TableForm::Fastest`](super::TableForm::Fastest) look tables up row by activation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ByActivation {
    /// Those that are faster so, where the table is worth its bytes.
    #[default]
    WhereItPays,
    /// All with one or two pixels, to measure and to test it.
    Everywhere,
}

/// Most output pixels of a layer that is looked up so: with more, rows by weight are as fast.
const MOST_PIXELS: usize = 2;
/// Output channels that are looked up together.
const CHANNELS: usize = 8;

impl ByActivation {
    /// Whether a layer looks its table up so, if the table is stored for it.
    pub(super) fn suits(self, conv: &QuantizedConv) -> bool {
        can(conv) && (self == ByActivation::Everywhere || suits(conv))
    }

    /// Whether a table with these users is stored for it.
    pub(super) fn stores(self, users: &[&QuantizedConv], by_weight_bytes: usize) -> bool {
        match self {
            ByActivation::WhereItPays => pays(users, by_weight_bytes),
            ByActivation::Everywhere => users.iter().any(|conv| can(conv)),
        }
    }
}

/// Whether it is worth considering at all.
fn can(conv: &QuantizedConv) -> bool {
    conv.groups == 1 && conv.pixels() <= MOST_PIXELS
}

/// Whether a layer is faster with such a table than with a row for each weight: it has few pixels, and not too many of
/// the channels that complete its last block of eight are idle. A product takes 3.4 instructions instead of 5.3, each
/// idle channel as many.
fn suits(conv: &QuantizedConv) -> bool {
    let outputs = conv.outputs();
    can(conv) && 2 * outputs.next_multiple_of(CHANNELS) <= 3 * outputs
}

/// Whether a table is worth being stored turned around, for those of its `users` that it suits: if they look it up at
/// least as often in an inference (at each operating point once) as the image gets longer by bytes. If nobody else needs
/// the table row by weight, of `by_weight_bytes`, then it is not stored so.
fn pays(users: &[&QuantizedConv], by_weight_bytes: usize) -> bool {
    let suited = || users.iter().filter(|conv| suits(conv));
    let lookups: u64 = suited().map(|conv| conv.multiplications()).sum();
    let saved = if suited().count() == users.len() { by_weight_bytes } else { 0 };
    let bytes = 256 * EntryKind::U16.row_bytes();
    lookups > 0 && lookups >= bytes.saturating_sub(saved) as u64
}

/// A table row by activation.
pub(super) struct TransposedTable {
    /// Width of an entry.
    pub entry: EntryKind,
    rows: Vec<[i32; 256]>,
}

impl TransposedTable {
    /// The entries of `table`, whose weight bytes are row numbers, by activation code and then weight byte.
    pub fn new(table: &StoredTable) -> TransposedTable {
        let entry = |x: usize, byte: usize| table.rows.get(byte).map_or(0, |row| row[x]);
        let rows = (0..256).map(|x| std::array::from_fn(|byte| entry(x, byte))).collect();
        TransposedTable { entry: table.entry, rows }
    }

    /// The rows as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        super::tables::row_bytes(self.entry, &self.rows, &[])
    }

    /// Length of [`TransposedTable::bytes`].
    pub fn len_bytes(&self) -> usize {
        self.rows.len() * self.entry.row_bytes()
    }
}

/// Weight bytes by block of output channels, then tap; channels that complete the last block have byte 0.
pub(super) fn by_block(conv: &QuantizedConv, weights: &[u8]) -> Vec<u8> {
    let (taps, outputs) = (conv.taps(), conv.outputs());
    let mut ordered = Vec::with_capacity(taps * outputs.next_multiple_of(CHANNELS));
    for first in (0..outputs).step_by(CHANNELS) {
        for tap in 0..taps {
            let channels = first..first + CHANNELS;
            ordered.extend(channels.map(|o| weights.get(o * taps + tap).copied().unwrap_or(0)));
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use skimp_runtime::arithmetic::CodeRange;
    use skimp_runtime::image::{OutputKind, Tensor, Window};

    fn conv(taps: u16, pixels: u16, outputs: u16) -> QuantizedConv {
        let tensor = |channels| Tensor { offset: 0, height: 1, width: pixels, channels };
        QuantizedConv {
            input: tensor(taps),
            output: tensor(outputs),
            window: Window { kernel: [1; 2], stride: [1; 2], padding: [0; 2] },
            groups: 1,
            input_scale: 1.0,
            input_zero_point: 0,
            weights: vec![0; usize::from(taps) * usize::from(outputs)],
            weight_scales: vec![1.0],
            weight_zero_point: 0,
            bias: vec![0.0; outputs.into()],
            output_scale: 1.0,
            output_kind: OutputKind::Codes(CodeRange { zero_point: 0, min: 0, max: 255 }),
        }
    }

    #[test]
    fn it_suits_few_pixels_and_blocks_that_are_full_enough() {
        for (outputs, suited) in [(1, false), (5, false), (6, true), (8, true), (9, false), (10, false)] {
            assert_eq!(suits(&conv(3, 1, outputs)), suited, "{outputs}");
        }
        assert!(suits(&conv(3, 2, 64)) && !suits(&conv(3, 3, 64)));
        assert!(!suits(&QuantizedConv { groups: 4, ..conv(8, 1, 64) }));
    }

    #[test]
    fn it_pays_where_lookups_are_as_many_as_bytes() {
        let (large, small, image) = (conv(2048, 1, 64), conv(2047, 1, 64), conv(16, 64, 16));
        // 128 KiB more where the table is needed by weight too.
        assert!(pays(&[&large, &image], 100_000));
        assert!(!pays(&[&small, &image], 100_000));
        assert!(pays(&[&small], 100_000));
        // Else so much less.
        assert!(pays(&[&small], 64) && !pays(&[&small], 63));
        assert!(!pays(&[&image], 200_000));
    }

    #[test]
    fn weights_go_by_block() {
        let weights: Vec<u8> = (0..20).collect();
        let ordered = by_block(&conv(2, 1, 10), &weights);
        assert_eq!(ordered[..10], [0, 2, 4, 6, 8, 10, 12, 14, 1, 3]);
        assert_eq!(ordered[16..], [16, 18, 0, 0, 0, 0, 0, 0, 17, 19, 0, 0, 0, 0, 0, 0]);
    }
}
