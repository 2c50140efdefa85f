//! The records of an image's description.

use crate::arithmetic::{AddRescale, CodeRange};
use serde::{Deserialize, Serialize};

/// The description's first record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head<'a> {
    /// The network's name.
    #[serde(borrow)]
    pub name: &'a str,
    /// Bytes of working memory an inference needs.
    pub arena_bytes: u32,
    /// Where the input codes go.
    pub input: Tensor,
    /// Real value of one step of the input's codes.
    pub input_scale: f32,
    /// Code of the real value 0 in the input.
    pub input_zero_point: u8,
    /// Where the result is found.
    pub output: Tensor,
    /// How the result is stored.
    pub output_kind: OutputKind,
    /// Real value of one step of a logit.
    pub output_scale: f32,
    /// Number of [`Table`] records that follow.
    pub table_count: u16,
    /// Number of [`Point`] records that follow the tables, at least 1.
    pub point_count: u16,
}

/// An operating point: one assignment of multipliers to the network's layers. Its layers follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point<'a> {
    /// The point's name; may be empty.
    #[serde(borrow)]
    pub name: &'a str,
    /// Number of [`Layer`] records that follow.
    pub layer_count: u16,
}

/// How a tensor's elements are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputKind {
    /// One u8 code an element.
    Codes(CodeRange),
    /// One little-endian i32 an element, requantized but neither shifted nor clamped to 8 bits.
    Logits,
}

/// A tensor in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tensor {
    /// First byte in the arena.
    pub offset: u32,
    /// Rows.
    pub height: u16,
    /// Columns.
    pub width: u16,
    /// Channels, innermost.
    pub channels: u16,
}

/// A range of the section area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// First byte, counted from the start of the section area; a multiple of 4.
    pub offset: u32,
    /// Length in bytes.
    pub bytes: u32,
}

/// A range of the arena used within one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scratch {
    /// First byte in the arena.
    pub offset: u32,
    /// Length in bytes.
    pub bytes: u32,
}

/// The products of one multiplier under one scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table<'a> {
    /// The multiplier's name; may be empty.
    #[serde(borrow)]
    pub name: &'a str,
    /// Width of an entry.
    pub entry: EntryKind,
    /// Number of rows of 256 entries.
    pub rows: u16,
    /// The rows, [`EntryKind::row_bytes`] each.
    pub entries: Section,
}

/// Type of a table's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryKind {
    /// Unsigned 16 bits. Hosts bring nearly all tables into this form: constants that rows lose go into
    /// biases.
    U16,
    /// Signed 32 bits.
    I32,
    /// Unsigned 8 bits beside a product: each row starts with its slope, an i16, and the product of activation
    /// code `x` is `slope * x` plus the entry. For multipliers whose rows are nearly straight lines.
    U8,
}

impl EntryKind {
    /// Bytes of a row: 256 entries, and what goes before them.
    pub const fn row_bytes(self) -> usize {
        match self {
            EntryKind::U16 => 512,
            EntryKind::I32 => 1024,
            EntryKind::U8 => 258,
        }
    }
}

/// How a weight byte chooses the products it contributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WeightCoding {
    /// The byte is a row index; the row's entry is added.
    Row,
    /// The lower seven bits are a row index; the row's entry is added, or subtracted if the eighth bit is
    /// set. Weights that contribute nothing name a row of zeros.
    SignedRow,
}

/// How a convolution computes its products, and with which weights. Every way gives the same integers; the
/// host chooses the fastest that its proofs allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kernel {
    /// Table lookup over blocks of pixels.
    Table {
        /// The products.
        rows: RowSource,
        /// How weights name rows.
        coding: WeightCoding,
        /// One byte a weight: `[output channel][kernel row][kernel column][input channel of the group]`.
        weights: Section,
    },
    /// Products `f(x) * g(w)`, over pairs of output channels and blocks of pixels.
    Product {
        /// `f`.
        operand: Operand,
        /// Type of the weights `g(w)`.
        width: WeightWidth,
        /// For each group, pair of its output channels and four taps in the order above: the four weights
        /// of the pair's first channel, then those of its second. Taps and channels that complete a group
        /// of four or a pair weigh 0. i16 weights: taps 0 and 2 of both channels, then 1 and 3 of both.
        weights: Section,
    },
    /// Table lookup where each group has one channel: input and output channels are the same.
    DepthwiseTable {
        /// The products.
        rows: RowSource,
        /// How weights name rows.
        coding: WeightCoding,
        /// One byte a weight: `[block][kernel row][kernel column][channel of the block]`. Blocks have four
        /// channels. The last block is the last four channels, even if some of them are in the one before; where
        /// there are fewer than four, the last stands for those that are missing.
        weights: Section,
    },
    /// Products `f(x) * g(w)` where each group has one channel.
    DepthwiseProduct {
        /// `f`.
        operand: Operand,
        /// Type of the weights `g(w)`.
        width: WeightWidth,
        /// In the order above. i16 weights: channels 0 and 2, then 1 and 3.
        weights: Section,
    },
    /// Table lookup row by activation, over blocks of eight output channels: for few pixels and one group.
    TableByActivation {
        /// The products, with a row for each of the 256 activation codes and an entry for each weight byte.
        rows: RowSource,
        /// One byte a weight: `[block of output channels][kernel row][kernel column][input channel][output
        /// channel of the block]`. Output channels that complete the last block have any byte.
        weights: Section,
    },
}

/// Where a layer finds the rows of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSource {
    /// Index of the table record.
    pub table: u16,
    /// First byte of a copy in the arena that an earlier [`CopyTable`] has made, a multiple of 4; `None` to
    /// read the table from flash.
    pub copy: Option<u32>,
}

/// The function `f` of activation codes in a product `f(x) * g(w)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operand {
    /// `(x & mask) << shift`.
    Masked {
        /// The bits that count.
        mask: u8,
        /// How far they are shifted: at most 7.
        shift: u8,
    },
    /// 256 values of type i16, one a code.
    Mapped(Section),
}

/// Type of the weights of a product kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WeightWidth {
    /// Signed 8 bits.
    I8,
    /// Signed 16 bits, little endian.
    I16,
}

impl WeightWidth {
    /// Bytes of one weight.
    pub const fn bytes(self) -> usize {
        match self {
            WeightWidth::I8 => 1,
            WeightWidth::I16 => 2,
        }
    }
}

/// Copies a table's rows from flash into the arena, for the layers that follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyTable {
    /// Index of the table record.
    pub table: u16,
    /// Where to; as long as the table's entries, at a multiple of 4.
    pub to: Scratch,
}

/// One step of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer<'a> {
    /// The layer's name; may be empty.
    #[serde(borrow)]
    pub name: &'a str,
    /// The name of the multiplier whose products it computes, in whatever way; may be empty.
    #[serde(borrow)]
    pub multiplier: &'a str,
    /// What it computes.
    pub op: Op,
}

/// The operators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Convolution; a dense layer is one with a 1x1 window over one pixel.
    Conv2d(Conv2d),
    /// Element-wise sum.
    Add(Add),
    /// Maximum over a window.
    MaxPool(MaxPool),
    /// Mean over a window.
    AveragePool(AveragePool),
    /// Strided part of a tensor.
    Slice(Slice),
    /// Tensor with zeros around it.
    Pad(Pad),
    /// A table copied into faster memory.
    CopyTable(CopyTable),
}

/// A sliding window. What falls outside the input is padding; the output's shape tells how far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Height and width.
    pub kernel: [u16; 2],
    /// Vertical and horizontal stride.
    pub stride: [u16; 2],
    /// Padding at the top and at the left.
    pub padding: [u16; 2],
}

/// See [`crate::arithmetic`] for the formula.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Read from here.
    pub input: Tensor,
    /// Written to here.
    pub output: Tensor,
    /// What the kernel works with, such as a block of pixels' window taps: [`Conv2d::scratch_bytes`], at a multiple
    /// of 4.
    pub scratch: Scratch,
    /// The window.
    pub window: Window,
    /// Channel groups.
    pub groups: u16,
    /// Code of padded taps.
    pub input_zero_point: u8,
    /// How products are computed, and the weights.
    pub kernel: Kernel,
    /// i32, one an output channel.
    pub bias: Section,
    /// i32 requantization multipliers, one an output channel.
    pub multipliers: Section,
    /// u8 requantization shifts, one an output channel.
    pub shifts: Section,
    /// i32 factors of the sum of activation codes, one an output channel; absent where all are 0.
    pub activation_sums: Option<Section>,
    /// How results are stored.
    pub output_kind: OutputKind,
}

/// Sum of two tensors of equal shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Add {
    /// The operands.
    pub inputs: [Tensor; 2],
    /// The sum.
    pub output: Tensor,
    /// The operands' zero points and factors.
    pub rescale: AddRescale,
    /// The codes of the result.
    pub range: CodeRange,
}

/// Largest code in each window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaxPool {
    /// Read from here.
    pub input: Tensor,
    /// Written to here; same channels.
    pub output: Tensor,
    /// The window.
    pub window: Window,
}

/// Rescaled mean of each window. A 1x1 window makes it a change of scale, range or zero point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AveragePool {
    /// Read from here.
    pub input: Tensor,
    /// Written to here; same channels.
    pub output: Tensor,
    /// The window.
    pub window: Window,
    /// Code of the real value 0 in the input.
    pub input_zero_point: u8,
    /// Requantization multiplier.
    pub multiplier: i32,
    /// Requantization shift.
    pub shift: u8,
    /// The codes of the result.
    pub range: CodeRange,
}

/// Every `step`-th element from `start` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Read from here.
    pub input: Tensor,
    /// Written to here.
    pub output: Tensor,
    /// First index along height, width and channels.
    pub start: [u16; 3],
    /// Distance between indices along each axis.
    pub step: [u16; 3],
}

/// The input surrounded by zeros.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pad {
    /// Read from here.
    pub input: Tensor,
    /// Written to here.
    pub output: Tensor,
    /// Zeros before the input along height, width and channels.
    pub before: [u16; 3],
    /// Code of the zeros.
    pub zero_point: u8,
}
