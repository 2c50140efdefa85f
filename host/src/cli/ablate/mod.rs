//! `skimp ablate`: what each step of compensation is worth with each multiplier.

mod report;
mod rows;

use super::common::{self, DataArgs, FitArgs, HowArgs, RangeArgs, distinct};
use crate::compensate::{Compensator, Steps};
use crate::data::Count;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::{Choice, ProductCache, Scheme};
use crate::optimize::Evaluator;
use report::{Cell, Measure, Report, Row, SchemeTable};
use rows::{RowArgs, Rows};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// The columns unless others are named: from nothing to everything.
const STEPS: [&str; 9] = [
    "none",
    "alwann",
    "squared",
    "variance",
    "variance+bias",
    "variance+scale-shift",
    "variance+activation-sum+scale-shift",
    "variance+descent+scale-shift",
    "all",
];

/// Measure a network with each of several multipliers in every layer, under each of several compensations.
///
/// A table for each scheme: a row for each multiplier, a column for each compensation, accuracies in percent.
/// Everything is fitted to training images and measured on test images.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A network of the zoo (fashion-cnn, digits-cnn, resnet8) or an ONNX or TensorFlow Lite file.
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    data: DataArgs,
    /// How products are formed, with a table for each: sign-magnitude, unsigned or signed.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "sign-magnitude,unsigned,signed",
        value_name = "SCHEME,..."
    )]
    schemes: Vec<Scheme>,
    #[command(flatten)]
    activations: RangeArgs,
    #[command(flatten)]
    fit: FitArgs,
    #[command(flatten)]
    rows: RowArgs,
    /// Compensations, a column for each: none, all, or steps with + between them.
    #[arg(
        long,
        num_args = 1..,
        value_delimiter = ',',
        default_values = STEPS,
        value_name = "STEPS"
    )]
    steps: Vec<Column>,
    /// Show the divergences from the exact network as well.
    #[arg(long)]
    kl: bool,
    /// Write a line for each cell into this file; missing folders on the way are made.
    #[arg(long, value_name = "FILE.csv")]
    csv: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// A compensation and what it is called.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    name: String,
    steps: Steps,
}

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Column, String> {
        let steps: Steps = text.trim().parse()?;
        // The name of all steps is shorter than they are.
        let name = if text.trim() == "all" { "all".to_owned() } else { steps.to_string() };
        Ok(Column { name, steps })
    }
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> Result<()> {
    // Nothing is measured twice, and nothing before all that was asked for is known to be there.
    let schemes = distinct(std::mem::take(&mut args.schemes), |scheme| *scheme);
    let columns = distinct(std::mem::take(&mut args.steps), |column| column.steps);
    let rows = args.rows.of_each(&schemes)?;
    if let Some(path) = &args.csv {
        check_csv(path)?;
    }
    let tables = schemes.iter().zip(&rows).map(|(&scheme, rows)| table(&args, scheme, rows, &columns));
    let (images, tables): (Vec<_>, _) = tables.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    // The same for all schemes.
    let (test_images, calibration_images) = images.first().copied().unwrap_or_default();
    let report = Report { test_images, calibration_images, schemes: tables, model: args.model };
    if let Some(path) = &args.csv {
        file::write_atomically(path, report.csv().as_bytes())?;
        eprintln!("  wrote {}", path.display());
    }
    if args.json {
        return common::print_json(&report);
    }
    common::print(format_args!("{}", report.text(Measure::Accuracy)))?;
    if args.kl {
        common::print(format_args!("\n{}", report.text(Measure::Kl)))?;
    }
    Ok(())
}

/// Refuses a file that can't be written in the end.
fn check_csv(path: &Path) -> Result<()> {
    let named = |reason: String| Error::Argument(format!("--csv {}: {reason}", path.display()));
    if path.is_dir() {
        return Err(named("is a folder; a file is to be written there".into()));
    }
    file::check_writable(path.parent().unwrap_or(Path::new(""))).map_err(|e| named(e.to_string()))
}

/// Measures all cells of one scheme; also says on how many images, and how many were fitted to.
fn table(
    args: &Args,
    scheme: Scheme,
    rows: &Rows,
    columns: &[Column],
) -> Result<((usize, usize), SchemeTable)> {
    let (data, activations, fit) = (args.data.clone(), args.activations.clone(), args.fit.clone());
    let how = HowArgs { data, scheme, activations, fit };
    let prepared = how.prepare(&args.model, Count::default())?;
    let products = ProductCache::new(&rows.library, scheme)?;
    let cells = (rows.choices.len() * columns.len()) as u64;
    let bar = common::progress_bar(cells, &format!("{scheme}: exact"));
    bar.enable_steady_tick(Duration::from_millis(120));
    // What is fitted needs the exact network's results; the others share them with it.
    let fitted = columns.iter().map(|column| column.steps).find(Steps::fits).unwrap_or(Steps::NONE);
    let shared = Compensator::new(&prepared.quantized, &products, fitted, &prepared.calibration.codes)?;
    let evaluator = Evaluator::new(&shared, &prepared.test)?;
    let compensators: Vec<Result<Compensator>> =
        columns.iter().map(|column| shared.with_steps(column.steps)).collect();
    let layers = prepared.quantized.convs().count();
    let row = |&choice: &Choice| {
        let name = choice.name(&rows.library);
        let mut assignment = vec![choice; layers];
        if let (Some(first), Some(layer)) = (rows.first, assignment.first_mut()) {
            *layer = first;
        }
        let cells = columns.iter().zip(&compensators).map(|(column, compensator)| {
            let what = format!("{scheme}: {name}, {}", column.name);
            bar.set_message(what.clone());
            let cell = cell(column, compensator, &evaluator, &assignment);
            bar.inc(1);
            if bar.is_hidden() {
                eprintln!("  {what}: {}", cell.summary());
            }
            cell
        });
        let cells = cells.collect();
        Row::new(name, rows.library.multipliers()[choice.multiplier].power_rel, cells)
    };
    let multipliers = rows.choices.iter().map(row).collect();
    bar.finish_and_clear();
    let table = SchemeTable {
        scheme,
        accuracy_8bit: evaluator.exact_score().accuracy_pct(),
        first: rows.first.map(|first| first.name(&rows.library)),
        cost_sources: rows.library.cost_sources(),
        multipliers,
    };
    Ok(((prepared.test.labels.len(), prepared.calibration.labels.len()), table))
}

/// Compensates and measures one assignment. What is impossible for it leaves the cell empty and the others be.
fn cell(
    column: &Column,
    compensator: &Result<Compensator>,
    evaluator: &Evaluator,
    assignment: &[Choice],
) -> Cell {
    let measure = || -> Result<_, String> {
        let compensator = compensator.as_ref().map_err(Error::to_string)?;
        let begin = Instant::now();
        let convs = compensator.compensate(assignment).map_err(|e| e.to_string())?;
        let seconds = begin.elapsed().as_secs_f64();
        Ok((evaluator.measure_convs(&convs).map_err(|e| e.to_string())?, seconds))
    };
    Cell::new(&column.name, column.steps, measure())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_as_they_are_typed() {
        let named = |text: &str| text.parse::<Column>().unwrap().name;
        assert_eq!(
            [" all", "none", "scale-shift+variance"].map(named),
            ["all", "none", "variance+scale-shift"]
        );
        assert!("all+none".parse::<Column>().unwrap_err().contains("\"all\" is no compensation"));
    }

    #[test]
    fn what_is_asked_for_twice_is_measured_once() {
        assert_eq!(distinct(vec![3, 1, 3, 2, 1], |&x| x), [3, 1, 2]);
        assert_eq!(distinct(vec![3, 1, 4, 2], |x| x % 2), [3, 4]);
    }
}
