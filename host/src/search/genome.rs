//! The genome of ALWANN (arXiv 1907.07229): which multiplier each tile of the accelerator has,
//! and which tile each layer runs on.

use super::problem::Stream;
use crate::error::{Error, Result};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Share of children that mutate; the others are recombinations and nothing else.
const MUTATION_PROBABILITY: f64 = 0.9;

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
        Ok(GenomeSpace { layers, tiles: tiles.min(layers), mapping, by_cost, place })
    }

    /// The genome with one multiplier in every layer.
    pub fn uniform(&self, multiplier: u16) -> Result<Genome> {
        self.genome(vec![multiplier], vec![0; self.layers])
    }

    /// The genome with these multipliers, one for each layer, if the accelerator has enough tiles.
    pub fn encode(&self, assignment: &[u16]) -> Result<Genome> {
        let mut tiles: Vec<u16> = Vec::new();
        let mut layers = Vec::with_capacity(assignment.len());
        for &multiplier in assignment {
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
        if genome.tiles.len() > self.tiles {
            let (needed, tiles) = (genome.tiles.len(), self.tiles);
            return Err(Error::Mismatch(format!("the assignment needs {needed} tiles, there are {tiles}")));
        }
        if self.mapping == Mapping::Contiguous && !sorted {
            let reason = "a pipelined tile serves one contiguous run of layers, in the order of the tiles";
            return Err(Error::Mismatch(reason.to_owned()));
        }
        Ok(genome)
    }

    /// A genome with every tile and every layer drawn uniformly.
    pub fn random(&self, stream: &mut Stream) -> Genome {
        let tiles = (0..self.tiles).map(|_| self.any_multiplier(stream)).collect();
        let layers = (0..self.layers).map(|_| stream.random_range(0..self.tiles) as u16).collect();
        let mut genome = Genome { tiles, layers };
        self.canonicalize(&mut genome);
        genome
    }

    /// Recombines tiles with tiles and layers with layers, each part by uniform or one-point crossover.
    pub fn crossover(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> (Genome, Genome) {
        let (mut a, mut b) = (a.clone(), b.clone());
        // The canonical form drops unused tiles. Where one parent has fewer, the child takes the other's.
        for tile in a.tiles.len()..b.tiles.len() {
            a.tiles.push(b.tiles[tile]);
        }
        for tile in b.tiles.len()..a.tiles.len() {
            b.tiles.push(a.tiles[tile]);
        }
        exchange(&mut a.tiles, &mut b.tiles, stream);
        exchange(&mut a.layers, &mut b.layers, stream);
        self.canonicalize(&mut a);
        self.canonicalize(&mut b);
        (a, b)
    }

    /// Makes one change, and with probability 1/2 another, and so on: a tile gets another multiplier, or a
    /// layer another tile.
    pub fn mutate(&self, genome: &mut Genome, stream: &mut Stream) {
        if !stream.random_bool(MUTATION_PROBABILITY) {
            return;
        }
        loop {
            if self.tiles == 1 || stream.random() {
                let tile = stream.random_range(0..genome.tiles.len());
                genome.tiles[tile] = self.other_multiplier(genome.tiles[tile], stream);
            } else {
                match self.mapping {
                    Mapping::Free => self.move_layer(genome, stream),
                    Mapping::Contiguous => self.move_boundary(genome, stream),
                }
            }
            self.canonicalize(genome);
            if stream.random() {
                return;
            }
        }
    }

    /// Moves one layer to another tile in use, or to a fresh one while there are any.
    fn move_layer(&self, genome: &mut Genome, stream: &mut Stream) {
        let used = genome.tiles.len();
        let layer = stream.random_range(0..self.layers);
        let current = usize::from(genome.layers[layer]);
        let choices = used.min(self.tiles - 1);
        let tile = (current + 1 + stream.random_range(0..choices)) % (choices + 1);
        if tile == used {
            genome.tiles.push(self.other_multiplier(genome.tiles[current], stream));
        }
        genome.layers[layer] = tile as u16;
    }

    /// Moves the boundary between two runs of layers, by one layer or anywhere between the next boundaries
    /// (a run may vanish), or, while there are fresh tiles, splits a run.
    fn move_boundary(&self, genome: &mut Genome, stream: &mut Stream) {
        let used = genome.tiles.len();
        if used < self.tiles && (used == 1 || stream.random()) {
            // There are fewer runs than layers here, so some layer does not begin a run.
            let inner = |&i: &usize| genome.layers[i] == genome.layers[i - 1];
            let inner: Vec<usize> = (1..self.layers).filter(inner).collect();
            let first = inner[stream.random_range(0..inner.len())];
            let tile = usize::from(genome.layers[first]);
            genome.tiles.insert(tile + 1, self.other_multiplier(genome.tiles[tile], stream));
            genome.layers[first..].iter_mut().for_each(|t| *t += 1);
            return;
        }
        let right = stream.random_range(1..used) as u16;
        let start_of = |tile: u16| genome.layers.partition_point(|&t| t < tile);
        let (start, boundary, end) = (start_of(right - 1), start_of(right), start_of(right + 1));
        let moved = match stream.random_range(0..4) {
            0 => boundary - 1,
            1 => boundary + 1,
            _ => stream.random_range(start..=end),
        };
        genome.layers[start..moved].fill(right - 1);
        genome.layers[moved..end].fill(right);
    }

    fn any_multiplier(&self, stream: &mut Stream) -> u16 {
        self.by_cost[stream.random_range(0..self.by_cost.len())]
    }

    /// Another multiplier: as often the next cheaper or dearer one as any. The same if there is but one.
    fn other_multiplier(&self, multiplier: u16, stream: &mut Stream) -> u16 {
        let (place, count) = (self.place[usize::from(multiplier)], self.by_cost.len());
        if count == 1 {
            return multiplier;
        }
        let other = match stream.random_range(0..4) {
            0 if place > 0 => place - 1,
            1 if place + 1 < count => place + 1,
            _ => (place + stream.random_range(1..count)) % count,
        };
        self.by_cost[other]
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

/// Exchanges values between two slices of one length: each with probability 1/2, or all from one place on.
fn exchange(a: &mut [u16], b: &mut [u16], stream: &mut Stream) {
    if stream.random() {
        for (x, y) in a.iter_mut().zip(b) {
            if stream.random() {
                std::mem::swap(x, y);
            }
        }
    } else {
        let from = stream.random_range(0..=a.len());
        a[from..].swap_with_slice(&mut b[from..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

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

    #[test]
    fn operators_stay_inside_the_space() {
        for mapping in [Mapping::Free, Mapping::Contiguous] {
            for (layers, tiles, multipliers) in [(6, 3, 4), (1, 1, 1), (3, 9, 2), (5, 1, 3), (4, 4, 1)] {
                let costs: Vec<f64> = (0..multipliers).map(|m| f64::from(m % 3)).collect();
                let space = GenomeSpace::new(layers, tiles, &costs, mapping).unwrap();
                let mut stream = Stream::seed_from_u64(7);
                let valid = |g: &Genome| {
                    // `genome` refuses anything outside the space; canonical forms pass it unchanged.
                    assert_eq!(&space.genome(g.tiles.clone(), g.layers.clone()).unwrap(), g);
                };
                let (mut a, mut b) = (space.random(&mut stream), space.random(&mut stream));
                for _ in 0..2000 {
                    (a, b) = space.crossover(&a, &b, &mut stream);
                    space.mutate(&mut a, &mut stream);
                    space.mutate(&mut b, &mut stream);
                    valid(&a);
                    valid(&b);
                }
            }
        }
    }
}
