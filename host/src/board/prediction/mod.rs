//! What an image's layers will take on a board, before anything runs.
//!
//! A layer's record tells which loops its kernel will run through and how often: [`work::Work`] counts their
//! steps. What a step costs depends on how the kernels were compiled, by target and profile, and for cycles
//! on the core: `costs.txt` has the figures, fitted to random networks that were measured in QEMU. After a
//! change of kernels, compilers or profiles,
//!
//! ```text
//! cargo test --release -p skimp --test prediction -- --ignored refit --nocapture
//! ```
//!
//! measures them anew. Instructions come out within a few percent of what QEMU counts; cycles are an estimate
//! of an estimate (see [`Core::error`](super::timing::Core::error)).

mod assignment;
mod conv;
pub mod costs;
mod depthwise;
mod walk;
pub mod work;

pub use assignment::AssignmentCosts;

use super::description::Board;
use super::latency::LayerCost;
use crate::error::{Error, Result};
use costs::BoardCosts;
use skimp_runtime::Network;
use skimp_runtime::arithmetic::FastRequantizer;
use skimp_runtime::image::{Conv2d, EntryKind};
use work::Work;

/// What an inference will take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// Of each layer. Cycles are there if the board's core is one they are estimated for, without wait states.
    pub layers: Vec<LayerCost>,
}

impl Prediction {
    /// Of all layers together.
    pub fn total(&self) -> LayerCost {
        sum(self.layers.iter().copied())
    }
}

fn sum(costs: impl Iterator<Item = LayerCost>) -> LayerCost {
    costs.fold(LayerCost { insns: 0, cycles: Some(0) }, |sum, cost| LayerCost {
        insns: sum.insns + cost.insns,
        cycles: sum.cycles.zip(cost.cycles).map(|(a, b)| a + b),
    })
}

/// Predicts what the layers of `network` take on `board` at the network's operating point.
pub fn predict(network: &Network, board: &Board) -> Result<Prediction> {
    let costs = BoardCosts::find(board)?;
    let layers = works(network).iter().map(|work| costs.of(work)).collect::<Result<_>>()?;
    Ok(Prediction { layers })
}

/// The work of each layer.
pub fn works(network: &Network) -> Vec<Work> {
    let tables: Vec<(EntryKind, u32)> =
        network.tables().map(|table| (table.entry, table.entries.bytes)).collect();
    // A loaded network names only tables that it has.
    let table = |index: u16| tables.get(usize::from(index)).copied().unwrap_or((EntryKind::U16, 0));
    let slow = |conv: &Conv2d| slow_shifts(network.shifts(conv).iter().copied());
    network.layers().map(|layer| Work::of(&layer.op, table, slow)).collect()
}

/// How many shifts take all 64 bits of a product.
fn slow_shifts(shifts: impl Iterator<Item = u8>) -> usize {
    shifts.filter(|&shift| FastRequantizer::new(0, shift).is_none()).count()
}

/// Whether a network fits a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fit {
    /// Bytes of the image.
    pub flash_bytes: u64,
    /// The largest image that the board has room for.
    pub flash_capacity_bytes: u32,
    /// Bytes of arena, input, logits and the layers' ticks.
    pub memory_bytes: u64,
    /// What the board's firmware leaves for them.
    pub memory_capacity_bytes: u32,
    /// Whether both suffice.
    pub fits: bool,
}

impl Fit {
    /// Of an image of `flash_bytes` with this network.
    pub fn new(network: &Network, flash_bytes: usize, board: &Board) -> Fit {
        let words = [
            network.arena_bytes().div_ceil(4),
            network.input_bytes().div_ceil(4),
            network.output_len(),
            network.layer_count(),
        ];
        let flash_bytes = flash_bytes as u64;
        let memory_bytes = words.iter().map(|&words| words as u64 * 4).sum();
        Fit {
            flash_bytes,
            flash_capacity_bytes: board.image_capacity_bytes,
            memory_bytes,
            memory_capacity_bytes: board.memory_bytes,
            fits: flash_bytes <= board.image_capacity_bytes.into()
                && memory_bytes <= board.memory_bytes.into(),
        }
    }

    /// The same, as an error that tells what is too small.
    pub fn check(&self, board: &Board) -> Result<()> {
        let Fit { flash_bytes, flash_capacity_bytes, memory_bytes, memory_capacity_bytes, .. } = self;
        if self.fits {
            return Ok(());
        }
        Err(Error::Mismatch(format!(
            "it does not fit the {}: it takes {flash_bytes} of {flash_capacity_bytes} bytes of flash and \
             {memory_bytes} of {memory_capacity_bytes} bytes of RAM",
            board.name
        )))
    }
}
