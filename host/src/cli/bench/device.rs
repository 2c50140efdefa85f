//! `skimp bench device`: what each layer of a network takes on a board.

use crate::board::latency::{self, Measured};
use crate::board::timing::{MAX_WAIT_STATES, Timing};
use crate::board::{Board, Install};
use crate::cli::build::{Chosen, ImageArgs, build};
use crate::cli::common::{self, HowArgs, MultiplierArgs, Spinner};
use crate::cli::run::encode;
use crate::data::{self, Count, Request};
use crate::error::{Error, Result};
use crate::execute::{self, AlignedImage};
use crate::file;
use crate::image::contents;
use crate::zoo;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};

mod report;

use report::{Layer, Report, Total};

/// Measure each layer of a network on a board that QEMU emulates: exact instructions, estimated cycles.
///
/// One inference of one input runs there, and its logits are compared with the host's. QEMU counts
/// instructions; cycles are an estimate by the processor's documented timings, with the error that is
/// printed beside it.
#[derive(Debug, clap::Args)]
pub struct Device {
    /// The board.
    #[arg(long, value_name = "NAME")]
    board: String,
    /// A network of the zoo (digits-cnn, fashion-cnn, resnet8), or an ONNX or TensorFlow Lite file, of which an image is
    /// built.
    #[arg(long, default_value = "resnet8", value_name = "NAME|FILE")]
    model: String,
    /// An image file to measure, instead of building one.
    #[arg(long, value_name = "FILE", conflicts_with_all = BUILDING)]
    image: Option<PathBuf>,
    /// The multiplier of all layers, or of each, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "exact", value_name = "NAME,...")]
    multiplier: Vec<String>,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    form: ImageArgs,
    /// Estimate cycles by other figures of the board's than its firmware's, such as 168MHz.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Estimate cycles with so many wait states of the flash.
    #[arg(long, value_name = "N")]
    wait_states: Option<u32>,
    /// Say what is missing instead of installing it.
    #[arg(long)]
    no_install: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Arguments that only tell how an image is built.
const BUILDING: [&str; 11] = [
    "model",
    "multiplier",
    "sources",
    "compensation",
    "scheme",
    "range",
    "calibration_images",
    "test_images",
    "tables",
    "lookup_only",
    "copy_tables_within",
];

/// Where inputs are drawn from when there are no images.
const SEED: u64 = 1;

/// An image to run, and what to run it on.
struct Subject {
    model: String,
    bytes: Vec<u8>,
    /// What the input is.
    input: String,
    codes: Vec<u8>,
}

/// Runs the subcommand.
pub fn run(args: Device) -> Result<()> {
    let board = Board::find(&args.board)?;
    let mut timing = Timing::find(board, args.preset.as_deref())?;
    if let Some(wait_states) = args.wait_states {
        if wait_states > MAX_WAIT_STATES {
            let reason = format!("--wait-states must be at most {MAX_WAIT_STATES}, not {wait_states}");
            return Err(Error::Argument(reason));
        }
        timing.wait_states = wait_states;
    }
    let subject = match &args.image {
        Some(path) => read(path, &args.how)?,
        None => made(&args, board)?,
    };
    let image = AlignedImage::new(&subject.bytes);
    let report = measure(board, &timing, &subject, &image, args.no_install)?;
    if args.json {
        common::print_json(&report)?;
    } else {
        common::print(format_args!("{}", report.text()))?;
    }
    if report.logits_differing {
        return Err(Error::Mismatch(format!("the logits on {} are not the host's", board.name)));
    }
    Ok(())
}

/// Builds an image as `skimp image build` does.
fn made(args: &Device, board: &Board) -> Result<Subject> {
    let chosen = Chosen::only("--multiplier", &args.multiplier);
    let built = build(&args.model, &args.how, &args.multipliers, &chosen, &args.form, Some(board))?;
    let test = &built.prepared.test;
    let (_, own_data) = zoo::resolve(&args.model)?;
    // Where neither is given, there is nothing to prepare a network with.
    let set = args.how.data.data.as_deref().or(own_data).unwrap_or_default();
    let each = test.codes.len() / test.labels.len().max(1);
    Ok(Subject {
        model: args.model.clone(),
        bytes: built.image.bytes,
        input: format!("first test image of {set}"),
        codes: test.codes[..each].to_vec(),
    })
}

/// Reads an image, and an input for it.
fn read(path: &Path, how: &HowArgs) -> Result<Subject> {
    let bytes = file::read(path)?;
    let image = AlignedImage::new(&bytes);
    let network = image.load().map_err(|e| Error::file(path, format!("{e}; see `skimp image inspect`")))?;
    let model = network.name().to_owned();
    let from_set = |name: &str| {
        let spinner = Spinner::start("reading images");
        let request = Request { test: Count::exactly(1), ..Request::default() };
        let set = data::open(name, request, &|line| spinner.say(line))?.test;
        let codes = encode(&network, name, &set, (&how.data.mean, &how.data.std))?;
        Ok((format!("first test image of {name}"), codes))
    };
    let known = || zoo::NETWORKS.iter().find(|entry| entry.name == model);
    let (input, codes) = match &how.data.data {
        Some(name) => from_set(name)?,
        None => known().and_then(|entry| from_set(entry.data).ok()).unwrap_or_else(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            let codes = (0..network.input_bytes()).map(|_| rng.random()).collect();
            (format!("random codes, seed {SEED}"), codes)
        }),
    };
    Ok(Subject { model, bytes, input, codes })
}

fn measure(
    board: &'static Board,
    timing: &Timing,
    subject: &Subject,
    image: &AlignedImage,
    no_install: bool,
) -> Result<Report> {
    let folder = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let path = folder.path().join("network.skimp");
    file::write_atomically(&path, &subject.bytes)?;
    let install = if no_install { Install::Forbidden } else { Install::Allowed };
    let on_host = execute::on_host(image, &subject.codes)?;
    let spinner = Spinner::start(board.name);
    let say = &mut |line: &str| spinner.say(line);
    let measured = latency::measure(timing, board, (&path, image), &subject.codes, install, say)?;
    drop(spinner);
    let Measured { run, layers: costs, without_cycles } = measured;
    let network = image.load()?;
    let layers: Vec<Layer> = contents::layers(&network)
        .into_iter()
        .zip(&costs)
        .map(|(layer, cost)| Layer::new(layer, cost))
        .collect();
    Ok(Report {
        board: board.name,
        preset: timing.preset,
        clock_hz: timing.clock_hz,
        wait_states: timing.wait_states,
        model: subject.model.clone(),
        input: subject.input.clone(),
        logits_differing: run.logits != on_host,
        total: Total::new(&layers, timing),
        layers,
        cycles_model_error: without_cycles.is_none().then(|| timing.core.error()),
        note: without_cycles.map(|reason| format!("no cycles were estimated: {reason}")),
    })
}
