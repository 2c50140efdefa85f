//! Table rows in place, in flash or in the arena.

use crate::image::{EntryKind, Table};

/// A row of 8-bit entries: its slope as an i16, then 256 entries of a byte each.
pub type SlopedRow = [u16; 129];

/// The rows of a table: 256 products each, one for every activation code.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// Entries of u16.
    U16(&'a [[u16; 256]]),
    /// Entries of i32.
    I32(&'a [[i32; 256]]),
    /// Entries of u8 beside a product.
    U8(&'a [SlopedRow]),
}

impl<'a> Rows<'a> {
    /// The rows of `table` in its `bytes`; `None` if they are not as many as the record says or not aligned.
    pub fn new(table: &Table, bytes: &'a [u8]) -> Option<Rows<'a>> {
        if table.entry.rows_in(bytes.len()) != Some(table.rows.into()) {
            return None;
        }
        Some(match table.entry {
            EntryKind::U16 => Rows::U16(bytemuck::try_cast_slice(bytes).ok()?),
            EntryKind::I32 => Rows::I32(bytemuck::try_cast_slice(bytes).ok()?),
            EntryKind::U8 => Rows::U8(bytemuck::try_cast_slice(bytes).ok()?),
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Rows::U16(rows) => rows.len(),
            Rows::I32(rows) => rows.len(),
            Rows::U8(rows) => rows.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
