//! One circuit for each goal, bred in epochs between which good ones move to other goals.

use super::climb::{Climb, Outcomes};
use super::genome::Genome;
use super::goal::Goal;
use super::objective::Objective;
use crate::error::{Error, Result};
use crate::kernels::Isa;
use crate::multiplier::{Distribution, Netlist};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Gates that nothing needs yet, for every gate of a circuit.
const SPARE_SHARE: f64 = 0.3;

/// How much more power than the best's is allowed at the beginning of an epoch; nothing at its end. Drawn
/// anew for every climb: which is best differs between goals and with what they have reached.
const SLACKS: [f64; 4] = [0.0, 0.01, 0.03, 0.06];

/// In how many of a hundred climbs the circuit of another goal is begun with.
const FOREIGN_PCT: u32 = 30;

/// A circuit within a goal's bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The circuit.
    pub netlist: Netlist,
    /// Its power in uW, as of the cost model.
    pub power_uw: f64,
}

/// The cheapest circuit so far for each goal.
pub struct Population {
    /// The goals.
    pub goals: Vec<Goal>,
    /// The circuits, one a goal.
    pub members: Vec<Member>,
    /// Epochs so far.
    pub epochs: u64,
    pub(super) objectives: Vec<Objective>,
    seed: u64,
    pub(super) isa: Isa,
}

impl Population {
    /// Begins each goal at the cheapest of `seeds` within its bounds. `distribution` is that of bounds on
    /// the noise.
    ///
    /// Fails if a goal makes no sense or no seed keeps to its bounds; an exact multiplier keeps to all.
    pub fn new(
        signed: bool,
        goals: Vec<Goal>,
        seeds: &[Netlist],
        distribution: Option<&Distribution>,
        seed: u64,
    ) -> Result<Population> {
        let objective = |goal: &Goal| Objective::new(signed, goal.bounds, distribution);
        let objectives: Vec<Objective> = goals.iter().map(objective).collect::<Result<_>>()?;
        let isa = Isa::best();
        let members = objectives.par_iter().map(|objective| {
            let admitted = seeds.iter().filter_map(|seed| admit(objective, seed, isa));
            let cheapest = admitted.min_by(|x, y| x.power_uw.total_cmp(&y.power_uw));
            cheapest.ok_or_else(|| Error::Argument("no circuit to begin with is within the bounds".into()))
        });
        let members = members.collect::<Result<_>>()?;
        Ok(Population { goals, members, epochs: 0, objectives, seed, isa })
    }

    /// Goes on from where a population had come to: `members` after `epochs` epochs.
    ///
    /// Fails if a member is not within its goal's bounds.
    pub fn resume(mut self, members: Vec<Netlist>, epochs: u64) -> Result<Population> {
        let members =
            self.objectives.iter().zip(&members).enumerate().map(|(index, (objective, netlist))| {
                admit(objective, netlist, self.isa).ok_or_else(|| {
                    Error::Argument(format!("circuit {index} is not within its goal's bounds"))
                })
            });
        self.members = members.collect::<Result<_>>()?;
        self.epochs = epochs;
        Ok(self)
    }

    /// Breeds every goal's circuit for `candidates` candidates, then lets circuits move to goals whose bounds
    /// they keep to more cheaply. `tick` is called after each goal, from any thread.
    ///
    /// The result depends on the seed and the epoch's number alone, not on the number of threads.
    pub fn epoch(&mut self, candidates: u64, tick: &(dyn Fn() + Sync)) -> Outcomes {
        let bred: Vec<(Member, Outcomes)> = (0..self.goals.len())
            .into_par_iter()
            .with_max_len(1)
            .map(|index| {
                let mut random = ChaCha8Rng::seed_from_u64(self.seed);
                random.set_stream(self.epochs * self.goals.len() as u64 + index as u64);
                let bred = self.breed(index, candidates, &mut random);
                tick();
                bred
            })
            .collect();
        let mut outcomes = Outcomes::default();
        for (member, (bred, bred_outcomes)) in self.members.iter_mut().zip(bred) {
            if bred.power_uw <= member.power_uw {
                *member = bred;
            }
            outcomes.add(&bred_outcomes);
        }
        self.migrate();
        self.epochs += 1;
        outcomes
    }

    /// The best circuit of a climb.
    fn breed(&self, index: usize, candidates: u64, random: &mut impl Rng) -> (Member, Outcomes) {
        let objective = &self.objectives[index];
        let own = &self.members[index];
        let begin = |member: &Member, random: &mut _| {
            let spare = (member.netlist.gates().len() as f64 * SPARE_SHARE) as usize + 16;
            Climb::new(objective, Genome::new(&member.netlist, spare, random), self.isa)
        };
        let foreign = random.random_ratio(FOREIGN_PCT, 100).then(|| {
            // Of the next few goals up: such circuits have much in common with the own one.
            let power = |member: &Member| member.power_uw;
            let mut dearer: Vec<&Member> =
                self.members.iter().filter(|member| member.power_uw > own.power_uw).collect();
            dearer.sort_by(|x, y| power(x).total_cmp(&power(y)));
            dearer.truncate(6);
            (!dearer.is_empty()).then(|| dearer[random.random_range(0..dearer.len())])
        });
        let climb = foreign.flatten().and_then(|member| begin(member, random));
        let Some(mut climb) = climb.or_else(|| begin(own, random)) else {
            return (own.clone(), Outcomes::default());
        };
        let slack = SLACKS[random.random_range(0..SLACKS.len())];
        let mut best = Member { netlist: climb.genome().netlist(), power_uw: climb.power_uw() };
        for candidate in 0..candidates {
            let left = 1.0 - candidate as f64 / candidates as f64;
            climb.allow(best.power_uw * (1.0 + slack * left));
            climb.step(random);
            if climb.power_uw() < best.power_uw {
                best.power_uw = climb.power_uw();
                best.netlist = climb.genome().netlist();
            }
        }
        // Without wires and constants it may be cheaper than the climb thought.
        let folded = admit(objective, &best.netlist, self.isa);
        (folded.unwrap_or_else(|| own.clone()), climb.outcomes)
    }

    /// Gives every goal the cheapest member within its bounds.
    fn migrate(&mut self) {
        let moves: Vec<Option<Member>> = (0..self.goals.len())
            .into_par_iter()
            .map(|index| {
                let own = &self.members[index];
                let cheaper = self.members.iter().filter(|member| member.power_uw < own.power_uw);
                let mut cheaper: Vec<&Member> = cheaper.collect();
                cheaper.sort_by(|x, y| x.power_uw.total_cmp(&y.power_uw));
                cheaper.into_iter().find_map(|m| admit(&self.objectives[index], &m.netlist, self.isa))
            })
            .collect();
        for (member, better) in self.members.iter_mut().zip(moves) {
            if let Some(better) = better.filter(|better| better.power_uw < member.power_uw) {
                *member = better;
            }
        }
    }
}

/// `netlist` with its power if it keeps to the objective's bounds.
pub(super) fn admit(objective: &Objective, netlist: &Netlist, isa: Isa) -> Option<Member> {
    // No gate is drawn where none is spare.
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let climb = Climb::new(objective, Genome::new(netlist, 0, &mut random), isa)?;
    Some(Member { netlist: climb.genome().netlist(), power_uw: climb.power_uw() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::{Bounds, Checkpoint, Metric, Settings};
    use crate::multiplier::{Design, Statistics};

    fn goals() -> Vec<Goal> {
        let bounds = [0.02, 0.1, 0.5].map(|pct| Metric::Mae.at_most(pct, Bounds::default()));
        let mut goals: Vec<Goal> = bounds.map(|bounds| Goal { metric: Metric::Mae, bounds }).into();
        goals.push(Goal { metric: Metric::Wce, bounds: Metric::Wce.at_most(1.0, Bounds::default()) });
        goals
    }

    fn population() -> Population {
        let seeds = Design::landmarks().into_iter().map(|design| design.netlist(true)).collect::<Vec<_>>();
        Population::new(true, goals(), &seeds, None, 5).unwrap()
    }

    fn settings() -> Settings {
        Settings { signed: true, seed: 5, candidates: 400, layer: None, begin_with: None, operands: None }
    }

    #[test]
    fn neither_threads_nor_interruptions_change_what_is_bred() {
        let in_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut population = population();
                let outcomes = [population.epoch(400, &|| ()), population.epoch(400, &|| ())];
                (population.members, outcomes)
            })
        };
        let whole = in_threads(1);
        assert_eq!(in_threads(3), whole);

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let mut first = population();
        first.epoch(400, &|| ());
        Checkpoint::of(&first, &settings()).write(&path).unwrap();
        let checkpoint = Checkpoint::read(&path).unwrap();
        let mut second = checkpoint.restore(&path, population()).unwrap();
        assert_eq!((second.epochs, &second.members), (1, &first.members));
        second.epoch(400, &|| ());
        assert_eq!(second.members, whole.0);
    }

    #[test]
    fn every_member_is_within_its_bounds_and_none_could_serve_a_dearer_goal() {
        let mut population = population();
        let begin: f64 = population.members.iter().map(|member| member.power_uw).sum();
        population.epoch(1500, &|| ());
        let end: f64 = population.members.iter().map(|member| member.power_uw).sum();
        assert!(end < begin, "{end} {begin}");
        let keeps = |goal: &Goal, s: &Statistics| {
            goal.bounds.mae_pct.is_none_or(|pct| s.mae_pct <= pct)
                && goal.bounds.wce_pct.is_none_or(|pct| s.wce_pct <= pct)
        };
        let statistics: Vec<Statistics> =
            population.members.iter().map(|m| Statistics::of(&m.netlist.simulate().table)).collect();
        for (goal, member) in population.goals.iter().zip(&population.members) {
            for (other, s) in population.members.iter().zip(&statistics) {
                assert!(!keeps(goal, s) || other.power_uw >= member.power_uw, "{goal:?}");
            }
        }
        for (goal, s) in population.goals.iter().zip(&statistics) {
            assert!(keeps(goal, s), "{goal:?} {s:?}");
        }
    }

    #[test]
    fn damaged_checkpoints_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let mut checkpoint = Checkpoint::of(&population(), &settings());
        let refused = |checkpoint: &Checkpoint| {
            checkpoint.write(&path).unwrap();
            let read = Checkpoint::read(&path).and_then(|c| c.restore(&path, population()));
            read.err().expect("it is damaged").to_string()
        };
        // A circuit that errs too much for its goal.
        checkpoint.netlists[0] = checkpoint.netlists[2].clone();
        let message = refused(&checkpoint);
        assert!(message.contains("state.json") && message.contains("circuit 0"), "{message}");
        checkpoint.netlists[0] = "Aa0 > L".into();
        assert!(refused(&checkpoint).contains("reads two wires"));
        checkpoint.netlists.pop();
        assert!(refused(&checkpoint).contains("3 circuits for 4 goals"));
        std::fs::write(&path, "{}").unwrap();
        assert!(Checkpoint::read(&path).unwrap_err().to_string().contains("no checkpoint"));
    }
}
