//! Assembling an image.

use super::by_activation::ByActivation;
use super::layer::{self, Products};
use super::placement::{Copied, Placement};
use super::sections::Sections;
use super::shared_tables::{SharedTables, TableLayer};
use super::tables::TableForm;
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::quantize::{QuantizedNetwork, QuantizedOp};
use serde::Serialize;
use skimp_runtime::image::{
    ALIGNMENT_BYTES, Conv2d, CopyTable, HEADER_BYTES, Head, Header, Kernel, Layer, Op, Point, RowSource,
    Scratch, Table, Tensor, checksum,
};

/// What is decided about an image beyond its network and multipliers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether tables are stored as small as possible or to be looked up as fast as possible.
    pub table_form: TableForm,
    /// Which layers have tables with a row for each activation code.
    pub by_activation: ByActivation,
    /// Look everything up, even products that could be multiplied: to measure what lookup costs.
    pub tables_only: bool,
    /// Copy tables into the arena as long as it stays within so many bytes: for boards whose RAM is faster
    /// than their flash.
    pub copy_tables_within_bytes: Option<usize>,
}

/// One assignment of multipliers, compensated.
#[derive(Debug, Clone, Copy)]
pub struct OperatingPoint<'a> {
    /// What it is called in the image; may be empty.
    pub name: &'a str,
    /// One for each convolution of the network.
    pub convs: &'a [ApproximateConv],
    /// The names of their multipliers, which are stored beside the tables.
    pub multipliers: &'a [String],
}

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

/// Builds the image of `network` with one operating point and default options.
pub fn build(network: &QuantizedNetwork, convs: &[ApproximateConv], names: &[String]) -> Result<FlashImage> {
    build_points(network, &[OperatingPoint { name: "", convs, multipliers: names }], &Options::default())
}

/// Builds the image of `network` with `points`, of which the first is the one an image starts with.
pub fn build_points(
    network: &QuantizedNetwork,
    points: &[OperatingPoint],
    options: &Options,
) -> Result<FlashImage> {
    for point in points {
        check_point(network, point)?;
    }
    let layers = || points.iter().flat_map(|point| point.convs.iter().zip(point.multipliers));
    let mut lowered: Vec<_> =
        layers().map(|(conv, _)| if options.tables_only { None } else { layer::lower(conv) }).collect();
    let quantized = points.iter().flat_map(|_| network.convs().map(|(_, conv)| conv));
    let tabled = layers().zip(quantized).zip(&lowered).map(|(((approximate, name), conv), lowered)| {
        let (products, weights) = (&approximate.products, approximate.weights.as_slice());
        lowered.is_none().then_some(TableLayer { name, products, weights, conv })
    });
    let tables = SharedTables::new(tabled, options);
    let products: Vec<Products> = lowered
        .drain(..)
        .enumerate()
        .map(|(i, lowered)| match (lowered, tables.of(i)) {
            (Some(lowered), _) => Products::Lowered(lowered),
            (None, Some(found)) => Products::Table(found),
            (None, None) => unreachable!("a layer that is not lowered has a table"),
        })
        .collect();

    let mut sections = Sections::default();
    let mut records: Vec<Conv2d> = Vec::new();
    let count = network.convs().count();
    for (p, point) in points.iter().enumerate() {
        for (c, ((layer, conv), approximate)) in network.convs().zip(point.convs).enumerate() {
            let products = &products[p * count + c];
            let record = layer::record(network.scheme, conv, approximate, products, &mut sections);
            records.push(record.map_err(|e| Error::Mismatch(format!("layer {}: {e}", layer.name)))?);
        }
    }
    let plans = Plans::new(network, &records, points.len(), &tables, options)?;
    let tables = tables.records(&mut sections);
    let mut description = Vec::new();
    encode(&mut description, &head(network, &plans, tables.len(), points.len())?);
    tables.iter().for_each(|table: &Table| encode(&mut description, table));
    for (p, point) in points.iter().enumerate() {
        let layers = plans.layers(network, &records[p * count..(p + 1) * count], p, point.multipliers);
        let layer_count = layers.len().try_into().map_err(|_| too_many(network, "layers", layers.len()))?;
        encode(&mut description, &Point { name: point.name, layer_count });
        layers.iter().for_each(|layer| encode(&mut description, layer));
    }
    Ok(FlashImage {
        bytes: assemble(&description, &sections.into_bytes())?,
        arena_bytes: plans.arena_bytes(),
        arena_lower_bound_bytes: plans
            .points
            .iter()
            .map(|p| p.placement.lower_bound_bytes)
            .max()
            .unwrap_or(0),
    })
}

fn check_point(network: &QuantizedNetwork, point: &OperatingPoint) -> Result<()> {
    if network.convs().count() == point.convs.len() && point.convs.len() == point.multipliers.len() {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "{}: {} layers multiply, {} were compensated and {} multipliers named",
        network.name,
        network.convs().count(),
        point.convs.len(),
        point.multipliers.len()
    )))
}

/// The memory plans of all operating points.
struct Plans {
    points: Vec<PointPlan>,
}

/// Where everything of one operating point is.
struct PointPlan {
    placement: Placement,
    /// Tables that are copied, with the layer before which that happens.
    copied: Vec<(u16, Copied)>,
}

impl Plans {
    fn new(
        network: &QuantizedNetwork,
        records: &[Conv2d],
        points: usize,
        tables: &SharedTables,
        options: &Options,
    ) -> Result<Plans> {
        let count = network.convs().count();
        let plan = |p: usize| PointPlan::new(network, &records[p * count..(p + 1) * count], tables, options);
        let mut plans = Plans { points: (0..points).map(plan).collect() };
        // Input and output have one place at all points: that of the first, or all are planned alike.
        let place = |plan: &PointPlan| {
            (plan.placement.tensors[network.input], plan.placement.tensors[network.output])
        };
        if plans.points.iter().any(|plan| place(plan) != place(&plans.points[0])) {
            let scratch = |layer: usize| (0..points).map(|p| records[p * count + layer].scratch.bytes).max();
            let largest: Vec<usize> = (0..count).map(|c| scratch(c).unwrap_or(0) as usize).collect();
            let common = Placement::new(network, &by_layer(network, &largest), &[]);
            plans.points =
                (0..points).map(|_| PointPlan { placement: common.clone(), copied: Vec::new() }).collect();
        }
        Ok(plans)
    }

    fn arena_bytes(&self) -> usize {
        self.points.iter().map(|plan| plan.placement.arena_bytes).max().unwrap_or(0)
    }

    /// The layers of point `p` at their places.
    fn layers<'n>(
        &self,
        network: &'n QuantizedNetwork,
        records: &[Conv2d],
        p: usize,
        multipliers: &'n [String],
    ) -> Vec<Layer<'n>> {
        let plan = &self.points[p];
        let at = |shape: Tensor, id: usize| Tensor { offset: plan.placement.tensors[id], ..shape };
        let mut layers = Vec::new();
        let mut records = records.iter().zip(multipliers);
        for (index, layer) in network.layers.iter().enumerate() {
            for (i, (table, copied)) in plan.copied.iter().enumerate() {
                if copied.first == index {
                    let (offset, bytes) = (plan.placement.copies[i], copied.bytes as u32);
                    let op = Op::CopyTable(CopyTable { table: *table, to: Scratch { offset, bytes } });
                    layers.push(Layer { name: "table copy", multiplier: "", op });
                }
            }
            let mut multiplier = "";
            let op = match &layer.op {
                QuantizedOp::Conv2d(_) => {
                    let (record, name) = records.next().expect("a record for each convolution");
                    multiplier = name;
                    let mut op = record.clone();
                    op.input = at(op.input, layer.inputs[0]);
                    op.output = at(op.output, layer.output);
                    op.scratch.offset = plan.placement.scratch[index];
                    plan.point_to_copy(&mut op);
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
                        Op::Conv2d(_) | Op::CopyTable(_) => {
                            unreachable!("the quantizer makes no such fixed operators")
                        }
                    }
                    op
                }
            };
            layers.push(Layer { name: &layer.name, multiplier, op });
        }
        layers
    }
}

impl PointPlan {
    fn new(
        network: &QuantizedNetwork,
        records: &[Conv2d],
        tables: &SharedTables,
        options: &Options,
    ) -> PointPlan {
        let scratch: Vec<usize> = records.iter().map(|r| r.scratch.bytes as usize).collect();
        let scratch = by_layer(network, &scratch);
        let mut plan = PointPlan { placement: Placement::new(network, &scratch, &[]), copied: Vec::new() };
        let Some(limit_bytes) = options.copy_tables_within_bytes else { return plan };
        // Most lookups for its size first.
        let mut wanted: Vec<(u64, u16, Copied)> = (0..tables.len())
            .filter_map(|table| {
                let users = network.layers.iter().enumerate().filter(|(_, layer)| is_conv(&layer.op));
                let users = users.zip(records).filter(|(_, record)| {
                    record.kernel.rows().is_some_and(|rows| usize::from(rows.table) == table)
                });
                let users: Vec<(usize, u64)> = users.map(|((i, _), r)| (i, multiplications(r))).collect();
                let (first, last) = (users.first()?.0, users.last()?.0);
                let bytes = tables.bytes(table);
                let lookups: u64 = users.iter().map(|&(_, count)| count).sum();
                Some((lookups * 1000 / bytes as u64, table as u16, Copied { bytes, first, last }))
            })
            .collect();
        wanted.sort_by_key(|&(worth, table, _)| (std::cmp::Reverse(worth), table));
        for (_, table, copied) in wanted {
            plan.copied.push((table, copied));
            let copies: Vec<Copied> = plan.copied.iter().map(|&(_, copied)| copied).collect();
            let placement = Placement::new(network, &scratch, &copies);
            if placement.arena_bytes <= limit_bytes {
                plan.placement = placement;
            } else {
                plan.copied.pop();
            }
        }
        plan
    }

    /// Has a layer look its table up in the arena if it is copied there.
    fn point_to_copy(&self, op: &mut Conv2d) {
        let (Kernel::Table { rows, .. }
        | Kernel::DepthwiseTable { rows, .. }
        | Kernel::TableByActivation { rows, .. }) = &mut op.kernel
        else {
            return;
        };
        let copy = self.copied.iter().position(|&(table, _)| table == rows.table);
        *rows = RowSource { copy: copy.map(|i| self.placement.copies[i]), ..*rows };
    }
}

fn is_conv(op: &QuantizedOp) -> bool {
    matches!(op, QuantizedOp::Conv2d(_))
}

fn multiplications(record: &Conv2d) -> u64 {
    let elements = record.output.elements().unwrap_or(0) as u64;
    let [height, width] = record.window.kernel.map(u64::from);
    elements * height * width * u64::from(record.input.channels) / u64::from(record.groups)
}

/// A value for each convolution as one for each layer.
fn by_layer(network: &QuantizedNetwork, of_convs: &[usize]) -> Vec<usize> {
    let mut of_convs = of_convs.iter();
    let value = |op| if is_conv(op) { of_convs.next().copied() } else { None };
    network.layers.iter().map(|layer| &layer.op).map(value).map(|v| v.unwrap_or(0)).collect()
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

fn too_many(network: &QuantizedNetwork, what: &str, count: usize) -> Error {
    Error::Mismatch(format!("{}: {count} {what} exceed an image's limit of 65535", network.name))
}

fn head<'n>(network: &'n QuantizedNetwork, plans: &Plans, tables: usize, points: usize) -> Result<Head<'n>> {
    let placement = &plans.points.first().ok_or_else(|| too_many(network, "operating points", 0))?.placement;
    let tensor = |id: usize| -> Result<Tensor> {
        let shape = network.tensors[id].shape;
        let side =
            |side: usize| u16::try_from(side).map_err(|_| too_many(network, "elements along one side", side));
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
        arena_bytes: plans.arena_bytes() as u32,
        input: tensor(network.input)?,
        input_scale: input.scale as f32,
        input_zero_point: input.zero_point,
        output: tensor(network.output)?,
        output_kind: network.output_kind,
        output_scale: network.tensors[network.output].scale as f32,
        table_count: tables.try_into().map_err(|_| too_many(network, "tables", tables))?,
        point_count: points.try_into().map_err(|_| too_many(network, "operating points", points))?,
    })
}
