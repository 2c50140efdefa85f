//! What a multiplier does in the layers of a network, or on operands of users' own.

use crate::cli::common::HowArgs;
use crate::cli::multipliers::layer::{self, Seen};
use crate::compensate::LayerDistribution;
use crate::data::Count;
use crate::error::Result;
use crate::multiplier::cost::Cost;
use crate::multiplier::{
    Choice, Distribution, DistributionFile, Library, Multiplier, Netlist, WeightedStatistics,
};
use crate::report::{Align, text_table};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Errors and power in a network's layers, or on operands of users' own.
#[derive(Serialize)]
pub(super) struct InNetwork {
    #[serde(flatten)]
    place: Place,
    layers: Vec<InLayer>,
}

/// Where operands were counted.
#[derive(Serialize)]
#[serde(untagged)]
enum Place {
    Network { model: String, scheme: String, calibration_images: usize },
    File { distribution: PathBuf },
}

#[derive(Serialize)]
struct InLayer {
    index: usize,
    layer: String,
    /// Over all images.
    multiplications: u64,
    /// By the cost model, divided by that of the built-in exact multiplier on the same operands, which are
    /// not exchanged for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    power_rel_in_layer: Option<f64>,
    #[serde(flatten)]
    errors: WeightedStatistics,
}

impl InNetwork {
    /// The errors and power of `multiplier`, its operands ordered as in `choice`, in one or all of the layers of
    /// `model`; and how often each operand occurs in them.
    pub(super) fn measure(
        model: &str,
        how: &HowArgs,
        layer: Option<&str>,
        multiplier: &Multiplier,
        choice: Choice,
    ) -> Result<(InNetwork, Distribution)> {
        let scheme = how.scheme;
        // Before anything slow: zero points that do not suit the scheme never come out of quantization.
        scheme.check(&multiplier.table, 0)?;
        let prepared = how.prepare(model, Count::default())?;
        let measured = layer::measure(&prepared.quantized, &prepared.all_calibration_codes(), layer)?;
        let operands = LayerDistribution::operands_of_all(&measured);
        let layers = measured
            .into_iter()
            .map(|l| InLayer::of(multiplier, choice, l.index, l.layer, &Seen::Codes(l.codes)));
        let place = Place::Network {
            model: model.to_owned(),
            scheme: scheme.to_string(),
            calibration_images: prepared.images.calibration.len(),
        };
        Ok((InNetwork { place, layers: layers.collect::<Result<_>>()? }, operands))
    }

    /// The same on the operands that the file at `path` counts.
    pub(super) fn on_file(path: &Path, multiplier: &Multiplier, choice: Choice) -> Result<InNetwork> {
        let operands = DistributionFile::read(path, multiplier.table.is_signed())?;
        let name = path.display().to_string();
        let layer = InLayer::of(multiplier, choice, 0, name, &Seen::Operands(operands))?;
        Ok(InNetwork { place: Place::File { distribution: path.to_owned() }, layers: vec![layer] })
    }

    /// A table for people to read, a line a layer.
    pub(super) fn text(&self) -> String {
        let mut columns = vec![
            ("", Align::Right),
            ("layer", Align::Left),
            ("multiplications", Align::Right),
            ("mean |e|", Align::Right),
            ("mean e", Align::Right),
            ("MSE", Align::Right),
            ("variance corrected", Align::Right),
            ("noise %", Align::Right),
        ];
        let with_power = self.layers.iter().any(|layer| layer.power_rel_in_layer.is_some());
        if with_power {
            columns.insert(3, ("power", Align::Right));
        }
        let row = |layer: &InLayer| {
            let e = &layer.errors;
            let mut cells =
                vec![layer.index.to_string(), layer.layer.clone(), layer.multiplications.to_string()];
            cells.extend(layer.power_rel_in_layer.map(|power| format!("{power:.3}")));
            cells.extend([e.mae, e.mean_error + 0.0, e.mse, e.corrected_variance].map(|f| format!("{f:.3}")));
            cells.push(e.relative_noise.map_or("-".to_owned(), |noise| format!("{:.3}", 100.0 * noise)));
            cells
        };
        let rows: Vec<Vec<String>> = self.layers.iter().map(row).collect();
        let figures =
            if with_power { "Errors, and power relative to the exact multiplier's," } else { "Errors" };
        let place = match &self.place {
            Place::Network { model, scheme, calibration_images } => {
                format!("in {model}, {scheme} scheme, {calibration_images} calibration images")
            }
            Place::File { distribution } => format!("on the operands of {}", distribution.display()),
        };
        format!("{figures} {place}:\n{}", text_table(&columns, &rows))
    }
}

impl InLayer {
    fn of(
        multiplier: &Multiplier,
        choice: Choice,
        index: usize,
        layer: String,
        seen: &Seen,
    ) -> Result<InLayer> {
        let builtin = Library::builtin(multiplier.table.is_signed());
        let netlists = multiplier.netlist.as_deref().zip(builtin.exact().netlist.as_deref());
        let operands = seen.operands();
        Ok(InLayer {
            power_rel_in_layer: netlists.map(|(netlist, exact)| {
                let seen = if choice.swapped { &operands.swapped() } else { &operands };
                power(netlist, seen) / power(exact, &operands)
            }),
            multiplications: operands.multiplications(),
            errors: seen.errors(&multiplier.table, choice.swapped)?,
            index,
            layer,
        })
    }
}

/// In uW, by the cost model.
fn power(netlist: &Netlist, operands: &Distribution) -> f64 {
    Cost::of(netlist, &netlist.simulate_under(operands)).power_uw
}
