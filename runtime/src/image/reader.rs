//! Records and sections of a checked image, in place.

use super::{
    ALIGNMENT_BYTES, Conv2d, EntryKind, HEADER_BYTES, Head, Header, Layer, Operand, Point, Section, Table,
    WeightWidth,
};
use crate::Error;
use crate::kernels::conv::{ACTIVATION_CHANNELS, Factor, Requantization};
use crate::kernels::{DepthwiseWeights, ProductWeights, Rows};
use bytemuck::Pod;

/// An image whose header and checksum are right, with its records located.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    sections: &'a [u8],
    tables: &'a [u8],
    table_count: u16,
    points: &'a [u8],
    point_count: u16,
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
        let points = skip::<Table>(tables, head.table_count)?;
        let mut rest = points;
        for _ in 0..head.point_count {
            let (point, layers) = decode::<Point>(rest)?;
            rest = skip::<Layer>(layers, point.layer_count)?;
        }
        if !rest.is_empty() || head.point_count == 0 {
            return Err(Error::Description);
        }
        let (table_count, point_count) = (head.table_count, head.point_count);
        Ok((head, Reader { sections, tables, table_count, points, point_count }))
    }

    /// The operating points, each with its layers.
    pub fn points(&self) -> impl Iterator<Item = Result<(Point<'a>, Layers<'a>), Error>> + use<'a> {
        let mut rest = self.points;
        (0..self.point_count).map(move |_| {
            let (point, layers) = decode::<Point>(rest)?;
            rest = skip::<Layer>(layers, point.layer_count)?;
            Ok((point, Layers { bytes: layers, count: point.layer_count }))
        })
    }

    /// The table records.
    pub fn tables(&self) -> impl Iterator<Item = Result<Table<'a>, Error>> + use<'a> {
        records(self.tables, self.table_count)
    }

    /// Table record `index`.
    pub fn table(&self, index: u16) -> Result<Table<'a>, Error> {
        self.tables().nth(index.into()).ok_or(Error::Table)?
    }

    /// The rows of a table in flash.
    pub fn rows(&self, table: &Table) -> Result<Rows<'a>, Error> {
        Rows::new(table, self.bytes(table.entries)?).ok_or(Error::Section)
    }

    /// The weights of a kernel that looks up row by activation.
    pub fn weight_blocks(&self, weights: Section) -> Result<&'a [[u8; ACTIVATION_CHANNELS]], Error> {
        self.section(weights)
    }

    /// The weights of a product kernel.
    pub fn product_weights(&self, width: WeightWidth, weights: Section) -> Result<ProductWeights<'a>, Error> {
        Ok(match width {
            WeightWidth::I8 => ProductWeights::I8(self.section(weights)?),
            WeightWidth::I16 => ProductWeights::I16(self.section(weights)?),
        })
    }

    /// The weights of a depthwise product kernel.
    pub fn depthwise_weights(
        &self,
        width: WeightWidth,
        weights: Section,
    ) -> Result<DepthwiseWeights<'a>, Error> {
        Ok(match width {
            WeightWidth::I8 => DepthwiseWeights::I8(self.section(weights)?),
            WeightWidth::I16 => DepthwiseWeights::I16(self.section(weights)?),
        })
    }

    /// The function of a product kernel's activation codes.
    pub fn factor(&self, operand: Operand) -> Result<Factor<'a>, Error> {
        Ok(match operand {
            Operand::Masked { mask, shift } if shift < 8 => Factor::Masked { mask, shift },
            Operand::Masked { .. } => return Err(Error::Geometry),
            Operand::Mapped(values) => {
                Factor::Mapped(self.section::<i16>(values)?.try_into().map_err(|_| Error::Section)?)
            }
        })
    }

    /// What follows a convolution's sums of products.
    pub fn requantization(&self, conv: &Conv2d) -> Result<Requantization<'a>, Error> {
        Ok(Requantization {
            bias: self.section(conv.bias)?,
            multipliers: self.section(conv.multipliers)?,
            shifts: self.section(conv.shifts)?,
            activation_sums: conv.activation_sums.map(|s| self.section(s)).transpose()?,
            kind: conv.output_kind,
        })
    }

    /// The bytes of `section` as elements of type `T`.
    pub fn section<T: Pod>(&self, section: Section) -> Result<&'a [T], Error> {
        bytemuck::try_cast_slice(self.bytes(section)?).map_err(|_| Error::Section)
    }

    fn bytes(&self, section: Section) -> Result<&'a [u8], Error> {
        let start = section.offset as usize;
        if !start.is_multiple_of(ALIGNMENT_BYTES) {
            return Err(Error::Section);
        }
        let end = start.checked_add(section.bytes as usize).ok_or(Error::Section)?;
        self.sections.get(start..end).ok_or(Error::Section)
    }
}

/// The layers of an operating point.
#[derive(Clone, Copy)]
pub(crate) struct Layers<'a> {
    bytes: &'a [u8],
    /// How many they are.
    pub count: u16,
}

impl<'a> Layers<'a> {
    /// The layers in running order.
    pub fn iter(&self) -> impl Iterator<Item = Result<Layer<'a>, Error>> + use<'a> {
        records(self.bytes, self.count)
    }
}

impl EntryKind {
    /// How many rows `bytes` hold, if whole ones.
    pub(crate) fn rows_in(self, bytes: usize) -> Option<usize> {
        let row_bytes = self.row_bytes();
        bytes.is_multiple_of(row_bytes).then(|| bytes / row_bytes)
    }
}

fn decode<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, &'a [u8]), Error> {
    postcard::take_from_bytes(bytes).map_err(|_| Error::Description)
}

/// What follows `count` records.
fn skip<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8], count: u16) -> Result<&'a [u8], Error> {
    let mut rest = bytes;
    for _ in 0..count {
        rest = decode::<T>(rest)?.1;
    }
    Ok(rest)
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
