//! A cheap model of a network: what assignments are worth before they are measured.
//!
//! What a layer's multiplier does to the network's answers, as a divergence from the exact one's, is its noise in
//! that layer times the layer's sensitivity, and what layers do adds up. Sensitivities are first measured one layer
//! at a time, all others exact, then fitted to everything the search has measured. The model is wrong in detail,
//! which is what the search is for; but a random assignment from a large library is worse than nearly all of its
//! proposals, and most children that it thinks poor are.

mod proposals;

use super::shortlist::Shortlist;

/// Powers of the probes that a layer's sensitivity is measured with. Less would be beyond what is proportional,
/// more could not be told from nothing on few images.
const PROBE_POWERS: [f64; 2] = [0.25, 0.1];

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

    /// Expected of `choice` in `layer`, in nats.
    fn divergence(&self, choice: usize, layer: usize) -> f64 {
        self.sensitivities[layer] * self.shortlist.noises[choice][layer]
    }
}

#[cfg(test)]
mod tests;
