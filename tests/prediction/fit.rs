//! Costs of steps from measured layers: least squares of relative errors, no cost below 0.

use skimp::board::prediction::costs::StepCost;
use skimp::board::prediction::work::Work;
use std::collections::BTreeMap;

/// Small layers' errors count as if the layer took so much more.
const FLOOR: f64 = 500.0;
/// Rounds of descent; steps that always come together need many.
const ROUNDS: usize = 20_000;

/// A layer: what its kernel does, and the instructions and cycles that were counted.
pub type Measured = (Work, [u64; 2]);

/// By kernel, the cost of each of its steps.
pub fn fit(layers: &[Measured]) -> BTreeMap<String, BTreeMap<String, StepCost>> {
    let mut kinds: BTreeMap<&str, Vec<&Measured>> = BTreeMap::new();
    for layer in layers {
        kinds.entry(layer.0.kind).or_default().push(layer);
    }
    kinds.into_iter().map(|(kind, layers)| (kind.to_owned(), fit_kind(&layers))).collect()
}

fn fit_kind(layers: &[&Measured]) -> BTreeMap<String, StepCost> {
    let mut steps: Vec<&str> = layers.iter().flat_map(|(work, _)| work.steps.keys().copied()).collect();
    steps.sort_unstable();
    steps.dedup();
    let [insns, cycles] = [0, 1].map(|figure| {
        let rows = layers.iter().map(|(work, costs)| {
            let cost = costs[figure] as f64;
            let counts = steps.iter().map(|step| work.steps.get(step).copied().unwrap_or(0) as f64);
            (counts.map(|count| count / (cost + FLOOR)).collect(), cost / (cost + FLOOR))
        });
        solve(&rows.collect::<Vec<(Vec<f64>, f64)>>())
    });
    let costs = insns.into_iter().zip(cycles).map(|(insns, cycles)| [insns, cycles]);
    steps.into_iter().map(str::to_owned).zip(costs).collect()
}

/// The x, none below 0, that brings every sum of `a[i] * x[i]` nearest to its `b`: coordinate descent.
fn solve(rows: &[(Vec<f64>, f64)]) -> Vec<f64> {
    let n = rows.first().map_or(0, |(a, _)| a.len());
    let norms: Vec<f64> =
        (0..n).map(|i| rows.iter().map(|(a, _)| a[i] * a[i]).sum::<f64>().sqrt().max(1e-12)).collect();
    let mut gram = vec![vec![0.0; n]; n];
    let mut right = vec![0.0; n];
    for (a, b) in rows {
        for i in 0..n {
            right[i] += a[i] / norms[i] * b;
            for j in 0..n {
                gram[i][j] += a[i] / norms[i] * a[j] / norms[j];
            }
        }
    }
    let mut x = vec![0.0f64; n];
    for _ in 0..ROUNDS {
        for i in 0..n {
            let rest: f64 = gram[i].iter().zip(&x).map(|(g, x)| g * x).sum::<f64>() - gram[i][i] * x[i];
            x[i] = ((right[i] - rest) / (gram[i][i] + 1e-9)).max(0.0);
        }
    }
    x.iter().zip(norms).map(|(x, norm)| x / norm).collect()
}

#[test]
fn costs_are_found_again() {
    let rows: Vec<(Vec<f64>, f64)> = (0..20)
        .map(|i| {
            let a: Vec<f64> = [3, 5, 7].iter().map(|k| f64::from(i * k % 11)).collect();
            let b = 2.0 * a[0] + 0.5 * a[2];
            (a, b)
        })
        .collect();
    for (x, expected) in solve(&rows).into_iter().zip([2.0, 0.0, 0.5]) {
        assert!((x - expected).abs() < 1e-4, "{x} {expected}");
    }
}
