//! The library that comes with skimp: `models/multipliers/unsigned.jsonl` and `signed.jsonl`.

use super::cost::Cost;
use super::{Library, NetlistFile};
use std::path::Path;
use std::sync::LazyLock;

const FILES: [(&str, &str); 2] = [
    ("models/multipliers/unsigned.jsonl", include_str!("../../../models/multipliers/unsigned.jsonl")),
    ("models/multipliers/signed.jsonl", include_str!("../../../models/multipliers/signed.jsonl")),
];

static NETLISTS: [LazyLock<NetlistFile>; 2] = [LazyLock::new(|| parse(0)), LazyLock::new(|| parse(1))];
static EXACT: [LazyLock<Cost>; 2] =
    [LazyLock::new(|| cheapest_exact(0)), LazyLock::new(|| cheapest_exact(1))];
static LIBRARIES: [LazyLock<Library>; 2] = [LazyLock::new(|| build(0)), LazyLock::new(|| build(1))];

/// The half of it for `signed`.
pub(super) fn library(signed: bool) -> Library {
    LIBRARIES[usize::from(signed)].clone()
}

/// What the cheapest exact multiplier known costs: what all costs by the cost model are relative to.
pub(crate) fn exact_cost(signed: bool) -> Cost {
    *EXACT[usize::from(signed)]
}

fn parse(half: usize) -> NetlistFile {
    let (path, text) = FILES[half];
    NetlistFile::parse(Path::new(path), text).expect("the built-in library is a file of netlists")
}

fn cheapest_exact(half: usize) -> Cost {
    let exact = NETLISTS[half].cheapest_exact(Path::new(FILES[half].0));
    exact.expect("the built-in netlists can be read").expect("one of them is exact")
}

fn build(half: usize) -> Library {
    let multipliers = NETLISTS[half].multipliers(Path::new(FILES[half].0));
    let multipliers = multipliers.expect("the built-in netlists can be read");
    Library::new(multipliers).expect("the built-in multipliers are distinct and one is exact")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Family, Multiplier, Ties, name_prefix, non_dominated};
    use std::sync::Arc;

    #[test]
    fn the_library_spans_the_exact_power_down_to_a_twentieth() {
        for signed in [false, true] {
            let library = library(signed);
            assert_eq!(library.is_signed(), signed);
            assert_eq!(library.exact().name, format!("{}exact", name_prefix(signed)));
            assert_eq!(library.exact().power_rel, 1.0);
            let evolved: Vec<f64> = library
                .multipliers()
                .iter()
                .filter(|m| m.family == Family::Evolved)
                .map(|m| m.power_rel)
                .collect();
            assert!(evolved.len() >= 60, "{}", evolved.len());
            assert!(evolved[0] > 0.95 && *evolved.last().unwrap() < 0.05, "{evolved:?}");
            assert!(evolved.windows(2).all(|pair| pair[0] - pair[1] < 0.065), "no wide gaps: {evolved:?}");
        }
    }

    #[test]
    fn tables_and_gates_are_there_once_however_often_it_is_asked_for() {
        for signed in [false, true] {
            let [once, again] = [library(signed), library(signed)];
            for (x, y) in once.multipliers().iter().zip(again.multipliers()) {
                assert!(std::ptr::eq(x.table.products(), y.table.products()), "{}", x.name);
                assert!(Arc::ptr_eq(x.netlist.as_ref().unwrap(), y.netlist.as_ref().unwrap()), "{}", x.name);
            }
        }
    }

    #[test]
    fn evolved_multipliers_are_beaten_by_none_of_the_library() {
        for signed in [false, true] {
            let library = library(signed);
            let all = || library.multipliers().iter();
            let mae = |m: &&Multiplier| [m.power_rel, m.statistics.mae_pct];
            let wce = |m: &&Multiplier| [m.power_rel, m.statistics.wce_pct];
            let mut unbeaten = non_dominated(all(), mae, Ties::All);
            unbeaten.extend(non_dominated(all(), wce, Ties::All));
            unbeaten.extend(non_dominated(all().filter(|m| m.statistics.zero_preserving), mae, Ties::All));
            for m in all().filter(|m| m.family == Family::Evolved) {
                assert!(unbeaten.iter().any(|other| other.name == m.name), "{}", m.name);
            }
        }
    }

    #[test]
    fn written_figures_are_those_of_the_gates() {
        for (half, signed) in [(0, false), (1, true)] {
            let library = library(signed);
            for record in &NETLISTS[half].records {
                let m = library.get(&record.name).unwrap();
                let near = |written: f64, figure: f64| (written - figure).abs() <= 1e-4 * figure.abs();
                assert!(near(record.power_rel, m.power_rel), "{}", record.name);
                assert!(near(record.mae_pct, m.statistics.mae_pct), "{}", record.name);
                assert!(near(record.wce_pct, m.statistics.wce_pct), "{}", record.name);
                assert!(!record.provenance.is_empty(), "{}", record.name);
            }
        }
    }
}
