//! `skimp multipliers compare`: what two libraries have to offer for the same error or power.

use crate::cli::common;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::{
    Comparison, CostSource, ErrorAxis, ErrorMeasure, Hypervolumes, Library, Pair, PowerRange, cost_caveat,
    signed_or_unsigned,
};
use crate::report::{Align, Series, TwoFronts, text_table};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Compare the fronts of two libraries: errors against relative power.
///
/// Tables of both mean and worst-case errors: the parts of the plane that the fronts dominate, the least
/// power for an error and the least error for a power. Ratios are the second library's figures divided by the
/// first's. models/multipliers/README.md has the definitions.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The library to compare with: builtin, classical, low-bit, or whatever else --multipliers takes, such as a folder of truth
    /// tables (*.bin) with a costs.csv.
    #[arg(value_name = "FIRST")]
    first: String,
    /// The library that is compared, likewise.
    #[arg(value_name = "SECOND")]
    second: String,
    /// The signed half of the built-in library.
    #[arg(long)]
    signed: bool,
    /// Draw both fronts into this file; missing folders on the way are made.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// The error that is drawn.
    #[arg(long, default_value = "mae", value_name = "ERROR", requires = "plot")]
    metric: ErrorMeasure,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    signed: bool,
    first: Side<'a>,
    second: Side<'a>,
    /// Whether powers mean the same in both, as far as is known.
    same_cost_basis: bool,
    /// Why they do not.
    caveat: Option<String>,
    /// By mean error, then by worst-case error.
    comparisons: Vec<Comparison>,
}

/// A library of the two.
#[derive(Serialize)]
struct Side<'a> {
    source: &'a str,
    multipliers: usize,
    /// The multiplier that powers are relative to, if costs have one source.
    exact: &'a str,
    cost_sources: Vec<CostSource>,
}

impl<'a> Side<'a> {
    fn of(source: &'a str, library: &'a Library) -> Side<'a> {
        Side {
            source,
            multipliers: library.multipliers().len(),
            exact: &library.exact().name,
            cost_sources: library.cost_sources(),
        }
    }

    fn costs(&self) -> String {
        self.cost_sources.iter().map(CostSource::to_string).collect::<Vec<_>>().join(" and ")
    }

    /// A short name for the plot.
    fn label(&self) -> String {
        let name = Path::new(self.source).file_name().and_then(|name| name.to_str()).unwrap_or(self.source);
        let mut label: String = name.chars().take(36).collect();
        if label.len() < name.len() {
            label.push_str("...");
        }
        format!("{label} ({})", self.costs())
    }
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    if let Some(path) = args.plot.as_deref().filter(|path| !is_svg(path)) {
        let path = path.display();
        return Err(Error::Argument(format!("--plot {path}: plots are SVG; the name has to end in .svg")));
    }
    let first = Library::from_sources(&args.first, args.signed)?;
    let second = Library::from_sources(&args.second, args.signed)?;
    let comparisons = ErrorMeasure::ALL.iter().map(|&measure| Comparison::of(&first, &second, measure));
    let caveat = cost_caveat(&first, &second);
    let report = Report {
        signed: first.is_signed(),
        first: Side::of(&args.first, &first),
        second: Side::of(&args.second, &second),
        same_cost_basis: caveat.is_none(),
        caveat,
        comparisons: comparisons.collect::<Result<_>>()?,
    };
    if let Some(path) = &args.plot {
        file::write_atomically(path, plot(&report, args.metric).as_bytes())?;
        eprintln!("  wrote {}", path.display());
    }
    if args.json {
        return common::print_json(&report);
    }
    common::print(format_args!("{}", text(&report)))
}

fn is_svg(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"))
}

fn name(measure: ErrorMeasure) -> &'static str {
    match measure {
        ErrorMeasure::Mae => "MAE",
        ErrorMeasure::Wce => "WCE",
    }
}

fn plot(report: &Report, measure: ErrorMeasure) -> String {
    let comparison = report.comparisons.iter().find(|comparison| comparison.measure == measure);
    let series = |side: &Side, index: usize| Series {
        label: side.label(),
        points: comparison
            .iter()
            .flat_map(|comparison| &comparison.fronts[index])
            .map(|best| (best.power_rel, best.error_pct))
            .collect(),
    };
    let kind = signed_or_unsigned(report.signed);
    let title = format!("8-bit {kind} multipliers: {} against power", name(measure));
    let fronts = [series(&report.first, 0), series(&report.second, 1)];
    TwoFronts { title: &title, error: name(measure), floor_pct: measure.floor_pct(), fronts }.to_svg()
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for (which, side) in [("first: ", &report.first), ("second:", &report.second)] {
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{which} {}: {} multipliers, costs {}, relative to {}",
            side.source,
            side.multipliers,
            side.costs(),
            side.exact
        );
    }
    if let Some(caveat) = &report.caveat {
        let _ = writeln!(text, "Mind: {caveat}.");
    }
    for comparison in &report.comparisons {
        text.push('\n');
        text.push_str(&compared(comparison));
    }
    text
}

fn compared(comparison: &Comparison) -> String {
    let name = name(comparison.measure);
    let PowerRange { low, high } = PowerRange::USEFUL;
    let rows: Vec<Vec<String>> = comparison.hypervolumes.iter().map(hypervolume_row).collect();
    let table = |what: &str, align: Align, rows: &[Vec<String>]| {
        let figures = ["first", "second", "second/first"].map(|column| (column, Align::Right));
        text_table(&[&[(what, align)], &figures[..]].concat(), rows)
    };
    let row = |level: f64, pair: &Pair, show: fn(f64) -> String| {
        let shown = |figure: Option<f64>| figure.map_or("-".to_owned(), show);
        vec![level.to_string(), shown(pair.first), shown(pair.second), ratio(pair.ratio)]
    };
    let at_errors: Vec<Vec<String>> = comparison
        .at_errors
        .iter()
        .map(|at| row(at.error_pct, &at.power_rel, |power| format!("{power:.4}")))
        .collect();
    let at_powers: Vec<Vec<String>> =
        comparison.at_powers.iter().map(|at| row(at.power_rel, &at.error_pct, significant)).collect();
    format!(
        "{name} in percent of 65,536, fronts of {} and {} multipliers\n\n\
         {}At equal power from {high} to {low}, the second's {name} is on geometric average {} \
         times the first's.\n\n\
         {}\n{}",
        comparison.fronts[0].len(),
        comparison.fronts[1].len(),
        table("part of the plane dominated", Align::Left, &rows),
        ratio(Some(comparison.mean_error_ratio)),
        table(&format!("least power for {name} <="), Align::Right, &at_errors),
        table(&format!("least {name} for power <="), Align::Right, &at_powers),
    )
}

fn hypervolume_row(volumes: &Hypervolumes) -> Vec<String> {
    let axis = match volumes.error_axis {
        ErrorAxis::Logarithmic => "logarithmic",
        ErrorAxis::Linear => "linear",
    };
    let shown = |part: Option<f64>| part.map_or("-".to_owned(), |part| format!("{part:.4}"));
    let PowerRange { low, high } = volumes.power;
    let dominated = &volumes.dominated;
    vec![
        format!("{axis} error, power {high} to {low}"),
        shown(dominated.first),
        shown(dominated.second),
        ratio(dominated.ratio),
    ]
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}"))
}

/// Three significant digits, without an exponent.
fn significant(figure: f64) -> String {
    if figure == 0.0 {
        return "0".to_owned();
    }
    let decimals = (2.0 - figure.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{figure:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_shown() {
        let shown = [0.0, 0.00019, 0.01234, 0.9999, 1.0, 12.34, 1234.4].map(significant);
        assert_eq!(shown, ["0", "0.000190", "0.0123", "1.000", "1.00", "12.3", "1234"]);
    }

    #[test]
    fn plots_are_named_by_the_sources_last_part() {
        let library = Library::builtin(false);
        let label = |source| Side::of(source, &library).label();
        assert_eq!(label("builtin"), "builtin (gate-model)");
        assert_eq!(label("/some/where/tables/"), "tables (gate-model)");
        assert_eq!(label(".."), ".. (gate-model)");
        assert!(label(&"é".repeat(50)).starts_with(&("é".repeat(36) + "... (")));
    }
}
