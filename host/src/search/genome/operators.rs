//! What NSGA-II does with genomes: draws, recombines and mutates them.

use super::{Genome, GenomeSpace, Mapping};
use crate::search::problem::Stream;
use rand::RngExt;

/// Share of children that mutate; the others are recombinations and nothing else.
const MUTATION_PROBABILITY: f64 = 0.9;

impl GenomeSpace {
    /// A genome with every tile and every layer drawn uniformly.
    pub fn random(&self, stream: &mut Stream) -> Genome {
        let tiles = (0..self.tiles).map(|_| self.any_multiplier(stream)).collect();
        let layers = (0..self.layers).map(|_| stream.random_range(0..self.tiles) as u16).collect();
        let mut genome = Genome { tiles, layers };
        self.settle(&mut genome, stream);
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
        self.settle(&mut a, stream);
        self.settle(&mut b, stream);
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
            self.settle(genome, stream);
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
