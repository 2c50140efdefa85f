//! Multipliers as lines of a table, or objects of JSON.

use super::{Entry, InLayer};
use crate::multiplier::{CostSource, Statistics};
use crate::report::{Align, text_table};
use serde::Serialize;

/// A multiplier as it is listed.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    name: &'a str,
    signed: bool,
    family: String,
    power_rel: f64,
    area_rel: Option<f64>,
    delay_rel: Option<f64>,
    cost_source: CostSource,
    /// Whether powers of all that is listed mean the same, as far as is known.
    same_cost_basis: bool,
    #[serde(flatten)]
    statistics: Statistics,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<InLayer>,
}

impl<'a> Row<'a> {
    pub(super) fn of(Entry { multiplier: m, layer }: Entry<'a>, same_cost_basis: bool) -> Row<'a> {
        Row {
            layer,
            name: &m.name,
            signed: m.table.is_signed(),
            family: m.family.to_string(),
            power_rel: m.power_rel,
            area_rel: m.area_rel,
            delay_rel: m.delay_rel,
            cost_source: m.cost_source,
            same_cost_basis,
            statistics: m.statistics,
        }
    }
}

/// The rows for people to read.
pub(super) fn table(rows: &[Row]) -> String {
    let mut columns = vec![
        ("multiplier", Align::Left),
        ("family", Align::Left),
        ("power rel", Align::Right),
        ("area rel", Align::Right),
        ("delay rel", Align::Right),
        ("MAE %", Align::Right),
        ("WCE %", Align::Right),
        ("MRE %", Align::Right),
        ("EP %", Align::Right),
        ("mean error", Align::Right),
        ("zeros kept", Align::Left),
        ("cost", Align::Left),
    ];
    let in_layer = rows.iter().any(|row| row.layer.is_some());
    if in_layer {
        columns.extend([("noise %", Align::Right), ("of products %", Align::Right), ("order", Align::Left)]);
    }
    let cost = |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.4}"));
    let row = |r: &Row| {
        let s = &r.statistics;
        let mut cells = vec![r.name.to_owned(), r.family.clone()];
        cells.extend([Some(r.power_rel), r.area_rel, r.delay_rel].map(cost));
        cells.extend([s.mae_pct, s.wce_pct, s.mre_pct].map(|figure| format!("{figure:.4}")));
        cells.push(format!("{:.2}", s.ep_pct));
        // Adding zero writes -0 as 0.
        cells.push(format!("{:.4}", s.mean_error + 0.0));
        cells.push(if s.zero_preserving { "yes" } else { "no" }.to_owned());
        cells.push(r.cost_source.to_string());
        if let Some(layer) = &r.layer {
            cells.push(format!("{:.4}", layer.noise_pct));
            cells.push(layer.relative_noise_pct.map_or("-".to_owned(), |noise| format!("{noise:.3}")));
            cells.push(if layer.operands_exchanged { "~" } else { "" }.to_owned());
        }
        cells
    };
    text_table(&columns, &rows.iter().map(row).collect::<Vec<_>>())
}
