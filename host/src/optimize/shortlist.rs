//! Which multipliers of a large library are worth the search's time, and what is left of each one's errors.

use crate::compensate::{Compensator, Descent, MapRule, Steps};
use crate::error::Result;
use crate::multiplier::{Choice, Library, Ties, non_dominated};
use rayon::prelude::*;

/// Choices, and how much noise each would add to each layer.
///
/// Noise is what is left of the multiplier's errors in the layer's results when the steps that depend on the layer
/// and the multiplier alone were taken ([`Compensator::noise`]).
pub(super) struct Shortlist {
    /// The choices, in the library's order; the exact multiplier is one of them.
    pub choices: Vec<Choice>,
    /// For each choice its power, relative to the exact multiplier's.
    pub powers: Vec<f64>,
    /// For each choice its noise in each layer; 0 where it is not known.
    pub noises: Vec<Vec<f64>>,
}

impl Shortlist {
    /// All choices of `library`, whose noises nobody knows.
    pub(super) fn all(library: &Library, layers: usize) -> Shortlist {
        let choices = Choice::all(library);
        let powers =
            choices.iter().map(|choice| library.multipliers()[choice.multiplier].power_rel).collect();
        let noises = vec![vec![0.0; layers]; choices.len()];
        Shortlist { choices, powers, noises }
    }

    /// The choices of `library` that in at least one layer no other beats: with as little power and as little
    /// noise, and less of one; all if `every` is asked for, or if noises are not known because nothing is fitted. The exact multiplier is always among them. `done` is told
    /// the share of the work that is done.
    ///
    /// Among hundreds of choices most serve no layer better than a cheaper one does, and evaluations spent on them
    /// are lost. Those that weight maps alone show to be of no use are not tried with more.
    pub(super) fn measured(
        library: &Library,
        compensator: &Compensator,
        every: bool,
        done: &(dyn Fn(f64) + Sync),
    ) -> Result<Shortlist> {
        let layers = compensator.network().convs().count();
        let exact = Choice::exact(library);
        let steps = compensator.steps().with_kept_codes();
        let mut shortlist = Shortlist::all(library, layers);
        if compensator.noise(0, exact)?.is_none() {
            return Ok(shortlist);
        }
        if steps.descent == Descent::None {
            shortlist.measure(&compensator.with_steps(steps)?, done)?;
            return Ok(if every { shortlist } else { shortlist.worth_a_search(exact) });
        }
        if !every {
            let map = if steps.map == MapRule::None { MapRule::Variance } else { steps.map };
            let maps = Steps { map, descent: Descent::None, ..steps };
            shortlist.measure(&compensator.with_steps(maps)?, &|share| done(0.4 * share))?;
            shortlist = shortlist.worth_a_search(exact);
        }
        shortlist.measure(&compensator.with_steps(steps)?, &|share| done(0.4 + 0.6 * share))?;
        Ok(if every { shortlist } else { shortlist.worth_a_search(exact) })
    }

    /// Takes the noises from `compensator`.
    fn measure(&mut self, compensator: &Compensator, done: &(dyn Fn(f64) + Sync)) -> Result<()> {
        let layers = compensator.network().convs().count();
        let finished = std::sync::atomic::AtomicUsize::new(0);
        let all = self.choices.len() * layers;
        let noise = |index: usize| {
            let noise = compensator.noise(index % layers, self.choices[index / layers])?;
            let finished = 1 + finished.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            done(finished as f64 / all as f64);
            Ok(noise.unwrap_or(0.0))
        };
        let noises: Vec<f64> = (0..all).into_par_iter().map(noise).collect::<Result<_>>()?;
        self.noises = noises.chunks(layers).map(<[f64]>::to_vec).collect();
        Ok(())
    }

    fn worth_a_search(self, exact: Choice) -> Shortlist {
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

    /// The place of a choice in the list.
    pub(super) fn position(&self, choice: Choice) -> Option<usize> {
        self.choices.iter().position(|&other| other == choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serves_no_layer_better_than_something_cheaper_is_left_out() {
        let choice = |multiplier: usize| Choice { multiplier, swapped: false };
        let shortlist = |noises: [[f64; 2]; 5]| Shortlist {
            choices: (0..5).map(choice).collect(),
            powers: vec![1.0, 0.5, 0.4, 0.4, 0.1],
            noises: noises.iter().map(|of_layers| of_layers.to_vec()).collect(),
        };
        let kept = |noises| {
            let kept = shortlist(noises).worth_a_search(choice(0));
            kept.choices.iter().map(|choice| choice.multiplier).collect::<Vec<_>>()
        };
        // The second is dearer and noisier than the third; the fourth is as good as the third.
        assert_eq!(kept([[0.0; 2], [3.0; 2], [2.0; 2], [2.0; 2], [9.0; 2]]), [0, 2, 4]);
        // In the second layer it has its use.
        assert_eq!(kept([[0.0; 2], [3.0, 1.0], [2.0; 2], [2.0; 2], [9.0; 2]]), [0, 1, 2, 4]);
        // The exact one stays even where something cheaper has no noise.
        assert_eq!(kept([[0.0; 2]; 5]), [0, 4]);
    }

    #[test]
    fn of_unknown_noises_all_choices_stay() {
        let library = Library::builtin(false);
        let all = Shortlist::all(&library, 3);
        assert_eq!(all.choices, Choice::all(&library));
        assert_eq!(all.position(Choice::exact(&library)).map(|place| all.powers[place]), Some(1.0));
    }
}
