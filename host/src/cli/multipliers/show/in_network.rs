//! What a multiplier does in the layers of a network.

use crate::cli::common::HowArgs;
use crate::cli::multipliers::layer;
use crate::compensate::LayerDistribution;
use crate::error::Result;
use crate::multiplier::cost::Cost;
use crate::multiplier::{Choice, Distribution, Library, Multiplier, Netlist, WeightedStatistics};
use crate::report::{Align, text_table};
use serde::Serialize;

/// Errors and power in a network's layers.
#[derive(Serialize)]
pub(super) struct InNetwork {
    model: String,
    scheme: String,
    calibration_images: usize,
    layers: Vec<InLayer>,
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
    /// `model`.
    pub(super) fn measure(
        model: &str,
        how: &HowArgs,
        layer: Option<&str>,
        multiplier: &Multiplier,
        choice: Choice,
    ) -> Result<InNetwork> {
        let (scheme, table) = (how.scheme, &multiplier.table);
        // Before anything slow: zero points that do not suit the scheme never come out of quantization.
        scheme.check(table, 0)?;
        let prepared = how.prepare(model, 0)?;
        let (network, images) = (&prepared.quantized, &prepared.calibration.codes);
        let layers = match layer {
            Some(layer) => {
                vec![LayerDistribution::measure_one(network, images, layer::find(network, layer)?)?]
            }
            None => LayerDistribution::measure(network, images)?,
        };
        let builtin = Library::builtin(table.is_signed());
        let netlists = multiplier.netlist.as_deref().zip(builtin.exact().netlist.as_deref());
        let layers = layers.into_iter().map(|layer| {
            let operands = layer.operands();
            Ok(InLayer {
                power_rel_in_layer: netlists.map(|(netlist, exact)| {
                    let seen = if choice.swapped { &operands.swapped() } else { &operands };
                    power(netlist, seen) / power(exact, &operands)
                }),
                multiplications: operands.multiplications(),
                errors: WeightedStatistics::of_layer(table, choice.swapped, &layer.codes)?,
                index: layer.index,
                layer: layer.layer,
            })
        });
        Ok(InNetwork {
            model: model.to_owned(),
            scheme: scheme.to_string(),
            calibration_images: prepared.calibration.labels.len(),
            layers: layers.collect::<Result<_>>()?,
        })
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
        format!(
            "{figures} in {}, {} scheme, {} calibration images:\n{}",
            self.model,
            self.scheme,
            self.calibration_images,
            text_table(&columns, &rows)
        )
    }
}

/// In uW, by the cost model.
fn power(netlist: &Netlist, operands: &Distribution) -> f64 {
    Cost::of(netlist, &netlist.simulate_under(operands)).power_uw
}
