//! What a library is made of: multipliers of a whole range of errors.

use super::objective::Bounds;
use serde::{Deserialize, Serialize};

/// Which error a goal bounds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The mean absolute error.
    Mae,
    /// The worst-case error.
    Wce,
    /// What is left under a layer's operands when each weight's mean error is made up for.
    Noise,
}

impl Metric {
    /// `bounds` with this error at most `pct` percent of 65,536.
    pub fn at_most(self, pct: f64, bounds: Bounds) -> Bounds {
        match self {
            Metric::Mae => Bounds { mae_pct: Some(pct), ..bounds },
            Metric::Wce => Bounds { wce_pct: Some(pct), ..bounds },
            Metric::Noise => Bounds { noise_pct: Some(pct), ..bounds },
        }
    }

    /// The letter for it in names: `mul8u_m706` is bounded in its MAE and needs 0.706 of the exact power.
    /// Multipliers that keep zeros have a `z`, whatever is bounded.
    pub fn letter(self, zero_preserving: bool) -> char {
        let letter = match self {
            Metric::Mae => 'm',
            Metric::Wce => 'c',
            Metric::Noise => 'n',
        };
        if zero_preserving { 'z' } else { letter }
    }
}

/// A multiplier wanted: the cheapest within the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// The error that matters; a bound of it is among the bounds.
    pub metric: Metric,
    /// The bounds.
    pub bounds: Bounds,
}

/// `count` bounds on an error from `tightest` to `loosest`, equally spaced on a logarithmic scale.
pub fn ladder(tightest: f64, loosest: f64, count: usize) -> Vec<f64> {
    let steps = count.saturating_sub(1).max(1) as f64;
    let step = |i: usize| tightest * (loosest / tightest).powf(i as f64 / steps);
    // Three digits: the bounds are part of a design's provenance.
    (0..count).map(|i| round(step(i))).collect()
}

fn round(figure: f64) -> f64 {
    format!("{figure:.2e}").parse().unwrap_or(figure)
}

/// The goals of the library that comes with skimp; the first is an exact multiplier.
pub fn builtin() -> Vec<Goal> {
    let free = Bounds::default();
    let zero_preserving = Bounds { zero_preserving: true, ..free };
    let ladders = [
        (Metric::Mae, free, ladder(0.002, 6.0, 32)),
        (Metric::Mae, zero_preserving, ladder(0.004, 6.0, 24)),
        (Metric::Wce, free, ladder(0.01, 25.0, 30)),
    ];
    let goals = |(metric, bounds, ladder): (Metric, Bounds, Vec<f64>)| {
        ladder.into_iter().map(move |pct| Goal { metric, bounds: metric.at_most(pct, bounds) })
    };
    let exact = Goal { metric: Metric::Wce, bounds: Metric::Wce.at_most(0.0, free) };
    std::iter::once(exact).chain(ladders.into_iter().flat_map(goals)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladders_climb_evenly() {
        assert_eq!(ladder(0.01, 1.0, 3), [0.01, 0.1, 1.0]);
        assert_eq!(ladder(0.5, 1.0, 1), [0.5]);
        assert!(ladder(0.0002, 7.0, 26).windows(2).all(|pair| pair[0] < pair[1]));
    }
}
