//! How a generation gets its children: binary tournaments, recombination and mutation, and, where a problem
//! can predict what an evaluation would say, more children than are evaluated.

use super::nsga2::{Settings, State};
use super::problem::{Evaluation, Point, Problem, Stream};
use super::sort::{best, crowding_distances, fronts};
use crate::error::{Error, Result};
use rand::RngExt;
use rand::seq::SliceRandom;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::Hash;

/// How often a mating that gave only known children is tried again, per child wanted. Small spaces run out
/// of new children; then a generation has fewer of them.
pub(super) const TRIES_PER_CHILD: usize = 100;

/// One in so many evaluated children was not screened, so that a wrong predictor cannot blind a search.
const BLIND_PART: usize = 4;

impl<G: Clone + Eq + Hash + Send + Sync> State<G> {
    /// Up to `settings.population` children that differ from each other and from the population: the first
    /// bred, or, if the problem predicts, some of these and the most promising of `settings.screen` times
    /// as many.
    pub(super) fn children<P: Problem<Genome = G>>(
        &self,
        problem: &P,
        settings: &Settings,
        stream: &mut Stream,
    ) -> Result<Vec<G>> {
        let wanted = settings.population;
        let mut brood = Brood::new(self.population().collect());
        brood.breed(problem, wanted, wanted.saturating_mul(TRIES_PER_CHILD), stream, |_| true);
        // A problem without predictions gets the children, and leaves the stream, as if nobody had asked.
        if settings.screen == 1 || brood.children.iter().all(|child| problem.predict(child).is_none()) {
            return Ok(brood.children);
        }
        let new = |child: &G| !self.is_known(child);
        let count = wanted.saturating_mul(settings.screen);
        let tries = wanted.saturating_mul(TRIES_PER_CHILD.max(settings.screen));
        brood.breed(problem, count, tries, stream, new);
        let (mut new, known): (Vec<G>, Vec<G>) = brood.children.into_iter().partition(new);
        let blind = wanted.div_ceil(BLIND_PART).min(new.len());
        let screened = promising(problem, new.split_off(blind), wanted - blind)?;
        new.extend(screened);
        // Where new children run out, known ones may come back: they cost no evaluation.
        let room = wanted - new.len();
        new.extend(known.into_iter().take(room));
        Ok(new)
    }
}

/// The `wanted` genomes with the best predictions, those of which nothing is predicted last.
fn promising<P: Problem>(problem: &P, genomes: Vec<P::Genome>, wanted: usize) -> Result<Vec<P::Genome>> {
    let (mut predicted, mut predictions, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for genome in genomes {
        match problem.predict(&genome) {
            Some(prediction) => {
                predicted.push(genome);
                predictions.push(prediction);
            }
            None => rest.push(genome),
        }
    }
    if predictions.windows(2).any(|pair| pair[0].objectives().len() != pair[1].objectives().len()) {
        let reason = "the search's problem must predict as many objectives for every genome";
        return Err(Error::Mismatch(reason.to_owned()));
    }
    let chosen = best(&predictions.iter().collect::<Vec<_>>(), wanted);
    let chosen = chosen.into_iter().map(|i| predicted[i].clone());
    Ok(chosen.chain(rest).take(wanted).collect())
}

/// Children of a population, in the order of birth.
struct Brood<'a, G> {
    members: Vec<&'a Point<G>>,
    tournament: Tournament,
    seen: HashSet<G>,
    children: Vec<G>,
}

impl<'a, G: Clone + Eq + Hash> Brood<'a, G> {
    fn new(members: Vec<&'a Point<G>>) -> Self {
        let tournament = Tournament::new(&members.iter().map(|p| &p.evaluation).collect::<Vec<_>>());
        let seen = members.iter().map(|p| p.genome.clone()).collect();
        Brood { members, tournament, seen, children: Vec::new() }
    }

    /// Breeds, in at most `tries` matings, until there are `count` children that `counts`. All children
    /// differ from each other and from the population.
    fn breed<P: Problem<Genome = G>>(
        &mut self,
        problem: &P,
        count: usize,
        tries: usize,
        stream: &mut Stream,
        counts: impl Fn(&G) -> bool,
    ) {
        let mut counted = self.children.iter().filter(|&child| counts(child)).count();
        for _ in 0..tries {
            if counted >= count {
                return;
            }
            let (a, b) = (self.tournament.winner(stream), self.tournament.winner(stream));
            let (a, b) = (&self.members[a].genome, &self.members[b].genome);
            let (mut c, mut d) = problem.crossover(a, b, stream);
            problem.mutate(&mut c, stream);
            problem.mutate(&mut d, stream);
            for child in [c, d] {
                if counted < count && self.seen.insert(child.clone()) {
                    counted += usize::from(counts(&child));
                    self.children.push(child);
                }
            }
        }
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
