//! The front of a library: what no other of its multipliers beats in error and power.

use super::{Library, Multiplier, Statistics, Ties, non_dominated};
use crate::search::hypervolume;
use serde::Serialize;

/// The error that a front is drawn for, in percent of 65,536.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorMeasure {
    /// Mean absolute error.
    Mae,
    /// Worst-case error.
    Wce,
}

impl ErrorMeasure {
    /// Both of them.
    pub const ALL: [ErrorMeasure; 2] = [ErrorMeasure::Mae, ErrorMeasure::Wce];

    /// This error of a multiplier.
    pub fn of(self, statistics: &Statistics) -> f64 {
        match self {
            ErrorMeasure::Mae => statistics.mae_pct,
            ErrorMeasure::Wce => statistics.wce_pct,
        }
    }

    /// Where a logarithmic axis ends: smaller errors, and none, count as this one.
    ///
    /// Of worst-case errors only 0 is below it, as products are off by at least 1, 0.0015 %. A mean error
    /// of 0.0001 % is a product off by 1 in one of 15 pairs.
    pub fn floor_pct(self) -> f64 {
        match self {
            ErrorMeasure::Mae => 1e-4,
            ErrorMeasure::Wce => 1e-3,
        }
    }

    /// Where both axes end: multipliers that are as wrong add nothing to a hypervolume. To answer 0 always
    /// has a mean error of 24.8 % (unsigned) or 6.25 % (signed).
    pub fn reference_pct(self) -> f64 {
        match self {
            ErrorMeasure::Mae => 10.0,
            ErrorMeasure::Wce => 50.0,
        }
    }

    /// The 1-2-5 series from the floor to the reference.
    pub fn levels(self) -> Vec<f64> {
        // Read from text, as powers of ten by multiplication are not the numbers nearest to 0.0002.
        let level = |(digit, exponent)| format!("{digit}e{exponent}").parse::<f64>().unwrap_or(f64::NAN);
        let series = (-4..=1).flat_map(|exponent| [1, 2, 5].map(|digit| (digit, exponent)));
        series.map(level).filter(|level| (self.floor_pct()..=self.reference_pct()).contains(level)).collect()
    }
}

/// How errors are laid out along the axis of a hypervolume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorAxis {
    /// By their logarithm, from [`ErrorMeasure::floor_pct`] to [`ErrorMeasure::reference_pct`].
    Logarithmic,
    /// From 0 to [`ErrorMeasure::reference_pct`].
    Linear,
}

/// A range of relative power.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PowerRange {
    /// The least power.
    pub low: f64,
    /// The largest power, more than `low`.
    pub high: f64,
}

impl PowerRange {
    /// From nothing to the exact multiplier's power.
    pub const WHOLE: PowerRange = PowerRange { low: 0.0, high: 1.0 };
    /// Where approximate multipliers are of use: what saves less is hardly worth an error, and what is
    /// cheaper is too wrong for most layers.
    pub const USEFUL: PowerRange = PowerRange { low: 0.2, high: 0.95 };
}

/// A multiplier of a front.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    /// Its name.
    pub name: String,
    /// The error, in percent of 65,536.
    pub error_pct: f64,
    /// Its power divided by that of its library's exact multiplier.
    pub power_rel: f64,
}

/// The multipliers of a library that no other one beats: with less power or error, and not more of the other.
/// Of equals the first by name is kept. The order of operands changes neither figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Front {
    measure: ErrorMeasure,
    points: Vec<Best>,
}

impl Front {
    /// The front of `library`, its exact multiplier included.
    pub fn of(library: &Library, measure: ErrorMeasure) -> Front {
        let best = |m: &Multiplier| Best {
            name: m.name.clone(),
            error_pct: measure.of(&m.statistics),
            power_rel: m.power_rel,
        };
        // The library's order, by falling power and then by name, is the front's too.
        let figures = |m: &&Multiplier| [m.power_rel, measure.of(&m.statistics)];
        let points = non_dominated(library.multipliers(), figures, Ties::First);
        Front { measure, points: points.into_iter().map(best).collect() }
    }

    /// The error it is about.
    pub fn measure(&self) -> ErrorMeasure {
        self.measure
    }

    /// Its multipliers by falling power and rising error.
    pub fn points(&self) -> &[Best] {
        &self.points
    }

    /// The cheapest multiplier with at most this error, percent. There always is one for an error of at
    /// least 0.
    pub fn cheapest(&self, error_pct: f64) -> Option<&Best> {
        self.points.iter().rev().find(|point| point.error_pct <= error_pct)
    }

    /// The most accurate multiplier with at most this relative power, if any is so cheap.
    pub fn most_accurate(&self, power_rel: f64) -> Option<&Best> {
        self.points.iter().find(|point| point.power_rel <= power_rel)
    }

    /// The part, 0 to 1, of a rectangle that the front dominates: of all pairs of an error and a power in it,
    /// those that some multiplier meets or betters. The rectangle is the range of power by the axis of
    /// errors.
    ///
    /// A multiplier better than the rectangle's best corner in one figure counts as if it were just as good
    /// there; one as bad as the opposite corner, the reference point, or worse, adds nothing. So with the
    /// exact multiplier alone the whole range's hypervolume is 0.
    pub fn hypervolume(&self, axis: ErrorAxis, range: PowerRange) -> f64 {
        let (floor, reference) = (self.measure.floor_pct(), self.measure.reference_pct());
        let along = |error: f64| match axis {
            ErrorAxis::Logarithmic => (error.max(floor) / floor).ln() / (reference / floor).ln(),
            ErrorAxis::Linear => error / reference,
        };
        let across = |power: f64| (power.max(range.low) - range.low) / (range.high - range.low);
        let points: Vec<[f64; 2]> =
            self.points.iter().map(|point| [along(point.error_pct), across(point.power_rel)]).collect();
        hypervolume(&points, &[1.0, 1.0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;
    use crate::multiplier::testing::multiplier;
    use proptest::prelude::*;

    /// A library whose multipliers have a power and an error of so many units in all products: as many
    /// in the mean as in the worst case. The first is exact and needs all power.
    fn library(others: &[(f64, i32)]) -> Library {
        let of = |(i, &(power_rel, error)): (usize, &(f64, i32))| {
            // Products up to 65,025 leave room for 510 more.
            let table = TruthTable::from_fn(false, |a, w| a * w + error).unwrap();
            multiplier(&format!("m{i}"), power_rel, table)
        };
        let all: Vec<(f64, i32)> = [(1.0, 0)].iter().chain(others).copied().collect();
        Library::new(all.iter().enumerate().map(of).collect()).unwrap()
    }

    fn front(others: &[(f64, i32)]) -> Front {
        Front::of(&library(others), ErrorMeasure::Mae)
    }

    fn names(front: &Front) -> String {
        front.points().iter().map(|p| &*p.name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_another_beats_is_left_out() {
        // In turn: kept; more power for the same error; more error for the same power; kept; its twin.
        let front = front(&[(0.8, 10), (0.9, 10), (0.8, 20), (0.5, 30), (0.5, 30)]);
        assert_eq!(names(&front), "m0 m1 m4");
        assert_eq!(front.points()[1].error_pct, 10.0 / 655.36);
        // An exact multiplier that costs less replaces the other.
        assert_eq!(names(&self::front(&[(0.7, 0), (0.8, 10), (0.5, 1)])), "m1 m3");
    }

    #[test]
    fn questions_are_answered_at_the_very_level() {
        let front = front(&[(0.8, 10), (0.5, 30)]);
        let cheapest = |units: f64| front.cheapest(units / 655.36).map(|p| p.power_rel);
        let answers = [-1.0, 0.0, 9.9, 10.0, 29.9, 30.0, 1e9].map(cheapest);
        let [exact, m1, m2] = [1.0, 0.8, 0.5].map(Some);
        assert_eq!(answers, [None, exact, exact, m1, m1, m2, m2]);
        let error = |power| front.most_accurate(power).map(|p| p.name.as_str());
        let answers = [2.0, 1.0, 0.99, 0.8, 0.79, 0.5, 0.49].map(error);
        let [exact, m1, m2] = ["m0", "m1", "m2"].map(Some);
        assert_eq!(answers, [exact, exact, m1, m1, m2, m2, None]);
    }

    #[test]
    fn hypervolumes_by_hand() {
        let close = |x: f64, y: f64| assert!((x - y).abs() < 1e-12, "{x} is not {y}");
        let (log, linear) = (ErrorAxis::Logarithmic, ErrorAxis::Linear);
        for axis in [log, linear] {
            assert_eq!(front(&[]).hypervolume(axis, PowerRange::WHOLE), 0.0);
            close(front(&[(0.0, 0)]).hypervolume(axis, PowerRange::WHOLE), 1.0);
            close(front(&[(0.1, 0)]).hypervolume(axis, PowerRange::USEFUL), 1.0);
            // The exact one is beyond the range; the other is half-way down it.
            let half = front(&[(0.575, 0)]);
            close(half.hypervolume(axis, PowerRange::USEFUL), 0.5);
        }
        // 0.06 % and 0.4 of the power, 0.6 % and 0.2.
        let two = front(&[(0.4, 40), (0.2, 400)]);
        let [near, far] = [40.0 / 655.36, 400.0 / 655.36];
        let decades = |error: f64| (10.0 / error).log10() / 5.0;
        close(two.hypervolume(log, PowerRange::WHOLE), 0.6 * decades(near) + 0.2 * decades(far));
        close(
            two.hypervolume(linear, PowerRange::WHOLE),
            0.6 * (1.0 - near / 10.0) + 0.2 * (1.0 - far / 10.0),
        );
        let range = PowerRange { low: 0.3, high: 0.5 };
        close(two.hypervolume(log, range), 0.5 * decades(near) + 0.5 * decades(far));
        // In the worst case 400 units are no worse than in the mean, but the axis is another.
        let worst = Front::of(&library(&[(0.4, 400)]), ErrorMeasure::Wce);
        close(worst.hypervolume(log, PowerRange::WHOLE), 0.6 * (50.0 / far).log10() / 50_000f64.log10());
    }

    #[test]
    fn levels_are_round_and_cover_the_axis() {
        let levels = ErrorMeasure::Mae.levels();
        assert_eq!((levels.len(), levels[0], levels[1], levels[15]), (16, 0.0001, 0.0002, 10.0));
        let levels = ErrorMeasure::Wce.levels();
        assert_eq!((levels.len(), levels[0], levels[14]), (15, 0.001, 50.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn more_multipliers_never_dominate_less(others in prop::collection::vec((0.0f64..1.1, 0i32..500), 1..6)) {
            for measure in ErrorMeasure::ALL {
                let more = Front::of(&library(&others), measure);
                let fewer = Front::of(&library(&others[1..]), measure);
                let better = |x: &Best, y: &Best| x.power_rel > y.power_rel && x.error_pct < y.error_pct;
                prop_assert!(more.points().is_sorted_by(better));
                for axis in [ErrorAxis::Logarithmic, ErrorAxis::Linear] {
                    for range in [PowerRange::WHOLE, PowerRange::USEFUL] {
                        let [more, fewer] = [&more, &fewer].map(|front| front.hypervolume(axis, range));
                        prop_assert!((0.0..=1.0).contains(&more) && more >= fewer - 1e-12);
                    }
                }
            }
        }
    }
}
