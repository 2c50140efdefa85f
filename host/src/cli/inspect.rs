//! `skimp image inspect`: what is in an image, and what it will take on a board.

use super::common;
use crate::board::Board;
use crate::board::latency::LayerCost;
use crate::board::prediction::{Fit, Prediction, predict};
use crate::board::timing::Core;
use crate::error::{Error, Result};
use crate::execute::{AlignedImage, point_names};
use crate::file;
use crate::image::contents::{self, LayerContents};
use crate::report::{Align, text_table};
use serde::Serialize;
use std::path::PathBuf;

/// Show what is in an image: layers, tables, flash and memory; what it takes on a board, without running it.
#[derive(Debug, clap::Args)]
pub struct Inspect {
    /// The image file.
    image: PathBuf,
    /// The operating point to show, by name or number; the first unless given.
    #[arg(long, value_name = "POINT")]
    point: Option<String>,
    /// Predict what each layer takes on a board, and tell whether the image fits there.
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Contents {
    name: String,
    /// Those of an image with several, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    operating_points: Vec<String>,
    /// The one that is shown of these.
    #[serde(skip_serializing_if = "String::is_empty")]
    point: String,
    flash_bytes: usize,
    arena_bytes: usize,
    input_bytes: usize,
    outputs: usize,
    layers: Vec<Layer>,
    tables: Vec<TableRow>,
    #[serde(flatten)]
    on_board: Option<OnBoard>,
}

#[derive(Serialize)]
struct Layer {
    #[serde(flatten)]
    contents: LayerContents,
    #[serde(flatten)]
    figures: Option<Figures>,
}

#[derive(Serialize)]
struct TableRow {
    name: String,
    entry: String,
    rows: u16,
    bytes: u32,
}

/// What is predicted of a board.
#[derive(Serialize)]
struct OnBoard {
    predicted: bool,
    board: &'static str,
    clock_hz: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Total>,
    fit: Fit,
    /// How far the cycles may be off.
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles_model_error: Option<&'static str>,
    /// Why nothing is predicted, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Figures by the names that `skimp bench device` has for them.
#[derive(Serialize)]
struct Figures {
    insns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    insns_per_mul: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles_modelled: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles_per_mul: Option<f64>,
}

#[derive(Serialize)]
struct Total {
    multiplications: u64,
    #[serde(flatten)]
    figures: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms_modelled: Option<f64>,
}

impl Figures {
    fn new(multiplications: u64, cost: LayerCost) -> Figures {
        let each = |count: u64| (multiplications > 0).then(|| count as f64 / multiplications as f64);
        Figures {
            insns: cost.insns,
            insns_per_mul: each(cost.insns),
            cycles_modelled: cost.cycles,
            cycles_per_mul: cost.cycles.and_then(each),
        }
    }

    fn cells(&self) -> [String; 3] {
        let each = self.insns_per_mul.map(|each| format!("{each:.2}"));
        let cycles = self.cycles_modelled.map(|cycles| cycles.to_string());
        [self.insns.to_string(), each.unwrap_or_default(), cycles.unwrap_or_default()]
    }
}

impl OnBoard {
    fn new(
        board: &'static Board,
        prediction: &Result<Prediction>,
        multiplications: u64,
        fit: Fit,
    ) -> OnBoard {
        let cost = prediction.as_ref().ok().map(Prediction::total);
        let cycles = cost.and_then(|cost| cost.cycles);
        OnBoard {
            predicted: cost.is_some(),
            board: board.name,
            clock_hz: board.clock_hz,
            total: cost.map(|cost| Total {
                multiplications,
                figures: Figures::new(multiplications, cost),
                ms_modelled: cycles.map(|cycles| board.ms(cycles as f64)),
            }),
            fit,
            cycles_model_error: cycles.and(Core::of(board)).map(Core::error),
            note: prediction.as_ref().err().map(Error::to_string),
        }
    }
}

/// Runs the subcommand.
pub fn run(args: Inspect) -> Result<()> {
    let board = args.board.as_deref().map(Board::find).transpose()?;
    let bytes = file::read(&args.image)?;
    let mut image = AlignedImage::new(&bytes);
    skimp_runtime::Network::load(image.bytes())
        .map_err(|e| Error::file(&args.image, format!("{e}; build images with `skimp image build`")))?;
    if let Some(point) = &args.point {
        image = image.at_point(point)?;
    }
    let network = image.load()?;
    let tables: Vec<TableRow> = network
        .tables()
        .map(|t| TableRow {
            name: t.name.to_owned(),
            entry: format!("{:?}", t.entry).to_lowercase(),
            rows: t.rows,
            bytes: t.entries.bytes,
        })
        .collect();
    let prediction = board.map(|board| (board, predict(&network, board)));
    let predicted = prediction.as_ref().and_then(|(_, prediction)| prediction.as_ref().ok());
    let mut costs = predicted.into_iter().flat_map(|prediction| &prediction.layers);
    let layers: Vec<Layer> = contents::layers(&network)
        .into_iter()
        .map(|contents| {
            let figures = costs.next().map(|&cost| Figures::new(contents.multiplications, cost));
            Layer { contents, figures }
        })
        .collect();
    let multiplications = layers.iter().map(|layer| layer.contents.multiplications).sum();
    let on_board = prediction.as_ref().map(|&(board, ref prediction)| {
        OnBoard::new(board, prediction, multiplications, Fit::new(&network, bytes.len(), board))
    });
    let contents = Contents {
        name: network.name().to_owned(),
        operating_points: match point_names(&network) {
            names if names.len() > 1 => names.into_iter().map(str::to_owned).collect(),
            _ => Vec::new(),
        },
        point: network.point_name().to_owned(),
        flash_bytes: bytes.len(),
        arena_bytes: network.arena_bytes(),
        input_bytes: network.input_bytes(),
        outputs: network.output_len(),
        layers,
        tables,
        on_board,
    };
    if args.json {
        return common::print_json(&contents);
    }
    common::print(format_args!("{}", contents.text()))
}

impl Contents {
    fn text(&self) -> String {
        let mut heading = format!(
            "{}: {} bytes of flash, {} bytes of arena, {} bytes of input, {} outputs\n",
            self.name, self.flash_bytes, self.arena_bytes, self.input_bytes, self.outputs
        );
        if !self.operating_points.is_empty() {
            let (names, point) = (self.operating_points.join(", "), &self.point);
            heading += &format!("operating points: {names}; shown: {point}\n");
        }
        let mut columns = vec![
            ("layer", Align::Left),
            ("kernel", Align::Left),
            ("output", Align::Right),
            ("multiplications", Align::Right),
            ("weight bytes", Align::Right),
            ("multiplier", Align::Left),
        ];
        let total = self.on_board.as_ref().and_then(|on_board| on_board.total.as_ref());
        if total.is_some() {
            let predicted = ["~instructions", "per mult.", "~cycles"];
            columns.extend(predicted.map(|name| (name, Align::Right)));
        }
        let row = |Layer { contents: l, figures }: &Layer| {
            let cells = [
                l.name.clone(),
                l.kernel.clone(),
                l.output.clone(),
                l.multiplications.to_string(),
                l.weight_bytes.to_string(),
                l.multiplier.clone().unwrap_or_default(),
            ];
            let figures = figures.iter().flat_map(Figures::cells);
            cells.into_iter().chain(figures).collect::<Vec<String>>()
        };
        let mut rows: Vec<Vec<String>> = self.layers.iter().map(row).collect();
        if let Some(total) = total {
            let multiplications = total.multiplications.to_string();
            let cells = ["total", "", "", &multiplications, "", ""].map(str::to_owned);
            rows.push(cells.into_iter().chain(total.figures.cells()).collect());
        }
        let mut text = heading + &text_table(&columns, &rows);
        if let Some(on_board) = &self.on_board {
            text += &on_board.text();
        }
        let columns =
            [("table", Align::Left), ("entry", Align::Left), ("rows", Align::Right), ("bytes", Align::Right)];
        let rows: Vec<Vec<String>> = self
            .tables
            .iter()
            .map(|t| vec![t.name.clone(), t.entry.clone(), t.rows.to_string(), t.bytes.to_string()])
            .collect();
        text + &text_table(&columns, &rows)
    }
}

impl OnBoard {
    fn text(&self) -> String {
        let Fit { flash_bytes, flash_capacity_bytes, memory_bytes, memory_capacity_bytes, fits } = self.fit;
        let fits = if fits { "fits" } else { "does not fit" };
        let mut text = format!(
            "{fits} the {}: {flash_bytes} of {flash_capacity_bytes} bytes of flash, {memory_bytes} of \
             {memory_capacity_bytes} bytes of RAM\n",
            self.board
        );
        if let Some(note) = &self.note {
            text += &format!("{note}\n");
        }
        let Some(total) = &self.total else { return text };
        text += "instructions are predicted, without running the image\n";
        if let (Some(ms), Some(error)) = (total.ms_modelled, self.cycles_model_error) {
            let mhz = f64::from(self.clock_hz) / 1e6;
            text += &format!(
                "about {ms:.1} ms an inference at {mhz:.0} MHz without wait states\ncycles and ms are predicted from \
                 another estimate: {error}\n"
            );
        }
        text
    }
}
