//! How a generation gets its children: binary tournaments, recombination and mutation.

use super::nsga2::State;
use super::problem::{Evaluation, Point, Problem, Stream};
use super::sort::{crowding_distances, fronts};
use rand::RngExt;
use rand::seq::SliceRandom;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::Hash;

/// How often a mating that gave only known children is tried again, per child wanted. Small spaces run out
/// of new children; then a generation has fewer of them.
pub(super) const TRIES_PER_CHILD: usize = 100;

impl<G: Clone + Eq + Hash + Send + Sync> State<G> {
    /// Up to `wanted` children that differ from each other and from the population.
    pub(super) fn children<P: Problem<Genome = G>>(
        &self,
        problem: &P,
        wanted: usize,
        stream: &mut Stream,
    ) -> Vec<G> {
        let members: Vec<&Point<G>> = self.population().collect();
        let mut tournament = Tournament::new(&members.iter().map(|p| &p.evaluation).collect::<Vec<_>>());
        let parent = |member: usize| &members[member].genome;
        let mut seen: HashSet<G> = members.iter().map(|p| p.genome.clone()).collect();
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
