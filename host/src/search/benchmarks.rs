//! The search against pymoo 0.6.2 on the usual benchmark problems: ZDT (Zitzler, Deb, Thiele, "Comparison
//! of multiobjective evolutionary algorithms", 2000) and DTLZ2 (Deb, Thiele, Laumanns, Zitzler, 2002).

use super::problem::{Evaluation, Problem, Stream};
use super::real::{RealSpace, RealVector};
use super::{Settings, State, hypervolume};
use crate::error::Result;
use rayon::prelude::*;
use std::f64::consts::PI;

pub struct Benchmark {
    pub name: &'static str,
    space: RealSpace,
    pub objectives: fn(&[f64]) -> Vec<f64>,
    /// pymoo's median hypervolume over seeds 1-11.
    pymoo: f64,
}

impl Problem for Benchmark {
    type Genome = RealVector;

    fn random(&self, stream: &mut Stream) -> RealVector {
        self.space.random(stream)
    }

    fn crossover(&self, a: &RealVector, b: &RealVector, stream: &mut Stream) -> (RealVector, RealVector) {
        self.space.crossover(a, b, stream)
    }

    fn mutate(&self, x: &mut RealVector, stream: &mut Stream) {
        self.space.mutate(x, stream);
    }

    fn evaluate(&self, genomes: &[RealVector]) -> Result<Vec<Evaluation>> {
        Ok(genomes.iter().map(|x| (self.objectives)(&x.0).into()).collect())
    }
}

/// 1 + 9 * mean of the variables after the first.
fn zdt_g(x: &[f64]) -> f64 {
    1.0 + 9.0 * x[1..].iter().sum::<f64>() / (x.len() - 1) as f64
}

fn zdt1(x: &[f64]) -> Vec<f64> {
    let g = zdt_g(x);
    vec![x[0], g * (1.0 - (x[0] / g).sqrt())]
}

fn zdt2(x: &[f64]) -> Vec<f64> {
    let g = zdt_g(x);
    vec![x[0], g * (1.0 - (x[0] / g).powi(2))]
}

fn zdt3(x: &[f64]) -> Vec<f64> {
    let g = zdt_g(x);
    vec![x[0], g * (1.0 - (x[0] / g).sqrt() - x[0] / g * (10.0 * PI * x[0]).sin())]
}

fn zdt4(x: &[f64]) -> Vec<f64> {
    let waves = x[1..].iter().map(|v| v * v - 10.0 * (4.0 * PI * v).cos());
    let g = 1.0 + 10.0 * (x.len() - 1) as f64 + waves.sum::<f64>();
    vec![x[0], g * (1.0 - (x[0] / g).sqrt())]
}

fn zdt6(x: &[f64]) -> Vec<f64> {
    let f = 1.0 - (-4.0 * x[0]).exp() * (6.0 * PI * x[0]).sin().powi(6);
    let g = 1.0 + 9.0 * (x[1..].iter().sum::<f64>() / (x.len() - 1) as f64).powf(0.25);
    vec![f, g * (1.0 - (f / g).powi(2))]
}

fn dtlz2(x: &[f64]) -> Vec<f64> {
    let g: f64 = x[2..].iter().map(|v| (v - 0.5).powi(2)).sum();
    let (a, b) = (x[0] * PI / 2.0, x[1] * PI / 2.0);
    vec![(1.0 + g) * a.cos() * b.cos(), (1.0 + g) * a.cos() * b.sin(), (1.0 + g) * a.sin()]
}

pub fn benchmarks() -> [Benchmark; 6] {
    let unit = |n| RealSpace(vec![(0.0, 1.0); n]);
    let mut zdt4_box = vec![(-5.0, 5.0); 10];
    zdt4_box[0] = (0.0, 1.0);
    [
        Benchmark { name: "ZDT1", space: unit(30), objectives: zdt1, pymoo: 0.8697 },
        Benchmark { name: "ZDT2", space: unit(30), objectives: zdt2, pymoo: 0.5364 },
        Benchmark { name: "ZDT3", space: unit(30), objectives: zdt3, pymoo: 1.3276 },
        Benchmark { name: "ZDT4", space: RealSpace(zdt4_box), objectives: zdt4, pymoo: 0.8645 },
        Benchmark { name: "ZDT6", space: unit(10), objectives: zdt6, pymoo: 0.4945 },
        Benchmark { name: "DTLZ2", space: unit(12), objectives: dtlz2, pymoo: 0.7046 },
    ]
}

/// The hypervolume of the last population, as pymoo's figures are.
fn hypervolume_of_a_run(benchmark: &Benchmark, seed: u64) -> f64 {
    // pymoo counts the initial population as the first of 250 generations.
    let settings = Settings { population: 100, generations: 249, seed, screen: 1 };
    let mut state = State::start(benchmark, &settings, &[]).unwrap();
    while state.generation() < settings.generations {
        state.advance(benchmark, &settings).unwrap();
    }
    assert_eq!(state.evaluations() + state.memo_hits(), 25_000);
    let points: Vec<&[f64]> = state.population().map(|p| p.evaluation.objectives()).collect();
    hypervolume(&points, &vec![1.1; points[0].len()])
}

/// Medians may fall short of pymoo's by .005: more than the seeds of ZDT1-3 differ by, and what chance does
/// to a median of 11 on DTLZ2, where single seeds range from .68 to .72. Shown with `--nocapture`.
#[test]
fn hypervolumes_match_pymoo() {
    println!("problem  median    min     max     pymoo's median");
    for benchmark in &benchmarks() {
        let mut volumes: Vec<f64> =
            (1..=11u64).into_par_iter().map(|s| hypervolume_of_a_run(benchmark, s)).collect();
        volumes.sort_by(f64::total_cmp);
        let (name, pymoo, median) = (benchmark.name, benchmark.pymoo, volumes[volumes.len() / 2]);
        println!("{name:7}  {median:.4}  {:.4}  {:.4}  {pymoo:.4}", volumes[0], volumes[volumes.len() - 1]);
        assert!(median >= pymoo - 0.005, "{name}: median {median:.4}, pymoo's {pymoo:.4}");
        // A much better figure would be a wrong one: pymoo's are close to the best a population of 100 can do.
        assert!(median <= pymoo + 0.02, "{name}: median {median:.4}, pymoo's {pymoo:.4}");
    }
}
