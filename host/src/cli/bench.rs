//! `skimp bench`: how fast this machine is, and boards are.

mod device;

use super::common::{self, Spinner};
use crate::bench::emulation::{self, Options, Report};
use crate::bench::figures::Figures;
use crate::bench::layers::{IMAGES, KernelRate};
use crate::bench::tables::Spread;
use crate::emulate::Kernel;
use crate::error::{Error, Result};
use crate::multiplier::{Choice, Library};
use crate::report::{Align, text_table};

/// Measure how fast this machine or a board is at it.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Emulating approximate multipliers, beside plain table lookup and the limit of the cache.
    Emulation(Emulation),
    /// A network's layers on an emulated board: instructions, and cycles as an estimate.
    Device(Box<device::Device>),
}

/// Measure the emulation of approximate multipliers; every result is checked.
///
/// Workload W is a 3x3 convolution of 64 to 64 channels of 16x16 pixels over a batch of 32 images. Rates are
/// G multiplications/s, everything but the plan included; --threads decides what all threads are.
#[derive(Debug, clap::Args)]
pub struct Emulation {
    /// The multipliers to choose from: builtin, a folder of tables with a costs.csv, a file of netlists
    /// (*.jsonl), or several of them with commas between; unsigned.
    #[arg(long, default_value = "builtin", value_name = "SOURCE,...")]
    multipliers: String,
    /// Measure with this multiplier only (`NAME~` exchanges its operands), not with all of the library.
    #[arg(long, value_name = "NAME")]
    multiplier: Option<String>,
    /// Measure the layers of ResNet-8 and ResNet-20 too.
    #[arg(long)]
    layers: bool,
    /// Seconds for each measurement: more are steadier.
    #[arg(long, default_value_t = 0.15, value_name = "S", allow_negative_numbers = true)]
    seconds: f64,
    /// Images in a batch of W.
    #[arg(long, default_value_t = 32, value_name = "N")]
    images: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Longest measurement, so that a slip does not take days.
const MAX_SECONDS: f64 = 60.0;
/// Most images, so that a slip does not take all memory.
const MAX_IMAGES: usize = 4096;

/// Runs the subcommand.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Emulation(args) => emulation(args),
        Command::Device(args) => device::run(*args),
    }
}

fn emulation(args: Emulation) -> Result<()> {
    if !(0.0..=MAX_SECONDS).contains(&args.seconds) {
        let reason = format!("--seconds must be from 0 to {MAX_SECONDS}, not {}", args.seconds);
        return Err(Error::Argument(reason));
    }
    if !(1..=MAX_IMAGES).contains(&args.images) {
        let reason = format!("--images must be from 1 to {MAX_IMAGES}, not {}", args.images);
        return Err(Error::Argument(reason));
    }
    let library = Library::from_sources(&args.multipliers, false)?;
    if library.is_signed() {
        let reason = format!(
            "--multipliers {}: the multipliers are signed, but the benchmark's codes are not; give a folder \
             of unsigned ones",
            args.multipliers
        );
        return Err(Error::Argument(reason));
    }
    let choices: Vec<Choice> = match &args.multiplier {
        Some(name) => vec![Choice::parse(&library, name)?],
        None => {
            (0..library.multipliers().len()).map(|multiplier| Choice { multiplier, swapped: false }).collect()
        }
    };
    let spinner = Spinner::start("measuring");
    let options = Options { seconds: args.seconds, images: args.images, layers: args.layers };
    let report = emulation::run(&library, &choices, options, &|step| spinner.say(step))?;
    drop(spinner);
    if args.json {
        return common::print_json(&report);
    }
    common::print(format_args!("{}", text(&report)))
}

/// The report as a person reads it.
fn text(report: &Report) -> String {
    let mut sections = vec![
        format!(
            "W: 3x3, 64 -> 64 channels, 16x16, batch {}; {}; n = {} threads; G multiplications/s\n",
            report.images, report.isa, report.threads
        ),
        headline(report),
        kernels(report),
    ];
    if !report.layers.is_empty() {
        sections.push(layers(report));
    }
    sections.join("\n")
}

/// The columns of [`Figures`] behind one of names.
fn columns(name: &str) -> Vec<(&str, Align)> {
    let right = ["ReLU, 1t", "ReLU, nt", "uniform, 1t", "uniform, nt"].map(|name| (name, Align::Right));
    [(name, Align::Left)].into_iter().chain(right).collect()
}

/// A row of [`columns`].
fn row(name: impl Into<String>, figures: Figures<String>) -> Vec<String> {
    let Figures { relu_1t, relu_nt, uniform_1t, uniform_nt } = figures;
    vec![name.into(), relu_1t, relu_nt, uniform_1t, uniform_nt]
}

fn rates(figures: &Figures<f64>) -> Figures<String> {
    figures.map(|rate| format!("{rate:.2}"))
}

fn headline(report: &Report) -> String {
    let mut rows = Vec::new();
    for (what, spread) in [("vector tables", &report.vector_tables), ("planned", &report.planned)] {
        let part = |value: fn(&Spread) -> f64| rates(&spread.map(value));
        rows.push(row(format!("{what}, worst table"), part(|s| s.worst)));
        rows.push(row("  its name", spread.map(|s| s.worst_table.clone())));
        rows.push(row(format!("{what}, median"), part(|s| s.median)));
        rows.push(row(format!("{what}, best"), part(|s| s.best)));
    }
    rows.push(row("scalar baseline", rates(&report.scalar)));
    rows.push(row("worst / baseline", report.times_scalar.map(|times| format!("{times:.1}x"))));
    let tables = &report.tables;
    let mut plans: Vec<f64> = tables.iter().map(|table| table.plan_us).collect();
    plans.sort_by(f64::total_cmp);
    let (median, most) = (plans[plans.len() / 2], plans[plans.len() - 1]);
    let kernels = Kernel::ALL.map(|kernel| {
        let count = tables.iter().filter(|table| table.planned_kernel == kernel).count();
        format!("{} for {count}", kernel.name())
    });
    format!(
        "{}\n{} tables, planned: {}; a plan takes {median:.0} us (median), {most:.0} us (most)\n\
         first-level cache, 1 thread: {:.1} G 16-bit products/s; the worst table reaches {:.1} % (ReLU), \
         {:.1} % (uniform)\n",
        text_table(&columns("all tables"), &rows),
        tables.len(),
        kernels.join(", "),
        report.l1_limit_1t,
        100.0 * report.l1_share_relu_1t,
        100.0 * report.l1_share_uniform_1t,
    )
}

fn kernels(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .kernels
        .iter()
        .map(|k| row(format!("{}, {}, {}", k.kernel.name(), k.isa, k.multiplier), rates(&k.gmps)))
        .collect();
    text_table(&columns("kernel, instructions, multiplier"), &rows)
}

fn layers(report: &Report) -> String {
    let (left, right) = (Align::Left, Align::Right);
    let heading = format!("layer, batch {IMAGES}");
    let columns = [
        (heading.as_str(), left),
        ("in ResNet-8", right),
        ("in ResNet-20", right),
        ("kernel", left),
        ("ReLU, 1t", right),
        ("ReLU, nt", right),
        ("uniform, 1t", right),
        ("uniform, nt", right),
        ("others, ReLU, 1t", left),
    ];
    let mut rows = Vec::new();
    for layer in &report.layers {
        let other = |other: &KernelRate| format!("{} {:.2}", other.kernel.name(), other.gmps.relu_1t);
        let counts = [layer.resnet8_count, layer.resnet20_count].map(|count| count.to_string());
        let mut line = row(layer.layer.clone(), rates(&layer.gmps));
        line.splice(1..1, counts.into_iter().chain([layer.kernel.name().to_owned()]));
        line.push(layer.others.iter().map(other).collect::<Vec<_>>().join(", "));
        rows.push(line);
    }
    for network in &report.networks {
        let mut line = row(format!("all of {}", network.network), rates(&network.gmps));
        line.splice(1..1, std::iter::repeat_n(String::new(), 3));
        rows.push(line);
    }
    text_table(&columns, &rows)
}
