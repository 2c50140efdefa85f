//! Which multipliers of a large library are worth the search's time.

use crate::compensate::LayerDistribution;
use crate::error::Result;
use crate::multiplier::{Choice, Library, Ties, WeightedStatistics, non_dominated};
use rayon::prelude::*;

/// Choices, and how much noise each would add to each layer.
///
/// Noise is the variance of a product's error under the layer's own operands that is left when each weight's mean
/// error is made up for, which compensation does.
pub(super) struct Shortlist {
    /// The choices, in the library's order; the exact multiplier is one of them.
    pub choices: Vec<Choice>,
    /// For each choice its power, relative to the exact multiplier's.
    pub powers: Vec<f64>,
    /// For each choice its noise in each layer, in units of the product squared.
    pub noises: Vec<Vec<f64>>,
}

impl Shortlist {
    /// All choices of `library`.
    pub(super) fn all(library: &Library, layers: &[LayerDistribution]) -> Result<Shortlist> {
        let choices = Choice::all(library);
        let noise = |choice: &Choice| {
            let table = &library.multipliers()[choice.multiplier].table;
            let of_layer = |layer: &LayerDistribution| {
                Ok(WeightedStatistics::of_layer(table, choice.swapped, &layer.codes)?.corrected_variance)
            };
            layers.iter().map(of_layer).collect::<Result<Vec<f64>>>()
        };
        let noises = choices.par_iter().map(noise).collect::<Result<_>>()?;
        let powers =
            choices.iter().map(|choice| library.multipliers()[choice.multiplier].power_rel).collect();
        Ok(Shortlist { choices, powers, noises })
    }

    /// Those that in at least one layer no other choice beats: with as little power and as little noise, and
    /// less of one. The exact multiplier is always one of them.
    ///
    /// Among hundreds of choices most serve no layer better than a cheaper one does, and evaluations spent on
    /// them are lost.
    pub(super) fn worth_a_search(self, library: &Library) -> Shortlist {
        let exact = Choice::exact(library);
        let mut worth: Vec<bool> = self.choices.iter().map(|choice| *choice == exact).collect();
        let layers = self.noises.first().map_or(0, Vec::len);
        let worth_in = |layer: usize| {
            let figures = |&index: &usize| [self.powers[index], self.noises[index][layer]];
            // What is alike in a layer serves it alike: one of them is enough.
            non_dominated(0..self.choices.len(), figures, Ties::First)
        };
        for index in (0..layers).flat_map(worth_in) {
            worth[index] = true;
        }
        let kept: Vec<usize> = (0..worth.len()).filter(|&index| worth[index]).collect();
        Shortlist {
            choices: kept.iter().map(|&index| self.choices[index]).collect(),
            powers: kept.iter().map(|&index| self.powers[index]).collect(),
            noises: kept.iter().map(|&index| self.noises[index].clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{CodeDistribution, Scheme};

    /// A layer whose activations and weights are the given codes, equally often.
    fn layer(activations: &[u8], weights: &[u8]) -> LayerDistribution {
        let mut codes = CodeDistribution::new(Scheme::Unsigned, 0);
        for &a in activations {
            codes.activation[usize::from(a)] = 60 / activations.len() as u64;
        }
        for &w in weights {
            codes.weight[usize::from(w)] = 60 / weights.len() as u64;
        }
        LayerDistribution { layer: "layer".into(), index: 0, codes }
    }

    #[test]
    fn what_serves_no_layer_better_than_something_cheaper_is_left_out() {
        let library = Library::builtin(false);
        // Only the four highest weight bits matter to the layer, and w4 looks at them all.
        let of_high_bits = layer(&[0, 77, 128, 200, 255], &[0, 16, 48, 240]);
        let names = |layers: &[LayerDistribution]| {
            let shortlist = Shortlist::all(&library, layers).unwrap().worth_a_search(&library);
            shortlist.choices.iter().map(|choice| choice.name(&library)).collect::<Vec<_>>()
        };
        let kept = names(std::slice::from_ref(&of_high_bits));
        assert!(kept.contains(&"mul8u_exact".into()) && kept.len() < 60, "{kept:?}");
        assert!(!kept.contains(&"mul8u_w5".into()) && !kept.contains(&"mul8u_trunc2".into()), "{kept:?}");
        let power = |name: &String| library.get(name.trim_end_matches('~')).unwrap().power_rel;
        let cheapest_right = library.get("w4").unwrap().power_rel;
        assert!(kept.iter().all(|name| name == "mul8u_exact" || power(name) <= cheapest_right), "{kept:?}");
        // Another layer has its own.
        let any = layer(&[3, 99, 200], &[5, 77, 213]);
        let both = names(&[of_high_bits, any]);
        assert!(kept.iter().all(|name| both.contains(name)) && both.len() > kept.len());
    }
}
