//! The search on problems of whole numbers: against exhaustive search, on several threads, interrupted.

use super::genome::{Genome, GenomeSpace, Mapping};
use super::problem::{Evaluation, Problem, Stream};
use super::sort::non_dominated;
use super::{Outcome, Settings, State, resume, run};
use crate::error::{Error, Result};
use rayon::prelude::*;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Layers whose errors add up, as do their energies.
pub struct Additive {
    pub space: GenomeSpace,
    /// Error of each multiplier, to be scaled by the layer's sensitivity.
    errors: Vec<f64>,
    energies: Vec<f64>,
    sensitivities: Vec<f64>,
    multiplications: Vec<f64>,
    evaluated: AtomicUsize,
}

impl Additive {
    pub fn new(mapping: Mapping, layers: usize, tiles: usize, multipliers: usize) -> Self {
        let scattered = |i: usize, step: usize| ((i * step + 3) % 17 + 1) as f64 / 17.0;
        let energies: Vec<f64> =
            (0..multipliers).map(|m| 1.0 - 0.8 * m as f64 / multipliers as f64).collect();
        Additive {
            space: GenomeSpace::new(layers, tiles, &energies, mapping).unwrap(),
            errors: (0..multipliers).map(|m| (m * m) as f64 + scattered(m, 5) - scattered(0, 5)).collect(),
            energies,
            sensitivities: (0..layers).map(|l| scattered(l, 7)).collect(),
            multiplications: (0..layers).map(|l| scattered(l, 11)).collect(),
            evaluated: AtomicUsize::new(0),
        }
    }

    pub fn objectives(&self, genome: &Genome) -> Vec<f64> {
        let (mut error, mut energy) = (0.0, 0.0);
        for (layer, &multiplier) in genome.assignment().iter().enumerate() {
            error += self.errors[usize::from(multiplier)] * self.sensitivities[layer];
            energy += self.energies[usize::from(multiplier)] * self.multiplications[layer];
        }
        vec![error, energy]
    }
}

/// Every genome of `space`, by trying all tiles and layers there are.
pub fn by_force(space: &GenomeSpace, layers: u32, tiles: u32, multipliers: u32) -> HashSet<Genome> {
    let digits = |mut n: u32, base: u32, count: u32| {
        let mut next = || {
            let digit = (n % base) as u16;
            n /= base;
            digit
        };
        (0..count).map(|_| next()).collect::<Vec<u16>>()
    };
    let parts = (0..multipliers.pow(tiles)).flat_map(|t| (0..tiles.pow(layers)).map(move |l| (t, l)));
    let genome = |(t, l)| space.genome(digits(t, multipliers, tiles), digits(l, tiles, layers)).ok();
    parts.filter_map(genome).collect()
}

impl Problem for Additive {
    type Genome = Genome;

    fn random(&self, stream: &mut Stream) -> Genome {
        self.space.random(stream)
    }

    fn crossover(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> (Genome, Genome) {
        self.space.crossover(a, b, stream)
    }

    fn mutate(&self, genome: &mut Genome, stream: &mut Stream) {
        self.space.mutate(genome, stream);
    }

    fn evaluate(&self, genomes: &[Genome]) -> Result<Vec<Evaluation>> {
        self.evaluated.fetch_add(genomes.len(), Ordering::Relaxed);
        Ok(genomes.par_iter().map(|g| self.objectives(g).into()).collect())
    }
}

pub fn go<G>(_: &State<G>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn objectives(outcome: &Outcome<Genome>) -> Vec<&[f64]> {
    outcome.front.iter().map(|p| p.evaluation.objectives()).collect()
}

#[test]
fn finds_the_exhaustive_front() {
    for mapping in [Mapping::Free, Mapping::Contiguous] {
        let problem = Additive::new(mapping, 4, 2, 5);
        let all: Vec<Evaluation> =
            by_force(&problem.space, 4, 2, 5).iter().map(|g| problem.objectives(g).into()).collect();
        let all: Vec<&Evaluation> = all.iter().collect();
        let exhaustive: Vec<&[f64]> = non_dominated(&all).iter().map(|&i| all[i].objectives()).collect();
        assert!(exhaustive.len() > 10, "{mapping:?}: a front of {} proves little", exhaustive.len());
        for seed in 1..=5 {
            let settings = Settings { population: 40, generations: 60, seed, screen: 1 };
            let outcome = run(&problem, &settings, &[], go).unwrap();
            assert_eq!(objectives(&outcome), exhaustive, "{mapping:?}, seed {seed}");
        }
    }
}

#[test]
fn evaluates_no_genome_twice() {
    let problem = Additive::new(Mapping::Free, 4, 2, 5);
    let settings = Settings { population: 20, generations: 50, seed: 1, screen: 1 };
    let outcome = run(&problem, &settings, &[], go).unwrap();
    assert_eq!(problem.evaluated.load(Ordering::Relaxed), outcome.evaluations);
    assert!(outcome.evaluations <= by_force(&problem.space, 4, 2, 5).len());
    assert_eq!(outcome.evaluations + outcome.memo_hits, 20 * 51);
}

#[test]
fn threads_do_not_matter_and_seeds_do() {
    let problem = Additive::new(Mapping::Free, 12, 4, 9);
    let front = |threads: usize, seed: u64| {
        let settings = Settings { population: 30, generations: 30, seed, screen: 1 };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let outcome = pool.install(|| run(&problem, &settings, &[], go)).unwrap();
        (outcome.front, outcome.population, outcome.evaluations, outcome.memo_hits)
    };
    let one = front(1, 5);
    assert_eq!(one, front(1, 5));
    assert_eq!(one, front(2, 5));
    assert_eq!(one, front(3, 5));
    assert_ne!(one, front(1, 6));
}

#[test]
fn a_saved_search_goes_on_as_if_it_had_never_stopped() {
    let problem = Additive::new(Mapping::Contiguous, 12, 4, 9);
    let settings = Settings { population: 30, generations: 20, seed: 3, screen: 1 };
    let whole = run(&problem, &settings, &[], go).unwrap();
    let mut saved = Vec::new();
    let stop = |state: &State<Genome>| {
        if state.generation() < 7 {
            return ControlFlow::Continue(());
        }
        saved = postcard::to_allocvec(state).unwrap();
        ControlFlow::Break(())
    };
    let part = run(&problem, &settings, &[], stop).unwrap();
    assert!(part.interrupted && part.generations == 7);
    let state: State<Genome> = postcard::from_bytes(&saved).unwrap();
    let resumed = resume(&problem, &settings, state, go).unwrap();
    assert!(!resumed.interrupted && resumed.generations == 20);
    assert_eq!(resumed.population, whole.population);
    assert_eq!(resumed.front, whole.front);
    assert_eq!((resumed.evaluations, resumed.memo_hits), (whole.evaluations, whole.memo_hits));
}

#[test]
fn initial_genomes_are_in_the_race() {
    let problem = Additive::new(Mapping::Free, 12, 4, 9);
    let initial: Vec<Genome> = (0..9).chain(0..9).map(|m| problem.space.uniform(m).unwrap()).collect();
    let settings = Settings { population: 4, generations: 0, seed: 1, screen: 1 };
    let outcome = run(&problem, &settings, &initial, go).unwrap();
    assert_eq!((outcome.evaluations, outcome.population.len()), (9, 4));
    assert_eq!(outcome.front.len(), 9, "dearer is better in this problem");
}

#[test]
fn injected_genomes_compete_for_survival() {
    let problem = Additive::new(Mapping::Free, 12, 4, 9);
    let settings = Settings { population: 10, generations: 3, seed: 1, screen: 1 };
    let mut state = State::start(&problem, &settings, &[]).unwrap();
    let evaluated = || problem.evaluated.load(Ordering::Relaxed);
    let best = problem.space.uniform(0).unwrap();
    let worst = state.evaluated()[3].genome.clone();
    // Twice the one without any error, and one that is known.
    state.inject(&problem, &settings, &[best.clone(), worst, best.clone()]).unwrap();
    assert_eq!((state.population().count(), state.evaluations(), evaluated()), (10, 11, 11));
    assert!(state.population().any(|p| p.genome == best));
    assert_eq!((state.generation(), state.memo_hits()), (0, 0));

    let once: Vec<_> = state.population().cloned().collect();
    state.inject(&problem, &settings, std::slice::from_ref(&best)).unwrap();
    assert_eq!((state.population().cloned().collect::<Vec<_>>(), evaluated()), (once, 11));

    let outcome = resume(&problem, &settings, state, go).unwrap();
    assert_eq!(outcome.generations, 3);
    assert_eq!(outcome.front[0].genome, best, "nothing is better than no error");
}

/// A problem that breaks the contract in one way or another.
struct Broken(fn(usize) -> Result<Vec<Evaluation>>);

impl Problem for Broken {
    type Genome = u8;

    fn random(&self, stream: &mut Stream) -> u8 {
        rand::RngExt::random(stream)
    }

    fn crossover(&self, a: &u8, b: &u8, _: &mut Stream) -> (u8, u8) {
        (*a, *b)
    }

    fn mutate(&self, _: &mut u8, _: &mut Stream) {}

    fn evaluate(&self, genomes: &[u8]) -> Result<Vec<Evaluation>> {
        (self.0)(genomes.len())
    }
}

#[test]
fn broken_problems_are_errors() {
    let settings = Settings { population: 4, generations: 2, seed: 1, screen: 1 };
    let too_few = Broken(|n| Ok(vec![vec![1.0].into(); n - 1]));
    let uneven = Broken(|n| Ok((0..n).map(|i| vec![1.0; i].into()).collect()));
    let failing = Broken(|_| Err(Error::Argument("no data".to_owned())));
    for problem in [too_few, uneven, failing] {
        assert!(run(&problem, &settings, &[], go).is_err());
    }
    let fine = Broken(|n| Ok(vec![vec![f64::NAN].into(); n]));
    assert!(run(&fine, &settings, &[], go).is_ok(), "children that are all known are no failure");
    assert!(run(&fine, &Settings { population: 1, ..settings }, &[], go).is_err());
}
