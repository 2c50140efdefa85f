//! A cheap model of a network: what assignments are worth before they are measured.
//!
//! What a layer's multiplier does to the network's answers, as a divergence from the exact one's, is its noise in
//! that layer times the layer's sensitivity, and what layers do adds up. Sensitivities are first measured one layer
//! at a time, all others exact, then fitted to everything the search has measured. The model is wrong in detail,
//! which is what the search is for; but a random assignment from a large library is worse than nearly all of its
//! proposals, and most children that it thinks poor are.

use super::shortlist::Shortlist;
use crate::search::Mapping;

/// Powers of the probes that a layer's sensitivity is measured with. Less would be beyond what is proportional,
/// more could not be told from nothing on few images.
const PROBE_POWERS: [f64; 2] = [0.25, 0.1];

/// How many weights of energy against divergence are tried, over how many factors of ten.
const WEIGHTS: usize = 192;
const DECADES: f64 = 8.0;

/// The largest divergence (nats) that a proposal may be expected to have: half of what guessing among ten classes
/// has.
const MOST_DIVERGENCE: f64 = 1.0;

/// Divergences (nats) beyond this tell nothing about small ones: answers are lost.
const LARGEST_OBSERVED: f64 = 0.5;

/// Steps of the fit to what was measured.
const FIT_STEPS: usize = 100;

/// What is added to divergences before their logarithms are compared.
const LEAST: f64 = 1e-4;

/// An assignment of one choice to each layer, as positions in a [`Shortlist`].
pub(super) type Positions = Vec<usize>;

/// A choice in one layer, all others exact, to measure the layer's sensitivity with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    /// The layer.
    pub layer: usize,
    /// The choice there.
    pub choice: usize,
}

/// The probes of all layers that need not stay exact.
pub(super) fn probes(shortlist: &Shortlist, layers: usize, stays_exact: &[usize]) -> Vec<Probe> {
    let nearest = |power: f64| {
        let distance = |&choice: &usize| (shortlist.powers[choice] - power).abs();
        (0..shortlist.powers.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
    };
    let mut choices: Vec<usize> = PROBE_POWERS.into_iter().filter_map(nearest).collect();
    choices.dedup();
    let layers = (0..layers).filter(|layer| !stays_exact.contains(layer));
    layers.flat_map(|layer| choices.iter().map(move |&choice| Probe { layer, choice })).collect()
}

/// The model of a network.
pub(super) struct Model<'s> {
    shortlist: &'s Shortlist,
    multiplications: Vec<u64>,
    /// Layers that must have the choice with this position.
    fixed: Vec<(usize, usize)>,
    /// Divergence in nats for each unit of noise, by layer, as the probes have it.
    probed: Vec<f64>,
    /// The same, fitted.
    sensitivities: Vec<f64>,
}

impl<'s> Model<'s> {
    /// From the divergences (nats) that `probes` were measured to have. `fixed` are layers whose choice is no
    /// question.
    pub(super) fn new(
        shortlist: &'s Shortlist,
        multiplications: &[u64],
        fixed: &[(usize, usize)],
        probes: &[Probe],
        divergences: &[f64],
    ) -> Model<'s> {
        // Through the origin, each probe counting by its noise: total divergence by total noise.
        let mut totals = vec![(0.0, 0.0); multiplications.len()];
        for (probe, &divergence) in probes.iter().zip(divergences) {
            let (noise, measured) = &mut totals[probe.layer];
            *noise += shortlist.noises[probe.choice][probe.layer];
            *measured += divergence.max(LEAST / 10.0);
        }
        let sensitivity = |(noise, measured): (f64, f64)| if noise > 0.0 { measured / noise } else { 0.0 };
        let sensitivities: Vec<f64> = totals.into_iter().map(sensitivity).collect();
        Model {
            shortlist,
            multiplications: multiplications.to_vec(),
            fixed: fixed.to_vec(),
            probed: sensitivities.clone(),
            sensitivities,
        }
    }

    /// Fits the sensitivities to assignments with their measured divergences (nats): each is multiplied, step by
    /// step, by the mean factor between what is measured and what is expected, assignments counting by the share
    /// that the layer is expected to have in them. Begins with what the probes say, so that it depends on nothing else.
    pub(super) fn fit<'m>(&mut self, measured: impl Iterator<Item = (&'m Positions, f64)>) {
        let known: Vec<(&Positions, f64)> = measured
            .filter(|(_, divergence)| *divergence <= LARGEST_OBSERVED)
            .map(|(positions, divergence)| (positions, (divergence + LEAST).ln()))
            .collect();
        let layers = self.sensitivities.len();
        self.sensitivities.clone_from(&self.probed);
        for _ in 0..FIT_STEPS {
            let mut totals = vec![(0.0, 0.0); layers];
            for (positions, logarithm) in &known {
                let expected = self.expected(positions) + LEAST;
                let factor = logarithm - expected.ln();
                for (layer, (sum, weight)) in totals.iter_mut().enumerate() {
                    let share = self.divergence(positions[layer], layer) / expected;
                    *sum += share * factor;
                    *weight += share;
                }
            }
            for (sensitivity, (sum, weight)) in self.sensitivities.iter_mut().zip(totals) {
                // One assignment more that says nothing, so that a layer hardly ever seen stays where it is.
                *sensitivity *= (sum / (weight + 1.0)).exp();
            }
        }
    }

    /// The divergence (nats) that an assignment is expected to have.
    pub(super) fn expected(&self, positions: &[usize]) -> f64 {
        positions.iter().enumerate().map(|(layer, &choice)| self.divergence(choice, layer)).sum()
    }

    /// At most `count` assignments of at most `tiles` different choices, from little energy to much, none of which
    /// the model expects to have both more energy and more divergence than another.
    pub(super) fn proposals(&self, tiles: usize, mapping: Mapping, count: usize) -> Vec<Positions> {
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

    /// Expected of `choice` in `layer`, in nats.
    fn divergence(&self, choice: usize, layer: usize) -> f64 {
        self.sensitivities[layer] * self.shortlist.noises[choice][layer]
    }

    /// In multiplications of the exact multiplier.
    fn energy(&self, choice: usize, layer: usize) -> f64 {
        self.multiplications[layer] as f64 * self.shortlist.powers[choice]
    }

    /// The assignment of least cost with at most `tiles` different choices, nearly: tiles are added one by one, the
    /// one that helps most, then exchanged while that helps.
    fn cheapest_shared(&self, tiles: usize, cost: &dyn Fn(usize, usize) -> f64) -> Positions {
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
    fn cheapest_runs(&self, tiles: usize, cost: &dyn Fn(usize, usize) -> f64) -> Positions {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::Choice;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Choices of random powers and noises, the first of them exact.
    fn shortlist(choices: usize, layers: usize, seed: u64) -> Shortlist {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut shortlist = Shortlist { choices: Vec::new(), powers: Vec::new(), noises: Vec::new() };
        for multiplier in 0..choices {
            let power = if multiplier == 0 { 1.0 } else { random.random_range(0.01..1.0) };
            let noise = |random: &mut ChaCha8Rng| random.random_range(0.0..1.0) * (1.0 - power);
            shortlist.choices.push(Choice { multiplier, swapped: false });
            shortlist.powers.push(power);
            shortlist.noises.push((0..layers).map(|_| noise(&mut random)).collect());
        }
        shortlist
    }

    const MULTIPLICATIONS: [u64; 5] = [100, 400, 50, 400, 7];

    fn sensitivity(layer: usize) -> f64 {
        (layer + 1) as f64 / 20.0
    }

    fn model(shortlist: &Shortlist) -> Model<'_> {
        let probes = probes(shortlist, 5, &[]);
        let of = |probe: &Probe| sensitivity(probe.layer) * shortlist.noises[probe.choice][probe.layer];
        let divergences: Vec<f64> = probes.iter().map(of).collect();
        Model::new(shortlist, &MULTIPLICATIONS, &[], &probes, &divergences)
    }

    /// All assignments of 7 choices to 5 layers.
    fn all() -> impl Iterator<Item = Positions> {
        (0..7usize.pow(5)).map(|code| (0..5).map(|layer| code / 7usize.pow(layer) % 7).collect())
    }

    fn distinct(assignment: &[usize]) -> usize {
        let mut sorted = assignment.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.len()
    }

    fn runs(assignment: &[usize]) -> usize {
        1 + assignment.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    #[test]
    fn sensitivities_are_divergence_by_noise() {
        let shortlist = shortlist(7, 5, 1);
        for (layer, found) in model(&shortlist).sensitivities.into_iter().enumerate() {
            assert!((found - sensitivity(layer)).abs() < 1e-9, "{layer}: {found}");
        }
    }

    #[test]
    fn sensitivities_are_fitted_to_what_was_measured() {
        let shortlist = shortlist(9, 5, 4);
        let mut model = model(&shortlist);
        // The probes were wrong by these factors.
        for (layer, factor) in [3.0, 0.2, 1.0, 5.0, 0.5].into_iter().enumerate() {
            model.probed[layer] *= factor;
        }
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let draw = |random: &mut ChaCha8Rng| (0..5).map(|_| random.random_range(0..9)).collect();
        let assignments: Vec<Positions> = (0..300).map(|_| draw(&mut random)).collect();
        let of = |a: &Positions| -> f64 {
            a.iter().enumerate().map(|(layer, &c)| sensitivity(layer) * shortlist.noises[c][layer]).sum()
        };
        model.fit(assignments.iter().map(|a| (a, of(a))));
        for (layer, found) in model.sensitivities.iter().enumerate() {
            assert!((found / sensitivity(layer)).ln().abs() < 0.1, "{layer}: {found}");
        }
    }

    #[test]
    fn layers_that_stay_exact_are_left_alone() {
        let shortlist = shortlist(40, 5, 3);
        let probes = probes(&shortlist, 5, &[0, 4]);
        assert!(probes.iter().all(|probe| (1..4).contains(&probe.layer)));
        let divergences: Vec<f64> = probes.iter().map(|_| 0.01).collect();
        let fixed = [(0, 0), (4, 0)];
        let model = Model::new(&shortlist, &MULTIPLICATIONS, &fixed, &probes, &divergences);
        for mapping in [Mapping::Free, Mapping::Contiguous] {
            let proposals = model.proposals(3, mapping, 6);
            assert!(!proposals.is_empty());
            assert!(proposals.iter().all(|assignment| (assignment[0], assignment[4]) == (0, 0)));
        }
    }

    #[test]
    fn assignments_are_the_cheapest_of_all() {
        let mut missed = 0;
        for seed in 0..20 {
            let shortlist = shortlist(7, 5, seed);
            let model = model(&shortlist);
            for weight in [1e-5, 1e-4, 1e-3] {
                let cost = |c: usize, l: usize| model.divergence(c, l) + weight * model.energy(c, l);
                let total = |assignment: &Positions| -> f64 {
                    assignment.iter().enumerate().map(|(layer, &choice)| cost(choice, layer)).sum()
                };
                for tiles in 1..=3 {
                    let least = |fits: &dyn Fn(&Positions) -> bool| {
                        all().filter(|a| fits(a)).map(|a| total(&a)).fold(f64::INFINITY, f64::min)
                    };
                    let shared = model.cheapest_shared(tiles, &cost);
                    assert!(distinct(&shared) <= tiles);
                    let best = least(&|assignment| distinct(assignment) <= tiles);
                    assert!(total(&shared) <= 1.05 * best, "{} {best}", total(&shared));
                    missed += usize::from(total(&shared) > best + 1e-9);
                    let in_runs = model.cheapest_runs(tiles, &cost);
                    assert!(runs(&in_runs) <= tiles);
                    let best = least(&|assignment| runs(assignment) <= tiles);
                    assert!((total(&in_runs) - best).abs() < 1e-9, "{} {best}", total(&in_runs));
                }
            }
        }
        // Tile by tile is no proof of the best.
        assert!(missed < 18, "{missed} of 180");
    }

    #[test]
    fn proposals_go_from_little_energy_to_much_on_as_few_tiles_as_there_are() {
        let shortlist = shortlist(40, 5, 3);
        let model = model(&shortlist);
        for (mapping, tiles) in [(Mapping::Free, 2), (Mapping::Free, 4), (Mapping::Contiguous, 3)] {
            let proposals = model.proposals(tiles, mapping, 6);
            assert_eq!(proposals.len(), 6);
            let total = |assignment: &Positions, of: &dyn Fn(usize, usize) -> f64| -> f64 {
                assignment.iter().enumerate().map(|(layer, &choice)| of(choice, layer)).sum()
            };
            for pair in proposals.windows(2) {
                let energy = |assignment| total(assignment, &|c, l| model.energy(c, l));
                assert!(energy(&pair[0]) < energy(&pair[1]));
            }
            for assignment in &proposals {
                assert!(total(assignment, &|c, l| model.divergence(c, l)) <= MOST_DIVERGENCE);
                match mapping {
                    Mapping::Free => assert!(distinct(assignment) <= tiles),
                    Mapping::Contiguous => assert!(runs(assignment) <= tiles),
                }
            }
        }
    }
}
