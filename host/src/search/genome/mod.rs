//! The genome of ALWANN (arXiv 1907.07229): which multiplier each tile of the accelerator has,
//! and which tile each layer runs on.

mod constraints;
mod enumeration;
mod operators;

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Which layers may share a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mapping {
    /// Any layer on any tile: layers run one after another.
    Free,
    /// Each tile serves a contiguous run of layers, in the order of the tiles: tiles work at the same time
    /// and hand their results on.
    Contiguous,
}

/// A multiplier for each tile and a tile for each layer, in canonical form: only tiles that some layer
/// uses, numbered in the order of first use. Under [`Mapping::Free`] no two tiles have the same multiplier
/// (they would be one tile), so two genomes are equal exactly where their assignments are; under
/// [`Mapping::Contiguous`] two tiles with the same multiplier share the load and stay two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Genome {
    tiles: Vec<u16>,
    layers: Vec<u16>,
}

/// A genome nobody has checked yet.
#[derive(Deserialize)]
struct Parts {
    tiles: Vec<u16>,
    layers: Vec<u16>,
}

impl TryFrom<Parts> for Genome {
    type Error = String;

    fn try_from(Parts { tiles, layers }: Parts) -> Result<Self, String> {
        match layers.iter().find(|&&tile| usize::from(tile) >= tiles.len()) {
            Some(tile) => Err(format!("a layer runs on tile {tile} of {}", tiles.len())),
            None => Ok(Genome { tiles, layers }),
        }
    }
}

impl Genome {
    /// The multiplier of each tile in use.
    pub fn tiles(&self) -> &[u16] {
        &self.tiles
    }

    /// The tile of each layer, an index into [`Genome::tiles`].
    pub fn layers(&self) -> &[u16] {
        &self.layers
    }

    /// The multiplier of each layer.
    pub fn assignment(&self) -> Vec<u16> {
        self.layers.iter().map(|&tile| self.tiles[usize::from(tile)]).collect()
    }
}

/// All genomes of a network on an accelerator, and the operators on them.
#[derive(Debug, Clone)]
pub struct GenomeSpace {
    layers: usize,
    tiles: usize,
    mapping: Mapping,
    /// The multiplier of each layer that has no choice.
    fixed: Vec<Option<u16>>,
    /// The most different multipliers a genome may have, no more than there are tiles and multipliers.
    distinct: usize,
    /// The multipliers from cheapest to dearest.
    by_cost: Vec<u16>,
    /// The place of each multiplier in `by_cost`.
    place: Vec<usize>,
}

impl GenomeSpace {
    /// Genomes of `layers` layers on at most `tiles` tiles. `costs[m]` is the cost of multiplier `m` in any
    /// unit; it only puts multipliers in order, so that mutation can prefer a neighbour.
    pub fn new(layers: usize, tiles: usize, costs: &[f64], mapping: Mapping) -> Result<Self> {
        if layers == 0 || tiles == 0 || costs.is_empty() {
            let reason = "the search needs at least one layer, one tile and one multiplier";
            return Err(Error::Argument(reason.to_owned()));
        }
        let multipliers = u16::try_from(costs.len());
        let (Ok(multipliers), Ok(_)) = (multipliers, u16::try_from(layers)) else {
            return Err(Error::Argument("the search takes at most 65535 layers and multipliers".to_owned()));
        };
        let mut by_cost: Vec<u16> = (0..multipliers).collect();
        by_cost.sort_by(|&a, &b| costs[usize::from(a)].total_cmp(&costs[usize::from(b)]));
        let mut place = vec![0; costs.len()];
        for (i, &multiplier) in by_cost.iter().enumerate() {
            place[usize::from(multiplier)] = i;
        }
        let (tiles, fixed) = (tiles.min(layers), vec![None; layers]);
        let distinct = tiles.min(by_cost.len());
        Ok(GenomeSpace { layers, tiles, mapping, fixed, distinct, by_cost, place })
    }

    /// The genome with one multiplier in every layer but the fixed ones.
    pub fn uniform(&self, multiplier: u16) -> Result<Genome> {
        self.encode(&vec![multiplier; self.layers])
    }

    /// The genome with these multipliers, one for each layer, if the accelerator has enough tiles. Fixed layers
    /// keep their multipliers whatever `assignment` has for them.
    pub fn encode(&self, assignment: &[u16]) -> Result<Genome> {
        let mut tiles: Vec<u16> = Vec::new();
        let mut layers = Vec::with_capacity(assignment.len());
        for (layer, &multiplier) in assignment.iter().enumerate() {
            let multiplier = self.fixed.get(layer).copied().flatten().unwrap_or(multiplier);
            let tile = match self.mapping {
                Mapping::Free => tiles.iter().position(|&m| m == multiplier),
                Mapping::Contiguous => tiles.len().checked_sub(1).filter(|&last| tiles[last] == multiplier),
            };
            let tile = tile.unwrap_or_else(|| {
                tiles.push(multiplier);
                tiles.len() - 1
            });
            layers.push(tile as u16);
        }
        self.genome(tiles, layers)
    }

    /// The genome with these parts, in canonical form.
    pub fn genome(&self, tiles: Vec<u16>, layers: Vec<u16>) -> Result<Genome> {
        let (multipliers, found) = (self.by_cost.len(), layers.len());
        if found != self.layers {
            return Err(Error::Mismatch(format!("{found} layers assigned of {}", self.layers)));
        }
        if let Some(multiplier) = tiles.iter().find(|&&m| usize::from(m) >= multipliers) {
            return Err(Error::Mismatch(format!("multiplier {multiplier} of {multipliers}")));
        }
        let sorted = layers.is_sorted();
        let mut genome = Genome::try_from(Parts { tiles, layers }).map_err(Error::Mismatch)?;
        self.canonicalize(&mut genome);
        if let Some(reason) = self.broken_constraint(&genome) {
            return Err(Error::Mismatch(reason));
        }
        if self.mapping == Mapping::Contiguous && !sorted {
            let reason = "a pipelined tile serves one contiguous run of layers, in the order of the tiles";
            return Err(Error::Mismatch(reason.to_owned()));
        }
        Ok(genome)
    }

    fn canonicalize(&self, genome: &mut Genome) {
        if self.mapping == Mapping::Contiguous {
            // Crossover mixes the runs. Sorting keeps the order of the tiles and how many layers each has.
            genome.layers.sort_unstable();
        }
        let mut tiles = Vec::with_capacity(genome.tiles.len());
        let mut renamed: HashMap<u16, u16> = HashMap::new();
        for tile in &mut genome.layers {
            let multiplier = genome.tiles[usize::from(*tile)];
            let key = if self.mapping == Mapping::Free { multiplier } else { *tile };
            *tile = *renamed.entry(key).or_insert_with(|| {
                tiles.push(multiplier);
                (tiles.len() - 1) as u16
            });
        }
        genome.tiles = tiles;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(mapping: Mapping) -> GenomeSpace {
        GenomeSpace::new(6, 3, &[1.0, 0.2, 0.5, 0.1], mapping).unwrap()
    }

    #[test]
    fn one_assignment_is_one_genome() {
        let space = space(Mapping::Free);
        let a = space.genome(vec![3, 1, 2], vec![1, 1, 0, 1, 0, 0]).unwrap();
        let b = space.genome(vec![1, 3, 1], vec![0, 2, 1, 0, 1, 1]).unwrap();
        assert_eq!(a, b);
        assert_eq!((a.tiles(), a.layers()), (&[1, 3][..], &[0, 0, 1, 0, 1, 1][..]));
        assert_eq!(a.assignment(), [1, 1, 3, 1, 3, 3]);
        assert_eq!(space.encode(&a.assignment()).unwrap(), a);
    }

    #[test]
    fn pipelined_tiles_of_one_multiplier_stay_apart() {
        let space = space(Mapping::Contiguous);
        let a = space.genome(vec![1, 1, 2], vec![0, 0, 1, 1, 2, 2]).unwrap();
        let b = space.genome(vec![1, 2], vec![0, 0, 0, 0, 1, 1]).unwrap();
        assert_eq!(a.assignment(), b.assignment());
        assert_ne!(a, b);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert!(GenomeSpace::new(0, 1, &[1.0], Mapping::Free).is_err());
        assert!(GenomeSpace::new(3, 1, &[], Mapping::Free).is_err());
        let free = space(Mapping::Free);
        assert!(free.encode(&[0, 1, 2, 3, 0, 0]).is_err(), "four multipliers on three tiles");
        assert!(free.encode(&[0, 1]).is_err(), "too few layers");
        assert!(free.uniform(4).is_err(), "no such multiplier");
        assert!(free.genome(vec![0], vec![0, 0, 0, 0, 0, 1]).is_err(), "no such tile");
        assert!(free.encode(&[0, 1, 0, 1, 0, 1]).is_ok());
        let pipelined = space(Mapping::Contiguous);
        assert!(pipelined.encode(&[0, 1, 0, 1, 0, 1]).is_err(), "six runs on three tiles");
        assert!(pipelined.genome(vec![0, 1], vec![1, 1, 1, 0, 0, 0]).is_err());
        assert!(serde_json::from_str::<Genome>(r#"{"tiles":[1],"layers":[0,1]}"#).is_err());
    }
}
