//! How the fronts of two libraries compare.

use super::front::{Best, ErrorAxis, ErrorMeasure, Front, PowerRange};
use super::{CostSource, Library, Multiplier, signed_or_unsigned};
use crate::error::{Error, Result};
use serde::Serialize;

/// Levels of relative power at which errors are compared.
const POWERS: [f64; 11] = [0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05];

/// A figure of both libraries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The first library's, if it has any.
    pub first: Option<f64>,
    /// The second's.
    pub second: Option<f64>,
    /// The second's divided by the first's; none if either is missing or the first is 0.
    pub ratio: Option<f64>,
}

impl Pair {
    fn of(first: Option<f64>, second: Option<f64>) -> Pair {
        let ratio = first.zip(second).filter(|&(first, _)| first > 0.0).map(|(first, second)| second / first);
        Pair { first, second, ratio }
    }
}

/// The hypervolumes of both fronts over one rectangle, as [`Front::hypervolume`] defines them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hypervolumes {
    /// How errors are laid out.
    pub error_axis: ErrorAxis,
    /// The range of power.
    pub power: PowerRange,
    /// The parts of the rectangle dominated; a ratio above 1 is the second library's advantage.
    #[serde(flatten)]
    pub dominated: Pair,
}

/// The least power for an error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtError {
    /// The error allowed, in percent of 65,536.
    pub error_pct: f64,
    /// The least relative power; a ratio below 1 is the second library's advantage.
    #[serde(flatten)]
    pub power_rel: Pair,
}

/// The least error for a power.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtPower {
    /// The relative power allowed.
    pub power_rel: f64,
    /// The least error in percent of 65,536; a ratio below 1 is the second library's advantage.
    #[serde(flatten)]
    pub error_pct: Pair,
}

/// How two fronts compare.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The error they are drawn for.
    pub measure: ErrorMeasure,
    /// Errors below this count as this on the logarithmic axis, percent of 65,536.
    pub floor_pct: f64,
    /// Where the axis of errors ends, percent of 65,536.
    pub reference_pct: f64,
    /// Both fronts by falling power.
    pub fronts: [Vec<Best>; 2],
    /// Over the whole range of power and [`PowerRange::USEFUL`], on the logarithmic axis, then the linear
    /// one.
    pub hypervolumes: Vec<Hypervolumes>,
    /// The second library's least error divided by the first's at the same power: the geometric mean over
    /// all powers of [`PowerRange::USEFUL`]. Errors below the floor count as the floor; those beyond the
    /// reference, and where there is no multiplier so cheap, as the reference.
    pub mean_error_ratio: f64,
    /// The least power for errors of the 1-2-5 series.
    pub at_errors: Vec<AtError>,
    /// The least error for powers from 0.95 down.
    pub at_powers: Vec<AtPower>,
}

impl Comparison {
    /// Compares two libraries by one error. Fails if one is signed and the other is not: their operands, and
    /// with them the meaning of an error, differ.
    pub fn of(first: &Library, second: &Library, measure: ErrorMeasure) -> Result<Comparison> {
        if first.is_signed() != second.is_signed() {
            return Err(Error::Argument(format!(
                "the first library's multipliers are {}, the second's {}; only libraries of one signedness \
                 can be compared (--signed picks the signed half of the built-in one)",
                signed_or_unsigned(first.is_signed()),
                signed_or_unsigned(second.is_signed())
            )));
        }
        let [first, second] = [first, second].map(|library| Front::of(library, measure));
        let over = |error_axis, power| Hypervolumes {
            error_axis,
            power,
            dominated: Pair::of(
                Some(first.hypervolume(error_axis, power)),
                Some(second.hypervolume(error_axis, power)),
            ),
        };
        let axes = [ErrorAxis::Logarithmic, ErrorAxis::Linear];
        let hypervolumes =
            axes.iter().flat_map(|&axis| [over(axis, PowerRange::WHOLE), over(axis, PowerRange::USEFUL)]);
        let at_error = |error_pct| {
            let [first, second] =
                [&first, &second].map(|front| front.cheapest(error_pct).map(|best| best.power_rel));
            AtError { error_pct, power_rel: Pair::of(first, second) }
        };
        let at_power = |power_rel| {
            let [first, second] =
                [&first, &second].map(|front| front.most_accurate(power_rel).map(|best| best.error_pct));
            AtPower { power_rel, error_pct: Pair::of(first, second) }
        };
        // The part dominated at a power is how far below the reference the least error is there, on the
        // logarithmic axis; so the difference of the two parts is the mean of the ratio's logarithm.
        let [ahead, behind] =
            [&second, &first].map(|front| front.hypervolume(ErrorAxis::Logarithmic, PowerRange::USEFUL));
        let (floor_pct, reference_pct) = (measure.floor_pct(), measure.reference_pct());
        Ok(Comparison {
            measure,
            floor_pct,
            reference_pct,
            hypervolumes: hypervolumes.collect(),
            mean_error_ratio: (reference_pct / floor_pct).powf(behind - ahead),
            at_errors: measure.levels().into_iter().map(at_error).collect(),
            at_powers: POWERS.into_iter().map(at_power).collect(),
            fronts: [first, second].map(|front| front.points().to_vec()),
        })
    }
}

/// Why powers of `multipliers` that are listed side by side do not mean the same, in a sentence; `None` if their
/// costs have one source.
pub fn mixed_cost_caveat<'m>(multipliers: impl IntoIterator<Item = &'m Multiplier>) -> Option<String> {
    let mut sources: Vec<CostSource> = multipliers.into_iter().map(|m| m.cost_source).collect();
    sources.sort();
    sources.dedup();
    let named: Vec<String> = sources.iter().map(CostSource::to_string).collect();
    (named.len() > 1).then(|| {
        format!(
            "costs are {}, each relative to its own exact multiplier under its own cost model: which of two such \
             multipliers needs less power they do not say; models/multipliers/README.md measures the difference",
            named.join(" and ")
        )
    })
}

/// Why figures of power of two libraries do not mean the same, in a sentence; `None` if nothing speaks
/// against it: costs of one source, and relative to the same exact multiplier as far as its name and gates
/// tell.
pub fn cost_caveat(first: &Library, second: &Library) -> Option<String> {
    let named = |library: &Library| {
        let sources: Vec<String> = library.cost_sources().iter().map(CostSource::to_string).collect();
        sources.join(" and ")
    };
    if first.cost_sources() != second.cost_sources() || first.cost_sources().len() > 1 {
        return Some(format!(
            "costs are {} in the first library and {} in the second, each relative to its own exact \
             multiplier under its own cost model; ratios between the two hold the models' differences too, \
             which models/multipliers/README.md measures",
            named(first),
            named(second)
        ));
    }
    let (one, other) = (first.exact(), second.exact());
    (one.name != other.name || one.netlist != other.netlist).then(|| {
        format!(
            "powers are relative to two exact multipliers, {} in the first library and {} in the second, \
             which may not cost the same",
            one.name, other.name
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The built-in library with powers and names as `change` leaves them.
    fn changed(change: impl Fn(&mut Multiplier)) -> Library {
        let mut multipliers = Library::builtin(false).multipliers().to_vec();
        multipliers.iter_mut().for_each(change);
        Library::new(multipliers).unwrap()
    }

    #[test]
    fn a_library_equals_itself() {
        let library = Library::builtin(false);
        for measure in ErrorMeasure::ALL {
            let same = Comparison::of(&library, &library, measure).unwrap();
            assert_eq!(same.fronts[0], same.fronts[1]);
            assert!(same.hypervolumes.iter().all(|h| h.dominated.ratio == Some(1.0)));
            assert_eq!(same.mean_error_ratio, 1.0);
            assert!(same.at_errors.iter().all(|at| at.power_rel.ratio == Some(1.0)));
            assert!(same.at_powers.iter().all(|at| at.error_pct.first == at.error_pct.second));
        }
        assert_eq!(cost_caveat(&library, &library), None);
    }

    #[test]
    fn cheaper_multipliers_are_the_second_librarys_advantage() {
        let first = Library::builtin(false);
        let second = changed(|m| m.power_rel *= if m.statistics.is_exact() { 1.0 } else { 0.9 });
        for measure in ErrorMeasure::ALL {
            let better = Comparison::of(&first, &second, measure).unwrap();
            assert!(better.hypervolumes.iter().all(|h| h.dominated.ratio.unwrap() > 1.0), "{better:?}");
            assert!(better.mean_error_ratio < 1.0);
            for at in better.at_errors {
                let (first, ratio) = (at.power_rel.first.unwrap(), at.power_rel.ratio.unwrap());
                assert!(first == 1.0 || (ratio - 0.9).abs() < 1e-12, "{}: {ratio}", at.error_pct);
            }
            let worse = Comparison::of(&second, &first, measure).unwrap();
            assert!((worse.mean_error_ratio * better.mean_error_ratio - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_mean_error_ratio_is_the_mean_of_ratios_at_many_powers() {
        let (first, second) = (Library::builtin(false), changed(|m| m.power_rel = m.power_rel.powf(1.3)));
        let measure = ErrorMeasure::Mae;
        let comparison = Comparison::of(&first, &second, measure).unwrap();
        let fronts = [&first, &second].map(|library| Front::of(library, measure));
        let steps = 20_000;
        let mut sum = 0.0;
        for i in 0..steps {
            let power = 0.2 + 0.75 * (f64::from(i) + 0.5) / f64::from(steps);
            let [one, other] = [0, 1].map(|f| {
                let error = fronts[f].most_accurate(power).map_or(10.0, |best| best.error_pct);
                error.clamp(1e-4, 10.0).ln()
            });
            sum += other - one;
        }
        let mean = (sum / f64::from(steps)).exp();
        assert!(
            (comparison.mean_error_ratio / mean - 1.0).abs() < 1e-3,
            "{} {mean}",
            comparison.mean_error_ratio
        );
    }

    #[test]
    fn what_does_not_compare_is_told() {
        let builtin = Library::builtin(false);
        let message = Comparison::of(&builtin, &Library::builtin(true), ErrorMeasure::Mae).unwrap_err();
        let message = message.to_string();
        assert!(message.contains("are unsigned, the second's signed") && message.contains("--signed"));
        let published = changed(|m| m.cost_source = CostSource::Published);
        let caveat = cost_caveat(&published, &builtin).unwrap();
        assert!(
            caveat.contains("are published in the first library and gate-model in the second"),
            "{caveat}"
        );
        let mixed = changed(|m| {
            if !m.statistics.is_exact() {
                m.cost_source = CostSource::Published;
            }
        });
        assert!(cost_caveat(&mixed, &mixed).unwrap().contains("gate-model and published"));
        assert!(mixed_cost_caveat(mixed.multipliers()).unwrap().contains("gate-model and published"));
        assert_eq!(mixed_cost_caveat(builtin.multipliers()), None);
        let renamed = changed(|m| m.name = format!("x{}", m.name));
        let caveat = cost_caveat(&builtin, &renamed).unwrap();
        assert!(caveat.contains("mul8u_exact") && caveat.contains("xmul8u_exact"), "{caveat}");
    }
}
