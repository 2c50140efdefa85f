//! Genomes with less freedom: layers whose multiplier is given, and few different multipliers.

use super::{Genome, GenomeSpace, Mapping};
use crate::error::{Error, Result};
use crate::search::problem::Stream;
use rand::RngExt;

/// Layers one pipelined tile serves, up to `end`.
struct Run {
    multiplier: u16,
    end: usize,
    /// Whether a fixed layer is among them.
    bound: bool,
}

impl GenomeSpace {
    /// Only genomes in which each of these layers has the given multiplier. The tiles of fixed layers count as
    /// all others, and free layers may share them.
    pub fn with_fixed(mut self, fixed: impl IntoIterator<Item = (usize, u16)>) -> Result<Self> {
        for (layer, multiplier) in fixed {
            let (layers, multipliers) = (self.layers, self.by_cost.len());
            if layer >= layers || usize::from(multiplier) >= multipliers {
                let reason = format!(
                    "layer {layer} of {layers} cannot be fixed to multiplier {multiplier} of {multipliers}"
                );
                return Err(Error::Argument(reason));
            }
            if let Some(other) = self.fixed[layer].replace(multiplier).filter(|&other| other != multiplier) {
                let reason = format!("layer {layer} cannot be fixed to multipliers {other} and {multiplier}");
                return Err(Error::Argument(reason));
            }
        }
        self.check_constraints()
    }

    /// Only genomes with at most `most` different multipliers, those of fixed layers among them; `None` puts
    /// no limit to them beyond the tiles'. On [`Mapping::Free`] fewer multipliers are fewer tiles.
    pub fn with_max_distinct(mut self, most: Option<usize>) -> Result<Self> {
        self.distinct = most.unwrap_or(self.tiles).min(self.tiles).min(self.by_cost.len());
        self.check_constraints()
    }

    /// Whether any genome meets the constraints.
    fn check_constraints(self) -> Result<Self> {
        let (needed, distinct) = (self.fixed_multipliers().len().max(1), self.distinct);
        if needed > distinct {
            let reason =
                format!("{needed} different multipliers are needed, tiles and limits leave {distinct}");
            return Err(Error::Argument(reason));
        }
        let (needed, tiles) = (self.fixed_runs(0), self.tiles);
        if self.mapping == Mapping::Contiguous && needed > tiles {
            let reason = format!("the fixed layers need {needed} pipelined tiles, there are {tiles}");
            return Err(Error::Argument(reason));
        }
        Ok(self)
    }

    /// The multipliers of fixed layers, each once, in ascending order.
    pub(super) fn fixed_multipliers(&self) -> Vec<u16> {
        let mut multipliers: Vec<u16> = self.fixed.iter().copied().flatten().collect();
        multipliers.sort_unstable();
        multipliers.dedup();
        multipliers
    }

    /// How many pipelined tiles the fixed layers from `first` on need.
    pub(super) fn fixed_runs(&self, first: usize) -> usize {
        let mut fixed: Vec<u16> = self.fixed[first..].iter().copied().flatten().collect();
        fixed.dedup();
        fixed.len()
    }

    /// What a canonical genome breaks, if anything.
    pub(super) fn broken_constraint(&self, genome: &Genome) -> Option<String> {
        let (needed, tiles) = (genome.tiles.len(), self.tiles);
        if needed > tiles {
            return Some(format!("the assignment needs {needed} tiles, there are {tiles}"));
        }
        let (needed, distinct) = (different(&genome.tiles).len(), self.distinct);
        if needed > distinct {
            return Some(format!("the assignment has {needed} multipliers, it may have {distinct}"));
        }
        let assigned = genome.layers.iter().map(|&tile| genome.tiles[usize::from(tile)]);
        let mut layers = self.fixed.iter().zip(assigned).enumerate();
        layers.find_map(|(layer, (&fixed, found))| {
            let fixed = fixed.filter(|&fixed| fixed != found)?;
            Some(format!("layer {layer} is fixed to multiplier {fixed}, not {found}"))
        })
    }

    /// Brings what an operator left into canonical form, and back into the space if constraints are broken.
    /// Random numbers are only drawn in that case.
    pub(super) fn settle(&self, genome: &mut Genome, stream: &mut Stream) {
        self.canonicalize(genome);
        if self.broken_constraint(genome).is_none() {
            return;
        }
        match self.mapping {
            Mapping::Free => self.restore_layers(genome),
            Mapping::Contiguous => self.restore_runs(genome, stream),
        }
        self.canonicalize(genome);
        self.drop_multipliers(genome, stream);
        self.canonicalize(genome);
    }

    /// Gives fixed layers back their multipliers, on a tile that has it or on a new one.
    fn restore_layers(&self, genome: &mut Genome) {
        for (tile, &fixed) in genome.layers.iter_mut().zip(&self.fixed) {
            let Some(fixed) = fixed else { continue };
            let there = genome.tiles.iter().position(|&multiplier| multiplier == fixed);
            *tile = there.unwrap_or(genome.tiles.len()) as u16;
            if there.is_none() {
                genome.tiles.push(fixed);
            }
        }
    }

    /// Gives runs with fixed layers the multiplier of these, splits those whose fixed layers disagree, and
    /// then joins neighbours until the tiles suffice.
    fn restore_runs(&self, genome: &mut Genome, stream: &mut Stream) {
        let mut runs: Vec<Run> = Vec::new();
        let mut start = 0;
        for (tile, &multiplier) in genome.tiles.iter().enumerate() {
            let end = genome.layers.partition_point(|&t| usize::from(t) <= tile);
            let (mut run, mut last) = (Run { multiplier, end, bound: false }, start);
            for layer in start..end {
                let Some(fixed) = self.fixed[layer] else { continue };
                if run.bound && run.multiplier != fixed {
                    runs.push(Run { end: stream.random_range(last + 1..=layer), ..run });
                }
                (run, last) = (Run { multiplier: fixed, end, bound: true }, layer);
            }
            runs.push(run);
            start = end;
        }
        while runs.len() > self.tiles {
            // Where no two neighbours can be joined there are as many runs as the fixed layers need.
            let joinable = |&i: &usize| {
                let (left, right) = (&runs[i], &runs[i + 1]);
                !(left.bound && right.bound) || left.multiplier == right.multiplier
            };
            let joinable: Vec<usize> = (0..runs.len() - 1).filter(joinable).collect();
            let Some(i) = any_of(&joinable, stream) else { break };
            let left = runs.remove(i);
            let right = &mut runs[i];
            if left.bound || (!right.bound && stream.random()) {
                right.multiplier = left.multiplier;
            }
            right.bound |= left.bound;
        }
        genome.tiles = runs.iter().map(|run| run.multiplier).collect();
        let mut start = 0;
        for (tile, run) in runs.iter().enumerate() {
            genome.layers[start..run.end].fill(tile as u16);
            start = run.end;
        }
    }

    /// Replaces multipliers that no fixed layer needs by those next in cost, until few enough are left. Which
    /// ones is random, lest a new multiplier, with but few layers, always be the one to go.
    fn drop_multipliers(&self, genome: &mut Genome, stream: &mut Stream) {
        let fixed = self.fixed_multipliers();
        let mut kept = different(&genome.tiles);
        while kept.len() > self.distinct {
            let dropped: Vec<u16> = kept.iter().copied().filter(|m| !fixed.contains(m)).collect();
            let Some(dropped) = any_of(&dropped, stream) else { break };
            kept.retain(|&multiplier| multiplier != dropped);
            let distance = |m: &&u16| self.place[usize::from(**m)].abs_diff(self.place[usize::from(dropped)]);
            let Some(&nearest) = kept.iter().min_by_key(distance) else { break };
            genome.tiles.iter_mut().filter(|tile| **tile == dropped).for_each(|tile| *tile = nearest);
        }
    }
}

/// The multipliers of `tiles`, each once, in ascending order.
fn different(tiles: &[u16]) -> Vec<u16> {
    let mut multipliers = tiles.to_vec();
    multipliers.sort_unstable();
    multipliers.dedup();
    multipliers
}

/// One of `values`, if there are any.
fn any_of<T: Copy>(values: &[T], stream: &mut Stream) -> Option<T> {
    (!values.is_empty()).then(|| values[stream.random_range(0..values.len())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::collections::HashSet;

    type Fixed = &'static [(usize, u16)];

    const COSTS: [f64; 4] = [1.0, 0.2, 0.5, 0.1];

    fn space(mapping: Mapping, tiles: usize) -> GenomeSpace {
        GenomeSpace::new(6, tiles, &COSTS, mapping).unwrap()
    }

    #[test]
    fn operators_keep_to_the_constraints() {
        let cases: [(Fixed, Option<usize>); 6] = [
            (&[(0, 0)], None),
            (&[(0, 0), (5, 2)], Some(2)),
            (&[(1, 3), (2, 1), (4, 3)], None),
            (&[(2, 1)], Some(2)),
            (&[(3, 1)], Some(1)),
            (&[], Some(2)),
        ];
        for (case, (fixed, most)) in cases.into_iter().enumerate() {
            for mapping in [Mapping::Free, Mapping::Contiguous] {
                for tiles in [3, 4, 6] {
                    let space = space(mapping, tiles).with_fixed(fixed.iter().copied()).unwrap();
                    let space = space.with_max_distinct(most).unwrap();
                    let mut stream = Stream::seed_from_u64(case as u64);
                    let (mut a, mut b) = (space.random(&mut stream), space.random(&mut stream));
                    let mut seen = HashSet::new();
                    for _ in 0..3000 {
                        for genome in [&a, &b] {
                            let again = space.genome(genome.tiles.clone(), genome.layers.clone());
                            assert_eq!(&again.unwrap(), genome, "{fixed:?}, {most:?}, {mapping:?}");
                            assert!(genome.tiles.len() <= tiles);
                            assert!(different(&genome.tiles).len() <= most.unwrap_or(tiles));
                            let assignment = genome.assignment();
                            assert!(fixed.iter().all(|&(layer, multiplier)| assignment[layer] == multiplier));
                            seen.insert(genome.clone());
                        }
                        (a, b) = space.crossover(&a, &b, &mut stream);
                        space.mutate(&mut a, &mut stream);
                        space.mutate(&mut b, &mut stream);
                        // Two that came to be the same would stay close to each other.
                        if a == b {
                            b = space.random(&mut stream);
                        }
                    }
                    let count = space.count().unwrap() as usize;
                    assert!(seen.len() * 3 > count.min(1500), "{} of {count} genomes seen", seen.len());
                }
            }
        }
    }

    #[test]
    fn assignments_keep_fixed_layers() {
        let fixed = space(Mapping::Contiguous, 3).with_fixed([(2, 1)]).unwrap();
        assert_eq!(fixed.uniform(0).unwrap().assignment(), [0, 0, 1, 0, 0, 0]);
        assert_eq!(fixed.encode(&[3; 6]).unwrap().tiles(), [3, 1, 3]);
        assert!(fixed.genome(vec![3], vec![0; 6]).is_err(), "layer 2 has another multiplier");
        let two = space(Mapping::Contiguous, 2).with_fixed([(2, 1)]).unwrap();
        assert!(two.uniform(0).is_err(), "three runs on two tiles");
        let one = space(Mapping::Contiguous, 3).with_max_distinct(Some(1)).unwrap();
        assert!(one.genome(vec![3, 3, 3], vec![0, 0, 1, 1, 2, 2]).is_ok(), "three tiles of one multiplier");
        assert!(one.encode(&[3, 3, 3, 3, 1, 1]).is_err());
    }

    #[test]
    fn refuses_what_no_genome_can_meet() {
        let alternating = [(0, 1), (2, 0), (4, 1)];
        assert!(space(Mapping::Free, 2).with_fixed(alternating).is_ok());
        assert!(space(Mapping::Contiguous, 3).with_fixed(alternating).is_ok());
        assert!(space(Mapping::Contiguous, 2).with_fixed(alternating).is_err());
        assert!(space(Mapping::Free, 2).with_fixed([(0, 0), (1, 1), (2, 2)]).is_err());
        let free = || space(Mapping::Free, 3);
        assert!(free().with_fixed([(6, 0)]).is_err(), "no such layer");
        assert!(free().with_fixed([(0, 4)]).is_err(), "no such multiplier");
        assert!(free().with_fixed([(0, 1), (0, 2)]).is_err());
        assert!(free().with_fixed([(0, 1), (0, 1)]).is_ok());
        assert!(free().with_max_distinct(Some(0)).is_err());
        let one = free().with_max_distinct(Some(1)).unwrap();
        assert!(one.clone().with_fixed([(0, 1), (1, 2)]).is_err());
        assert!(one.with_fixed([(0, 1), (1, 1)]).is_ok());
    }
}
