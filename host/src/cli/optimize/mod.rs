//! `skimp optimize`: the search.

mod entrants;
mod progress;
mod report;
mod search_args;

pub use progress::optimize;
pub use search_args::SearchArgs;

use super::common::{self, DataArgs, FitArgs, MultiplierArgs, Spinner};
use crate::board::Board;
use crate::error::Result;
use crate::file;
use crate::multiplier::ProductCache;
use crate::optimize::Entrant;
use entrants::{SchemeArgs, checkpoint};
use std::path::PathBuf;
use std::time::Instant;

/// Choose a multiplier for each layer by NSGA-II with compensation; write the front and the flash image.
///
/// Candidates are compensated on calibration images and scored on other training images. Points of the front are
/// then compensated in full; the one of least energy within the loss budget is chosen on further training images, and
/// all are verified on test images.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A network of the zoo (fashion-cnn, digits-cnn, resnet8) or an ONNX or TensorFlow Lite file.
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    schemes: SchemeArgs,
    #[command(flatten)]
    fit: FitArgs,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// Choose a point that fits this board, and build its image for it; fronts then tell what points take there.
    #[arg(long, value_name = "BOARD")]
    board: Option<String>,
    /// Leave out the rivals: one multiplier everywhere, exact multipliers of fewer bits, ALWANN as published.
    #[arg(long)]
    no_baselines: bool,
    /// Go on from the last generation that a search with the same options has saved in the output folder.
    #[arg(long)]
    resume: bool,
    /// Folder for front.csv, front.svg, front.json and network.skimp.
    #[arg(long, default_value = "out/optimize", value_name = "FOLDER")]
    out: PathBuf,
    /// Print one JSON object at the end.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let started = Instant::now();
    let board = args.board.as_deref().map(Board::find).transpose()?;
    args.search.check(board)?;
    file::check_writable(&args.out)?;
    let field = args.schemes.field(&args.multipliers, &args.search)?;
    let how = args.search.how(args.data, field.schemes[0], args.fit);
    let first = how.prepare(&args.model, args.search.images())?;
    let options = args.search.options(&first.quantized, board, !args.no_baselines)?;
    let others = field.schemes[1..].iter().map(|&scheme| first.with_scheme(scheme));
    let others = others.collect::<Result<Vec<_>>>()?;
    let prepared = || std::iter::once(&first).chain(&others);
    let products = field.schemes.iter().map(|&scheme| ProductCache::new(field.library(scheme)?, scheme));
    let products = products.collect::<Result<Vec<_>>>()?;
    let steps = args.multipliers.steps()?;
    let entrants = prepared().zip(&products).map(|(prepared, products)| {
        let checkpoint = checkpoint(&args.out, args.resume, prepared, products.library(), steps, &options)?;
        Ok(Entrant { prepared, products, checkpoint: Some(checkpoint) })
    });
    let entrants = entrants.collect::<Result<Vec<_>>>()?;
    let optimized = optimize(&entrants, field.contested, steps, &options)?;
    let spinner = Spinner::start("writing");
    optimized.write(options.max_loss_pp, &args.out)?;
    drop(spinner);
    let seconds = started.elapsed().as_secs_f64();
    if args.json {
        return common::print_json(&report::Report::new(&args.model, &optimized, seconds));
    }
    report::print(&optimized, board, &args.out, seconds)
}
