//! `skimp multipliers list`: a library as a table.

use crate::cli::common;
use crate::error::{Error, Result};
use crate::multiplier::{CostSource, Multiplier, Statistics};
use crate::report::{Align, text_table};
use clap::ValueEnum;
use serde::Serialize;

/// List a library with errors and costs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The multipliers to choose from: builtin, a folder of tables with a costs.csv, a file of netlists
    /// (*.jsonl), or several of them with commas between.
    #[arg(long, default_value = "builtin", value_name = "SOURCE,...")]
    multipliers: String,
    /// The signed half of the built-in library.
    #[arg(long)]
    signed: bool,
    /// Only multipliers of this family, such as truncated.
    #[arg(long, value_name = "FAMILY")]
    family: Option<String>,
    /// Only those that no other one listed beats in power without being worse in this error.
    #[arg(long, value_name = "ERROR")]
    front: Option<Measure>,
    /// What to sort by: power from the largest down, errors from the smallest up.
    #[arg(long, default_value = "power", value_name = "FIGURE")]
    sort: Key,
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
    /// Name.
    Name,
}

impl Measure {
    fn of(self, statistics: &Statistics) -> f64 {
        match self {
            Measure::Mae => statistics.mae_pct,
            Measure::Wce => statistics.wce_pct,
            Measure::Mre => statistics.mre_pct,
        }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    signed: bool,
    family: String,
    power_rel: f64,
    area_rel: Option<f64>,
    delay_rel: Option<f64>,
    cost_source: CostSource,
    #[serde(flatten)]
    statistics: Statistics,
}

impl<'a> Row<'a> {
    fn of(m: &'a Multiplier) -> Row<'a> {
        Row {
            name: &m.name,
            signed: m.table.is_signed(),
            family: m.family.to_string(),
            power_rel: m.power_rel,
            area_rel: m.area_rel,
            delay_rel: m.delay_rel,
            cost_source: m.cost_source,
            statistics: m.statistics,
        }
    }
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let library = common::library(&args.multipliers, args.signed)?;
    let mut listed: Vec<&Multiplier> = library.multipliers().iter().collect();
    if let Some(family) = &args.family {
        listed = of_family(listed, family)?;
    }
    if let Some(measure) = args.front {
        listed = front(listed, measure);
    }
    sort(&mut listed, args.sort);
    let rows: Vec<Row> = listed.into_iter().map(Row::of).collect();
    if args.json {
        return common::print_json(&rows);
    }
    common::print(format_args!("{}", table(&rows)))
}

/// A family as it may be typed.
fn plain(family: &str) -> String {
    family.to_lowercase().replace([' ', '_'], "-")
}

fn of_family<'m>(multipliers: Vec<&'m Multiplier>, family: &str) -> Result<Vec<&'m Multiplier>> {
    let of = |m: &&Multiplier| plain(&m.family.to_string());
    let mut families: Vec<String> = multipliers.iter().map(of).collect();
    families.sort();
    families.dedup();
    if !families.contains(&plain(family)) {
        return Err(Error::Argument(format!(
            "no multiplier of the library is of family \"{family}\"; its families: {}",
            families.join(", ")
        )));
    }
    Ok(multipliers.into_iter().filter(|m| of(m) == plain(family)).collect())
}

/// Those that no other one beats: with less power or error, and not more of the other.
fn front(multipliers: Vec<&Multiplier>, measure: Measure) -> Vec<&Multiplier> {
    let figures = |m: &Multiplier| (m.power_rel, measure.of(&m.statistics));
    let beats = |x: &Multiplier, y: &Multiplier| {
        let ((power, error), (other_power, other_error)) = (figures(x), figures(y));
        power <= other_power && error <= other_error && (power < other_power || error < other_error)
    };
    multipliers.iter().copied().filter(|m| !multipliers.iter().any(|other| beats(other, m))).collect()
}

fn sort(multipliers: &mut [&Multiplier], key: Key) {
    let by = |measure: Measure| move |m: &Multiplier| measure.of(&m.statistics);
    let ascending = |multipliers: &mut [&Multiplier], figure: &dyn Fn(&Multiplier) -> f64| {
        // Stable: of equals, the library's order by falling power stays.
        multipliers.sort_by(|x, y| figure(x).total_cmp(&figure(y)));
    };
    match key {
        // As the library has them.
        Key::Power => {}
        Key::Mae => ascending(multipliers, &by(Measure::Mae)),
        Key::Wce => ascending(multipliers, &by(Measure::Wce)),
        Key::Mre => ascending(multipliers, &by(Measure::Mre)),
        Key::Name => multipliers.sort_by(|x, y| x.name.cmp(&y.name)),
    }
}

fn table(rows: &[Row]) -> String {
    let columns = [
        ("multiplier", Align::Left),
        ("family", Align::Left),
        ("power rel", Align::Right),
        ("area rel", Align::Right),
        ("delay rel", Align::Right),
        ("MAE %", Align::Right),
        ("WCE %", Align::Right),
        ("MRE %", Align::Right),
        ("EP %", Align::Right),
        ("mean error", Align::Right),
        ("zeros kept", Align::Left),
        ("cost", Align::Left),
    ];
    let cost = |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.4}"));
    let row = |r: &Row| {
        let s = &r.statistics;
        let mut cells = vec![r.name.to_owned(), r.family.clone()];
        cells.extend([Some(r.power_rel), r.area_rel, r.delay_rel].map(cost));
        cells.extend([s.mae_pct, s.wce_pct, s.mre_pct].map(|figure| format!("{figure:.4}")));
        cells.push(format!("{:.2}", s.ep_pct));
        // Adding zero writes -0 as 0.
        cells.push(format!("{:.4}", s.mean_error + 0.0));
        cells.push(if s.zero_preserving { "yes" } else { "no" }.to_owned());
        cells.push(r.cost_source.to_string());
        cells
    };
    text_table(&columns, &rows.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Family, TruthTable};

    fn multiplier(name: &str, power_rel: f64, mask: i32) -> Multiplier {
        let table = TruthTable::from_fn(false, |a, w| (a & mask) * w).unwrap();
        Multiplier {
            name: name.into(),
            family: Family::Imported,
            statistics: Statistics::of(&table),
            table,
            power_rel,
            area_rel: None,
            delay_rel: None,
            cost_source: CostSource::Published,
            netlist: None,
            provenance: None,
        }
    }

    fn names(multipliers: &[&Multiplier]) -> String {
        multipliers.iter().map(|m| &*m.name).collect()
    }

    #[test]
    fn a_front_leaves_out_what_another_beats() {
        let all = [
            multiplier("a", 1.0, 255),
            multiplier("b", 0.9, 254),
            // As wrong as b for more power; more wrong than b for the same power.
            multiplier("c", 0.95, 254),
            multiplier("d", 0.9, 252),
            // Twins are both left.
            multiplier("e", 0.5, 240),
            multiplier("f", 0.5, 240),
        ];
        for measure in [Measure::Mae, Measure::Wce, Measure::Mre] {
            assert_eq!(names(&front(all.iter().collect(), measure)), "abef");
        }
    }

    #[test]
    fn equals_keep_their_order_when_sorted() {
        let all = [multiplier("z", 1.0, 240), multiplier("y", 0.9, 255), multiplier("x", 0.5, 240)];
        let mut listed: Vec<&Multiplier> = all.iter().collect();
        sort(&mut listed, Key::Mae);
        assert_eq!(names(&listed), "yzx");
        sort(&mut listed, Key::Name);
        assert_eq!(names(&listed), "xyz");
    }
}
