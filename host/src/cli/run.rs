//! `skimp run`: an image on a board or on the host.

use super::common::{self, Spinner};
use crate::board::link::Link;
use crate::board::{self, Board, Device, Install, Serial, serial};
use crate::data::{self, Count, DataSet, Preprocess, Request};
use crate::emulate::metrics::Score;
use crate::error::{Error, Result};
use crate::execute::{self, AlignedImage};
use crate::file;
use crate::network::Shape;
use crate::quantize::{InputCoding, QuantizedTensor};
use crate::report::{Align, text_table};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Run an image on a board (emulated or real) or on the host, and compare with the host.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The image file.
    image: PathBuf,
    /// Where to run it: a board, emulated by QEMU unless --port is given, or `host`.
    #[arg(long, value_name = "NAME")]
    board: String,
    /// The serial port that a real board is connected to, such as /dev/ttyACM0. `skimp flash` puts firmware and
    /// image there before.
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// The port's speed.
    #[arg(long, requires = "port", default_value_t = serial::BAUD, value_name = "N")]
    baud: u32,
    /// The operating point to run at, by name or number; the first unless given.
    #[arg(long, value_name = "NAME|N")]
    point: Option<String>,
    /// Test images of a data set (by name or folder), or a file of input codes one after another.
    #[arg(long, value_name = "NAME|PATH")]
    inputs: String,
    /// How many images of a data set.
    #[arg(long, default_value_t = 200, value_name = "N")]
    images: usize,
    /// Mean of each channel, as the network was prepared with.
    #[arg(long, value_delimiter = ',', value_name = "M,M,M", allow_negative_numbers = true)]
    mean: Vec<f32>,
    /// Standard deviation of each channel, as the network was prepared with.
    #[arg(long, value_delimiter = ',', value_name = "S,S,S", allow_negative_numbers = true)]
    std: Vec<f32>,
    /// Give the network pixels as they are, as codes (int8 + 128): for an image that keeps a model's own scales and was
    /// built without --mean and --std.
    #[arg(long, conflicts_with_all = ["mean", "std"])]
    codes: bool,
    /// Say what is missing instead of installing it.
    #[arg(long)]
    no_install: bool,
    /// Print one JSON object, logits included.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    board: String,
    images: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<f64>,
    logits_differing: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    insns_per_inference: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles_per_inference: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerCount>,
    logits: Vec<Vec<i32>>,
}

/// What one layer took on a board.
#[derive(Debug, Clone, Serialize)]
pub struct LayerCount {
    /// The layer's name.
    pub name: String,
    /// Instructions, if an emulator counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insns: Option<u64>,
    /// Processor cycles, if the board counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u64>,
}

/// Inputs as codes, with labels where they are known.
struct Inputs {
    codes: Vec<u8>,
    labels: Option<Vec<u8>>,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let mut image = AlignedImage::new(&file::read(&args.image)?);
    image.load().map_err(|e| Error::file(&args.image, format!("{e}; see `skimp image inspect`")))?;
    if let Some(point) = &args.point {
        image = image.at_point(point)?;
    }
    let network = image.load()?;
    common::at_least("--images", args.images, 1)?;
    let board = match (args.board.as_str(), &args.port) {
        ("host", Some(_)) => {
            return Err(Error::Argument(
                "--port is for boards: leave it out, or name one with --board".into(),
            ));
        }
        ("host", None) => None,
        (name, Some(_)) => Some(Board::find(name)?),
        (name, None) => {
            let board = Board::find(name)?;
            board.emulation()?;
            Some(board)
        }
    };
    let inputs = inputs(&args, &network)?;
    let on_host = execute::on_host(&image, &inputs.codes)?;
    let install = if args.no_install { Install::Forbidden } else { Install::Allowed };
    let run = match (board, &args.port) {
        (None, _) => OnBoard { logits: on_host.clone(), ..OnBoard::default() },
        (Some(board), None) => on_board(board, &args.image, &image, &inputs.codes, install)?,
        (Some(board), Some(port)) => on_port(board, port, args.baud, &image, &inputs.codes)?,
    };
    let outputs = network.output_len();
    let report = Report {
        board: args.board,
        images: run.logits.len() / outputs,
        accuracy: inputs.labels.map(|labels| Score::new(&run.logits, &labels).accuracy_pct()),
        logits_differing: execute::images_differing(&on_host, &run.logits, outputs),
        insns_per_inference: run.insns_per_inference,
        cycles_per_inference: run.cycles_per_inference,
        layers: run.layers,
        logits: run.logits.chunks(outputs).map(<[i32]>::to_vec).collect(),
    };
    if args.json {
        common::print_json(&report)?;
    } else {
        print(&report)?;
    }
    if report.logits_differing > 0 {
        return Err(Error::Mismatch(format!(
            "{} of {} images have other logits on {} than on the host",
            report.logits_differing, report.images, report.board
        )));
    }
    Ok(())
}

fn print(report: &Report) -> Result<()> {
    common::print(format_args!("{}: {} images\n", report.board, report.images))?;
    if let Some(accuracy) = report.accuracy {
        common::print(format_args!("  accuracy {accuracy:.2} %\n"))?;
    }
    common::print(format_args!(
        "  images with other logits than on the host: {}\n",
        report.logits_differing
    ))?;
    if let Some(insns) = report.insns_per_inference {
        common::print(format_args!("  {insns} instructions per inference\n"))?;
    }
    if let Some(cycles) = report.cycles_per_inference {
        common::print(format_args!("  {cycles} cycles per inference\n"))?;
    }
    common::print(format_args!("{}", layer_table(&report.layers)))?;
    Ok(())
}

/// Instructions or cycles by layer as a table; nothing if neither is known.
pub fn layer_table(layers: &[LayerCount]) -> String {
    let row = |layer: &LayerCount, count: Option<u64>| Some(vec![layer.name.clone(), count?.to_string()]);
    let insns: Vec<_> = layers.iter().filter_map(|layer| row(layer, layer.insns)).collect();
    let cycles: Vec<_> = layers.iter().filter_map(|layer| row(layer, layer.cycles)).collect();
    [("instructions", insns), ("cycles", cycles)]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(what, rows)| text_table(&[("layer", Align::Left), (what, Align::Right)], &rows))
        .collect()
}

/// What a board did, as it counts.
#[derive(Debug, Default)]
pub struct OnBoard {
    /// Logits of all inputs.
    pub logits: Vec<i32>,
    /// Instructions for one inference, if counted.
    pub insns_per_inference: Option<u64>,
    /// Processor cycles for one inference, if counted.
    pub cycles_per_inference: Option<u64>,
    /// What each layer took, if counted.
    pub layers: Vec<LayerCount>,
}

/// Starts `board` in QEMU with the image of file `path` and streams `codes` through it, with progress.
pub fn on_board(
    board: &'static Board,
    path: &Path,
    image: &AlignedImage,
    codes: &[u8],
    install: Install,
) -> Result<OnBoard> {
    let spinner = Spinner::start(board.name);
    let log = |line: board::LogLine| {
        if matches!(line.level, "warn" | "error") {
            eprintln!("  {}: {}", line.level, line.message);
        }
    };
    let mut device = board::emulate(board, Some(path), install, &mut |line| spinner.say(line), log)?;
    drop(spinner);
    stream(&mut device, board, image, codes)
}

/// Streams `codes` through the real `board` on the serial port `port`, which has to hold the image.
fn on_port(board: &Board, port: &str, baud: u32, image: &AlignedImage, codes: &[u8]) -> Result<OnBoard> {
    let spinner = Spinner::start(&format!("greeting the {} on {port}", board.name));
    let mut device = Device::connect(Serial::open(port, baud)?, board.name)?;
    drop(spinner);
    stream(&mut device, board, image, codes)
}

fn stream<L: Link>(
    device: &mut Device<L>,
    board: &Board,
    image: &AlignedImage,
    codes: &[u8],
) -> Result<OnBoard> {
    let network = image.load()?;
    let total = codes.len() / network.input_bytes();
    let bar = common::progress_bar(total as u64, board.name);
    let run = execute::on_board(device, image, codes, |done| {
        bar.set_position(done as u64);
        if bar.is_hidden() && done % 50 == 0 {
            eprintln!("  {done} of {total} images");
        }
    });
    bar.finish_and_clear();
    let run = run?;
    let layers = network.layers().zip(&run.layer_ticks).map(|(layer, &ticks)| LayerCount {
        name: layer.name.to_owned(),
        insns: device.insns(ticks.into()),
        cycles: device.cycles(ticks.into()),
    });
    let layers = layers.filter(|layer| layer.insns.is_some() || layer.cycles.is_some());
    Ok(OnBoard {
        layers: layers.collect(),
        insns_per_inference: device.insns(run.ticks_per_inference),
        cycles_per_inference: device.cycles(run.ticks_per_inference),
        logits: run.logits,
    })
}

fn inputs(args: &Args, network: &skimp_runtime::Network) -> Result<Inputs> {
    let path = Path::new(&args.inputs);
    if path.is_file() {
        let (codes, each) = (file::read(path)?, network.input_bytes());
        if codes.is_empty() || !codes.len().is_multiple_of(each) {
            let reason = format!("its {} bytes are no whole number of inputs of {each} bytes", codes.len());
            return Err(Error::file(path, reason));
        }
        return Ok(Inputs { codes, labels: None });
    }
    let request = Request { test: Count::exactly(args.images), ..Request::default() };
    let spinner = Spinner::start("reading images");
    let set = data::open(&args.inputs, request, &|line| spinner.say(line))?.test;
    let codes = encode(network, &args.inputs, &set, (&args.mean, &args.std))?;
    let codes = if args.codes { set.images } else { codes };
    Ok(Inputs { codes, labels: Some(set.labels) })
}

/// The codes of all images of the set called `name`, as `network` takes them; `mean` and `std` by channel.
pub(super) fn encode(
    network: &skimp_runtime::Network,
    name: &str,
    set: &DataSet,
    (mean, std): (&[f32], &[f32]),
) -> Result<Vec<u8>> {
    let head = network.head();
    let input = QuantizedTensor {
        name: "input".into(),
        shape: Shape::new(head.input.height.into(), head.input.width.into(), head.input.channels.into()),
        scale: head.input_scale.into(),
        zero_point: head.input_zero_point,
    };
    if set.shape != input.shape {
        return Err(Error::Mismatch(format!(
            "{name} holds images of {}, the network takes {}",
            set.shape, input.shape
        )));
    }
    let preprocess = Preprocess::new(mean, std, input.shape.channels)?;
    let coding = InputCoding::new(&input, |pixel, channel| preprocess.value(channel, pixel));
    Ok(coding.encode(&set.images))
}
