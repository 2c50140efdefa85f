//! `skimp multipliers list`: a library as a table.

use crate::cli::common;
use crate::error::Result;
use crate::multiplier::CostSource;
use crate::report::{Align, text_table};
use serde::Serialize;

/// List a library with errors and costs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The built-in library, or a folder of truth tables (*.bin) with a costs.csv.
    #[arg(long, default_value = "builtin", value_name = "builtin|FOLDER")]
    multipliers: String,
    /// The signed half of the built-in library.
    #[arg(long)]
    signed: bool,
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    signed: bool,
    family: String,
    power_rel: f64,
    mae_pct: f64,
    wce_pct: f64,
    mean_error: f64,
    cost_source: CostSource,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let library = common::library(&args.multipliers, args.signed)?;
    let rows: Vec<Row> = library
        .multipliers()
        .iter()
        .map(|m| Row {
            name: &m.name,
            signed: library.is_signed(),
            family: m.family.to_string(),
            power_rel: m.power_rel,
            mae_pct: m.statistics.mae_pct,
            wce_pct: m.statistics.wce_pct,
            mean_error: m.statistics.mean_error,
            cost_source: m.cost_source,
        })
        .collect();
    if args.json {
        return common::print_json(&rows);
    }
    let columns = [
        ("multiplier", Align::Left),
        ("family", Align::Left),
        ("power rel", Align::Right),
        ("MAE %", Align::Right),
        ("WCE %", Align::Right),
        ("mean error", Align::Right),
    ];
    let text: Vec<Vec<String>> = rows
        .iter()
        .map(|r| {
            let figures =
                [r.power_rel, r.mae_pct, r.wce_pct, r.mean_error].map(|figure| format!("{figure:.4}"));
            [r.name.to_owned(), r.family.clone()].into_iter().chain(figures).collect()
        })
        .collect();
    common::print(format_args!("{}", text_table(&columns, &text)))
}
