//! `skimp multipliers export`: a library's tables for other tools.

use crate::cli::common::{self, SourceArgs};
use crate::error::{Error, Result};
use crate::multiplier::formats::{Exporting, Format, Written, export};
use crate::multiplier::{Library, Multiplier, signed_by_name};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Export a library's tables, or its circuits, with their costs.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The signed half of the built-in library; a name that begins with mul8s_ says so too.
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
    /// Call arrays of C headers lut_NAME instead of lut, so that a program can include several headers.
    #[arg(long)]
    unique_arrays: bool,
    /// Folder to write; what is there under other names stays.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Replace what has the same name in the folder.
    #[arg(long)]
    replace: bool,
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
    /// What keeps a folder of raw tables from serving as a library.
    hint: Option<String>,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    if args.unique_arrays && args.format != Format::CHeader {
        return Err(Error::Argument("--unique-arrays is for --format c-header".into()));
    }
    let signed = args.signed || args.names.iter().any(|name| signed_by_name(name) == Some(true));
    let library = args.source.library(signed)?;
    let mut multipliers: Vec<&Multiplier> = Vec::new();
    for name in &args.names {
        if let Some(plain) = name.strip_suffix('~') {
            let reason =
                format!("{name} is {plain} with its operands swapped: export {plain} with --swap-operands");
            return Err(Error::Argument(reason));
        }
        let multiplier = library.get(name)?;
        if !multipliers.iter().any(|other| other.name == multiplier.name) {
            multipliers.push(multiplier);
        }
    }
    if args.names.is_empty() {
        multipliers.extend(library.multipliers());
    }
    let written = Written::of(&args.source.multipliers, library.is_signed())?;
    let how = Exporting {
        swap_operands: args.swap_operands,
        replace: args.replace,
        unique_arrays: args.unique_arrays,
        ..Exporting::new(args.format)
    };
    let files = export(&multipliers, &written, how, &args.out)?;
    let load = || Library::load_folder(&args.out).err();
    let hint = (args.format == Format::Bin).then(load).flatten().map(|e| {
        format!("{e}. Export an exact multiplier too, or import one, before --multipliers uses the folder")
    });
    if args.json {
        return common::print_json(&Report {
            out: &args.out,
            format: args.format.to_string(),
            swapped_operands: args.swap_operands,
            names: multipliers.iter().map(|m| &*m.name).collect(),
            files,
            hint,
        });
    }
    common::print(format_args!(
        "wrote {} multipliers as {} and costs.csv to {}\n",
        multipliers.len(),
        args.format,
        args.out.display()
    ))?;
    match hint {
        Some(hint) => common::print(format_args!("no library yet: {hint}\n")),
        None => Ok(()),
    }
}
