//! `skimp multipliers show`: everything known about one multiplier.

mod distribution;
mod in_network;

use crate::cli::common::{self, HowArgs, SourceArgs};
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::cost::Cost;
use crate::multiplier::{
    Choice, CostSource, Design, GateCounts, Library, MAX_TERMS, Multiplier, Netlist, Statistics, Structure,
    TruthTable, signed_by_name, signed_or_unsigned,
};
use crate::report::HeatMap;
use in_network::InNetwork;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Show everything known about one multiplier: errors, structure, cost, gates, and its errors in a network.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The multiplier, such as trunc6 or mul8s_w4, or trunc6~ for exchanged operands.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    source: SourceArgs,
    /// The signed half of the built-in library; names that begin with mul8s_ mean it anyway.
    #[arg(long)]
    signed: bool,
    /// Draw the errors of all operands into this file, an image by its ending: .svg or .png. Missing folders on
    /// the way are made.
    #[arg(long, value_name = "FILE.svg|FILE.png")]
    heat_map: Option<PathBuf>,
    /// Also show the errors, and the power if the gates are known, on what the layers of this network multiply:
    /// one of the zoo (fashion-cnn, digits-cnn, resnet8) or an ONNX or TensorFlow Lite file.
    #[arg(long, value_name = "MODEL", conflicts_with = "distribution")]
    network: Option<String>,
    /// Only those in this layer, by its name or its number from 0.
    #[arg(long, value_name = "LAYER", requires = "network")]
    layer: Option<String>,
    /// In place of a network: how often each operand occurs, in JSON with "activation" and "weight", 256 counts
    /// each, at the operand's place as a byte.
    #[arg(long, value_name = "FILE")]
    distribution: Option<PathBuf>,
    /// Write such a file of the operands in the layer of --layer, or in all layers of --network.
    #[arg(long, value_name = "FILE", requires = "network")]
    write_distribution: Option<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    name: String,
    signed: bool,
    family: String,
    /// What multipliers of the family are like.
    about: &'static str,
    /// The papers that the design, or its family, is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    operands_exchanged: bool,
    power_rel: f64,
    area_rel: Option<f64>,
    delay_rel: Option<f64>,
    cost_source: CostSource,
    #[serde(flatten)]
    statistics: Statistics,
    structure: Structure,
    /// Bytes of a table of 16-bit products, equal rows once.
    table_bytes: usize,
    #[serde(flatten)]
    modelled: Option<Modelled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gates: Option<GateCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<InNetwork>,
}

/// What the gates cost by the cost model, whatever the relative figures' source.
#[derive(Serialize)]
struct Modelled {
    power_uw: f64,
    area_um2: f64,
    delay_ps: f64,
}

impl Modelled {
    fn of(netlist: &Netlist) -> Modelled {
        let cost = Cost::of(netlist, &netlist.simulate().activity);
        Modelled { power_uw: cost.power_uw, area_um2: cost.area_um2, delay_ps: cost.delay_ps }
    }
}

/// The formats of a heat map.
#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
}

/// The format that a file's ending says.
fn format(path: &Path) -> Result<Format> {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
    match extension.as_deref() {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => Err(Error::Argument(format!(
            "--heat-map {}: the name has to end in .svg or .png, which says what to draw",
            path.display()
        ))),
    }
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let heat_map = args.heat_map.as_deref().map(|path| Ok((path, format(path)?))).transpose()?;
    if let Some((path, _)) = heat_map {
        file::check_writable(path.parent().unwrap_or(Path::new("")))?;
    }
    let signed = args.signed || signed_by_name(&args.name.to_lowercase()) == Some(true);
    let library = args.source.library(signed)?;
    let choice = Choice::parse(&library, &args.name)?;
    let multiplier = &library.multipliers()[choice.multiplier];
    let swapped = choice.swapped.then(|| multiplier.table.swapped());
    let table = swapped.as_ref().unwrap_or(&multiplier.table);
    if let Some(path) = &args.write_distribution {
        distribution::check_replaceable(path, library.is_signed())?;
    }
    let network = match (&args.network, &args.distribution) {
        (Some(model), _) => {
            let layer = args.layer.as_deref();
            let (network, operands) = InNetwork::measure(model, &args.how, layer, multiplier, choice)?;
            if let Some(path) = &args.write_distribution {
                distribution::write(path, &operands, library.is_signed(), model, &args)?;
            }
            Some(network)
        }
        (None, Some(path)) => Some(InNetwork::on_file(path, multiplier, choice)?),
        (None, None) => None,
    };
    let name = choice.name(&library);
    if let Some((path, format)) = heat_map {
        draw(path, format, &name, table)?;
    }
    let report = report(&library, choice, multiplier, table, network);
    if args.json {
        return common::print_json(&report);
    }
    common::print(format_args!("{}", text(&report)))
}

fn draw(path: &Path, format: Format, name: &str, table: &TruthTable) -> Result<()> {
    let map = HeatMap::new(name, table);
    let bytes = match format {
        Format::Svg => map.to_svg().into_bytes(),
        Format::Png => map.to_png(),
    };
    file::write_atomically(path, &bytes)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

fn report<'a>(
    library: &Library,
    choice: Choice,
    multiplier: &'a Multiplier,
    table: &TruthTable,
    network: Option<InNetwork>,
) -> Report<'a> {
    let structure = Structure::of(table);
    Report {
        name: choice.name(library),
        signed: table.is_signed(),
        family: multiplier.family.to_string(),
        about: multiplier.family.about(),
        source: Design::named(&multiplier.name, multiplier.family)
            .map(Design::source)
            .or(multiplier.family.source()),
        operands_exchanged: choice.swapped,
        power_rel: multiplier.power_rel,
        area_rel: multiplier.area_rel,
        delay_rel: multiplier.delay_rel,
        cost_source: multiplier.cost_source,
        statistics: multiplier.statistics,
        table_bytes: structure.device_table_bytes(),
        structure,
        modelled: multiplier.netlist.as_deref().map(Modelled::of),
        gates: multiplier.netlist.as_deref().map(GateCounts::of),
        provenance: multiplier.provenance.as_deref(),
        network,
    }
}

fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    let mut line = |what: &str, value: String| lines.push(format!("  {what:<22} {value}\n"));
    let (s, t) = (&report.statistics, &report.structure);
    let cost = |figure: Option<f64>| figure.map_or("unknown".to_owned(), |figure| format!("{figure:.4}"));
    line("family", report.family.clone());
    line("idea", report.about.to_owned());
    if let Some(source) = report.source {
        line("source", source.to_owned());
    }
    line("power", cost(Some(report.power_rel)));
    line("area", cost(report.area_rel));
    line("delay", cost(report.delay_rel));
    line("cost source", format!("{}; all three relative to the exact multiplier", report.cost_source));
    if let Some(Modelled { power_uw, area_um2, delay_ps }) = &report.modelled {
        let figures = format!("{power_uw:.1} uW at 1 GHz, {area_um2:.1} um2, {delay_ps:.0} ps");
        line("by the cost model", figures);
    }
    line("MAE", format!("{:.5} % of 2^16", s.mae_pct));
    line("WCE", format!("{:.5} % of 2^16", s.wce_pct));
    line("MRE", format!("{:.5} %", s.mre_pct));
    line("WCRE", format!("{:.2} %", s.wcre_pct));
    line("EP", format!("{:.2} %", s.ep_pct));
    line("MSE", format!("{:.4}", s.mse));
    // Adding zero writes -0 as 0.
    line("mean error", format!("{:.4}", s.mean_error + 0.0));
    line("error variance", format!("{:.4}", s.variance));
    line("zeros kept", yes(s.zero_preserving));
    line("commutative", yes(s.commutative));
    line(
        "masked product",
        t.masked_product.map_or("no".to_owned(), |masks| {
            format!("(a & {:#04x}) * (w & {:#04x})", masks.activation, masks.weight)
        }),
    );
    line("bilinear in bits", yes(t.bilinear.is_some()));
    let separable = match (t.separable_activation, t.separable_weight) {
        (true, true) => "of either operand",
        (true, false) => "of the activation",
        (false, true) => "of the weight",
        (false, false) => "no",
    };
    line("separable by nibbles", separable.to_owned());
    line("rank", t.rank.to_string());
    let terms = t.terms.map_or(format!("more than {MAX_TERMS}, or none found"), |terms| terms.to_string());
    line("matrix products", terms);
    let rows = format!("{} by weight, {} by activation", t.rows_by_weight, t.rows_by_activation);
    line("distinct rows", rows);
    line("table on a device", format!("{} bytes", report.table_bytes));
    line(
        "ignored bits",
        format!("activation {:#04x}, weight {:#04x}", t.ignored_activation_bits, t.ignored_weight_bits),
    );
    if let Some(gates) = &report.gates {
        let kinds: Vec<String> =
            gates.by_kind.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        line("gates", format!("{}: {}", gates.total, kinds.join(", ")));
        line("depth", format!("{} gates", gates.depth));
    }
    if let Some(provenance) = report.provenance {
        line("provenance", provenance.to_owned());
    }
    let kind = signed_or_unsigned(report.signed);
    let order = if report.operands_exchanged { ", operands exchanged" } else { "" };
    let network = report.network.as_ref().map_or(String::new(), |network| format!("\n{}", network.text()));
    format!("{}, {kind}{order}\n{}{network}", report.name, lines.concat())
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_decide_the_format() {
        assert!(matches!(format(Path::new("a.b/c.SVG")), Ok(Format::Svg)));
        assert!(matches!(format(Path::new("c.png")), Ok(Format::Png)));
        for wrong in ["c", "c.jpg", "svg", ".png", ""] {
            assert!(format(Path::new(wrong)).is_err(), "{wrong}");
        }
    }
}
