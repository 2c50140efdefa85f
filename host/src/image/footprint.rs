//! How many bytes of an image are what, and the memory it needs on a board.

use super::FlashImage;
use crate::error::{Error, Result};
use crate::execute::AlignedImage;
use serde::Serialize;
use skimp_runtime::image::{ALIGNMENT_BYTES, HEADER_BYTES, Header, Kernel, Op, Section};
use std::collections::HashSet;

/// The bytes of an image by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// All of the image.
    pub flash_bytes: usize,
    /// Header and description: what the layers are and where their data is.
    pub description_bytes: usize,
    /// Weights.
    pub weight_bytes: usize,
    /// Biases, scales, operand maps and what fills sections up to whole words.
    pub other_bytes: usize,
    /// Tables of products.
    pub table_bytes: usize,
    /// Rows of all tables.
    pub table_rows: usize,
    /// Rows of the largest table.
    pub most_rows: usize,
    /// Working memory of an inference.
    pub arena_bytes: usize,
    /// All that skimp's firmware keeps in RAM for the network: arena, input, logits and a count for each layer.
    pub memory_bytes: usize,
}

impl Footprint {
    /// That of an image. Sections that several layers share count once.
    pub fn of(image: &FlashImage) -> Result<Footprint> {
        let aligned = AlignedImage::new(&image.bytes);
        let network = aligned.load()?;
        let mut weights = HashSet::new();
        for layer in network.layers() {
            let Op::Conv2d(conv) = &layer.op else { continue };
            let own = match conv.kernel {
                Kernel::Table { weights, .. }
                | Kernel::TableByActivation { weights, .. }
                | Kernel::Product { weights, .. }
                | Kernel::DepthwiseTable { weights, .. }
                | Kernel::DepthwiseProduct { weights, .. } => weights,
            };
            weights.insert(key(own));
        }
        let tables: Vec<_> = network.tables().collect();
        let table_sections: HashSet<_> = tables.iter().map(|table| key(table.entries)).collect();
        let bytes = |of: &HashSet<(u32, u32)>| of.iter().map(|&(_, bytes)| bytes as usize).sum::<usize>();
        let (header, _) = Header::read(&image.bytes)
            .map_err(|e| Error::Mismatch(format!("the image just built can't be read: {e}")))?;
        let described = HEADER_BYTES + header.description_bytes as usize;
        let sections_start = described.next_multiple_of(ALIGNMENT_BYTES);
        let (weight_bytes, table_bytes) = (bytes(&weights), bytes(&table_sections));
        let words = |bytes: usize| bytes.next_multiple_of(ALIGNMENT_BYTES);
        Ok(Footprint {
            flash_bytes: image.bytes.len(),
            description_bytes: sections_start,
            weight_bytes,
            other_bytes: image.bytes.len() - sections_start - weight_bytes - table_bytes,
            table_bytes,
            table_rows: tables.iter().map(|table| usize::from(table.rows)).sum(),
            most_rows: tables.iter().map(|table| usize::from(table.rows)).max().unwrap_or(0),
            arena_bytes: image.arena_bytes,
            memory_bytes: words(network.arena_bytes())
                + words(network.input_bytes())
                + 4 * (network.output_len() + network.layer_count()),
        })
    }
}

fn key(section: Section) -> (u32, u32) {
    (section.offset, section.bytes)
}
