use super::*;
use crate::evolve::Bounds;
use crate::multiplier::cost::Cost;
use crate::multiplier::{Design, Distribution, Statistics};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Climbs with every kind of bound, each now and then compared with a look at all pairs from scratch.
#[test]
fn what_a_climb_believes_is_true_of_its_circuit() {
    let mae = Bounds { mae_pct: Some(0.1), ..Bounds::default() };
    let wce = Bounds { wce_pct: Some(0.579), ..Bounds::default() };
    let all = [
        mae,
        wce,
        Bounds { bias: Some(2.0), ..mae },
        Bounds { zero_preserving: true, ..mae },
        Bounds { zero_preserving: true, bias: Some(40.0), mae_pct: Some(0.3), ..wce },
    ];
    for (index, bounds) in all.into_iter().enumerate() {
        let signed = index % 2 == 1;
        let mut random = ChaCha8Rng::seed_from_u64(index as u64);
        let objective = Objective::new(signed, bounds, None).unwrap();
        let genome = Genome::new(&Design::Exact.netlist(signed), 80, &mut random);
        let mut climb = Climb::new(&objective, genome, Isa::best()).unwrap();
        let begin_uw = climb.power_uw();
        for step in 1..=6000 {
            climb.allow(climb.power_uw() * 1.005);
            climb.step(&mut random);
            if step % 1000 == 0 {
                let fresh = Climb::new(&objective, climb.genome().clone(), Isa::PORTABLE).unwrap();
                assert!((fresh.power_uw() - climb.power_uw()).abs() < 1e-9, "{bounds:?} step {step}");
                let before_uw = climb.power_uw();
                assert!(climb.look_again() && climb.power_uw() == before_uw, "{bounds:?} step {step}");
                let netlist = climb.genome().netlist();
                let simulation = netlist.simulate();
                let s = Statistics::of(&simulation.table);
                assert!(bounds.mae_pct.is_none_or(|pct| s.mae_pct <= pct), "{bounds:?} {s:?}");
                assert!(bounds.wce_pct.is_none_or(|pct| s.wce_pct <= pct), "{bounds:?} {s:?}");
                assert!(bounds.bias.is_none_or(|bias| s.mean_error.abs() <= bias), "{bounds:?} {s:?}");
                assert!(!bounds.zero_preserving || s.zero_preserving, "{bounds:?}");
                // Folding can only save.
                let folded_uw = Cost::of(&netlist, &simulation.activity).power_uw;
                assert!(folded_uw <= climb.power_uw() + 1e-9, "{folded_uw} {}", climb.power_uw());
            }
        }
        assert!(climb.power_uw() < begin_uw, "{bounds:?}");
    }
}

#[test]
fn noise_is_what_each_weights_bias_leaves() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut distribution = Distribution { activation: [0; 256], weight: [0; 256] };
    for i in 0..256 {
        distribution.activation[i] = if i < 100 { random.random_range(0..1000) } else { 0 };
        distribution.weight[i] = if i % 2 == 0 { random.random_range(0..1000) } else { 0 };
    }
    let bounds = Bounds { noise_pct: Some(0.3), ..Bounds::default() };
    let objective = Objective::new(false, bounds, Some(&distribution)).unwrap();
    let genome = Genome::new(&Design::Exact.netlist(false), 80, &mut random);
    let mut climb = Climb::new(&objective, genome, Isa::best()).unwrap();
    let begin_uw = climb.power_uw();
    for _ in 0..5000 {
        climb.step(&mut random);
    }
    assert!(climb.power_uw() < 0.9 * begin_uw, "{} of {begin_uw}", climb.power_uw());
    let table = climb.genome().netlist().simulate().table;
    let (p, q) = (distribution.activation_shares(), distribution.weight_shares());
    let mut variance = 0.0;
    for w in 0..=255u8 {
        let error = |a: u8| f64::from(table.product(a, w) - i32::from(a) * i32::from(w));
        let moment = |power: i32| (0..=255u8).map(|a| p[usize::from(a)] * error(a).powi(power)).sum::<f64>();
        variance += q[usize::from(w)] * (moment(2) - moment(1).powi(2));
    }
    let noise_pct = 100.0 * variance.sqrt() / 65536.0;
    // Shares are counted in 65,536ths.
    assert!(noise_pct <= 0.3 * 1.002, "{noise_pct}");
}

#[test]
fn circuits_out_of_bounds_are_no_beginning() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let objective = Objective::new(false, Bounds { wce_pct: Some(0.0), ..Bounds::default() }, None).unwrap();
    let mut begins = |design: Design| {
        let genome = Genome::new(&design.netlist(false), 5, &mut random);
        Climb::new(&objective, genome, Isa::best()).is_some()
    };
    assert!(begins(Design::Exact));
    assert!(!begins(Design::Truncated { columns: 1 }));
}
