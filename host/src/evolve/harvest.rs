//! From bred circuits and classical designs to a library worth choosing from.

use super::asked::Common;
use super::goal::builtin;
use super::population::Population;
use crate::multiplier::cost::Cost;
use crate::multiplier::{
    Design, Family, Library, Netlist, NetlistFile, NetlistRecord, Statistics, Ties, name_prefix,
    non_dominated,
};
use rayon::prelude::*;
use std::collections::HashSet;

/// Share of the exact multiplier's power below which hardly more than wires is left.
const LEAST_POWER: f64 = 0.01;

/// A circuit that may become part of a library.
struct Candidate {
    name: Name,
    /// Whether it is kept whatever beats it.
    always: bool,
    family: Family,
    provenance: String,
    netlist: Netlist,
    statistics: Statistics,
    power_uw: f64,
}

/// What a candidate is called.
#[derive(Clone)]
enum Name {
    Systematic(String),
    /// The letter for what was bounded; the rest of the name is the power relative to the exact one's.
    Bred(char),
}

impl Candidate {
    fn new(name: Name, family: Family, from: &str, netlist: &Netlist) -> Candidate {
        let simulation = netlist.simulate();
        Candidate {
            name,
            always: false,
            family,
            provenance: from.into(),
            statistics: Statistics::of(&simulation.table),
            power_uw: Cost::of(netlist, &simulation.activity).power_uw,
            netlist: netlist.clone(),
        }
    }
}

/// What made the circuits of a population.
pub struct Origin {
    /// The command that bred it.
    pub command: String,
    /// The bred circuits it was begun with, which may not have been bettered.
    pub earlier: Vec<Earlier>,
}

/// A circuit bred before.
pub struct Earlier {
    /// The circuit.
    pub netlist: Netlist,
    /// The letter in its name for what was bounded.
    pub letter: char,
    /// What made it.
    pub provenance: String,
}

/// The library of `population`'s circuits and of the classical `designs`.
///
/// Kept are the cheapest exact multiplier, which is the reference; every circuit that no other beats in power
/// and in its MAE, or its WCE, or its MAE among those that keep zeros; and, whatever beats them, the classical
/// designs of [`Design::landmarks`]: landmarks, and with the low-bit ones among them the rivals that any
/// approximate multiplier has to beat. Of goals that are not the built-in library's every answer is kept too, and
/// what all of them ask for, such as zeros kept, is asked of all but the landmarks.
pub fn harvest(population: &Population, designs: &[Design], signed: bool, origin: &Origin) -> NetlistFile {
    let bred = population.goals.iter().zip(&population.members).collect::<Vec<_>>();
    let own_goals = population.goals != builtin();
    let bred = bred.par_iter().map(|(goal, member)| {
        let letter = goal.metric.letter(goal.bounds.zero_preserving);
        let candidate = Candidate::new(Name::Bred(letter), Family::Evolved, &origin.command, &member.netlist);
        Candidate { always: own_goals, ..candidate }
    });
    let earlier = origin.earlier.par_iter().map(|earlier| {
        let name = Name::Bred(earlier.letter);
        Candidate::new(name, Family::Evolved, &earlier.provenance, &earlier.netlist)
    });
    let landmarks = Design::landmarks();
    let unchanged: HashSet<String> =
        population.members.iter().map(|member| member.netlist.to_text()).collect();
    let classical = designs.par_iter().map(|design| {
        let (name, netlist) = (Name::Systematic(design.name(signed)), design.netlist(signed));
        let candidate = Candidate::new(name, design.family(), &design.provenance(), &netlist);
        let answers = own_goals && unchanged.contains(&netlist.to_text());
        Candidate { always: answers || landmarks.contains(design), ..candidate }
    });
    let common = Common::of(&population.goals);
    let asked = |candidate: &Candidate| candidate.always || common.is_kept(&candidate.statistics);
    // In this order: what was not bettered keeps its name and origin.
    let mut candidates: Vec<Candidate> = classical.chain(earlier).chain(bred).filter(asked).collect();

    let exact = candidates.iter().enumerate().filter(|(_, c)| c.statistics.is_exact());
    let exact = exact.min_by(|x, y| x.1.power_uw.total_cmp(&y.1.power_uw)).map(|(index, _)| index);
    let exact_uw = exact.map_or(f64::NAN, |index| candidates[index].power_uw);
    if let Some(index) = exact {
        candidates[index].family = Family::Exact;
        // A library of one's own can be joined with the built-in one if what has a name in both is the same.
        if !own_goals || is_builtin_exact(&candidates[index], signed) {
            candidates[index].name = Name::Systematic(format!("{}exact", name_prefix(signed)));
        }
    }

    let unbeaten = unbeaten(&candidates);
    let kept = candidates.iter().enumerate().filter(|&(index, candidate)| {
        let enough = candidate.power_uw > exact_uw * LEAST_POWER && unbeaten.contains(&index);
        Some(index) == exact || !candidate.statistics.is_exact() && (candidate.always || enough)
    });
    let mut kept: Vec<&Candidate> = kept.map(|(_, candidate)| candidate).collect();
    kept.sort_by(|x, y| y.power_uw.total_cmp(&x.power_uw));

    let mut names: HashSet<String> = HashSet::new();
    let mut circuits: HashSet<String> = HashSet::new();
    let mut records = Vec::new();
    for candidate in kept {
        let gates = candidate.netlist.to_text();
        // Neighbouring goals may have the same circuit.
        if !circuits.insert(gates.clone()) {
            continue;
        }
        let power_rel = candidate.power_uw / exact_uw;
        let name = match &candidate.name {
            Name::Systematic(name) => name.clone(),
            Name::Bred(letter) => bred_name(*letter, power_rel, signed, &mut names),
        };
        records.push(NetlistRecord {
            name,
            family: candidate.family,
            provenance: candidate.provenance.clone(),
            power_rel: rounded(power_rel),
            mae_pct: rounded(candidate.statistics.mae_pct),
            wce_pct: rounded(candidate.statistics.wce_pct),
            gates,
        });
    }
    NetlistFile { signed, records }
}

/// Whether the candidate is what the built-in library has for its exact multiplier.
fn is_builtin_exact(candidate: &Candidate, signed: bool) -> bool {
    let library = Library::builtin(signed);
    let netlist = library.exact().netlist.as_ref();
    netlist
        .is_some_and(|netlist| Cost::of(netlist, &netlist.simulate().activity).power_uw == candidate.power_uw)
}

/// Positions of those that no other candidate beats in power and MAE, or power and WCE, or, where both keep
/// zeros, power and MAE. Of those alike all are there: the same circuit is left out later, another may suit a
/// network better.
fn unbeaten(candidates: &[Candidate]) -> HashSet<usize> {
    let all = || 0..candidates.len();
    let mae = |&index: &usize| [candidates[index].power_uw, candidates[index].statistics.mae_pct];
    let wce = |&index: &usize| [candidates[index].power_uw, candidates[index].statistics.wce_pct];
    let keeps_zeros = |&index: &usize| candidates[index].statistics.zero_preserving;
    let mut unbeaten: HashSet<usize> = non_dominated(all(), mae, Ties::All).into_iter().collect();
    unbeaten.extend(non_dominated(all(), wce, Ties::All));
    unbeaten.extend(non_dominated(all().filter(keeps_zeros), mae, Ties::All));
    unbeaten
}

/// Such as `mul8u_m706`: the letter for what was bounded, the power in thousandths of the exact one's. Two of
/// the same power are told apart by a number.
fn bred_name(letter: char, power_rel: f64, signed: bool, names: &mut HashSet<String>) -> String {
    let short = format!("{}{letter}{:03.0}", name_prefix(signed), power_rel * 1000.0);
    let name = |n: u32| if n == 1 { short.clone() } else { format!("{short}_{n}") };
    let name = (1..).map(name).find(|name| !names.contains(name)).unwrap_or_default();
    names.insert(name.clone());
    name
}

/// To five significant digits: for people to read.
fn rounded(figure: f64) -> f64 {
    format!("{figure:.4e}").parse().unwrap_or(figure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::{Bounds, Goal, Metric};

    #[test]
    fn designs_that_nothing_bettered_keep_their_names_and_every_answer_is_there() {
        let designs = Design::classical();
        for signed in [false, true] {
            let seeds: Vec<Netlist> = designs.iter().map(|design| design.netlist(signed)).collect();
            // A bias that few keep to, and bounds that next to nothing keeps.
            let bounds = Bounds { bias: Some(2.0), ..Bounds::default() };
            let goals = [0.1, 20.0, 90.0].map(|pct| Metric::Wce.at_most(pct, bounds));
            let goals: Vec<Goal> =
                goals.into_iter().map(|bounds| Goal { metric: Metric::Wce, bounds }).collect();
            let population = Population::new(signed, goals, &seeds, None, 1).unwrap();
            let origin = Origin { command: "a test".into(), earlier: Vec::new() };
            let library = harvest(&population, &designs, signed, &origin);
            assert!(library.records.iter().all(|record| record.family != Family::Evolved));
            let multipliers = library.multipliers(std::path::Path::new("a test")).unwrap();
            for (member, answer) in population.members.iter().zip(population.answers(&multipliers)) {
                assert_eq!(**answer.unwrap().netlist.as_ref().unwrap(), member.netlist);
            }
        }
    }
}
