//! `skimp image`: building and inspecting flash images.

use super::build::{Chosen, ImageArgs, build as build_image};
use super::common::{self, MultiplierArgs, NetworkArgs};
use crate::board::Board;
use crate::error::{Error, Result};
use crate::execute::AlignedImage;
use crate::file;
use crate::image::contents::{self, LayerContents};
use crate::report::{Align, text_table};
use serde::Serialize;
use std::path::PathBuf;

/// Build or inspect flash images.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Build the image of a network with given multipliers.
    Build(Build),
    /// State the flash and the memory of a network's image in every form, before one is built.
    Sizes(super::image_sizes::Args),
    /// Show what is in an image: layers, tables, flash and memory.
    Inspect(Inspect),
}

/// Build the image of a network with given multipliers.
#[derive(Debug, clap::Args)]
pub struct Build {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    /// Multipliers of the layers, separated by commas, in the order `front.json` lists the layers; a
    /// single one goes into every layer. A point of a front also has a `scheme` and a `range` there.
    #[arg(long, value_delimiter = ',', required_unless_present = "point", value_name = "NAME,NAME,...")]
    assignment: Vec<String>,
    /// An operating point, by its name and its multipliers: `frugal=NAME,NAME,...`. May be given several times;
    /// boards begin with the first and go to another when asked. All share what is the same in them.
    #[arg(long, value_name = "POINT=NAME,...", conflicts_with = "assignment")]
    point: Vec<String>,
    /// Build it for this board: the fastest form that fits, and an error if none does.
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    #[command(flatten)]
    form: ImageArgs,
    /// The image file to write.
    #[arg(long, default_value = "network.skimp", value_name = "FILE")]
    out: PathBuf,
}

/// Show what is in an image.
#[derive(Debug, clap::Args)]
pub struct Inspect {
    /// The image file.
    image: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Build(args) => build(args),
        Command::Sizes(args) => super::image_sizes::run(args),
        Command::Inspect(args) => inspect(args),
    }
}

fn build(args: Build) -> Result<()> {
    let NetworkArgs { model, how } = &args.network;
    let chosen = match args.point.as_slice() {
        [] => Chosen::only("--assignment", &args.assignment),
        points => points.iter().map(|text| Chosen::parse("--point", text)).collect::<Result<_>>()?,
    };
    let board = args.board.as_deref().map(Board::find).transpose()?;
    let image = build_image(model, how, &args.multipliers, &chosen, &args.form, board)?.image;
    file::write_atomically(&args.out, &image.bytes)?;
    common::print(format_args!(
        "wrote {}: {} bytes of flash, {} bytes of arena (no placement could need less than {})\n",
        args.out.display(),
        image.bytes.len(),
        image.arena_bytes,
        image.arena_lower_bound_bytes
    ))?;
    Ok(())
}

#[derive(Serialize)]
struct Contents {
    name: String,
    flash_bytes: usize,
    arena_bytes: usize,
    input_bytes: usize,
    outputs: usize,
    layers: Vec<LayerContents>,
    tables: Vec<TableRow>,
}

#[derive(Serialize)]
struct TableRow {
    name: String,
    entry: String,
    rows: u16,
    bytes: u32,
}

fn inspect(args: Inspect) -> Result<()> {
    let bytes = file::read(&args.image)?;
    let image = AlignedImage::new(&bytes);
    let network = skimp_runtime::Network::load(image.bytes())
        .map_err(|e| Error::file(&args.image, format!("{e}; build images with `skimp image build`")))?;
    let tables: Vec<TableRow> = network
        .tables()
        .map(|t| TableRow {
            name: t.name.to_owned(),
            entry: format!("{:?}", t.entry).to_lowercase(),
            rows: t.rows,
            bytes: t.entries.bytes,
        })
        .collect();
    let contents = Contents {
        name: network.name().to_owned(),
        flash_bytes: bytes.len(),
        arena_bytes: network.arena_bytes(),
        input_bytes: network.input_bytes(),
        outputs: network.output_len(),
        layers: contents::layers(&network),
        tables,
    };
    if args.json {
        return common::print_json(&contents);
    }
    print_contents(&contents)
}

fn print_contents(contents: &Contents) -> Result<()> {
    common::print(format_args!(
        "{}: {} bytes of flash, {} bytes of arena, {} bytes of input, {} outputs\n",
        contents.name, contents.flash_bytes, contents.arena_bytes, contents.input_bytes, contents.outputs
    ))?;
    let columns = [
        ("layer", Align::Left),
        ("kernel", Align::Left),
        ("output", Align::Right),
        ("multiplications", Align::Right),
        ("weight bytes", Align::Right),
        ("multiplier", Align::Left),
    ];
    let rows: Vec<Vec<String>> = contents
        .layers
        .iter()
        .map(|l| {
            vec![
                l.name.clone(),
                l.kernel.clone(),
                l.output.clone(),
                l.multiplications.to_string(),
                l.weight_bytes.to_string(),
                l.multiplier.clone().unwrap_or_default(),
            ]
        })
        .collect();
    common::print(format_args!("{}", text_table(&columns, &rows)))?;
    let columns =
        [("table", Align::Left), ("entry", Align::Left), ("rows", Align::Right), ("bytes", Align::Right)];
    let rows: Vec<Vec<String>> = contents
        .tables
        .iter()
        .map(|t| vec![t.name.clone(), t.entry.clone(), t.rows.to_string(), t.bytes.to_string()])
        .collect();
    common::print(format_args!("{}", text_table(&columns, &rows)))
}
