//! What is told of a measurement.

use crate::board::latency::LayerCost;
use crate::board::timing::Timing;
use crate::image::contents::LayerContents;
use crate::report::{Align, text_table};
use serde::Serialize;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) board: &'static str,
    pub(super) preset: &'static str,
    pub(super) clock_hz: u32,
    pub(super) wait_states: u32,
    pub(super) model: String,
    pub(super) input: String,
    pub(super) logits_differing: bool,
    pub(super) layers: Vec<Layer>,
    pub(super) total: Total,
    /// How far the cycles may be off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cycles_model_error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

/// Figures of a layer or of all.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    multiplications: u64,
    insns: u64,
    /// Absent where nothing is multiplied.
    #[serde(skip_serializing_if = "Option::is_none")]
    insns_per_mul: Option<f64>,
    /// Absent where cycles were not estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles_modelled: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles_per_mul: Option<f64>,
}

/// A layer.
#[derive(Debug, Serialize)]
pub(super) struct Layer {
    name: String,
    operator: &'static str,
    /// How products are formed, where there are any; else the operator.
    kernel: String,
    #[serde(flatten)]
    figures: Figures,
}

/// All layers together.
#[derive(Debug, Serialize)]
pub(super) struct Total {
    #[serde(flatten)]
    figures: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms_modelled: Option<f64>,
}

impl Figures {
    fn new(multiplications: u64, insns: u64, cycles_modelled: Option<u64>) -> Figures {
        let each = |count: u64| (multiplications > 0).then(|| count as f64 / multiplications as f64);
        Figures {
            multiplications,
            insns,
            insns_per_mul: each(insns),
            cycles_modelled,
            cycles_per_mul: cycles_modelled.and_then(each),
        }
    }

    fn row(&self) -> [String; 5] {
        let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
        let each = |each: Option<f64>| each.map(|each| format!("{each:.2}")).unwrap_or_default();
        [
            count(Some(self.multiplications).filter(|&count| count > 0)),
            count(Some(self.insns)),
            each(self.insns_per_mul),
            count(self.cycles_modelled),
            each(self.cycles_per_mul),
        ]
    }
}

impl Layer {
    pub(super) fn new(layer: LayerContents, cost: &LayerCost) -> Layer {
        let figures = Figures::new(layer.multiplications, cost.insns, cost.cycles);
        Layer { name: layer.name, operator: layer.operator, kernel: layer.kernel, figures }
    }
}

impl Total {
    pub(super) fn new(layers: &[Layer], timing: &Timing) -> Total {
        let sum = |part: fn(&Figures) -> u64| layers.iter().map(|layer| part(&layer.figures)).sum();
        let cycles = layers.iter().map(|layer| layer.figures.cycles_modelled).sum();
        Total {
            figures: Figures::new(sum(|f| f.multiplications), sum(|f| f.insns), cycles),
            ms_modelled: cycles.map(|cycles| timing.ms(cycles)),
        }
    }
}

impl Report {
    /// The report as a person reads it.
    pub(super) fn text(&self) -> String {
        let heading = format!(
            "{} on {}: {:.0} MHz, {} wait states; {}\n",
            self.model,
            self.board,
            f64::from(self.clock_hz) / 1e6,
            self.wait_states,
            self.input,
        );
        let columns = [
            ("layer", Align::Left),
            ("kernel", Align::Left),
            ("multiplications", Align::Right),
            ("instructions", Align::Right),
            ("per mult.", Align::Right),
            ("~cycles", Align::Right),
            ("per mult.", Align::Right),
        ];
        let row = |[name, kernel]: [&str; 2], figures: &Figures| {
            let names = [name, kernel].map(str::to_owned);
            names.into_iter().chain(figures.row()).collect::<Vec<String>>()
        };
        let layers = self.layers.iter().map(|layer| row([&layer.name, &layer.kernel], &layer.figures));
        let rows: Vec<Vec<String>> = layers.chain([row(["total", ""], &self.total.figures)]).collect();
        let mut text = heading + &text_table(&columns, &rows);
        if let (Some(ms), Some(error)) = (self.total.ms_modelled, self.cycles_model_error) {
            text += &format!("about {ms:.1} ms an inference\ncycles and ms: {error}\n");
        }
        if let Some(note) = &self.note {
            text += &format!("{note}\n");
        }
        if !self.logits_differing {
            text += "logits: the host's\n";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Board;

    fn layer(multiplications: u64, insns: u64, cycles: Option<u64>) -> Layer {
        let figures = Figures::new(multiplications, insns, cycles);
        Layer { name: "a".into(), operator: "conv2d", kernel: "table".into(), figures }
    }

    #[test]
    fn totals_are_sums_and_absent_without_cycles() {
        let timing = Timing::find(Board::find("mps2-an386").unwrap(), None).unwrap();
        let with = Total::new(&[layer(10, 40, Some(50)), layer(0, 8, Some(10))], &timing);
        assert_eq!(with.figures.insns_per_mul, Some(4.8));
        assert_eq!(with.figures.cycles_per_mul, Some(6.0));
        assert_eq!(with.ms_modelled, Some(60.0 / 25e3));
        let without = Total::new(&[layer(10, 40, None), layer(0, 8, None)], &timing);
        assert_eq!((without.figures.cycles_modelled, without.ms_modelled), (None, None));
        let json = serde_json::to_value(&without).unwrap();
        assert_eq!(json, serde_json::json!({"multiplications": 10, "insns": 48, "insns_per_mul": 4.8}));
    }
}
