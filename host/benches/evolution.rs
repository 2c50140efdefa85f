//! Criterion benchmark of breeding multipliers: how fast candidates are judged, with and without shortcuts.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use skimp::evolve::{Bounds, Climb, Genome, Objective};
use skimp::kernels::Isa;
use skimp::multiplier::Design;
use std::hint::black_box;
use std::time::Duration;

/// A circuit of 400 gates, all of them in use, on all 65,536 operand pairs: errors, activities and power, no
/// shortcut taken. What a candidate costs all of whose gates are new.
fn complete(c: &mut Criterion) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    // The classical design nearest to 400 gates.
    let netlists = Design::classical().into_iter().map(|design| design.netlist(false));
    let netlist =
        netlists.min_by_key(|netlist| netlist.gates().len().abs_diff(400)).expect("there are designs");
    let bounds = Bounds { mae_pct: Some(100.0), ..Bounds::default() };
    let objective = Objective::new(false, bounds, None).expect("a bound on the MAE makes sense");
    let genome = Genome::new(&netlist, 0, &mut random);
    let mut group = c.benchmark_group("complete evaluation");
    group.throughput(Throughput::Elements(1));
    for isa in Isa::available() {
        let name = format!("{} gates, {isa}", netlist.gates().len());
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            let mut climb = Climb::new(&objective, genome.clone(), isa).expect("within so wide a bound");
            b.iter(|| black_box(climb.look_again()));
        });
    }
    group.finish();
}

/// Candidates of a climb with all shortcuts, from the exact multiplier and after a while.
fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("candidates");
    group.throughput(Throughput::Elements(1));
    for pct in [0.01, 0.1, 1.0] {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let bounds = Bounds { mae_pct: Some(pct), ..Bounds::default() };
        let objective = Objective::new(false, bounds, None).expect("a bound on the MAE makes sense");
        let genome = Genome::new(&Design::Exact.netlist(false), 100, &mut random);
        let mut climb =
            Climb::new(&objective, genome, Isa::best()).expect("an exact circuit is within all bounds");
        for _ in 0..20_000 {
            climb.step(&mut random);
        }
        group.bench_function(BenchmarkId::new("MAE bound %", pct), |b| b.iter(|| climb.step(&mut random)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(4)).warm_up_time(Duration::from_secs(1));
    targets = complete, steps
}
criterion_main!(benches);
