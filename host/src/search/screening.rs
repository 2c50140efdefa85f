//! Searches that screen their children by predictions: perfect ones, useless ones, and none.

use super::benchmarks::{Benchmark, benchmarks};
use super::genome::{Genome, Mapping};
use super::problem::{Evaluation, Problem, Stream};
use super::real::RealVector;
use super::tests::{Additive, go};
use super::{Settings, State, hypervolume, run};
use crate::error::Result;

/// A problem with somebody's predictions.
struct Predicted<'a, P: Problem>(&'a P, fn(&P, &P::Genome) -> Option<Evaluation>);

impl<P: Problem> Problem for Predicted<'_, P> {
    type Genome = P::Genome;

    fn random(&self, stream: &mut Stream) -> P::Genome {
        self.0.random(stream)
    }

    fn crossover(&self, a: &P::Genome, b: &P::Genome, stream: &mut Stream) -> (P::Genome, P::Genome) {
        self.0.crossover(a, b, stream)
    }

    fn mutate(&self, genome: &mut P::Genome, stream: &mut Stream) {
        self.0.mutate(genome, stream);
    }

    fn evaluate(&self, genomes: &[P::Genome]) -> Result<Vec<Evaluation>> {
        self.0.evaluate(genomes)
    }

    fn predict(&self, genome: &P::Genome) -> Option<Evaluation> {
        (self.1)(self.0, genome)
    }
}

type Predictor = fn(&Benchmark, &RealVector) -> Option<Evaluation>;

const PERFECT: Predictor = |benchmark, x| Some((benchmark.objectives)(&x.0).into());

/// Takes the worst for the best.
const ADVERSARIAL: Predictor = |benchmark, x| {
    let opposite = (benchmark.objectives)(&x.0).into_iter().map(|value| -value).collect::<Vec<f64>>();
    Some(opposite.into())
};

/// The hypervolume of everything found in some 2000 evaluations, and of the first 40.
fn volumes(benchmark: &Benchmark, predictor: Predictor, screen: usize, seed: u64) -> (f64, f64) {
    let problem = Predicted(benchmark, predictor);
    let settings = Settings { population: 40, generations: 49, seed, screen };
    let volume = |state: &State<RealVector>| {
        let front = state.front();
        let points: Vec<&[f64]> = front.iter().map(|p| p.evaluation.objectives()).collect();
        hypervolume(&points, &vec![200.0; points[0].len()])
    };
    let mut state = State::start(&problem, &settings, &[]).unwrap();
    let first = volume(&state);
    while state.generation() < settings.generations {
        state.advance(&problem, &settings).unwrap();
    }
    assert_eq!(state.evaluations() + state.memo_hits(), 2000);
    (volume(&state), first)
}

#[test]
fn good_predictions_find_more_and_wrong_ones_still_something() {
    for benchmark in &benchmarks() {
        for seed in 1..=3 {
            let (plain, first) = volumes(benchmark, PERFECT, 1, seed);
            let (good, _) = volumes(benchmark, PERFECT, 5, seed);
            let (wrong, _) = volumes(benchmark, ADVERSARIAL, 5, seed);
            let found = format!("{}: {first} at first, {plain}, {good}, {wrong}", benchmark.name);
            assert!(good > plain, "{found}");
            assert!(wrong > first + 0.3 * (plain - first), "{found}");
        }
    }
}

#[test]
fn without_screening_predictions_change_nothing() {
    let additive = Additive::new(Mapping::Free, 12, 4, 9);
    let no_guess = Predicted(&additive, |_, _| None);
    let guess = Predicted(&additive, |problem, genome: &Genome| Some(problem.objectives(genome).into()));
    let settings = Settings { population: 30, generations: 30, seed: 4, screen: 1 };
    let found = |problem: &Predicted<Additive>, screen: usize| {
        let outcome = run(problem, &Settings { screen, ..settings }, &[], go).unwrap();
        (outcome.front, outcome.population, outcome.evaluations, outcome.memo_hits)
    };
    let plain = run(&additive, &settings, &[], go).unwrap();
    let plain = (plain.front, plain.population, plain.evaluations, plain.memo_hits);
    assert_eq!(found(&guess, 1), plain, "one child for each evaluation is no choice");
    assert_eq!(found(&no_guess, 6), plain, "nothing predicted is nothing to choose by");
    assert_ne!(found(&guess, 6), plain);
    let screened = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| found(&guess, 6))
    };
    assert_eq!(screened(1), screened(3));
}

#[test]
fn known_children_take_no_place_of_new_ones() {
    let problem = Additive::new(Mapping::Free, 4, 2, 5);
    let guess = Predicted(&problem, |problem, genome: &Genome| Some(problem.objectives(genome).into()));
    let settings = Settings { population: 20, generations: 4, seed: 1, screen: 6 };
    let memo_hits = |screen: usize| run(&guess, &Settings { screen, ..settings }, &[], go).unwrap().memo_hits;
    // There are 145 genomes, and 100 are evaluated.
    assert!(memo_hits(1) > 0);
    assert_eq!(memo_hits(6), 0);
}

#[test]
fn some_predictions_are_as_good_as_all_and_uneven_ones_are_errors() {
    let problem = Additive::new(Mapping::Free, 12, 4, 9);
    let some = Predicted(&problem, |problem, genome: &Genome| {
        (genome.tiles().len() < 4).then(|| problem.objectives(genome).into())
    });
    let settings = Settings { population: 30, generations: 5, seed: 1, screen: 4 };
    assert_eq!(run(&some, &settings, &[], go).unwrap().evaluations, 180);
    let uneven = Predicted(&problem, |_, genome: &Genome| Some(vec![1.0; genome.tiles().len()].into()));
    assert!(run(&uneven, &settings, &[], go).is_err());
    assert!(run(&problem, &Settings { screen: 0, ..settings }, &[], go).is_err());
}
