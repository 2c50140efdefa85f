//! One of the kernels, with what turns its accumulators into codes.

use super::ApproximateConv;
use super::accumulators::{Done, Start};
use super::matrix::{self, Matrix};
use super::padded::{Layout, PaddedImages};
use super::planner::Kernel;
use super::requantize::BlockFactors;
use super::rows::{self, Rows};
use super::vector_tables::{self, VectorTables};
use crate::error::{Error, Result};
use crate::kernels::{self, Isa};
use crate::quantize::QuantizedConv;
use skimp_runtime::image::OutputKind;
use std::ops::Range;

/// A convolution as one kernel computes it.
pub struct Engine<'a> {
    isa: Isa,
    layout: Layout,
    prepared: Prepared<'a>,
    /// By block of output channels; none for layers that write logits.
    factors: Vec<BlockFactors>,
}

enum Prepared<'a> {
    Rows(Rows<'a>),
    VectorTables(VectorTables),
    Matrix(Matrix),
}

/// Memory that runs reuse.
#[derive(Default)]
pub struct Scratch {
    rows: rows::Scratch,
    tables: vector_tables::Scratch,
    matrix: matrix::Scratch,
}

impl<'a> Engine<'a> {
    /// Prepares `kernel` for a convolution. Fails if the multiplier is not what the kernel can compute.
    pub fn new(
        conv: &'a QuantizedConv,
        approximate: &'a ApproximateConv,
        kernel: Kernel,
        isa: Isa,
    ) -> Result<Engine<'a>> {
        let (products, weights) = (&*approximate.products, approximate.weights.as_slice());
        let prepared = match kernel {
            Kernel::Rows => Prepared::Rows(Rows::new(conv, products, weights)),
            Kernel::VectorTables => Prepared::VectorTables(VectorTables::new(isa, conv, products, weights)),
            Kernel::Matrix => {
                let terms = products.terms().ok_or_else(|| {
                    Error::Mismatch(
                        "the multiplier is not a sum of few products of one operand each, which the matrix \
                         kernel needs"
                            .into(),
                    )
                })?;
                Prepared::Matrix(Matrix::new(isa, conv, terms, weights))
            }
        };
        let plane_channels = match kernel {
            Kernel::Rows => rows::PLANE_CHANNELS,
            Kernel::VectorTables => VectorTables::plane_channels(isa, conv),
            Kernel::Matrix => conv.input.channels.into(),
        };
        let layout = Layout::new(conv, plane_channels);
        let mut engine = Engine { isa, layout, prepared, factors: Vec::new() };
        if let OutputKind::Codes(range) = conv.output_kind {
            let factors = |(channels, lanes): (Range<usize>, usize)| {
                BlockFactors::new(&approximate.requantization[channels], lanes, range)
            };
            engine.factors = engine.blocks().into_iter().map(factors).collect();
        }
        Ok(engine)
    }

    /// The kernel.
    pub fn kernel(&self) -> Kernel {
        match self.prepared {
            Prepared::Rows(_) => Kernel::Rows,
            Prepared::VectorTables(_) => Kernel::VectorTables,
            Prepared::Matrix(_) => Kernel::Matrix,
        }
    }

    /// How many blocks of vector tables there are of each width.
    pub fn table_widths(&self) -> Vec<(&'static str, usize)> {
        match &self.prepared {
            Prepared::VectorTables(tables) => tables.widths(),
            _ => Vec::new(),
        }
    }

    /// Pixels that are best worked on at a time.
    pub fn pixels_at_once(&self) -> usize {
        match &self.prepared {
            Prepared::Rows(_) => rows::PIXELS,
            Prepared::VectorTables(tables) => tables.pixels_at_once(),
            Prepared::Matrix(_) => matrix::PIXELS,
        }
    }

    /// Whether accumulators depend on the sums of the windows' codes.
    pub fn needs_sums(&self, operand_sum: &[i32]) -> bool {
        let slope = match &self.prepared {
            Prepared::VectorTables(tables) => tables.slope(),
            _ => 0,
        };
        operand_sum.iter().any(|&factor| factor != -slope)
    }

    /// How images are stored.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Fills `images` with those whose codes `inputs` holds, as the kernel wants them.
    pub fn fill(&self, conv: &QuantizedConv, inputs: &[u8], images: &mut PaddedImages) {
        images.fill(conv, &self.layout, inputs);
        // Only what builds tables asks for which codes.
        if let Prepared::VectorTables(_) = self.prepared {
            images.find_code_ranges(conv, &self.layout, inputs);
        }
    }

    /// Convolves `images`, whose windows' code sums `sums` holds (`[group][pixel]`; empty if they are not
    /// needed). `finish` is shown the accumulators of some pixels and a block of channels at a time.
    pub fn run(
        &self,
        images: &PaddedImages,
        sums: &[i32],
        start: &Start,
        scratch: &mut Scratch,
        finish: &mut dyn FnMut(Done),
    ) {
        let layout = &self.layout;
        match &self.prepared {
            Prepared::Rows(rows) => rows.run(layout, images, sums, start, &mut scratch.rows, finish),
            Prepared::VectorTables(tables) => {
                tables.run(layout, images, sums, start, &mut scratch.tables, finish);
            }
            Prepared::Matrix(matrix) => matrix.run(layout, images, sums, start, &mut scratch.matrix, finish),
        }
    }

    /// Requantizes what [`run`](Self::run) has done, `[pixel][lane]`.
    pub fn requantize(&self, done: &Done, codes: &mut [u8]) {
        if let Some(factors) = self.factors.get(done.block) {
            factors.requantize(self.isa, done.acc, codes);
        }
    }

    /// Output channels and lanes of each block.
    fn blocks(&self) -> Vec<(Range<usize>, usize)> {
        match &self.prepared {
            Prepared::Rows(rows) => rows.blocks().map(|channels| (channels, rows::LANES)).collect(),
            Prepared::VectorTables(tables) => tables.blocks().collect(),
            Prepared::Matrix(matrix) => {
                matrix.blocks().map(|channels| (channels, kernels::panel_channels())).collect()
            }
        }
    }
}
