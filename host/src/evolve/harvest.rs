//! From bred circuits and classical designs to a library worth choosing from.

use super::goal::Goal;
use super::population::Population;
use crate::multiplier::cost::Cost;
use crate::multiplier::{Design, Family, Netlist, NetlistFile, NetlistRecord, Statistics, name_prefix};
use rayon::prelude::*;
use std::collections::HashSet;

/// A circuit that may become part of a library.
struct Candidate {
    /// Its name; bred ones get theirs when the exact power is known.
    name: Option<String>,
    goal: Option<Goal>,
    /// Whether it is kept whatever beats it.
    landmark: bool,
    family: Family,
    provenance: String,
    netlist: Netlist,
    statistics: Statistics,
    power_uw: f64,
}

impl Candidate {
    fn new(
        name: Option<String>,
        goal: Option<Goal>,
        family: Family,
        from: &str,
        netlist: Netlist,
    ) -> Candidate {
        let simulation = netlist.simulate();
        Candidate {
            name,
            goal,
            landmark: false,
            family,
            provenance: from.into(),
            statistics: Statistics::of(&simulation.table),
            power_uw: Cost::of(&netlist, &simulation.activity).power_uw,
            netlist,
        }
    }
}

/// The library of `population`'s circuits and of the classical `designs`, made by `command`.
///
/// Kept are the cheapest exact multiplier, which is the reference; every circuit that no other beats in power
/// and in its MAE, or its WCE, or its MAE among those that keep zeros; every one bred for a layer; and, whatever
/// beats them, the classical designs of [`Design::landmarks`]: landmarks, and with the low-bit ones among them
/// the rivals that any approximate multiplier has to beat.
pub fn harvest(population: &Population, designs: &[Design], signed: bool, command: &str) -> NetlistFile {
    let bred = population.goals.iter().zip(&population.members).collect::<Vec<_>>();
    let bred = bred.par_iter().map(|(goal, member)| {
        Candidate::new(None, Some(**goal), Family::Evolved, command, member.netlist.clone())
    });
    let landmarks = Design::landmarks();
    let classical = designs.par_iter().map(|design| {
        let from = format!("{} design, see the documentation of its family", design.family());
        let name = Some(design.name(signed));
        let candidate = Candidate::new(name, None, design.family(), &from, design.netlist(signed));
        Candidate { landmark: landmarks.contains(design), ..candidate }
    });
    let mut candidates: Vec<Candidate> = bred.chain(classical).collect();

    let exact = candidates.iter().enumerate().filter(|(_, c)| c.statistics.is_exact());
    let exact = exact.min_by(|x, y| x.1.power_uw.total_cmp(&y.1.power_uw)).map(|(index, _)| index);
    let exact_uw = exact.map_or(f64::NAN, |index| candidates[index].power_uw);
    if let Some(index) = exact {
        candidates[index].name = Some(format!("{}exact", name_prefix(signed)));
        candidates[index].family = Family::Exact;
    }

    let kept: Vec<bool> = candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| {
            Some(index) == exact
                || !candidate.statistics.is_exact()
                    && (candidate.landmark
                        || candidate.goal.is_some_and(|goal| goal.bounds.noise_pct.is_some())
                        || unbeaten(candidate, &candidates, |c| Some(c.statistics.mae_pct))
                        || unbeaten(candidate, &candidates, |c| Some(c.statistics.wce_pct))
                        || unbeaten(candidate, &candidates, |c| {
                            c.statistics.zero_preserving.then_some(c.statistics.mae_pct)
                        }))
        })
        .collect();
    let mut kept: Vec<&Candidate> =
        candidates.iter().zip(kept).filter_map(|(candidate, kept)| kept.then_some(candidate)).collect();
    kept.sort_by(|x, y| y.power_uw.total_cmp(&x.power_uw));

    let mut names: HashSet<String> = kept.iter().filter_map(|candidate| candidate.name.clone()).collect();
    let mut circuits: HashSet<String> = HashSet::new();
    let mut records = Vec::new();
    for candidate in kept {
        let gates = candidate.netlist.to_text();
        // Neighbouring goals may have the same circuit.
        if !circuits.insert(gates.clone()) {
            continue;
        }
        let power_rel = candidate.power_uw / exact_uw;
        let name =
            candidate.name.clone().unwrap_or_else(|| bred_name(candidate, power_rel, signed, &mut names));
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

/// Whether no other candidate has at most the power and the error of `candidate`, and less of one.
fn unbeaten(
    candidate: &Candidate,
    candidates: &[Candidate],
    error: impl Fn(&Candidate) -> Option<f64>,
) -> bool {
    let Some(own) = error(candidate) else { return false };
    !candidates.iter().any(|other| {
        error(other).is_some_and(|error| {
            other.power_uw <= candidate.power_uw
                && error <= own
                && (other.power_uw < candidate.power_uw || error < own)
        })
    })
}

/// Such as `mul8u_m706`: the letter of what was bounded, the power in thousandths of the exact one.
fn bred_name(candidate: &Candidate, power_rel: f64, signed: bool, names: &mut HashSet<String>) -> String {
    let letter = candidate.goal.map_or('e', |goal| goal.metric.letter(goal.bounds.zero_preserving));
    let short = format!("{}{letter}{:03.0}", name_prefix(signed), power_rel * 1000.0);
    let suffixes = std::iter::once(String::new()).chain((2..).map(|n| format!("_{n}")));
    let name = suffixes.map(|suffix| format!("{short}{suffix}")).find(|name| !names.contains(name));
    let name = name.unwrap_or(short);
    names.insert(name.clone());
    name
}

/// To five significant digits: for people to read.
fn rounded(figure: f64) -> f64 {
    format!("{figure:.4e}").parse().unwrap_or(figure)
}
