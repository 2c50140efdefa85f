//! What goals ask for besides a bound on an error, and what answers them.

use super::goal::{Goal, Metric};
use super::population::{Population, admit};
use crate::multiplier::{Distribution, Multiplier, Statistics, WeightedStatistics};
use rayon::prelude::*;

/// What all of some goals ask for besides a bound on an error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Common {
    /// Products with zero must be zero.
    pub zero_preserving: bool,
    /// Largest mean error either way, in units of the product, if it is bounded.
    pub bias: Option<f64>,
}

impl Common {
    /// What all of `goals` ask for.
    pub fn of(goals: &[Goal]) -> Common {
        let bias = goals.iter().map(|goal| goal.bounds.bias).reduce(|x, y| Some(x?.max(y?)));
        Common {
            zero_preserving: !goals.is_empty() && goals.iter().all(|goal| goal.bounds.zero_preserving),
            bias: bias.flatten(),
        }
    }

    /// Whether it is anything at all.
    pub fn is_any(self) -> bool {
        self.zero_preserving || self.bias.is_some()
    }

    /// Whether a multiplier with these errors keeps to it.
    pub fn is_kept(self, errors: &Statistics) -> bool {
        // As much more than the bound as objectives allow.
        let within = |bias: f64| errors.mean_error.abs() <= bias * (1.0 + 1e-9) + 1e-9;
        (errors.zero_preserving || !self.zero_preserving) && self.bias.is_none_or(within)
    }
}

/// The error that a goal bounds.
impl Goal {
    /// The bound on the goal's own error, in percent of 65,536.
    pub fn bound_pct(&self) -> f64 {
        let bound = match self.metric {
            Metric::Mae => self.bounds.mae_pct,
            Metric::Wce => self.bounds.wce_pct,
            Metric::Noise => self.bounds.noise_pct,
        };
        bound.unwrap_or(f64::INFINITY)
    }

    /// The error of `multiplier` that the goal bounds, in percent of 65,536; the noise is that under
    /// `distribution`.
    pub fn error_pct(&self, multiplier: &Multiplier, distribution: Option<&Distribution>) -> f64 {
        match self.metric {
            Metric::Mae => multiplier.statistics.mae_pct,
            Metric::Wce => multiplier.statistics.wce_pct,
            Metric::Noise => distribution
                .map_or(f64::NAN, |operands| WeightedStatistics::of(&multiplier.table, operands).noise_pct()),
        }
    }
}

impl Population {
    /// For each goal the one of `multipliers` that needs least power within all its bounds, if one is; only
    /// those whose gates are known count.
    pub fn answers<'m>(&self, multipliers: &'m [Multiplier]) -> Vec<Option<&'m Multiplier>> {
        let mut by_power: Vec<&Multiplier> = multipliers.iter().collect();
        by_power.sort_by(|x, y| x.power_rel.total_cmp(&y.power_rel));
        let answer = |objective| {
            let keeps = |m: &&Multiplier| {
                m.netlist.as_ref().is_some_and(|netlist| admit(objective, netlist, self.isa).is_some())
            };
            by_power.iter().copied().find(keeps)
        };
        self.objectives.par_iter().map(answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::Bounds;

    #[test]
    fn what_all_goals_ask_for_is_what_each_does() {
        let goal = |bias: Option<f64>, zero_preserving: bool| Goal {
            metric: Metric::Wce,
            bounds: Metric::Wce.at_most(2.0, Bounds { bias, zero_preserving, ..Bounds::default() }),
        };
        let both = Common::of(&[goal(Some(1.0), true), goal(Some(3.0), true)]);
        assert_eq!(both, Common { zero_preserving: true, bias: Some(3.0) });
        assert!(both.is_any() && goal(None, false).bound_pct() == 2.0);
        assert!(!Common::of(&[goal(Some(1.0), false), goal(None, true)]).is_any());
        assert!(!Common::of(&[]).is_any());
    }
}
