//! Table rows in place.

/// The rows of a table: 256 products each, one for every activation code.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// Entries of u16.
    U16(&'a [[u16; 256]]),
    /// Entries of i16.
    I16(&'a [[i16; 256]]),
    /// Entries of i32.
    I32(&'a [[i32; 256]]),
}

impl Rows<'_> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Rows::U16(rows) => rows.len(),
            Rows::I16(rows) => rows.len(),
            Rows::I32(rows) => rows.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
