//! Assignments that the model thinks good.

use super::{Model, Positions};
use crate::search::Mapping;

/// How many weights of energy against divergence are tried, over how many factors of ten.
const WEIGHTS: usize = 192;
const DECADES: f64 = 8.0;

/// The largest divergence (nats) that a proposal may be expected to have: half of what guessing among ten classes
/// has.
pub(super) const MOST_DIVERGENCE: f64 = 1.0;

impl Model<'_> {
    /// At most `count` assignments of at most `tiles` different choices, from little energy to much, none of which
    /// the model expects to have both more energy and more divergence than another.
    pub(in crate::optimize) fn proposals(
        &self,
        tiles: usize,
        mapping: Mapping,
        count: usize,
    ) -> Vec<Positions> {
        let largest = |figures: &mut dyn Iterator<Item = f64>| figures.fold(f64::MIN_POSITIVE, f64::max);
        let layers = self.multiplications.len();
        let all = || (0..self.shortlist.choices.len()).flat_map(|c| (0..layers).map(move |l| (c, l)));
        let divergence = largest(&mut all().map(|(choice, layer)| self.divergence(choice, layer)));
        let energy = largest(&mut all().map(|(choice, layer)| self.energy(choice, layer)));
        let mut found: Vec<(f64, Positions)> = Vec::new();
        for step in 0..WEIGHTS {
            // From where energy decides to where divergence does.
            let weight = divergence / energy * 10f64.powf(-DECADES * step as f64 / (WEIGHTS - 1) as f64);
            let cost = |choice, layer| match self.allows(choice, layer) {
                true => self.divergence(choice, layer) + weight * self.energy(choice, layer),
                false => f64::INFINITY,
            };
            let assignment = match mapping {
                Mapping::Free => self.cheapest_shared(tiles, &cost),
                Mapping::Contiguous => self.cheapest_runs(tiles, &cost),
            };
            let total = |of: &dyn Fn(usize, usize) -> f64| -> f64 {
                assignment.iter().enumerate().map(|(layer, &choice)| of(choice, layer)).sum()
            };
            if total(&|choice, layer| self.divergence(choice, layer)) <= MOST_DIVERGENCE {
                found.push((total(&|choice, layer| self.energy(choice, layer)), assignment));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        found.dedup_by(|a, b| a.1 == b.1);
        let kept = count.min(found.len());
        let place = |i: usize| if kept < 2 { 0 } else { i * (found.len() - 1) / (kept - 1) };
        (0..kept).map(|i| found[place(i)].1.clone()).collect()
    }

    fn allows(&self, choice: usize, layer: usize) -> bool {
        self.fixed.iter().all(|&(fixed, needed)| fixed != layer || needed == choice)
    }

    /// In multiplications of the exact multiplier.
    pub(super) fn energy(&self, choice: usize, layer: usize) -> f64 {
        self.multiplications[layer] as f64 * self.shortlist.powers[choice]
    }

    /// The assignment of least cost with at most `tiles` different choices, nearly: tiles are added one by one, the
    /// one that helps most, then exchanged while that helps.
    pub(super) fn cheapest_shared(&self, tiles: usize, cost: &dyn Fn(usize, usize) -> f64) -> Positions {
        let layers = self.multiplications.len();
        let choices = self.shortlist.choices.len();
        let costs: Vec<Vec<f64>> =
            (0..choices).map(|choice| (0..layers).map(|layer| cost(choice, layer)).collect()).collect();
        // What each layer costs on the best of the tiles.
        let on = |tiles: &[usize]| -> Vec<f64> {
            (0..layers).map(|l| tiles.iter().map(|&t| costs[t][l]).fold(f64::INFINITY, f64::min)).collect()
        };
        let with = |best: &[f64], choice: usize| -> f64 {
            best.iter().zip(&costs[choice]).map(|(best, cost)| best.min(*cost)).sum()
        };
        let helper = |best: &[f64]| {
            let of = |choice: usize| (with(best, choice), choice);
            (0..choices).map(of).min_by(|a, b| a.0.total_cmp(&b.0)).expect("a library has multipliers")
        };
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < tiles.min(layers) {
            chosen.push(helper(&on(&chosen)).1);
        }
        let mut total: f64 = on(&chosen).iter().sum();
        let mut tile = 0;
        let mut unchanged = 0;
        while unchanged < chosen.len() {
            let others: Vec<usize> = (0..chosen.len()).filter(|&t| t != tile).map(|t| chosen[t]).collect();
            let (exchanged, choice) = helper(&on(&others));
            unchanged += 1;
            // More than rounding: it has to end.
            if exchanged < total * (1.0 - 1e-12) {
                (chosen[tile], total, unchanged) = (choice, exchanged, 0);
            }
            tile = (tile + 1) % chosen.len();
        }
        let best = |layer: usize| {
            chosen.iter().copied().min_by(|&a, &b| costs[a][layer].total_cmp(&costs[b][layer]))
        };
        (0..layers).map(|layer| best(layer).expect("there is a tile")).collect()
    }

    /// The assignment of least cost in at most `tiles` runs of layers, by dynamic programming.
    pub(super) fn cheapest_runs(&self, tiles: usize, cost: &dyn Fn(usize, usize) -> f64) -> Positions {
        let layers = self.multiplications.len();
        // For each run of layers, by its first and its length less one, the least cost and the choice.
        let runs: Vec<Vec<(f64, usize)>> = (0..layers)
            .map(|first| {
                let mut costs = vec![0.0; self.shortlist.choices.len()];
                let to = |layer: usize| {
                    costs.iter_mut().enumerate().for_each(|(choice, total)| *total += cost(choice, layer));
                    let all = costs.iter().enumerate().map(|(choice, &total)| (total, choice));
                    all.min_by(|a, b| a.0.total_cmp(&b.0)).expect("a library has multipliers")
                };
                (first..layers).map(to).collect()
            })
            .collect();
        // For the first `end` layers: the least cost, where the last run begins and its choice.
        let mut best: Vec<Vec<(f64, usize, usize)>> = vec![vec![(f64::INFINITY, 0, 0); layers + 1]];
        best[0][0].0 = 0.0;
        for count in 1..=tiles.min(layers) {
            let row = (0..=layers).map(|end| {
                let last = (0..end).map(|first| {
                    let (cost, choice) = runs[first][end - first - 1];
                    (best[count - 1][first].0 + cost, first, choice)
                });
                last.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::INFINITY, 0, 0))
            });
            let row = row.collect();
            best.push(row);
        }
        let fewest = (1..best.len()).min_by(|&a, &b| best[a][layers].0.total_cmp(&best[b][layers].0));
        let mut count = fewest.expect("there is a tile");
        let mut assignment = vec![0; layers];
        let mut end = layers;
        while end > 0 {
            let (_, first, choice) = best[count][end];
            assignment[first..end].fill(choice);
            (count, end) = (count - 1, first);
        }
        assignment
    }
}
