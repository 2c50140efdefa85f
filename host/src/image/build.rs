//! Assembling an image.

use super::arena::{self, Buffer};
use super::sections::Sections;
use super::tables::StoredTable;
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::multiplier::ProductTable;
use crate::quantize::{QuantizedConv, QuantizedNetwork, QuantizedOp};
use serde::Serialize;
use skimp_runtime::image::{
    ALIGNMENT_BYTES, Conv2d, EntryKind, HEADER_BYTES, Head, Header, Layer, Op, OutputKind, Scratch, Section,
    Table, Tensor, checksum,
};
use skimp_runtime::kernels::BLOCK;
use std::sync::Arc;

/// A finished image.
#[derive(Debug, Clone)]
pub struct FlashImage {
    /// The bytes to flash.
    pub bytes: Vec<u8>,
    /// Working memory an inference needs.
    pub arena_bytes: usize,
    /// The least working memory any placement of the same buffers could need.
    pub arena_lower_bound_bytes: usize,
}

/// Builds the image of `network` with `convs`, one for each convolution; `names` are those of their
/// multipliers and are stored beside the tables.
pub fn build(network: &QuantizedNetwork, convs: &[ApproximateConv], names: &[String]) -> Result<FlashImage> {
    if network.convs().count() != convs.len() || convs.len() != names.len() {
        return Err(Error::Mismatch(format!(
            "{}: {} layers multiply, {} were compensated and {} multipliers named",
            network.name,
            network.convs().count(),
            convs.len(),
            names.len()
        )));
    }
    let placement = Placement::new(network);
    let tables = SharedTables::new(convs, names);
    let mut sections = Sections::default();
    let mut layers: Vec<Layer> = Vec::new();
    let mut conv_index = 0;
    for (index, layer) in network.layers.iter().enumerate() {
        let at = |shape: Tensor, id: usize| Tensor { offset: placement.tensors[id], ..shape };
        let op = match &layer.op {
            QuantizedOp::Conv2d(conv) => {
                let approximate = &convs[conv_index];
                let (table, stored) = tables.of(conv_index);
                conv_index += 1;
                let mut op = conv_record(network, conv, approximate, stored, &mut sections)
                    .map_err(|e| Error::Mismatch(format!("layer {}: {e}", layer.name)))?;
                op.table = table;
                op.input = at(op.input, layer.inputs[0]);
                op.output = at(op.output, layer.output);
                op.scratch.offset = placement.scratch[index];
                Op::Conv2d(op)
            }
            QuantizedOp::Fixed(op) => {
                let mut op = op.clone();
                match &mut op {
                    Op::Add(add) => {
                        for (input, &id) in add.inputs.iter_mut().zip(&layer.inputs) {
                            *input = at(*input, id);
                        }
                        add.output = at(add.output, layer.output);
                    }
                    Op::MaxPool(skimp_runtime::image::MaxPool { input, output, .. })
                    | Op::AveragePool(skimp_runtime::image::AveragePool { input, output, .. })
                    | Op::Slice(skimp_runtime::image::Slice { input, output, .. })
                    | Op::Pad(skimp_runtime::image::Pad { input, output, .. }) => {
                        *input = at(*input, layer.inputs[0]);
                        *output = at(*output, layer.output);
                    }
                    Op::Conv2d(_) => unreachable!("the quantizer makes no fixed convolutions"),
                }
                op
            }
        };
        layers.push(Layer { name: &layer.name, op });
    }
    let records: Vec<Table> = tables.records(&mut sections);
    let head = head(network, &placement, records.len(), layers.len())?;
    let mut description = Vec::new();
    encode(&mut description, &head);
    records.iter().for_each(|table| encode(&mut description, table));
    layers.iter().for_each(|layer| encode(&mut description, layer));
    Ok(FlashImage {
        bytes: assemble(&description, &sections.into_bytes())?,
        arena_bytes: placement.arena_bytes,
        arena_lower_bound_bytes: placement.lower_bound_bytes,
    })
}

fn encode(description: &mut Vec<u8>, record: &impl Serialize) {
    // Only a sequence of unknown length could fail, and no record has one.
    description.extend(postcard::to_allocvec(record).expect("records have fixed shapes"));
}

fn assemble(description: &[u8], sections: &[u8]) -> Result<Vec<u8>> {
    let start = (HEADER_BYTES + description.len()).next_multiple_of(ALIGNMENT_BYTES);
    let total = start + sections.len();
    let total_bytes = u32::try_from(total).map_err(|_| {
        Error::Mismatch(format!("the image would have {total} bytes, more than 32 bits can address"))
    })?;
    let mut header = Header { total_bytes, checksum: 0, description_bytes: description.len() as u32 };
    let mut bytes = header.encode().to_vec();
    bytes.extend(description);
    bytes.resize(start, 0);
    bytes.extend(sections);
    header.checksum = checksum(&bytes);
    bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
    Ok(bytes)
}

fn head<'n>(
    network: &'n QuantizedNetwork,
    placement: &Placement,
    tables: usize,
    layers: usize,
) -> Result<Head<'n>> {
    let too_many = |what: &str, count: usize| {
        Error::Mismatch(format!("{}: {count} {what} exceed an image's limit of 65535", network.name))
    };
    let tensor = |id: usize| -> Result<Tensor> {
        let shape = network.tensors[id].shape;
        let side = |side: usize| u16::try_from(side).map_err(|_| too_many("elements along one side", side));
        Ok(Tensor {
            offset: placement.tensors[id],
            height: side(shape.height)?,
            width: side(shape.width)?,
            channels: side(shape.channels)?,
        })
    };
    let input = &network.tensors[network.input];
    Ok(Head {
        name: &network.name,
        arena_bytes: placement.arena_bytes as u32,
        input: tensor(network.input)?,
        input_scale: input.scale as f32,
        input_zero_point: input.zero_point,
        output: tensor(network.output)?,
        output_kind: network.output_kind,
        output_scale: network.tensors[network.output].scale as f32,
        table_count: tables.try_into().map_err(|_| too_many("tables", tables))?,
        layer_count: layers.try_into().map_err(|_| too_many("layers", layers))?,
    })
}

/// The record of a convolution, without its table and its place in the arena.
fn conv_record(
    network: &QuantizedNetwork,
    conv: &QuantizedConv,
    approximate: &ApproximateConv,
    stored: &StoredTable,
    sections: &mut Sections,
) -> Result<Conv2d> {
    let bias = approximate.fold(conv, network.scheme)?;
    let weights = approximate.weights.iter().map(|&w| stored.weight_bytes[usize::from(w)]);
    let (multipliers, shifts): (Vec<i32>, Vec<u8>) = approximate.requantization.iter().copied().unzip();
    let sums = &approximate.operand_sum;
    Ok(Conv2d {
        input: conv.input,
        output: conv.output,
        scratch: Scratch { offset: 0, bytes: (conv.taps() * BLOCK) as u32 },
        window: conv.window,
        groups: conv.groups as u16,
        input_zero_point: conv.input_zero_point,
        table: 0,
        weight_coding: stored.coding,
        weights: sections.add(weights.collect()),
        bias: sections.add_i32(&bias),
        multipliers: sections.add_i32(&multipliers),
        shifts: sections.add(shifts),
        activation_sums: sums.iter().any(|&s| s != 0).then(|| sections.add_i32(sums)),
        output_kind: conv.output_kind,
    })
}

/// One stored table for each distinct product table, with the rows all its layers need together.
struct SharedTables {
    stored: Vec<(String, StoredTable)>,
    of_conv: Vec<usize>,
}

impl SharedTables {
    fn new(convs: &[ApproximateConv], names: &[String]) -> Self {
        let mut distinct: Vec<(&str, &Arc<ProductTable>, [bool; 256])> = Vec::new();
        let mut of_conv = Vec::new();
        for (conv, name) in convs.iter().zip(names) {
            let same = |other: &Arc<ProductTable>| {
                Arc::ptr_eq(other, &conv.products) || other.entries() == conv.products.entries()
            };
            let index = distinct.iter().position(|(_, products, _)| same(products)).unwrap_or_else(|| {
                distinct.push((name, &conv.products, [false; 256]));
                distinct.len() - 1
            });
            conv.weights.iter().for_each(|&w| distinct[index].2[usize::from(w)] = true);
            of_conv.push(index);
        }
        let stored = distinct
            .into_iter()
            .map(|(name, products, occurs)| (name.to_owned(), StoredTable::new(products, &occurs)))
            .collect();
        SharedTables { stored, of_conv }
    }

    fn of(&self, conv: usize) -> (u16, &StoredTable) {
        let index = self.of_conv[conv];
        // At most as many tables as layers, whose number is checked.
        (index as u16, &self.stored[index].1)
    }

    fn records(&self, sections: &mut Sections) -> Vec<Table<'_>> {
        let record = |(_, table): &(String, StoredTable)| {
            (table.entry, table.rows.len() as u16, sections.add(table.bytes()))
        };
        let stored: Vec<(EntryKind, u16, Section)> = self.stored.iter().map(record).collect();
        let named = self.stored.iter().zip(stored);
        named.map(|((name, _), (entry, rows, entries))| Table { name, entry, rows, entries }).collect()
    }
}

/// Arena offsets of all tensors and of each layer's scratch buffer.
struct Placement {
    tensors: Vec<u32>,
    scratch: Vec<u32>,
    arena_bytes: usize,
    lower_bound_bytes: usize,
}

impl Placement {
    fn new(network: &QuantizedNetwork) -> Placement {
        // Layer 0 of the plan is the copy of the input; layers of the network count from 1.
        let mut alive: Vec<Option<(usize, usize)>> = vec![None; network.tensors.len()];
        let mut touch = |id: usize, layer: usize| {
            let (first, last) = alive[id].unwrap_or((layer, layer));
            alive[id] = Some((first.min(layer), last.max(layer)));
        };
        touch(network.input, 0);
        for (i, layer) in network.layers.iter().enumerate() {
            layer.inputs.iter().chain([&layer.output]).for_each(|&id| touch(id, i + 1));
        }
        touch(network.output, network.layers.len() + 1);
        let element_bytes = |id: usize| match network.output_kind {
            OutputKind::Logits if id == network.output => 4,
            _ => 1,
        };
        let mut buffers = Vec::new();
        let mut owners = Vec::new();
        for (id, span) in alive.iter().enumerate() {
            if let &Some((first, last)) = span {
                let bytes = network.tensors[id].shape.elements() * element_bytes(id);
                buffers.push(Buffer { bytes, alive: first..=last });
                owners.push((id, false));
            }
        }
        for (i, layer) in network.layers.iter().enumerate() {
            if let QuantizedOp::Conv2d(conv) = &layer.op {
                buffers.push(Buffer { bytes: conv.taps() * BLOCK, alive: i + 1..=i + 1 });
                owners.push((i, true));
            }
        }
        let plan = arena::plan(&buffers);
        let mut placement = Placement {
            tensors: vec![0; network.tensors.len()],
            scratch: vec![0; network.layers.len()],
            arena_bytes: plan.arena_bytes,
            lower_bound_bytes: arena::lower_bound_bytes(&buffers),
        };
        for ((owner, is_scratch), offset) in owners.into_iter().zip(plan.offsets) {
            let list = if is_scratch { &mut placement.scratch } else { &mut placement.tensors };
            list[owner] = offset as u32;
        }
        placement
    }
}
