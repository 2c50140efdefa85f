//! Records and sections of a checked image, in place.

use super::{ALIGNMENT_BYTES, Conv2d, EntryKind, HEADER_BYTES, Head, Header, Layer, Section, Table};
use crate::Error;
use crate::kernels::{ConvData, Rows};
use bytemuck::Pod;

/// An image whose header and checksum are right, with its records located.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    sections: &'a [u8],
    tables: &'a [u8],
    table_count: u16,
    layers: &'a [u8],
    layer_count: u16,
}

impl<'a> Reader<'a> {
    /// Opens an image and decodes each record once.
    pub fn open(flash: &'a [u8]) -> Result<(Head<'a>, Reader<'a>), Error> {
        if flash.as_ptr().align_offset(ALIGNMENT_BYTES) != 0 {
            return Err(Error::Misaligned);
        }
        let (header, image) = Header::read(flash)?;
        let end = HEADER_BYTES + header.description_bytes as usize;
        let description = image.get(HEADER_BYTES..end).ok_or(Error::Length)?;
        let sections = image.get(end.next_multiple_of(ALIGNMENT_BYTES)..).ok_or(Error::Length)?;
        let (head, tables) = decode::<Head>(description)?;
        let mut rest = tables;
        for _ in 0..head.table_count {
            rest = decode::<Table>(rest)?.1;
        }
        let layers = rest;
        for _ in 0..head.layer_count {
            rest = decode::<Layer>(rest)?.1;
        }
        if !rest.is_empty() {
            return Err(Error::Description);
        }
        let reader =
            Reader { sections, tables, table_count: head.table_count, layers, layer_count: head.layer_count };
        Ok((head, reader))
    }

    /// The layers in running order.
    pub fn layers(&self) -> impl Iterator<Item = Result<Layer<'a>, Error>> + use<'a> {
        records(self.layers, self.layer_count)
    }

    /// The table records.
    pub fn tables(&self) -> impl Iterator<Item = Result<Table<'a>, Error>> + use<'a> {
        records(self.tables, self.table_count)
    }

    /// The rows of table record `index`.
    pub fn rows(&self, index: u16) -> Result<Rows<'a>, Error> {
        let table = self.tables().nth(index.into()).ok_or(Error::Table)??;
        let rows = match table.entry {
            EntryKind::U16 => Rows::U16(self.section(table.entries)?),
            EntryKind::I16 => Rows::I16(self.section(table.entries)?),
            EntryKind::I32 => Rows::I32(self.section(table.entries)?),
        };
        if rows.len() != usize::from(table.rows) {
            return Err(Error::Section);
        }
        Ok(rows)
    }

    /// Everything a convolution reads from flash.
    pub fn conv(&self, conv: &Conv2d) -> Result<ConvData<'a>, Error> {
        Ok(ConvData {
            rows: self.rows(conv.table)?,
            weights: self.section(conv.weights)?,
            bias: self.section(conv.bias)?,
            multipliers: self.section(conv.multipliers)?,
            shifts: self.section(conv.shifts)?,
            activation_sums: conv.activation_sums.map(|s| self.section(s)).transpose()?,
        })
    }

    /// The bytes of `section` as elements of type `T`.
    fn section<T: Pod>(&self, section: Section) -> Result<&'a [T], Error> {
        let start = section.offset as usize;
        if !start.is_multiple_of(ALIGNMENT_BYTES) {
            return Err(Error::Section);
        }
        let end = start.checked_add(section.bytes as usize).ok_or(Error::Section)?;
        let bytes = self.sections.get(start..end).ok_or(Error::Section)?;
        bytemuck::try_cast_slice(bytes).map_err(|_| Error::Section)
    }
}

fn decode<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, &'a [u8]), Error> {
    postcard::take_from_bytes(bytes).map_err(|_| Error::Description)
}

fn records<'a, T: serde::Deserialize<'a>>(
    bytes: &'a [u8],
    count: u16,
) -> impl Iterator<Item = Result<T, Error>> + use<'a, T> {
    let mut rest = bytes;
    (0..count).map(move |_| {
        let (record, after) = decode(rest)?;
        rest = after;
        Ok(record)
    })
}
