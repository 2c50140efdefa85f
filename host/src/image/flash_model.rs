//! How large an image would be, without building it.
//!
//! All that an assignment of multipliers to layers changes is known for each layer and multiplier alone: whether the
//! products are multiplied or looked up, the bytes of the weights, and which rows of which table they name. For an
//! assignment the rows that layers with the same table need are joined, and the rest is added up. With the weights the
//! image will have, this is its size but for a few bytes of the description; compensation that goes on from these
//! weights changes which rows occur.

use super::layer::{is_depthwise, lower, product_kernel};
use super::lines::Line;
use super::lowering::Factor;
use super::sections::Sections;
use super::{FlashImage, build};
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::execute::AlignedImage;
use crate::multiplier::ProductTable;
use crate::quantize::{QuantizedConv, QuantizedNetwork};
use rayon::prelude::*;
use skimp_runtime::image::{
    ALIGNMENT_BYTES, EntryKind, HEADER_BYTES, Header, Kernel, Operand, Section, Table,
};
use std::collections::HashMap;
use std::sync::Arc;

/// The sizes of all images of a network with one of several multipliers in each layer.
pub struct FlashModel {
    /// Header, description without tables.
    base_bytes: usize,
    /// By multiplier, then layer.
    layers: Vec<Vec<LayerSize>>,
    tables: Vec<TableSize>,
    /// For each table the bytes of its record.
    records: Vec<usize>,
}

/// What a layer with one multiplier needs.
struct LayerSize {
    /// Its own sections.
    bytes: usize,
    needs: Needs,
}

/// What it may share with other layers.
enum Needs {
    Nothing,
    /// Operands by activation code, the map with this number.
    Map(usize),
    /// The rows of these weight codes in the table with this number.
    Rows(usize, Box<[bool; 256]>),
}

/// The same before tables and maps are numbered.
enum Needed {
    Nothing,
    Map(Box<[i16; 256]>),
    Rows(Arc<ProductTable>, Box<[bool; 256]>),
}

impl FlashModel {
    /// For `network` with any of the multipliers called `names`; `of` makes the convolution at a place among those that
    /// multiply with the multiplier at a place among the names. An image with the one at the place `plain` everywhere is built, for
    /// what is in every image. Uses all threads.
    pub fn new(
        network: &QuantizedNetwork,
        names: &[String],
        plain: usize,
        of: &(dyn Fn(usize, usize) -> Result<ApproximateConv> + Sync),
    ) -> Result<FlashModel> {
        let convs: Vec<&QuantizedConv> = network.convs().map(|(_, conv)| conv).collect();
        let place = |i: usize| (i / convs.len().max(1), i % convs.len().max(1));
        let sizes = (0..names.len() * convs.len()).into_par_iter().map(|i| {
            let (choice, layer) = place(i);
            Ok(size(convs[layer], &of(layer, choice)?))
        });
        let sizes: Vec<(usize, Needed)> = sizes.collect::<Result<_>>()?;
        let mut model = FlashModel {
            base_bytes: base_bytes(network, &names[plain], &|layer| of(layer, plain))?,
            layers: names.iter().map(|_| Vec::new()).collect(),
            tables: Vec::new(),
            records: Vec::new(),
        };
        let mut maps: HashMap<Box<[i16; 256]>, usize> = HashMap::new();
        let mut known: Vec<Arc<ProductTable>> = Vec::new();
        for (i, (bytes, needed)) in sizes.into_iter().enumerate() {
            let (choice, _) = place(i);
            let needs = match needed {
                Needed::Nothing => Needs::Nothing,
                Needed::Map(map) => {
                    let next = maps.len();
                    Needs::Map(*maps.entry(map).or_insert(next))
                }
                Needed::Rows(products, occurs) => {
                    let same =
                        |other: &Arc<ProductTable>| Arc::ptr_eq(other, &products) || *other == products;
                    let table = known.iter().position(same).unwrap_or_else(|| {
                        model.tables.push(TableSize::new(&products));
                        model.records.push(record_bytes(&names[choice]));
                        known.push(products);
                        known.len() - 1
                    });
                    Needs::Rows(table, occurs)
                }
            };
            model.layers[choice].push(LayerSize { bytes, needs });
        }
        Ok(model)
    }

    /// The bytes of the image with these multipliers, one for each layer, by their places among the names.
    pub fn flash_bytes(&self, assignment: &[usize]) -> usize {
        let mut bytes = self.base_bytes;
        let mut tables: Vec<(usize, [bool; 256])> = Vec::new();
        let mut maps: Vec<usize> = Vec::new();
        for (layer, &choice) in assignment.iter().enumerate() {
            let size = &self.layers[choice][layer];
            bytes += size.bytes;
            match &size.needs {
                Needs::Nothing => {}
                Needs::Map(map) if maps.contains(map) => {}
                Needs::Map(map) => maps.push(*map),
                Needs::Rows(table, occurs) => match tables.iter_mut().find(|(other, _)| other == table) {
                    Some((_, joined)) => joined.iter_mut().zip(&**occurs).for_each(|(all, one)| *all |= one),
                    None => tables.push((*table, **occurs)),
                },
            }
        }
        bytes += maps.len() * size_of::<[i16; 256]>();
        bytes += tables
            .iter()
            .map(|(table, occurs)| {
                self.tables[*table].bytes(occurs).next_multiple_of(ALIGNMENT_BYTES) + self.records[*table]
            })
            .sum::<usize>();
        bytes.next_multiple_of(ALIGNMENT_BYTES)
    }
}

/// Header and description of an image with one multiplier everywhere, without the records of tables.
fn base_bytes(
    network: &QuantizedNetwork,
    name: &str,
    of: &dyn Fn(usize) -> Result<ApproximateConv>,
) -> Result<usize> {
    let convs = (0..network.convs().count()).map(of).collect::<Result<Vec<_>>>()?;
    let FlashImage { bytes, .. } = build(network, &convs, &vec![name.to_owned(); convs.len()])?;
    let (header, _) = Header::read(&bytes)
        .map_err(|e| Error::Mismatch(format!("the image just built can't be read: {e}")))?;
    let image = AlignedImage::new(&bytes);
    let tables = image.load()?.tables().count();
    Ok((HEADER_BYTES + header.description_bytes as usize).saturating_sub(tables * record_bytes(name)))
}

/// The bytes of a table's record, nearly.
fn record_bytes(name: &str) -> usize {
    // Places and lengths are beyond 16 bits, mostly.
    let entries = Section { offset: 1 << 16, bytes: 1 << 16 };
    let record = Table { name, entry: EntryKind::U16, rows: 128, entries };
    postcard::to_allocvec(&record).map_or(0, |bytes| bytes.len())
}

/// What a layer needs.
fn size(conv: &QuantizedConv, approximate: &ApproximateConv) -> (usize, Needed) {
    let words = |bytes: usize| bytes.next_multiple_of(ALIGNMENT_BYTES);
    let mut sums = approximate.operand_sum.clone();
    let (weight_bytes, needed) = match lower(approximate) {
        None => {
            let mut occurs = Box::new([false; 256]);
            approximate.weights.iter().for_each(|&w| occurs[usize::from(w)] = true);
            // Depthwise, in blocks of four channels.
            let channels = conv.outputs().next_multiple_of(if is_depthwise(conv) { 4 } else { 1 });
            let weight_bytes = channels * conv.taps();
            (weight_bytes, Needed::Rows(approximate.products.clone(), occurs))
        }
        Some(lowered) => {
            let kernel = product_kernel(conv, approximate, &lowered, &mut sums, &mut Sections::default());
            let (Kernel::Product { operand, weights, .. }
            | Kernel::DepthwiseProduct { operand, weights, .. }) = kernel
            else {
                unreachable!("a product kernel")
            };
            let needed = match (operand, lowered.factor) {
                (Operand::Mapped(_), Factor::Mapped(map)) => Needed::Map(Box::new(map)),
                _ => Needed::Nothing,
            };
            (weights.bytes as usize, needed)
        }
    };
    let outputs = conv.outputs();
    let summed = if sums.iter().any(|&sum| sum != 0) { 4 * outputs } else { 0 };
    (words(weight_bytes) + 8 * outputs + words(outputs) + summed, needed)
}

/// The size of a table by the weight codes that occur, as [`StoredTable`](super::tables::StoredTable) in its smallest
/// form has it.
struct TableSize {
    /// For each weight code the number of its row among the different ones.
    row: [u8; 256],
    /// For each weight code that of its magnitude, if it has the magnitude's products with the weight's sign.
    magnitude_row: [Option<u8>; 256],
    /// The least and the largest product of each different row, and whether the row is near a line.
    bounds: Vec<(i32, i32, bool)>,
}

impl TableSize {
    fn new(products: &ProductTable) -> TableSize {
        let mut places: HashMap<&[i32; 256], u8> = HashMap::new();
        let mut bounds = Vec::new();
        let row: [u8; 256] = std::array::from_fn(|code| {
            let row = products.row(code as u8);
            *places.entry(row).or_insert_with(|| {
                let (low, high) = row.iter().fold((i32::MAX, i32::MIN), |(l, h), &p| (l.min(p), h.max(p)));
                bounds.push((low, high, Line::below(row).is_some()));
                (bounds.len() - 1) as u8
            })
        });
        let magnitude_row = std::array::from_fn(|code| {
            let magnitude = (code as u8 as i8).checked_abs()? as u8;
            let opposite = || {
                let pairs = products.row(code as u8).iter().zip(products.row(magnitude));
                pairs.into_iter().all(|(&n, &p)| n == -p)
            };
            (usize::from(magnitude) == code || opposite()).then(|| row[usize::from(magnitude)])
        });
        TableSize { row, magnitude_row, bounds }
    }

    fn bytes(&self, occurs: &[bool; 256]) -> usize {
        let codes = || (0..256).filter(|&code| occurs[code]);
        let distinct = |rows: &mut dyn Iterator<Item = u8>| {
            let mut used = [false; 256];
            rows.for_each(|row| used[usize::from(row)] = true);
            used
        };
        let signed = codes().all(|code| self.magnitude_row[code].is_some());
        let used = match signed {
            true => distinct(&mut codes().filter_map(|code| self.magnitude_row[code])),
            false => distinct(&mut codes().map(|code| self.row[code])),
        };
        let bounds = || self.bounds.iter().zip(&used).filter(|(_, used)| **used).map(|(bounds, _)| *bounds);
        let narrow = |low: i32, high: i32| low >= 0 && high <= u16::MAX.into();
        let entry = if bounds().all(|(_, _, near_line)| near_line) {
            EntryKind::U8
        } else if bounds().all(|(l, h, _)| narrow(l, h)) || bounds().all(|(l, h, _)| narrow(0, h - l)) {
            EntryKind::U16
        } else {
            EntryKind::I32
        };
        bounds().count() * entry.row_bytes()
    }
}

#[cfg(test)]
mod tests;
