//! The flash image: format version 2.
//!
//! An image is one self-contained, position-independent byte string, placed at a 4-byte aligned address
//! and used in place. All integers are little endian.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 4 | magic `SKMP` |
//! | 4 | 2 | format version (2) |
//! | 6 | 2 | reserved, 0 |
//! | 8 | 4 | total length of the image in bytes, a multiple of 4 |
//! | 12 | 4 | CRC-32 (ISO-HDLC) over bytes 0..12 and 16..total length |
//! | 16 | 4 | length of the description in bytes |
//! | 20 | | description, then zeros up to a multiple of 4 |
//! | | | section area: byte sections, each starting at a multiple of 4 |
//!
//! The **description** is a sequence of [postcard] values without separators: one [`Head`], then
//! [`Head::table_count`] times a [`Table`], then [`Head::point_count`] times a [`Point`] followed by its
//! [`Layer`]s in running order. It is decoded value by value, so a reader needs no memory for it.
//!
//! A **[`Section`]** is an offset from the first byte of the section area and a length. Arrays of i32, u16 and i16 are
//! stored as such and read in place.
//!
//! **Operating points** are several assignments of multipliers to the same network. They share input,
//! output and arena, and every section and table that is the same in several of them.
//!
//! A **table** holds the products of one multiplier as one scheme uses it, *row by weight*: row `i` has 256
//! entries, one for each activation code. A weight byte chooses a row by the layer's [`WeightCoding`].
//! Only rows that some weight names need to be stored. [`EntryKind`] tells what entries are. The kernel
//! [`TableByActivation`](Kernel::TableByActivation) wants it the other way around: a row for each activation code, an
//! entry for each weight byte.
//!
//! **Activations** live in the arena as u8 codes at offsets fixed by the host, height x width x channels,
//! channels innermost; logits are little-endian i32.
//!
//! **Stability**: a reader of version N reads images of version N and refuses others with
//! [`Error::Version`](crate::Error::Version). Any change to the header, to a record's fields or their
//! order, or to the arithmetic gets a new version; new enum variants may be appended within a version,
//! and readers that do not know them refuse the image with [`Error::Description`](crate::Error::Description).
//!
//! [postcard]: https://postcard.jamesmunns.com/wire-format

mod check;
mod description;
mod header;
mod reader;
mod support;

pub use description::{
    Add, AveragePool, Conv2d, CopyTable, EntryKind, Head, Kernel, Layer, MaxPool, Op, Operand, OutputKind,
    Pad, Point, RowSource, Scratch, Section, Slice, Table, Tensor, WeightCoding, WeightWidth, Window,
};
pub use header::{ALIGNMENT_BYTES, HEADER_BYTES, Header, MAGIC, VERSION, checksum};

pub(crate) use check::check;
pub(crate) use reader::{Layers, Reader};
