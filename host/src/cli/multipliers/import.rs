//! `skimp multipliers import`: tables and circuits from elsewhere become a library folder.

use crate::cli::common;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::formats::{Imported, Importing, IndexOrder, Skipped, import, write_library};
use crate::multiplier::verilog::CellLibrary;
use crate::multiplier::{CostSource, Costs, Figure, Library};
use crate::report::{Align, text_table};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Import truth tables (.bin, .npy, .h, .csv, .txt) and circuits (.v, .jsonl) into a library folder.
///
/// The folder is what --multipliers takes: NAME.bin for each multiplier, costs.csv, and netlists.jsonl with the
/// gates of those that came as circuits.
/// models/multipliers/FORMATS.md describes the formats.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, or folders full of them and of such folders (such as EvoApproxLib's).
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder to write; multipliers are added to what is there.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Replace multipliers of the same names in the folder.
    #[arg(long)]
    replace: bool,
    /// Tables are two's complement. Without this or --unsigned, names (mul8u_, mul8s_) or numbers decide; of
    /// folders, only what does not say otherwise is imported.
    #[arg(long, conflicts_with = "unsigned")]
    signed: bool,
    /// Tables are unsigned.
    #[arg(long)]
    unsigned: bool,
    /// Files have the weight as first operand: row w, column a; in Verilog, the module's first input.
    #[arg(long)]
    swap_operands: bool,
    /// Order of a signed table's rows and columns: offset (-128 first) or twos-complement (0 first); without
    /// it, the one under which products are nearest to exact ones.
    #[arg(long, value_name = "ORDER")]
    index: Option<IndexOrder>,
    /// Cells that the Verilog uses, beside those that are known; models/multipliers/VERILOG.md says how they
    /// are written.
    #[arg(long, value_name = "FILE")]
    cells: Option<PathBuf>,
    /// Name for a single multiplier, instead of its file's.
    #[arg(long)]
    name: Option<String>,
    /// Power of a single multiplier in mW.
    #[arg(long, value_name = "MW", conflicts_with = "power_rel", allow_negative_numbers = true)]
    power_mw: Option<f64>,
    /// Its power divided by the exact multiplier's.
    #[arg(long, value_name = "RATIO", allow_negative_numbers = true)]
    power_rel: Option<f64>,
    /// Its area in um2; needs a power.
    #[arg(long, value_name = "UM2", allow_negative_numbers = true)]
    area_um2: Option<f64>,
    /// Its delay in ns; needs a power.
    #[arg(long, value_name = "NS", allow_negative_numbers = true)]
    delay_ns: Option<f64>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Most lines about what was skipped.
const SKIPPED_SHOWN: usize = 20;

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    file: &'a Path,
    format: String,
    signed: bool,
    index: Option<IndexOrder>,
    /// What a Verilog module calls the activation and the weight.
    operands: Option<&'a [String; 2]>,
    exact: bool,
    mae_pct: f64,
    wce_pct: f64,
    power_mw: Option<f64>,
    power_rel: Option<f64>,
    cost_source: CostSource,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Report<'a> {
    out: &'a Path,
    swapped_operands: bool,
    imported: Vec<Row<'a>>,
    /// What was found in folders and is no table that was asked for.
    skipped: &'a [Skipped],
    /// Whether the folder holds an exact multiplier, and so serves as a library.
    ready: bool,
    /// What is in its way if it does not.
    hint: Option<String>,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let signed = (args.signed || args.unsigned).then_some(args.signed);
    let how = Importing {
        signed,
        index: args.index,
        swap_operands: args.swap_operands,
        name: args.name.clone(),
        costs: costs(&args)?,
        cells: args.cells.as_deref().map(cells).transpose()?,
        out: Some(args.out.clone()),
    };
    let imports = import(&args.paths, &how)?;
    let imported = imports.multipliers;
    write_library(&args.out, &imported, args.replace)?;
    let hint = Library::load_folder(&args.out).err().map(|e| {
        format!("{e}. Import an exact multiplier with its cost into the folder before --multipliers uses it")
    });
    let report = Report {
        out: &args.out,
        swapped_operands: args.swap_operands,
        imported: imported.iter().map(row).collect(),
        skipped: &imports.skipped,
        ready: hint.is_none(),
        hint,
    };
    if args.json { common::print_json(&report) } else { print(&report) }
}

/// The cells of a file beside the built-in ones.
fn cells(path: &Path) -> Result<CellLibrary> {
    file::check_regular(path)?;
    CellLibrary::parse(path, &file::read_text(path)?)
}

/// The costs given by hand.
fn costs(args: &Args) -> Result<Option<Costs>> {
    let given = [
        ("--power-mw", args.power_mw),
        ("--power-rel", args.power_rel),
        ("--area-um2", args.area_um2),
        ("--delay-ns", args.delay_ns),
    ];
    for (flag, figure) in given {
        if let Some(figure) = figure.filter(|figure| !(figure.is_finite() && *figure >= 0.0)) {
            return Err(Error::Argument(format!("{flag} must be a number >= 0, not {figure}")));
        }
    }
    let power = args.power_mw.map(Figure::Absolute).or(args.power_rel.map(Figure::Relative));
    match power {
        Some(power) => Ok(Some(Costs {
            power,
            area: args.area_um2.map(Figure::Absolute),
            delay: args.delay_ns.map(Figure::Absolute),
            source: CostSource::Published,
        })),
        None if args.area_um2.or(args.delay_ns).is_some() => {
            let reason = "--area-um2 and --delay-ns need --power-mw or --power-rel beside them";
            Err(Error::Argument(reason.into()))
        }
        None => Ok(None),
    }
}

fn row(one: &Imported) -> Row<'_> {
    let (power_mw, power_rel) = match one.costs.power {
        Figure::Absolute(power) => (Some(power), None),
        Figure::Relative(power) => (None, Some(power)),
    };
    Row {
        name: &one.name,
        file: &one.path,
        format: one.format.to_string(),
        signed: one.table.is_signed(),
        index: one.index,
        operands: one.operands.as_ref(),
        exact: one.statistics.is_exact(),
        mae_pct: one.statistics.mae_pct,
        wce_pct: one.statistics.wce_pct,
        power_mw,
        power_rel,
        cost_source: one.costs.source,
        notes: &one.notes,
    }
}

fn print(report: &Report) -> Result<()> {
    let columns = [
        ("multiplier", Align::Left),
        ("format", Align::Left),
        ("power", Align::Right),
        ("costs", Align::Left),
        ("MAE %", Align::Right),
        ("WCE %", Align::Right),
        ("file", Align::Left),
    ];
    let text = |row: &Row| {
        let power = match (row.power_mw, row.power_rel) {
            (Some(power), _) => format!("{power} mW"),
            (None, Some(power)) => format!("{power:.4} rel"),
            (None, None) => String::new(),
        };
        vec![
            row.name.to_owned(),
            row.format.clone(),
            power,
            row.cost_source.to_string(),
            format!("{:.4}", row.mae_pct),
            format!("{:.4}", row.wce_pct),
            row.file.display().to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = report.imported.iter().map(text).collect();
    common::print(format_args!("{}", text_table(&columns, &rows)))?;
    for row in &report.imported {
        for note in row.notes {
            common::print(format_args!("{}: {note}\n", row.name))?;
        }
    }
    for Skipped { path, reason } in report.skipped.iter().take(SKIPPED_SHOWN) {
        common::print(format_args!("skipped {}: {reason}\n", path.display()))?;
    }
    if let Some(more) = report.skipped.len().checked_sub(SKIPPED_SHOWN).filter(|&more| more > 0) {
        common::print(format_args!("skipped {more} more; --json lists them\n"))?;
    }
    let operands = if report.swapped_operands { "weight" } else { "activation" };
    let (count, out) = (report.imported.len(), report.out.display());
    common::print(format_args!("imported {count} into {out}, files read with the {operands} first\n"))?;
    match &report.hint {
        Some(hint) => common::print(format_args!("not ready yet: {hint}\n")),
        None => common::print(format_args!("ready: --multipliers {out}\n")),
    }
}
