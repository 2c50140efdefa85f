//! What an assignment costs on an accelerator made of tiles, each an array of one kind of multiplier
//! (ALWANN, arXiv 1907.07229).
//!
//! Energies are per image, and relative to the same network with the exact multiplier everywhere **on one exact
//! tile with the same array**. That baseline depends on the network
//! and the array, not on the genome, so the energies of all points of a search can be compared. A baseline
//! with the point's own mapping would instead reward a bad balance: a tile that mostly waits would save the
//! difference to an exact tile that mostly waits. [`EnergyReport::relative_energy_same_mapping`] gives that
//! ratio too; it says what the multipliers contribute to a saving, apart from the mapping.
//!
//! They are those of the multipliers alone, as in ALWANN, except those that say `mac`: these count whole
//! multiply-accumulates, of which a multiplier is a part ([`MacCosts`]). Their baseline is one tile of plain
//! exact multiply-accumulates, without logic for signs whatever the scheme.

mod mac;
mod model;

pub use mac::MacCosts;
pub use model::AcceleratorModel;

use crate::error::{Error, Result};
use crate::multiplier::Multiplier;
use serde::{Deserialize, Serialize};

/// The cost of a tile's multiplier, in terms of the exact multiplier of the same library.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TileCost {
    /// Energy of one multiplication; the exact multiplier's is 1.
    pub energy: f64,
    /// Area of one multiplier, if known; the exact multiplier's is 1.
    pub area: Option<f64>,
    /// Delay of the multiplier's longest path, if known, in any one unit; the report's is the same.
    pub delay: Option<f64>,
}

impl TileCost {
    /// The exact multiplier, with delays in terms of its own.
    pub const EXACT: TileCost = TileCost { energy: 1.0, area: Some(1.0), delay: Some(1.0) };

    /// The cost of a tile of `multiplier`.
    pub fn of(multiplier: &Multiplier) -> TileCost {
        TileCost { energy: multiplier.power_rel, area: multiplier.area_rel, delay: multiplier.delay_rel }
    }
}

/// A network mapped to tiles.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'a> {
    /// Multiplications of each layer for one image.
    pub multiplications: &'a [u64],
    /// The tile of each layer, an index into `tiles`.
    pub layers: &'a [u16],
    /// The tiles. One that no layer uses is not built and costs nothing.
    pub tiles: &'a [TileCost],
    /// Multipliers in each tile, all working on one layer at a time.
    pub array_size: u32,
    /// What surrounds each multiplier.
    pub mac: MacCosts,
}

/// What a workload costs. Baselines: see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EnergyReport {
    /// Energy of an image, relative to one exact tile.
    pub relative_energy: f64,
    /// `100 * (1 - relative_energy)`, percent; negative where idle tiles cost more than is saved.
    pub saved_pct: f64,
    /// Energy of an image, relative to the same mapping with exact multipliers in all its tiles. The same
    /// as `relative_energy` where tiles are power-gated.
    pub relative_energy_same_mapping: f64,
    /// Energy of an image in whole multiply-accumulates, relative to one tile of plain exact ones.
    pub mac_relative_energy: f64,
    /// `100 * (1 - mac_relative_energy)`, percent; negative for exact multipliers whose scheme needs logic for
    /// signs.
    pub mac_saved_pct: f64,
    /// Tiles in use.
    pub tiles: usize,
    /// Area of all multipliers of all tiles in use, in areas of one exact multiplier.
    pub area: Option<f64>,
    /// `area` relative to one exact tile: 2 for two exact tiles.
    pub area_rel: Option<f64>,
    /// The largest delay of a multiplier in use, in the unit of [`TileCost::delay`].
    pub critical_path: Option<f64>,
    /// Cycles from one image to the next: of all layers one after another, or of the most loaded tile where
    /// tiles work at the same time.
    pub cycles: u64,
    /// The share of cycles in which a tile works, over all tiles of a pipeline: 1 where all are loaded the
    /// same, 1/tiles where one does everything. `None` where tiles work one at a time.
    pub balance: Option<f64>,
}

impl AcceleratorModel {
    /// The cost of one image of `workload` on this accelerator.
    ///
    /// A layer of m multiplications on an array of N multipliers takes ceil(m / N) cycles. In a pipeline
    /// every tile has as many multiplier slots, N times the cycles of the most loaded tile, and those that
    /// no multiplication fills cost the idle fraction of one, of a multiplication as of a multiply-accumulate.
    pub fn report(&self, workload: &Workload) -> Result<EnergyReport> {
        workload.check()?;
        let pipelined = matches!(self, AcceleratorModel::Pipelined { .. });
        if pipelined {
            AcceleratorModel::pipelined(self.idle_fraction())?;
            workload.check_contiguous()?;
        }
        let size = u64::from(workload.array_size);
        let mut loads = vec![None; workload.tiles.len()];
        let (mut total, mut serial_cycles) = (0u64, 0u64);
        for (&tile, &multiplications) in workload.layers.iter().zip(workload.multiplications) {
            let load = loads[usize::from(tile)].get_or_insert(Load { multiplications: 0, cycles: 0 });
            load.multiplications += multiplications;
            load.cycles += multiplications.div_ceil(size);
            total += multiplications;
            serial_cycles += multiplications.div_ceil(size);
        }
        let used: Vec<(Load, &TileCost)> =
            loads.into_iter().zip(workload.tiles).filter_map(|(load, tile)| Some((load?, tile))).collect();
        let busiest = used.iter().map(|(load, _)| load.cycles).max().unwrap_or(0);
        let cycles = if pipelined { busiest } else { serial_cycles };

        let idle = self.idle_fraction();
        let slots = |cycles: u64| cycles as f64 * size as f64;
        let energy = |multiplications: u64, cycles: u64| {
            multiplications as f64 + idle * (slots(cycles) - multiplications as f64)
        };
        // Over all tiles in use, each slot of which takes `of_slot` if a multiplication fills it.
        let all = |of_slot: &dyn Fn(&TileCost) -> f64| -> f64 {
            used.iter().map(|(load, tile)| of_slot(tile) * energy(load.multiplications, cycles)).sum()
        };
        let (own, same_mapping) = (all(&|tile| tile.energy), all(&|_| 1.0));
        let relative_energy = own / energy(total, serial_cycles);
        let mac = all(&|tile| workload.mac.relative_energy(tile.energy));
        let mac_relative_energy = mac / energy(total, serial_cycles);

        let area_rel = used.iter().map(|(_, tile)| tile.area).sum::<Option<f64>>();
        let slowest = |a: f64, b: Option<f64>| Some(a.max(b?));
        Ok(EnergyReport {
            relative_energy,
            saved_pct: 100.0 * (1.0 - relative_energy),
            relative_energy_same_mapping: own / same_mapping,
            mac_relative_energy,
            mac_saved_pct: 100.0 * (1.0 - mac_relative_energy),
            tiles: used.len(),
            area: area_rel.map(|area| area * size as f64),
            area_rel,
            critical_path: used.iter().map(|(_, tile)| tile.delay).try_fold(0.0, slowest),
            cycles,
            balance: pipelined.then(|| serial_cycles as f64 / (used.len() as f64 * busiest as f64)),
        })
    }
}

/// What one tile does for an image.
#[derive(Clone, Copy)]
struct Load {
    multiplications: u64,
    cycles: u64,
}

impl Workload<'_> {
    fn check(&self) -> Result<()> {
        let (layers, assigned, tiles) = (self.multiplications.len(), self.layers.len(), self.tiles.len());
        if layers != assigned {
            return Err(Error::Mismatch(format!("{layers} layers, but tiles for {assigned}")));
        }
        if let Some(tile) = self.layers.iter().find(|&&t| usize::from(t) >= tiles) {
            return Err(Error::Mismatch(format!("a layer runs on tile {tile} of {tiles}")));
        }
        if self.array_size == 0 {
            return Err(Error::Argument("a tile needs an array of at least one multiplier".to_owned()));
        }
        match self.multiplications.iter().try_fold(0u64, |sum, &m| sum.checked_add(m)) {
            Some(0) => return Err(Error::Mismatch("the network multiplies nothing".to_owned())),
            None => return Err(Error::Mismatch("more than 2^64 multiplications".to_owned())),
            Some(_) => {}
        }
        let good = |cost: f64| cost.is_finite() && cost >= 0.0;
        let MacCosts { multiplier_pj, sign_logic_pj, adder_pj, register_pj } = self.mac;
        let parts = [multiplier_pj, sign_logic_pj, adder_pj, register_pj];
        if !parts.into_iter().all(good) || self.mac.plain_exact_pj() <= 0.0 {
            return Err(Error::Argument(
                "a multiply-accumulate needs parts of finite energies that are not all zero".to_owned(),
            ));
        }
        for (i, tile) in self.tiles.iter().enumerate() {
            if !(good(tile.energy) && tile.area.is_none_or(good) && tile.delay.is_none_or(good)) {
                return Err(Error::Argument(format!(
                    "tile {i}: energy, area and delay must be finite and not negative"
                )));
            }
        }
        Ok(())
    }

    /// Refuses a tile that serves two runs of layers.
    fn check_contiguous(&self) -> Result<()> {
        let mut left = vec![false; self.tiles.len()];
        for (layer, pair) in self.layers.windows(2).enumerate() {
            left[usize::from(pair[0])] |= pair[0] != pair[1];
            if left[usize::from(pair[1])] {
                return Err(Error::Mismatch(format!(
                    "layer {} returns to tile {}: a pipelined tile serves one contiguous run of layers",
                    layer + 1,
                    pair[1]
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
