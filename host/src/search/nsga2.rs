//! The main loop of NSGA-II (Deb et al. 2002, section III-C), with a memo of everything evaluated.

use super::breeding::TRIES_PER_CHILD;
use super::problem::{Evaluation, Point, Problem, Stream};
use super::sort::{best, non_dominated};
use crate::error::{Error, Result};
use rand::SeedableRng;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::ops::ControlFlow;

/// The size and the randomness of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Survivors of a generation, and children in it. At least 2.
    pub population: usize,
    /// Generations of children after the initial population.
    pub generations: usize,
    /// Seed of the random stream.
    pub seed: u64,
    /// Children bred for each that is evaluated, if the problem predicts ([`Problem::predict`]): all but a
    /// quarter of the evaluated ones are then those with the best predictions. 1: no screening. Sorting takes
    /// time and memory in the square of `population * screen`.
    pub screen: usize,
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
    if settings.screen == 0 {
        return Err(Error::Argument("the search needs at least 1 child for each evaluation".to_owned()));
    }
    Ok(())
}

/// Whether there is an evaluation for each of `wanted` genomes, all with as many objectives as an `earlier` one.
pub(super) fn check_evaluations(
    wanted: usize,
    earlier: Option<&Evaluation>,
    evaluations: &[Evaluation],
) -> Result<()> {
    let objectives = earlier.or(evaluations.first()).map_or(0, |e| e.objectives().len());
    if evaluations.len() != wanted || evaluations.iter().any(|e| e.objectives().len() != objectives) {
        let reason = "the search's problem must give every genome one evaluation of as many objectives";
        return Err(Error::Mismatch(reason.to_owned()));
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
        self.restore_index();
        let children = self.children(problem, settings, &mut stream)?;
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

    /// Lets `genomes` compete with the population for survival, as children do; those never evaluated are
    /// evaluated first. They come from outside the random stream, so this is no generation, and known ones
    /// are no memo hits. On an error the state is as it was before.
    pub fn inject<P: Problem<Genome = G>>(
        &mut self,
        problem: &P,
        settings: &Settings,
        genomes: &[G],
    ) -> Result<()> {
        check(settings)?;
        let mut seen: HashSet<G> = self.population().map(|p| p.genome.clone()).collect();
        let outsiders = genomes.iter().filter(|&g| seen.insert(g.clone())).cloned().collect();
        let outsiders = self.evaluate(problem, outsiders)?;
        let mut members = self.population.clone();
        members.extend(outsiders);
        self.population = self.survivors(members, settings.population);
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

    /// Whether `genome` was evaluated, as far as the index knows.
    pub(super) fn is_known(&self, genome: &G) -> bool {
        self.index.contains_key(genome)
    }

    /// A saved state comes without its index.
    fn restore_index(&mut self) {
        if self.index.len() != self.evaluated.len() {
            self.index = self.evaluated.iter().enumerate().map(|(i, p)| (p.genome.clone(), i)).collect();
        }
    }

    /// Indices of `genomes` in `evaluated`, after evaluating those that are new in one batch.
    fn evaluate<P: Problem<Genome = G>>(&mut self, problem: &P, genomes: Vec<G>) -> Result<Vec<usize>> {
        self.restore_index();
        let new: Vec<G> = genomes.iter().filter(|g| !self.index.contains_key(g)).cloned().collect();
        let evaluations = if new.is_empty() { Vec::new() } else { problem.evaluate(&new)? };
        check_evaluations(new.len(), self.evaluated.first().map(|p| &p.evaluation), &evaluations)?;
        for (genome, evaluation) in new.into_iter().zip(evaluations) {
            self.index.insert(genome.clone(), self.evaluated.len());
            self.evaluated.push(Point { genome, evaluation });
        }
        Ok(genomes.iter().map(|g| self.index[g]).collect())
    }

    /// The best `wanted` of `members`, as [`best`] has them.
    fn survivors(&self, members: Vec<usize>, wanted: usize) -> Vec<usize> {
        let evaluations: Vec<&Evaluation> = members.iter().map(|&i| &self.evaluated[i].evaluation).collect();
        best(&evaluations, wanted).into_iter().map(|i| members[i]).collect()
    }
}
