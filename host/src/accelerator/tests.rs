//! Examples worked out by hand.

use super::*;

/// Half the energy, 0.6 of the area, 0.8 of the delay.
const HALF: TileCost = TileCost { energy: 0.5, area: Some(0.6), delay: Some(0.8) };
const QUARTER: TileCost = TileCost { energy: 0.25, area: Some(0.3), delay: Some(0.9) };
/// 0.4 pJ, half of it the multiplier's: saving half of that saves a quarter.
const PLAIN: MacCosts = MacCosts { multiplier_pj: 0.2, sign_logic_pj: 0.0, adder_pj: 0.1, register_pj: 0.1 };
/// A tenth more.
const WITH_SIGNS: MacCosts = MacCosts { sign_logic_pj: 0.04, ..PLAIN };

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

fn workload<'a>(multiplications: &'a [u64], layers: &'a [u16], tiles: &'a [TileCost]) -> Workload<'a> {
    Workload { multiplications, layers, tiles, array_size: 10, mac: PLAIN }
}

fn pipelined(idle_fraction: f64) -> AcceleratorModel {
    AcceleratorModel::pipelined(idle_fraction).unwrap()
}

#[test]
fn exact_is_one() {
    for model in [AcceleratorModel::PowerGated, pipelined(0.3)] {
        let report = model.report(&workload(&[105, 300], &[0, 0], &[TileCost::EXACT])).unwrap();
        assert_eq!((report.relative_energy, report.saved_pct), (1.0, 0.0), "{model}");
        assert_eq!((report.area, report.area_rel), (Some(10.0), Some(1.0)));
        assert_eq!((report.tiles, report.cycles, report.critical_path), (1, 41, Some(1.0)));
        assert!(close(report.mac_relative_energy, 1.0) && close(report.mac_saved_pct, 0.0));
    }
}

#[test]
fn power_gated() {
    // (100 * 1 + 300 * .5 + 200 * .25 + 200 * .5) / 800 = 400 / 800
    let tiles = [TileCost::EXACT, HALF, QUARTER];
    let report =
        AcceleratorModel::PowerGated.report(&workload(&[100, 300, 200, 200], &[0, 1, 2, 1], &tiles)).unwrap();
    assert!(close(report.relative_energy, 0.5) && close(report.saved_pct, 50.0));
    assert!(close(report.relative_energy_same_mapping, 0.5));
    assert!(close(report.area_rel.unwrap(), 1.9) && close(report.area.unwrap(), 19.0));
    assert_eq!((report.critical_path, report.cycles, report.balance), (Some(1.0), 80, None));
    // (.2 * .5 + .2) / .4
    assert!(close(report.mac_relative_energy, 0.75) && close(report.mac_saved_pct, 25.0));
}

#[test]
fn logic_for_signs_counts_in_whole_multiply_accumulates_alone() {
    let tiles = [TileCost::EXACT, HALF];
    let with_signs = |layers| Workload { mac: WITH_SIGNS, ..workload(&[100, 300], layers, &tiles) };
    for model in [AcceleratorModel::PowerGated, pipelined(0.3)] {
        let report = model.report(&with_signs(&[0, 0])).unwrap();
        assert!(close(report.saved_pct, 0.0) && close(report.mac_saved_pct, -10.0), "{model}");
    }
    // Exact: 1.1; half: (.2 * .5 + .24) / .4 = .85. Gated: (100 * 1.1 + 300 * .85) / 400.
    let report = AcceleratorModel::PowerGated.report(&with_signs(&[0, 1])).unwrap();
    assert!(close(report.saved_pct, 37.5) && close(report.mac_saved_pct, 8.75));
    // Pipelined: 30 cycles an image, 200 idle slots in tile 0: (1.1 * (100 + .3 * 200) + .85 * 300) / 400.
    let report = pipelined(0.3).report(&with_signs(&[0, 1])).unwrap();
    assert!(close(report.mac_relative_energy, 431.0 / 400.0));
}

#[test]
fn pipelined_tiles_wait_for_the_slowest() {
    // Tile 0: 100 multiplications in 10 cycles; tile 1: 300 + 100 in 40. 40 cycles an image, so tile 0 has
    // 400 slots, 300 of them idle. Energy: 1 * (100 + .2 * 300) + .5 * 400 = 360 of 500.
    let tiles = [TileCost::EXACT, HALF];
    let work = workload(&[100, 300, 100], &[0, 1, 1], &tiles);
    let report = pipelined(0.2).report(&work).unwrap();
    assert!(close(report.relative_energy, 0.72) && close(report.saved_pct, 28.0));
    // Whole multiply-accumulates: 1 * 160 + .75 * 400 = 460 of 500.
    assert!(close(report.mac_relative_energy, 0.92) && close(report.mac_saved_pct, 8.0));
    // The same mapping with exact tiles: 160 + 400.
    assert!(close(report.relative_energy_same_mapping, 360.0 / 560.0));
    assert_eq!((report.cycles, report.balance), (40, Some(50.0 / 80.0)));
    assert!(close(report.area_rel.unwrap(), 1.6));
    // Without idle energy the two models agree.
    let gated = AcceleratorModel::PowerGated.report(&work).unwrap();
    assert_eq!(pipelined(0.0).report(&work).unwrap().relative_energy, gated.relative_energy);
}

#[test]
fn waiting_can_cost_more_than_is_saved() {
    let tiles = [TileCost::EXACT, HALF];
    let report = pipelined(1.0).report(&workload(&[10, 490], &[1, 0], &tiles)).unwrap();
    // 490 + .5 * (10 + 480) = 735 of 500.
    assert!(close(report.saved_pct, -47.0));
    // 490 + .75 * 490 = 857.5 of 500.
    assert!(close(report.mac_saved_pct, -71.5));
}

#[test]
fn unused_tiles_are_not_built_and_unknown_costs_stay_unknown() {
    let unknown = TileCost { energy: 0.1, area: None, delay: None };
    let model = AcceleratorModel::PowerGated;
    let report = model.report(&workload(&[100], &[1], &[unknown, HALF])).unwrap();
    assert_eq!((report.tiles, report.area_rel, report.critical_path), (1, Some(0.6), Some(0.8)));
    let report = model.report(&workload(&[100, 100], &[1, 0], &[unknown, HALF])).unwrap();
    assert_eq!((report.tiles, report.area_rel, report.critical_path), (2, None, None));
}

#[test]
fn refuses_nonsense() {
    let one = [TileCost::EXACT; 2];
    let bad = [
        workload(&[1, 2], &[0], &one),
        workload(&[1], &[2], &one),
        workload(&[], &[], &one),
        workload(&[0, 0], &[0, 0], &one),
        workload(&[u64::MAX, 1], &[0, 0], &one),
        workload(&[1], &[0], &[TileCost { energy: f64::NAN, ..HALF }]),
        workload(&[1], &[0], &[TileCost { area: Some(-1.0), ..HALF }]),
        Workload { array_size: 0, ..workload(&[1], &[0], &one) },
        Workload { mac: MacCosts { adder_pj: f64::NAN, ..PLAIN }, ..workload(&[1], &[0], &one) },
        Workload { mac: MacCosts { register_pj: -0.3, ..PLAIN }, ..workload(&[1], &[0], &one) },
    ];
    for work in bad {
        assert!(AcceleratorModel::PowerGated.report(&work).is_err(), "{work:?}");
    }
    let back = workload(&[1, 1, 1], &[0, 1, 0], &one);
    assert!(pipelined(0.1).report(&back).unwrap_err().to_string().starts_with("layer 2 returns to tile 0"));
    assert!(AcceleratorModel::PowerGated.report(&back).is_ok());
}
