//! What an evolution came to: what answers its goals.

use super::goals::name;
use crate::evolve::{Common, Goal, Outcomes, Population};
use crate::multiplier::{Distribution, Multiplier};
use crate::report::{Align, text_table};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

#[derive(Serialize)]
pub(super) struct Report<'a> {
    out: &'a Path,
    checkpoint: &'a Path,
    /// The command that leads to the same library.
    command: &'a str,
    signed: bool,
    epochs: u64,
    /// Of this run.
    candidates: u64,
    /// Those of them that were simulated on all operand pairs.
    simulated: u64,
    seconds: f64,
    goals: Vec<Answer<'a>>,
    /// Every multiplier of the library.
    multipliers: Vec<Written<'a>>,
    #[serde(skip)]
    common: Common,
}

/// A goal, and the cheapest of the library within its bounds.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    goal: Goal,
    name: Option<&'a str>,
    power_rel: Option<f64>,
    delay_rel: Option<f64>,
    /// The error that the goal's metric says, in percent of 65,536.
    error_pct: Option<f64>,
}

#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    /// Whether it keeps zeros, and its bias within its bound, if all goals ask for that.
    keeps_common_bounds: bool,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        (out, checkpoint): (&'a Path, &'a Path),
        command: &'a str,
        population: &Population,
        multipliers: &'a [Multiplier],
        distribution: Option<&Distribution>,
        (outcomes, time): (&Outcomes, Duration),
    ) -> Report<'a> {
        let answers = population.answers(multipliers);
        let answer = |(&goal, answer): (&Goal, Option<&'a Multiplier>)| Answer {
            goal,
            name: answer.map(|m| &*m.name),
            power_rel: answer.map(|m| m.power_rel),
            delay_rel: answer.and_then(|m| m.delay_rel),
            error_pct: answer.map(|m| goal.error_pct(m, distribution)),
        };
        let common = Common::of(&population.goals);
        let written =
            |m: &'a Multiplier| Written { name: &m.name, keeps_common_bounds: common.is_kept(&m.statistics) };
        Report {
            out,
            checkpoint,
            command,
            signed: multipliers.first().is_some_and(|m| m.table.is_signed()),
            epochs: population.epochs,
            candidates: outcomes.candidates,
            simulated: outcomes.complete,
            seconds: time.as_secs_f64(),
            goals: population.goals.iter().zip(answers).map(answer).collect(),
            multipliers: multipliers.iter().map(written).collect(),
            common,
        }
    }

    /// For people to read: a line a goal, then what was written.
    pub(super) fn text(&self) -> String {
        let columns = [
            ("goal", Align::Left),
            ("multiplier", Align::Left),
            ("power rel", Align::Right),
            ("delay rel", Align::Right),
            ("error %", Align::Right),
        ];
        let figure = |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.4}"));
        let row = |answer: &Answer| {
            vec![
                words(&answer.goal),
                answer.name.unwrap_or("none").to_owned(),
                figure(answer.power_rel),
                figure(answer.delay_rel),
                figure(answer.error_pct),
            ]
        };
        let met = self.goals.iter().filter(|answer| answer.name.is_some()).count();
        format!(
            "{}{met} of {} goals met\n{}{} multipliers in {}; {} candidates in {:.0} s, {} simulated on all pairs\n",
            text_table(&columns, &self.goals.iter().map(row).collect::<Vec<_>>()),
            self.goals.len(),
            self.keeping(),
            self.multipliers.len(),
            self.out.display(),
            self.candidates,
            self.seconds,
            self.simulated,
        )
    }

    /// Which multipliers keep to what all goals ask for; nothing if they ask for nothing.
    fn keeping(&self) -> String {
        if !self.common.is_any() {
            return String::new();
        }
        let zeros = self.common.zero_preserving.then(|| "zeros".to_owned());
        let bias = self.common.bias.map(|bias| format!("a mean error of at most {bias}"));
        let asked: Vec<String> = zeros.into_iter().chain(bias).collect();
        let keep: Vec<&str> =
            self.multipliers.iter().filter(|m| m.keeps_common_bounds).map(|m| m.name).collect();
        let which = match keep.len() == self.multipliers.len() {
            true => "all written".to_owned(),
            false => format!(
                "{} of the {} written, the others being landmarks: {}",
                keep.len(),
                self.multipliers.len(),
                keep.join(", ")
            ),
        };
        format!("keeping {}: {which}\n", asked.join(" and "))
    }
}

/// Such as `mae <= 0.5 %, zeros kept`.
fn words(goal: &Goal) -> String {
    let mut words = format!("{} <= {} %", name(goal.metric), goal.bound_pct());
    if goal.bounds.zero_preserving {
        words += ", zeros kept";
    }
    if let Some(bias) = goal.bounds.bias {
        words += &format!(", bias <= {bias}");
    }
    words
}
