//! `skimp multipliers list`: a library as a table.

mod in_layer;
mod rows;

use crate::cli::common::{self, HowArgs, SourceArgs};
use crate::error::{Error, Result};
use crate::multiplier::{Family, Multiplier, Ties, mixed_cost_caveat, non_dominated};
use clap::ValueEnum;
use in_layer::InLayer;
use rows::Row;
use std::path::PathBuf;

/// List a library with errors and costs.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The signed half of the built-in library.
    #[arg(long)]
    signed: bool,
    /// Only multipliers of this family, such as broken-array or error-balanced-truncation.
    #[arg(long, value_name = "FAMILY")]
    family: Option<String>,
    /// Only those that are known to be no slower than this, relative to the exact multiplier's delay.
    #[arg(long, value_name = "RATIO", allow_negative_numbers = true)]
    max_delay_rel: Option<f64>,
    /// Only those that no other one listed beats in power without being worse in this error.
    #[arg(long, value_name = "ERROR")]
    front: Option<Measure>,
    /// What to sort by: power from the largest down, errors from the smallest up.
    #[arg(long, default_value = "power", value_name = "FIGURE")]
    sort: Key,
    /// Also show the noise in a layer of this network: one of the zoo (fashion-cnn, digits-cnn, resnet8), or an ONNX or
    /// TensorFlow Lite file.
    #[arg(long, value_name = "MODEL", requires = "layer", conflicts_with = "distribution")]
    network: Option<String>,
    /// That layer, by its name or its number from 0.
    #[arg(long, value_name = "LAYER", requires = "network")]
    layer: Option<String>,
    /// In place of a network's layer: how often each operand occurs, in JSON with "activation" and "weight", 256
    /// counts each (see `show --write-distribution`).
    #[arg(long, value_name = "FILE")]
    distribution: Option<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

/// An error that a front is drawn for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Measure {
    /// Mean absolute error.
    Mae,
    /// Worst-case error.
    Wce,
    /// Mean relative error.
    Mre,
    /// Noise in the layer of --layer, or on the operands of --distribution.
    Noise,
}

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Key {
    /// Relative power.
    Power,
    /// Mean absolute error.
    Mae,
    /// Worst-case error.
    Wce,
    /// Mean relative error.
    Mre,
    /// Noise in the layer of --layer, or on the operands of --distribution.
    Noise,
    /// Name.
    Name,
}

impl Measure {
    fn of(self, entry: &Entry) -> f64 {
        let statistics = &entry.multiplier.statistics;
        match self {
            Measure::Mae => statistics.mae_pct,
            Measure::Wce => statistics.wce_pct,
            Measure::Mre => statistics.mre_pct,
            Measure::Noise => entry.layer.map_or(f64::INFINITY, |layer| layer.noise_pct),
        }
    }
}

/// A multiplier to list.
struct Entry<'m> {
    multiplier: &'m Multiplier,
    layer: Option<InLayer>,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let library = args.source.library(args.signed)?;
    let seen = in_layer::seen(&args, library.is_signed())?;
    if seen.is_none() && matches!((args.sort, args.front), (Key::Noise, _) | (_, Some(Measure::Noise))) {
        let reason = "noise is that of a layer: give --network and --layer, or --distribution";
        return Err(Error::Argument(reason.into()));
    }
    let mut multipliers: Vec<&Multiplier> = library.multipliers().iter().collect();
    if let Some(family) = &args.family {
        multipliers = of_family(multipliers, family)?;
    }
    if let Some(most) = args.max_delay_rel {
        multipliers = no_slower(multipliers, most)?;
    }
    let caveat = mixed_cost_caveat(multipliers.iter().copied());
    if let Some(caveat) = &caveat {
        eprintln!("  mind: {caveat}");
    }
    let entry = |multiplier| {
        let layer = seen.as_ref().map(|seen| InLayer::of(multiplier, seen)).transpose()?;
        Ok(Entry { multiplier, layer })
    };
    let mut listed: Vec<Entry> = multipliers.into_iter().map(entry).collect::<Result<_>>()?;
    if let Some(measure) = args.front {
        listed = front(listed, measure);
    }
    sort(&mut listed, args.sort);
    let rows: Vec<Row> = listed.into_iter().map(|entry| Row::of(entry, caveat.is_none())).collect();
    if args.json {
        return common::print_json(&rows);
    }
    common::print(format_args!("{}", rows::table(&rows)))
}

fn of_family<'m>(multipliers: Vec<&'m Multiplier>, family: &str) -> Result<Vec<&'m Multiplier>> {
    let wanted: Option<Family> = family.parse().ok();
    let mut families: Vec<Family> = multipliers.iter().map(|m| m.family).collect();
    families.sort();
    families.dedup();
    if !families.iter().any(|&family| Some(family) == wanted) {
        let families: Vec<&str> = families.iter().map(|family| family.word()).collect();
        return Err(Error::Argument(format!(
            "no multiplier of the library is of family \"{family}\"; its families: {}",
            families.join(", ")
        )));
    }
    Ok(multipliers.into_iter().filter(|m| Some(m.family) == wanted).collect())
}

fn no_slower(multipliers: Vec<&Multiplier>, most: f64) -> Result<Vec<&Multiplier>> {
    let fastest = multipliers.iter().filter_map(|m| m.delay_rel).min_by(f64::total_cmp);
    let kept: Vec<&Multiplier> =
        multipliers.into_iter().filter(|m| m.delay_rel.is_some_and(|delay| delay <= most)).collect();
    if kept.is_empty() {
        let fastest =
            fastest.map_or("no delay is known".to_owned(), |delay| format!("the least is {delay:.4}"));
        return Err(Error::Argument(format!(
            "--max-delay-rel {most}: no multiplier has such a delay; {fastest}"
        )));
    }
    Ok(kept)
}

/// Those that no other one beats: with less power or error, and not more of the other.
fn front(entries: Vec<Entry>, measure: Measure) -> Vec<Entry> {
    non_dominated(entries, |entry| [entry.multiplier.power_rel, measure.of(entry)], Ties::All)
}

fn sort(entries: &mut [Entry], key: Key) {
    let measure = match key {
        // As the library has them.
        Key::Power => return,
        Key::Name => return entries.sort_by(|x, y| x.multiplier.name.cmp(&y.multiplier.name)),
        Key::Mae => Measure::Mae,
        Key::Wce => Measure::Wce,
        Key::Mre => Measure::Mre,
        Key::Noise => Measure::Noise,
    };
    // Stable: of equals, the library's order by falling power stays.
    entries.sort_by(|x, y| measure.of(x).total_cmp(&measure.of(y)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;
    use crate::multiplier::testing::multiplier;

    /// One that ignores bits of the activation.
    fn masked(name: &str, power_rel: f64, mask: i32) -> Multiplier {
        multiplier(name, power_rel, TruthTable::from_fn(false, |a, w| (a & mask) * w).unwrap())
    }

    fn names(entries: &[Entry]) -> String {
        entries.iter().map(|entry| &*entry.multiplier.name).collect()
    }

    fn entries(multipliers: &[Multiplier]) -> Vec<Entry<'_>> {
        multipliers.iter().map(|multiplier| Entry { multiplier, layer: None }).collect()
    }

    #[test]
    fn a_front_leaves_out_what_another_beats() {
        let all = [
            masked("a", 1.0, 255),
            masked("b", 0.9, 254),
            // As wrong as b for more power; more wrong than b for the same power.
            masked("c", 0.95, 254),
            masked("d", 0.9, 252),
            // Twins are both left.
            masked("e", 0.5, 240),
            masked("f", 0.5, 240),
        ];
        for measure in [Measure::Mae, Measure::Wce, Measure::Mre] {
            assert_eq!(names(&front(entries(&all), measure)), "abef");
        }
    }

    #[test]
    fn equals_keep_their_order_when_sorted() {
        let all = [masked("z", 1.0, 240), masked("y", 0.9, 255), masked("x", 0.5, 240)];
        let mut listed = entries(&all);
        sort(&mut listed, Key::Mae);
        assert_eq!(names(&listed), "yzx");
        sort(&mut listed, Key::Name);
        assert_eq!(names(&listed), "xyz");
    }
}
