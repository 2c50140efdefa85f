//! Every genome of a space: how many there are, and one after the other.

use super::{Genome, GenomeSpace, Mapping};
use std::collections::BTreeMap;

impl GenomeSpace {
    /// How many genomes there are; `None` if the count, or a step on the way to it, is beyond 128 bits.
    ///
    /// On [`Mapping::Free`] these are the functions from layers to multipliers with at most as many values as
    /// there are tiles; on [`Mapping::Contiguous`] the ways to cut the layers into at most as many runs, with
    /// a multiplier for each. Constraints leave fewer.
    pub fn count(&self) -> Option<u128> {
        match self.mapping {
            Mapping::Free => self.count_assignments(),
            Mapping::Contiguous => self.count_runs(),
        }
    }

    fn count_assignments(&self) -> Option<u128> {
        let (multipliers, fixed) = (self.by_cost.len(), self.fixed_multipliers().len());
        // Ways to assign the layers so far with each number of multipliers, fixed ones included from the start.
        let mut ways = vec![0u128; self.distinct + 1];
        ways[fixed] = 1;
        for _ in self.fixed.iter().filter(|layer| layer.is_none()) {
            for distinct in (fixed..=self.distinct).rev() {
                let old = ways[distinct].checked_mul(distinct as u128)?;
                let new = match distinct.checked_sub(1).filter(|&before| before >= fixed) {
                    Some(before) => ways[before].checked_mul((multipliers - before) as u128)?,
                    None => 0,
                };
                ways[distinct] = old.checked_add(new)?;
            }
        }
        ways.into_iter().try_fold(0u128, u128::checked_add)
    }

    fn count_runs(&self) -> Option<u128> {
        let (multipliers, bound) = (self.by_cost.len(), self.fixed_multipliers());
        let free = bound.len();
        // Ways to serve the layers so far, by runs, by multipliers (fixed ones included from the start) and by
        // the last run's multiplier: its place among the fixed ones, or `free` for any other.
        let mut ways = BTreeMap::from([((0, free, free), 1u128)]);
        for layer in &self.fixed {
            let fixed = layer.map(|multiplier| bound.partition_point(|&m| m < multiplier));
            let mut next = BTreeMap::new();
            let mut add = |state, more: u128| {
                let sum = next.entry(state).or_insert(0u128);
                *sum = sum.checked_add(more)?;
                Some(())
            };
            for ((runs, distinct, last), n) in ways {
                if runs > 0 && fixed.is_none_or(|fixed| fixed == last) {
                    add((runs, distinct, last), n)?;
                }
                if runs == self.tiles {
                    continue;
                }
                if let Some(fixed) = fixed {
                    add((runs + 1, distinct, fixed), n)?;
                    continue;
                }
                for known in 0..free {
                    add((runs + 1, distinct, known), n)?;
                }
                if distinct > free {
                    add((runs + 1, distinct, free), n.checked_mul((distinct - free) as u128)?)?;
                }
                if distinct < self.distinct {
                    add((runs + 1, distinct + 1, free), n.checked_mul((multipliers - distinct) as u128)?)?;
                }
            }
            ways = next;
        }
        ways.into_values().try_fold(0u128, u128::checked_add)
    }

    /// Every genome once, in an order that depends on nothing but the space.
    pub fn all(&self) -> impl Iterator<Item = Genome> {
        All::new(self)
    }
}

/// What the next layer does: 0 for the tile of the layer before (pipelined tiles alone), `m + 1` for a tile
/// with multiplier `m`.
type Step = usize;

/// Depth-first through the layers, lower steps first.
struct All<'a> {
    space: &'a GenomeSpace,
    /// The steps of the first layers and the multipliers they lead to.
    steps: Vec<(Step, u16)>,
    /// Tiles begun by these.
    runs: usize,
    /// How often each multiplier was begun, once more for those of fixed layers.
    uses: Vec<usize>,
    /// Multipliers with any use.
    distinct: usize,
    /// For each layer the pipelined tiles that fixed layers after it need, and the first one's multiplier.
    ahead: Vec<(usize, Option<u16>)>,
    begun: bool,
}

impl<'a> All<'a> {
    fn new(space: &'a GenomeSpace) -> Self {
        let mut uses = vec![0; space.by_cost.len()];
        let fixed = space.fixed_multipliers();
        fixed.iter().for_each(|&multiplier| uses[usize::from(multiplier)] = 1);
        let next = |first: usize| space.fixed[first..].iter().copied().flatten().next();
        let ahead = (1..=space.layers).map(|first| (space.fixed_runs(first), next(first))).collect();
        All { space, steps: Vec::new(), runs: 0, uses, distinct: fixed.len(), ahead, begun: false }
    }

    /// The multiplier that `step` leads to, if genomes begin like this.
    fn allowed(&self, step: Step) -> Option<u16> {
        let (space, layer) = (self.space, self.steps.len());
        let contiguous = space.mapping == Mapping::Contiguous;
        let multiplier = match step.checked_sub(1) {
            Some(multiplier) => multiplier as u16,
            None => self.steps.last().filter(|_| contiguous)?.1,
        };
        let (needed, first) = self.ahead[layer];
        let needed = needed - usize::from(first == Some(multiplier));
        let new = self.uses[usize::from(multiplier)] == 0;
        let allowed = space.fixed[layer].is_none_or(|fixed| fixed == multiplier)
            && self.distinct + usize::from(new) <= space.distinct
            && (!contiguous || self.runs + usize::from(step > 0) + needed <= space.tiles);
        allowed.then_some(multiplier)
    }

    fn push(&mut self, step: Step, multiplier: u16) {
        self.steps.push((step, multiplier));
        if step > 0 {
            let uses = &mut self.uses[usize::from(multiplier)];
            self.distinct += usize::from(*uses == 0);
            *uses += 1;
            self.runs += 1;
        }
    }

    fn pop(&mut self) -> Option<Step> {
        let (step, multiplier) = self.steps.pop()?;
        if step > 0 {
            let uses = &mut self.uses[usize::from(multiplier)];
            *uses -= 1;
            self.distinct -= usize::from(*uses == 0);
            self.runs -= 1;
        }
        Some(step)
    }

    fn genome(&self) -> Genome {
        let mut genome = Genome { tiles: Vec::new(), layers: Vec::with_capacity(self.steps.len()) };
        for &(step, multiplier) in &self.steps {
            if step > 0 {
                genome.tiles.push(multiplier);
            }
            genome.layers.push((genome.tiles.len() - 1) as u16);
        }
        self.space.canonicalize(&mut genome);
        genome
    }
}

impl Iterator for All<'_> {
    type Item = Genome;

    fn next(&mut self) -> Option<Genome> {
        let mut from = if self.begun { self.pop()? + 1 } else { 0 };
        self.begun = true;
        loop {
            let steps = from..=self.space.by_cost.len();
            match steps.into_iter().find_map(|step| Some((step, self.allowed(step)?))) {
                Some((step, multiplier)) => {
                    self.push(step, multiplier);
                    if self.steps.len() == self.space.layers {
                        return Some(self.genome());
                    }
                    from = 0;
                }
                None => from = self.pop()? + 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::tests::by_force;
    use std::collections::HashSet;

    type Fixed = &'static [(usize, u16)];

    const MAPPINGS: [Mapping; 2] = [Mapping::Free, Mapping::Contiguous];

    fn space(layers: usize, tiles: usize, multipliers: usize, mapping: Mapping) -> GenomeSpace {
        GenomeSpace::new(layers, tiles, &vec![1.0; multipliers], mapping).unwrap()
    }

    /// That `space` gives and counts what trying all tiles and layers finds.
    fn check(space: &GenomeSpace) {
        let (layers, tiles, multipliers) = (space.layers, space.tiles, space.by_cost.len());
        let all: Vec<Genome> = space.all().collect();
        let distinct: HashSet<Genome> = all.iter().cloned().collect();
        assert_eq!(distinct.len(), all.len(), "a genome came twice: {space:?}");
        assert_eq!(distinct, by_force(space, layers as u32, tiles as u32, multipliers as u32), "{space:?}");
        assert_eq!(space.count(), Some(all.len() as u128), "{space:?}");
        assert!(space.all().eq(all), "another order");
    }

    #[test]
    fn counts_and_enumerates_small_spaces() {
        for mapping in MAPPINGS {
            for (layers, tiles, multipliers) in
                [(1, 1, 1), (1, 2, 5), (4, 2, 5), (5, 3, 3), (4, 4, 2), (3, 9, 4), (6, 1, 3), (5, 5, 1)]
            {
                check(&space(layers, tiles, multipliers, mapping));
            }
        }
    }

    #[test]
    fn counts_and_enumerates_under_constraints() {
        let cases: [(Fixed, Option<usize>); 7] = [
            (&[], Some(1)),
            (&[], Some(2)),
            (&[(0, 2)], None),
            (&[(2, 1)], Some(2)),
            (&[(1, 1), (3, 0)], None),
            (&[(0, 1), (2, 0), (4, 1)], Some(2)),
            (&[(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)], None),
        ];
        for mapping in MAPPINGS {
            for (fixed, most) in cases {
                let space = space(5, 3, 4, mapping).with_fixed(fixed.iter().copied()).unwrap();
                check(&space.with_max_distinct(most).unwrap());
            }
        }
    }

    #[test]
    fn counts_by_hand_and_refuses_to_overflow() {
        // 35 with one multiplier; 35 * 34 / 2 pairs, each in 2^8 - 2 ways.
        assert_eq!(space(8, 2, 35, Mapping::Free).count(), Some(35 + 595 * 254));
        // One run, or two cut at one of 7 places.
        assert_eq!(space(8, 2, 35, Mapping::Contiguous).count(), Some(35 + 7 * 35 * 35));
        for mapping in MAPPINGS {
            assert_eq!(space(1000, 1000, 1000, mapping).count(), None);
            assert_eq!(space(60_000, 1, 60_000, mapping).count(), Some(60_000));
        }
        assert_eq!(space(129, 129, 1, Mapping::Contiguous).count(), None, "2^128");
        assert_eq!(space(128, 128, 1, Mapping::Contiguous).count(), Some(1 << 127));
    }
}
