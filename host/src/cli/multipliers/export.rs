//! `skimp multipliers export`: a library's tables for other tools.

use crate::cli::common::{self, SourceArgs};
use crate::error::Result;
use crate::multiplier::Multiplier;
use crate::multiplier::formats::{Exporting, Format, export, written_costs};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Export a library's tables, or its circuits, with their costs.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The signed half of the built-in library.
    #[arg(long)]
    signed: bool,
    /// Multipliers to export; all without it.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    names: Vec<String>,
    /// Format: bin (tf-approximate), npy and csv (torch-approx), c-header (AdaPT, TransAxx), verilog or
    /// netlists (all gates in one netlists.jsonl).
    #[arg(long)]
    format: Format,
    /// Write the weight as first operand: row w, column a.
    #[arg(long)]
    swap_operands: bool,
    /// Folder to write.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    out: &'a Path,
    format: String,
    swapped_operands: bool,
    names: Vec<&'a str>,
    files: Vec<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let library = args.source.library(args.signed)?;
    let mut multipliers: Vec<&Multiplier> = Vec::new();
    for name in &args.names {
        let multiplier = library.get(name)?;
        if !multipliers.iter().any(|other| other.name == multiplier.name) {
            multipliers.push(multiplier);
        }
    }
    if args.names.is_empty() {
        multipliers.extend(library.multipliers());
    }
    let written = written_costs(&args.source.multipliers)?;
    let how = Exporting { format: args.format, swap_operands: args.swap_operands };
    let files = export(&multipliers, &written, how, &args.out)?;
    if args.json {
        return common::print_json(&Report {
            out: &args.out,
            format: args.format.to_string(),
            swapped_operands: args.swap_operands,
            names: multipliers.iter().map(|m| &*m.name).collect(),
            files,
        });
    }
    common::print(format_args!(
        "wrote {} multipliers as {} and costs.csv to {}\n",
        multipliers.len(),
        args.format,
        args.out.display()
    ))
}
