//! `skimp demo`: the whole way, once.

use super::common::{self, DataArgs, FitArgs, MultiplierArgs, Spinner};
use super::optimize::{SearchArgs, optimize};
use super::run::{self, OnBoard};
use crate::board::{Board, Install, toolchain};
use crate::emulate::Emulator;
use crate::emulate::metrics::Score;
use crate::error::{Error, Result};
use crate::execute::{self, AlignedImage};
use crate::file;
use crate::multiplier::{ProductCache, Scheme};
use crate::optimize::{Entrant, IMAGE_FILE, Optimized};
use crate::prepare::Prepared;
use crate::report::front_table;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// The whole way once: a trained network is quantized, its multipliers are chosen and compensated, the
/// image is built, and an emulated microcontroller runs it; everything is compared integer for integer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A network of the zoo or an ONNX or TensorFlow Lite file.
    #[arg(default_value = "fashion-cnn", value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    data: DataArgs,
    /// How products are formed: sign-magnitude, unsigned or signed.
    #[arg(long, default_value = "sign-magnitude")]
    scheme: Scheme,
    #[command(flatten)]
    fit: FitArgs,
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
    /// What was predicted of it before anything ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    insns_predicted: Option<u64>,
    layers: Vec<run::LayerCount>,
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
    let board = Board::find(&args.board)?;
    args.search.check(Some(board))?;
    file::check_writable(&args.out)?;
    board.emulation()?;
    common::at_least("--images", args.images, 1)?;

    step(1, &format!("tools: a compiler for {} and qemu-system-arm", board.target));
    let install = if args.no_install { Install::Forbidden } else { Install::Allowed };
    let spinner = Spinner::start("tools");
    let say = &mut |line: &str| spinner.say(line);
    toolchain::Toolchain::find_or_install(board.target, install, say)?;
    toolchain::qemu(install, say)?;
    drop(spinner);

    step(2, &format!("network: import and quantize {}", args.model));
    let library = args.search.library(&args.multipliers, args.scheme)?;
    let how = args.search.how(args.data.clone(), args.scheme, args.fit.clone());
    let prepared = how.prepare(&args.model, args.search.images())?;
    let accuracy_float = prepared.float_accuracy_pct()?;
    let test_images = prepared.test.labels.len();
    eprintln!("  float {accuracy_float:.2} % of {test_images} test images");
    let options = args.search.options(&prepared.quantized, Some(board), false)?;

    step(3, &format!("search: {} multipliers, {} tiles", library.multipliers().len(), options.tiles));
    let products = ProductCache::new(&library, prepared.quantized.scheme)?;
    let entrant = Entrant { prepared: &prepared, products: &products, checkpoint: None };
    let optimized = optimize(&[entrant], false, args.multipliers.steps()?, &options)?;
    eprint!("{}", front_table(&optimized.front));

    step(4, "the point of least energy within the budget, on images the search has not seen");
    let (chosen, verified) = (optimized.chosen_point(), &optimized.verified);
    eprintln!(
        "  8-bit {:.2} %, approximate {:.2} %: loss {:+.2} +- {:.2} points, {:.1} % of energy saved",
        optimized.exact_accuracy_pct,
        verified.score.accuracy_pct(),
        verified.loss_pp,
        verified.loss_se_pp,
        chosen.energy_saved_pct
    );
    optimized.write(options.max_loss_pp, &args.out)?;
    eprintln!("  wrote front.csv, front.svg, front.json and network.skimp to {}", args.out.display());

    step(5, &format!("image: {} bytes, on the host and on {}", optimized.image.bytes.len(), board.name));
    let device = compare(&args, board, install, &prepared, &optimized)?;

    step(6, "summary");
    let report = Report {
        accuracy_float,
        accuracy_8bit: optimized.exact_accuracy_pct,
        accuracy_approx: verified.score.accuracy_pct(),
        accuracy_device: device.accuracy,
        accuracy_approx_same_images: device.accuracy_emulated,
        energy_saved_pct: chosen.energy_saved_pct,
        loss_search_pp: chosen.loss_search_pp,
        loss_test_pp: verified.loss_pp,
        loss_test_se_pp: verified.loss_se_pp,
        test_images,
        images_compared: device.images,
        logits_differing: device.runtime_differs.max(device.board_differs),
        flash_bytes: optimized.image.bytes.len(),
        arena_bytes: optimized.image.arena_bytes,
        insns_per_inference: device.run.insns_per_inference.unwrap_or(0),
        insns_predicted: chosen.insns,
        layers: device.run.layers,
        evaluations: optimized.effort().evaluations,
        multipliers: chosen.assignment.clone(),
        seconds: started.elapsed().as_secs_f64(),
        model: args.model,
        board: args.board,
    };
    summarize(&report);
    if args.json {
        common::print_json(&report)?;
    }
    if report.logits_differing > 0 {
        return Err(Error::Mismatch(format!(
            "of {} images, {} have other logits in the runtime on the host and {} on {} than in the emulation",
            device.images, device.runtime_differs, device.board_differs, board.name
        )));
    }
    Ok(())
}

/// The same images in the emulation, in the runtime on the host, and on the board.
struct Compared {
    images: usize,
    /// Images whose logits the runtime computes differently from the emulation.
    runtime_differs: usize,
    /// Images whose logits the board computes differently from the emulation.
    board_differs: usize,
    /// Accuracy of the board's logits, in percent.
    accuracy: f64,
    /// Accuracy of the emulation's logits on the same images, in percent.
    accuracy_emulated: f64,
    run: OnBoard,
}

fn compare(
    args: &Args,
    board: &'static Board,
    install: Install,
    prepared: &Prepared,
    optimized: &Optimized,
) -> Result<Compared> {
    let image = AlignedImage::new(&optimized.image.bytes);
    let (each, outputs) = {
        let network = image.load()?;
        (network.input_bytes(), network.output_len())
    };
    let images = args.images.min(prepared.test.labels.len());
    let (codes, labels) = (&prepared.test.codes[..images * each], &prepared.test.labels[..images]);
    let emulated = Emulator::new(&optimized.quantized, &optimized.convs)?.run(codes);
    let on_host = execute::on_host(&image, codes)?;
    let run = run::on_board(board, &args.out.join(IMAGE_FILE), &image, codes, install)?;
    Ok(Compared {
        images,
        runtime_differs: execute::images_differing(&emulated, &on_host, outputs),
        board_differs: execute::images_differing(&emulated, &run.logits, outputs),
        accuracy: Score::new(&run.logits, labels).accuracy_pct(),
        accuracy_emulated: Score::new(&emulated, labels).accuracy_pct(),
        run,
    })
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
    let predicted = r.insns_predicted.map_or(String::new(), |insns| format!(" ({insns} were predicted)"));
    eprintln!("  instructions         {} per inference on {}{predicted}", r.insns_per_inference, r.board);
    eprint!("{}", run::layer_table(&r.layers));
    eprintln!("  finished in {:.0} s", r.seconds);
}
