//! The main loop of NSGA-II (Deb et al. 2002, section III-C), with a memo of everything evaluated.

use super::problem::{Evaluation, Point, Problem, Stream};
use super::sort::{crowding_distances, fronts, non_dominated};
use crate::error::{Error, Result};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::ops::ControlFlow;

/// How often a mating that gave only known children is tried again, per child wanted. Small spaces run out
/// of new children; then a generation has fewer of them.
const TRIES_PER_CHILD: usize = 100;

/// The size and the randomness of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Survivors of a generation, and children in it. At least 2.
    pub population: usize,
    /// Generations of children after the initial population.
    pub generations: usize,
    /// Seed of the random stream.
    pub seed: u64,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Outcome<G> {
    /// The last population.
    pub population: Vec<Point<G>>,
    /// Every evaluated point that no other dominates, sorted by the objectives; of points with the same
    /// objectives the one evaluated first.
    pub front: Vec<Point<G>>,
    /// Genomes evaluated.
    pub evaluations: usize,
    /// Children that needed no evaluation because an earlier generation had the same genome.
    pub memo_hits: usize,
    /// Generations completed after the initial population.
    pub generations: usize,
    /// Whether the callback stopped the search before its last generation.
    pub interrupted: bool,
}

/// Everything a search is in the middle of: [`resume`] goes on from it exactly as if it had never
/// stopped. Serialize it with a format that keeps infinities, such as postcard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "G: Deserialize<'de>"))]
pub struct State<G> {
    seed: u64,
    /// Position in the random stream, in 32-bit words.
    position: u64,
    generation: usize,
    memo_hits: usize,
    /// Every point in the order of evaluation.
    evaluated: Vec<Point<G>>,
    /// The current population, as indices into `evaluated`.
    population: Vec<usize>,
    /// Where in `evaluated` a genome is. Only looked up, never iterated: its order is random.
    #[serde(skip)]
    index: HashMap<G, usize>,
}

/// Searches from a population of the `initial` genomes, filled up with random ones.
///
/// `on_generation` is called after the initial population and after every generation; `Break` ends the
/// search there, with what was found so far.
pub fn run<P: Problem>(
    problem: &P,
    settings: &Settings,
    initial: &[P::Genome],
    on_generation: impl FnMut(&State<P::Genome>) -> ControlFlow<()>,
) -> Result<Outcome<P::Genome>> {
    resume(problem, settings, State::start(problem, settings, initial)?, on_generation)
}

/// Goes on from `state` until `settings.generations` are complete. The seed is the state's.
pub fn resume<P: Problem>(
    problem: &P,
    settings: &Settings,
    mut state: State<P::Genome>,
    mut on_generation: impl FnMut(&State<P::Genome>) -> ControlFlow<()>,
) -> Result<Outcome<P::Genome>> {
    check(settings)?;
    if state.population.is_empty() || state.population.iter().any(|&i| i >= state.evaluated.len()) {
        return Err(Error::Argument("the saved search is damaged: start a new one".to_owned()));
    }
    let mut flow = on_generation(&state);
    while flow.is_continue() && state.generation < settings.generations {
        state.advance(problem, settings)?;
        flow = on_generation(&state);
    }
    Ok(Outcome {
        population: state.population().cloned().collect(),
        front: state.front(),
        evaluations: state.evaluations(),
        memo_hits: state.memo_hits,
        generations: state.generation,
        interrupted: state.generation < settings.generations,
    })
}

fn check(settings: &Settings) -> Result<()> {
    if settings.population < 2 {
        return Err(Error::Argument("the search needs a population of at least 2".to_owned()));
    }
    Ok(())
}

impl<G: Clone + Eq + Hash + Send + Sync> State<G> {
    /// Evaluates the initial population: `initial` without repetitions, filled up with random genomes. All
    /// of `initial` is evaluated; if it is larger than the population the best survive.
    pub fn start<P: Problem<Genome = G>>(problem: &P, settings: &Settings, initial: &[G]) -> Result<Self> {
        check(settings)?;
        let mut stream = Stream::seed_from_u64(settings.seed);
        let mut seen = HashSet::new();
        let mut genomes: Vec<G> = initial.iter().filter(|&g| seen.insert(g.clone())).cloned().collect();
        for _ in 0..settings.population.saturating_mul(TRIES_PER_CHILD) {
            if genomes.len() >= settings.population {
                break;
            }
            let genome = problem.random(&mut stream);
            if seen.insert(genome.clone()) {
                genomes.push(genome);
            }
        }
        let mut state = State {
            seed: settings.seed,
            position: 0,
            generation: 0,
            memo_hits: 0,
            evaluated: Vec::new(),
            population: Vec::new(),
            index: HashMap::new(),
        };
        let members = state.evaluate(problem, genomes)?;
        state.population = state.survivors(members, settings.population);
        state.position = stream.get_word_pos() as u64;
        Ok(state)
    }

    /// Completes one generation. On an error the state is as it was before.
    pub fn advance<P: Problem<Genome = G>>(&mut self, problem: &P, settings: &Settings) -> Result<()> {
        let mut stream = Stream::seed_from_u64(self.seed);
        stream.set_word_pos(self.position.into());
        let children = self.children(problem, settings.population, &mut stream);
        let known = self.evaluated.len();
        let children = self.evaluate(problem, children)?;
        self.memo_hits += children.iter().filter(|&&i| i < known).count();
        let mut members = self.population.clone();
        members.extend(children);
        self.population = self.survivors(members, settings.population);
        self.position = stream.get_word_pos() as u64;
        self.generation += 1;
        Ok(())
    }

    /// Generations completed after the initial population.
    pub fn generation(&self) -> usize {
        self.generation
    }

    /// Genomes evaluated so far.
    pub fn evaluations(&self) -> usize {
        self.evaluated.len()
    }

    /// Children so far that needed no evaluation.
    pub fn memo_hits(&self) -> usize {
        self.memo_hits
    }

    /// Every point evaluated so far, in the order of evaluation.
    pub fn evaluated(&self) -> &[Point<G>] {
        &self.evaluated
    }

    /// The current population.
    pub fn population(&self) -> impl Iterator<Item = &Point<G>> {
        self.population.iter().map(|&i| &self.evaluated[i])
    }

    /// The non-dominated points of everything evaluated so far, as in [`Outcome::front`].
    pub fn front(&self) -> Vec<Point<G>> {
        let evaluations: Vec<&Evaluation> = self.evaluated.iter().map(|p| &p.evaluation).collect();
        non_dominated(&evaluations).into_iter().map(|i| self.evaluated[i].clone()).collect()
    }

    fn evaluations_of(&self, members: &[usize]) -> Vec<&Evaluation> {
        members.iter().map(|&i| &self.evaluated[i].evaluation).collect()
    }

    /// Up to `wanted` children that differ from each other and from the population.
    fn children<P: Problem<Genome = G>>(&self, problem: &P, wanted: usize, stream: &mut Stream) -> Vec<G> {
        let mut tournament = Tournament::new(&self.evaluations_of(&self.population));
        let parent = |member: usize| &self.evaluated[self.population[member]].genome;
        let mut seen: HashSet<G> = self.population().map(|p| p.genome.clone()).collect();
        let mut children = Vec::with_capacity(wanted);
        for _ in 0..wanted.saturating_mul(TRIES_PER_CHILD) {
            let (a, b) = (tournament.winner(stream), tournament.winner(stream));
            let (mut c, mut d) = problem.crossover(parent(a), parent(b), stream);
            problem.mutate(&mut c, stream);
            problem.mutate(&mut d, stream);
            for child in [c, d] {
                if children.len() < wanted && seen.insert(child.clone()) {
                    children.push(child);
                }
            }
            if children.len() == wanted {
                break;
            }
        }
        children
    }

    /// Indices of `genomes` in `evaluated`, after evaluating those that are new in one batch.
    fn evaluate<P: Problem<Genome = G>>(&mut self, problem: &P, genomes: Vec<G>) -> Result<Vec<usize>> {
        if self.index.len() != self.evaluated.len() {
            self.index = self.evaluated.iter().enumerate().map(|(i, p)| (p.genome.clone(), i)).collect();
        }
        let new: Vec<G> = genomes.iter().filter(|g| !self.index.contains_key(g)).cloned().collect();
        let evaluations = if new.is_empty() { Vec::new() } else { problem.evaluate(&new)? };
        let objectives = self.evaluated.first().map(|p| &p.evaluation).or(evaluations.first());
        let objectives = objectives.map_or(0, |e| e.objectives().len());
        if evaluations.len() != new.len() || evaluations.iter().any(|e| e.objectives().len() != objectives) {
            let reason = "the search's problem must give every genome one evaluation of as many objectives";
            return Err(Error::Mismatch(reason.to_owned()));
        }
        for (genome, evaluation) in new.into_iter().zip(evaluations) {
            self.index.insert(genome.clone(), self.evaluated.len());
            self.evaluated.push(Point { genome, evaluation });
        }
        Ok(genomes.iter().map(|g| self.index[g]).collect())
    }

    /// The best `wanted` of `members`: whole fronts, and of the first that does not fit the least crowded.
    /// Sorting is stable, so of equals the one that came first survives.
    fn survivors(&self, members: Vec<usize>, wanted: usize) -> Vec<usize> {
        let evaluations = self.evaluations_of(&members);
        let mut survivors = Vec::with_capacity(wanted);
        for mut front in fronts(&evaluations) {
            let room = wanted - survivors.len();
            if front.len() > room {
                let distances =
                    crowding_distances(&front.iter().map(|&i| evaluations[i]).collect::<Vec<_>>());
                let mut order: Vec<usize> = (0..front.len()).collect();
                order.sort_by(|&i, &j| distances[j].total_cmp(&distances[i]));
                front = order[..room].iter().map(|&i| front[i]).collect();
            }
            survivors.extend(front.into_iter().map(|i| members[i]));
        }
        survivors
    }
}

/// Binary tournaments by the crowded comparison (section III-B). Contestants come from shuffled rounds of
/// the whole population, so each competes equally often.
struct Tournament {
    /// Front and crowding distance of each member.
    fitness: Vec<(usize, f64)>,
    round: Vec<usize>,
}

impl Tournament {
    fn new(population: &[&Evaluation]) -> Self {
        let mut fitness = vec![(0, 0.0); population.len()];
        for (rank, front) in fronts(population).into_iter().enumerate() {
            let distances = crowding_distances(&front.iter().map(|&i| population[i]).collect::<Vec<_>>());
            for (i, distance) in front.into_iter().zip(distances) {
                fitness[i] = (rank, distance);
            }
        }
        Tournament { fitness, round: Vec::new() }
    }

    fn contestant(&mut self, stream: &mut Stream) -> usize {
        if self.round.is_empty() {
            self.round = (0..self.fitness.len()).collect();
            self.round.shuffle(stream);
        }
        self.round.pop().unwrap_or(0)
    }

    fn winner(&mut self, stream: &mut Stream) -> usize {
        let (a, b) = (self.contestant(stream), self.contestant(stream));
        let ((rank_a, distance_a), (rank_b, distance_b)) = (self.fitness[a], self.fitness[b]);
        match rank_a.cmp(&rank_b).then(distance_b.total_cmp(&distance_a)) {
            Ordering::Less => a,
            Ordering::Greater => b,
            Ordering::Equal if stream.random() => a,
            Ordering::Equal => b,
        }
    }
}
