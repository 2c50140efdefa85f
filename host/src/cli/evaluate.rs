//! `skimp evaluate`: what quantization and one multiplier do to a network.

use super::common::{self, MultiplierArgs, NetworkArgs};
use crate::accelerator::{AcceleratorModel, MacCosts, TileCost, Workload};
use crate::compensate::Compensator;
use crate::data::Count;
use crate::emulate::{ApproximateConv, Emulator};
use crate::error::Result;
use crate::multiplier::{Choice, Library, ProductCache};
use crate::optimize::Evaluator;
use crate::quantize::QuantizedNetwork;
use crate::report::{Align, text_table};
use serde::Serialize;
use std::time::Instant;

/// Measure a network on test images: float, 8-bit exact, and with one multiplier in every layer.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    multipliers: MultiplierArgs,
    /// Multiplier for every layer, such as mul8u_trunc6, or 17KS~ for exchanged operands.
    #[arg(long, value_name = "NAME")]
    multiplier: Option<String>,
    /// Multiplier for the first layer, if it is to be another.
    #[arg(long, value_name = "NAME", requires = "multiplier")]
    first: Option<String>,
    /// Leave out the float network, which takes longest.
    #[arg(long)]
    no_float: bool,
    /// Show how each layer is emulated, and why so.
    #[arg(long)]
    explain: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    model: String,
    scheme: String,
    test_images: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy_float: Option<f64>,
    accuracy_8bit: f64,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    approximate: Option<Approximate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kernels: Vec<LayerKernel>,
}

/// How a layer is emulated.
#[derive(Serialize)]
struct LayerKernel {
    layer: String,
    outputs: String,
    taps: usize,
    multiplier: String,
    kernel: &'static str,
    instructions: &'static str,
    why: String,
}

/// How each layer of an assignment is emulated.
fn explain(
    network: &QuantizedNetwork,
    library: &Library,
    assignment: &[Choice],
    convs: &[ApproximateConv],
) -> Result<Vec<LayerKernel>> {
    let emulator = Emulator::new(network, convs)?;
    let layers = network.convs().zip(emulator.plans()).zip(assignment);
    let layers = layers.map(|(((layer, conv), plan), choice)| {
        let widths: Vec<String> =
            plan.table_widths().iter().map(|(width, blocks)| format!("{width} x{blocks}")).collect();
        let widths =
            if widths.is_empty() { String::new() } else { format!("; tables: {}", widths.join(", ")) };
        LayerKernel {
            layer: layer.name.clone(),
            outputs: format!("{}x{}x{}", conv.output.height, conv.output.width, conv.output.channels),
            taps: conv.taps(),
            multiplier: choice.name(library),
            kernel: plan.kernel().name(),
            instructions: plan.isa().name(),
            why: format!("{}{widths}", plan.reason()),
        }
    });
    Ok(layers.collect())
}

/// As a table of text.
fn explanation(kernels: &[LayerKernel]) -> String {
    let columns = [
        ("layer", Align::Left),
        ("outputs", Align::Right),
        ("taps", Align::Right),
        ("multiplier", Align::Left),
        ("kernel", Align::Left),
        ("with", Align::Left),
        ("why", Align::Left),
    ];
    let row = |k: &LayerKernel| {
        vec![
            k.layer.clone(),
            k.outputs.clone(),
            k.taps.to_string(),
            k.multiplier.clone(),
            k.kernel.to_owned(),
            k.instructions.to_owned(),
            k.why.clone(),
        ]
    };
    text_table(&columns, &kernels.iter().map(row).collect::<Vec<_>>())
}

#[derive(Serialize)]
struct Approximate {
    multiplier: String,
    accuracy_approx: f64,
    loss_pp: f64,
    loss_se_pp: f64,
    kl: f64,
    energy_saved_pct: f64,
    /// Multiplications of the approximate network on all test images.
    multiplications: u64,
    /// What fitting the approximate network to the calibration images took.
    compensation_seconds: f64,
    /// What emulating the multiplications took, from input codes to logits.
    emulation_seconds: f64,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let scheme = args.network.how.scheme;
    let library = args.multipliers.library(scheme)?;
    let products = ProductCache::new(&library, scheme)?;
    let choose = |name: &String| Choice::parse(&library, name);
    let multiplier = args.multiplier.as_ref().map(choose).transpose()?;
    let first = args.first.as_ref().map(choose).transpose()?;
    let prepared = args.network.how.prepare(&args.network.model, Count::default())?;
    let spinner = common::Spinner::start("running");
    let accuracy_float = if args.no_float {
        None
    } else {
        spinner.say(&format!("float network on {} images", prepared.test.labels.len()));
        Some(prepared.float_accuracy_pct()?)
    };
    spinner.say("8-bit network");
    let steps = args.multipliers.steps()?;
    let calibration = &prepared.calibration.codes;
    let compensator = Compensator::new(&prepared.quantized, &products, steps, calibration)?;
    let evaluator = Evaluator::new(&compensator, &prepared.test)?;
    let accuracy_8bit = evaluator.exact_score().accuracy_pct();
    let mut assignment = match multiplier {
        Some(choice) => vec![choice; prepared.quantized.convs().count()],
        None => compensator.exact_assignment(),
    };
    if let (Some(first), Some(layer)) = (first, assignment.first_mut()) {
        *layer = first;
    }
    let begin = Instant::now();
    let convs = compensator.compensate(&assignment)?;
    let compensation_seconds = begin.elapsed().as_secs_f64();
    let kernels = match args.explain {
        true => explain(&prepared.quantized, &library, &assignment, &convs)?,
        false => Vec::new(),
    };
    let approximate = multiplier.map(|choice| -> Result<Approximate> {
        spinner.say("approximate network");
        let begin = Instant::now();
        let measured = evaluator.measure_convs(&convs)?;
        let emulation_seconds = begin.elapsed().as_secs_f64();
        // A tile for each layer: what shares a multiplier costs the same apart.
        let tile = |choice: &Choice| TileCost::of(&library.multipliers()[choice.multiplier]);
        let energy = AcceleratorModel::PowerGated.report(&Workload {
            multiplications: &prepared.quantized.multiplications(),
            layers: &(0..assignment.len()).map(|layer| layer as u16).collect::<Vec<u16>>(),
            tiles: &assignment.iter().map(tile).collect::<Vec<TileCost>>(),
            array_size: 1,
            mac: MacCosts::of(scheme),
        })?;
        Ok(Approximate {
            multiplier: choice.name(&library),
            accuracy_approx: measured.score.accuracy_pct(),
            loss_pp: measured.loss_pp,
            loss_se_pp: measured.loss_se_pp,
            kl: measured.kl,
            energy_saved_pct: energy.saved_pct,
            multiplications: prepared.quantized.multiplications().iter().sum::<u64>()
                * prepared.test.labels.len() as u64,
            compensation_seconds,
            emulation_seconds,
        })
    });
    let approximate = approximate.transpose()?;
    drop(spinner);
    let report = Report {
        model: args.network.model,
        scheme: scheme.to_string(),
        test_images: prepared.test.labels.len(),
        accuracy_float,
        accuracy_8bit,
        approximate,
        kernels,
    };
    if args.json {
        return common::print_json(&report);
    }
    if args.explain {
        common::print(format_args!("{}", explanation(&report.kernels)))?;
    }
    common::print(format_args!(
        "{} on {} test images, {} scheme\n",
        report.model, report.test_images, report.scheme
    ))?;
    if let Some(accuracy) = report.accuracy_float {
        common::print(format_args!("  float        {accuracy:6.2} %\n"))?;
    }
    common::print(format_args!("  8-bit exact  {accuracy_8bit:6.2} %\n"))?;
    if let Some(a) = report.approximate {
        common::print(format_args!(
            "  {:<12} {:6.2} %   loss {:+.2} +- {:.2} points, KL {:.4}, {:.1} % of multiplication energy saved\n",
            a.multiplier, a.accuracy_approx, a.loss_pp, a.loss_se_pp, a.kl, a.energy_saved_pct
        ))?;
        common::print(format_args!(
            "  compensated in {:.2} s, emulated {:.1} G multiplications in {:.2} s\n",
            a.compensation_seconds,
            a.multiplications as f64 / 1e9,
            a.emulation_seconds
        ))?;
    }
    Ok(())
}
