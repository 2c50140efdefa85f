//! `skimp multipliers list`: a library as a table.

use super::layer;
use crate::cli::common::{self, HowArgs};
use crate::compensate::LayerDistribution;
use crate::error::{Error, Result};
use crate::multiplier::{
    CodeDistribution, CostSource, Multiplier, Statistics, Ties, WeightedStatistics, non_dominated,
};
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
    /// Also show the noise in a layer of this network: one of the zoo (fashion-cnn, resnet8) or an ONNX file.
    #[arg(long, value_name = "MODEL", requires = "layer")]
    network: Option<String>,
    /// That layer, by its name or its number from 0.
    #[arg(long, value_name = "LAYER", requires = "network")]
    layer: Option<String>,
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
    /// Noise in the layer of --layer.
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
    /// Noise in the layer of --layer.
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

/// What a multiplier does in a layer, in the better order of its operands.
#[derive(Clone, Copy, Serialize)]
struct InLayer {
    /// What is left when each weight's mean error is made up for, in percent of 65,536.
    noise_pct: f64,
    /// The same as a share of what the layer's products vary by themselves, in percent.
    relative_noise_pct: Option<f64>,
    /// Whether the better order is the exchanged one.
    operands_exchanged: bool,
}

impl InLayer {
    fn of(multiplier: &Multiplier, codes: &CodeDistribution) -> Result<InLayer> {
        let order = |operands_exchanged: bool| {
            let errors = WeightedStatistics::of_layer(&multiplier.table, operands_exchanged, codes)?;
            Ok(InLayer {
                noise_pct: 100.0 * errors.corrected_variance.sqrt() / 65536.0,
                relative_noise_pct: errors.relative_noise.map(|noise| 100.0 * noise),
                operands_exchanged,
            })
        };
        let (plain, exchanged) = (order(false)?, order(true)?);
        Ok(if exchanged.noise_pct < plain.noise_pct { exchanged } else { plain })
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
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<InLayer>,
}

impl<'a> Row<'a> {
    fn of(Entry { multiplier: m, layer }: Entry<'a>) -> Row<'a> {
        Row {
            layer,
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
    let codes = match (&args.network, &args.layer) {
        (Some(model), Some(layer)) => Some(codes(model, layer, &args.how)?),
        _ => {
            if matches!((args.sort, args.front), (Key::Noise, _) | (_, Some(Measure::Noise))) {
                let reason = "noise is that of a layer: give --network and --layer";
                return Err(Error::Argument(reason.into()));
            }
            None
        }
    };
    let mut multipliers: Vec<&Multiplier> = library.multipliers().iter().collect();
    if let Some(family) = &args.family {
        multipliers = of_family(multipliers, family)?;
    }
    let entry = |multiplier| {
        let layer = codes.as_ref().map(|codes| InLayer::of(multiplier, codes)).transpose()?;
        Ok(Entry { multiplier, layer })
    };
    let mut listed: Vec<Entry> = multipliers.into_iter().map(entry).collect::<Result<_>>()?;
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

/// The codes that the layer's multiplications see.
fn codes(model: &str, layer: &str, how: &HowArgs) -> Result<CodeDistribution> {
    let prepared = how.prepare(model, 0)?;
    let network = &prepared.quantized;
    let index = layer::find(network, layer)?;
    Ok(LayerDistribution::measure_one(network, &prepared.calibration.codes, index)?.codes)
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

fn table(rows: &[Row]) -> String {
    let mut columns = vec![
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
    let in_layer = rows.iter().any(|row| row.layer.is_some());
    if in_layer {
        columns.extend([("noise %", Align::Right), ("of products %", Align::Right), ("order", Align::Left)]);
    }
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
        if let Some(layer) = &r.layer {
            cells.push(format!("{:.4}", layer.noise_pct));
            cells.push(layer.relative_noise_pct.map_or("-".to_owned(), |noise| format!("{noise:.3}")));
            cells.push(if layer.operands_exchanged { "~" } else { "" }.to_owned());
        }
        cells
    };
    text_table(&columns, &rows.iter().map(row).collect::<Vec<_>>())
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
