//! `skimp demo`: the whole way, once.

use super::common::{self, HowArgs, MultiplierArgs, Spinner};
use super::optimize::{SearchArgs, search};
use super::run::{self, OnBoard};
use crate::board::{Board, Install, toolchain};
use crate::emulate::Emulator;
use crate::emulate::metrics::Score;
use crate::error::{Error, Result};
use crate::execute::{self, AlignedImage};
use crate::optimize::Optimized;
use crate::report::front_table;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// The whole way once: a trained network is quantized, its multipliers are chosen and compensated, the
/// image is built, and an emulated microcontroller runs it; everything is compared integer for integer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A network of the zoo or an ONNX file.
    #[arg(default_value = "fashion-cnn", value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// The emulated board.
    #[arg(long, default_value = "mps2-an386", value_name = "NAME")]
    board: String,
    /// Test images to stream through the board.
    #[arg(long, default_value_t = 200, value_name = "N")]
    images: usize,
    /// Folder for front.csv, front.svg, front.json and network.skimp.
    #[arg(long, default_value = "out/demo", value_name = "FOLDER")]
    out: PathBuf,
    /// Say which tools are missing instead of installing them.
    #[arg(long)]
    no_install: bool,
    /// End with one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    model: String,
    board: String,
    accuracy_float: f64,
    accuracy_8bit: f64,
    accuracy_approx: f64,
    /// On the images the device has seen.
    accuracy_device: f64,
    /// Of the approximate network as emulated on the host, on the same images as the device.
    accuracy_approx_same_images: f64,
    energy_saved_pct: f64,
    loss_search_pp: f64,
    loss_test_pp: f64,
    loss_test_se_pp: f64,
    test_images: usize,
    images_compared: usize,
    logits_differing: usize,
    flash_bytes: usize,
    arena_bytes: usize,
    insns_per_inference: u64,
    layers: Vec<run::LayerInsns>,
    multipliers: Vec<String>,
    evaluations: usize,
    seconds: f64,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let started = Instant::now();
    let step = |number: usize, text: &str| {
        eprintln!("[{number}/6] {text} ({:.0} s)", started.elapsed().as_secs_f64());
    };
    let options = args.search.options()?;
    let board = Board::find(&args.board)?;
    if args.images == 0 {
        return Err(Error::Argument("--images must be at least 1".into()));
    }

    step(1, &format!("tools: a compiler for {} and qemu-system-arm", board.target));
    let install = if args.no_install { Install::Forbidden } else { Install::Allowed };
    let spinner = Spinner::start("tools");
    let say = &mut |line: &str| spinner.say(line);
    toolchain::Toolchain::find_or_install(board.target, install, say)?;
    toolchain::qemu(install, say)?;
    drop(spinner);

    step(2, &format!("network: import and quantize {}", args.model));
    let library = args.multipliers.library(args.how.scheme)?;
    let prepared = args.how.prepare(&args.model, args.search.selection_images)?;
    let accuracy_float = prepared.float_accuracy_pct()?;
    let test_images = prepared.test.labels.len();
    eprintln!("  float {accuracy_float:.2} % of {test_images} test images");

    step(3, &format!("search: {} multipliers, {} tiles", library.multipliers().len(), options.tiles));
    let optimized = search(&prepared, &library, &args.multipliers, &options)?;
    eprint!("{}", front_table(&optimized.front));

    step(4, "the point of least energy within the budget, on images the search has not seen");
    let (chosen, verified) = (optimized.chosen(), &optimized.verified);
    eprintln!(
        "  8-bit {:.2} %, approximate {:.2} %: loss {:+.2} +- {:.2} points, {:.1} % of energy saved",
        optimized.exact_accuracy_pct,
        verified.score.accuracy_pct(),
        verified.loss_pp,
        verified.loss_se_pp,
        chosen.energy_saved_pct
    );
    optimized.write(&prepared, &library, &options, &args.out)?;
    eprintln!("  wrote front.csv, front.svg, front.json and network.skimp to {}", args.out.display());

    step(5, &format!("image: {} bytes, on the host and on {}", optimized.image.bytes.len(), board.name));
    let image = AlignedImage::new(&optimized.image.bytes);
    let count = args.images.min(test_images);
    let each = prepared.test.codes.len() / test_images;
    let codes = &prepared.test.codes[..count * each];
    let emulated = Emulator::new(&prepared.quantized, &optimized.convs)?.run(codes);
    let on_host = execute::on_host(&image, codes)?;
    let on_board = run::on_board(board, &args.out.join("network.skimp"), &image, codes, install)?;

    step(6, "summary");
    let outputs = image.load()?.output_len();
    let runtime_differs = execute::images_differing(&emulated, &on_host, outputs);
    let device_differs = execute::images_differing(&emulated, &on_board.logits, outputs);
    let labels = &prepared.test.labels[..count];
    let report = report(&args, accuracy_float, &optimized, &on_board, runtime_differs.max(device_differs));
    let report = Report {
        accuracy_device: Score::new(&on_board.logits, labels).accuracy_pct(),
        accuracy_approx_same_images: Score::new(&emulated, labels).accuracy_pct(),
        test_images,
        images_compared: count,
        seconds: started.elapsed().as_secs_f64(),
        ..report
    };
    summarize(&report);
    if args.json {
        common::print_json(&report)?;
    }
    if report.logits_differing > 0 {
        return Err(Error::Mismatch(format!(
            "of {count} images, {runtime_differs} have other logits in the runtime on the host and \
             {device_differs} on {} than in the emulation",
            board.name
        )));
    }
    Ok(())
}

fn report(
    args: &Args,
    accuracy_float: f64,
    optimized: &Optimized,
    device: &OnBoard,
    differing: usize,
) -> Report {
    Report {
        model: args.model.clone(),
        board: args.board.clone(),
        accuracy_float,
        accuracy_8bit: optimized.exact_accuracy_pct,
        accuracy_approx: optimized.verified.score.accuracy_pct(),
        energy_saved_pct: optimized.chosen().energy_saved_pct,
        loss_search_pp: optimized.chosen().loss_pp,
        loss_test_pp: optimized.verified.loss_pp,
        loss_test_se_pp: optimized.verified.loss_se_pp,
        logits_differing: differing,
        flash_bytes: optimized.image.bytes.len(),
        arena_bytes: optimized.image.arena_bytes,
        insns_per_inference: device.insns_per_inference.unwrap_or(0),
        layers: device.layers.clone(),
        multipliers: optimized.multipliers.clone(),
        evaluations: optimized.selection.evaluations,
        accuracy_device: 0.0,
        accuracy_approx_same_images: 0.0,
        test_images: 0,
        images_compared: 0,
        seconds: 0.0,
    }
}

fn summarize(r: &Report) {
    eprintln!(
        "  energy saved         {:.1} % of multiplication energy (cost by gate model)",
        r.energy_saved_pct
    );
    eprintln!(
        "  accuracy             float {:.2} %, 8-bit {:.2} %, approximate {:.2} % (of {} test images)",
        r.accuracy_float, r.accuracy_8bit, r.accuracy_approx, r.test_images
    );
    eprintln!(
        "  on the device        {:.2} % of {} images; the host says {:.2} % of the same",
        r.accuracy_device, r.images_compared, r.accuracy_approx_same_images
    );
    eprintln!(
        "  logits               host = runtime = {}: {} of {} images differ",
        r.board, r.logits_differing, r.images_compared
    );
    eprintln!("  memory               {} bytes of flash, {} bytes of arena", r.flash_bytes, r.arena_bytes);
    eprintln!("  instructions         {} per inference on {}", r.insns_per_inference, r.board);
    eprint!("{}", run::layer_table(&r.layers));
    eprintln!("  finished in {:.0} s", r.seconds);
}
