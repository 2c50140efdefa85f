//! The tables as text, JSON and CSV.

use crate::compensate::Steps;
use crate::multiplier::{CostSource, Scheme};
use crate::optimize::Measured;
use crate::report::{Align, csv_line, text_table};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write;

/// Everything that was measured.
#[derive(Serialize)]
pub(super) struct Report {
    pub model: String,
    pub test_images: usize,
    pub calibration_images: usize,
    pub schemes: Vec<SchemeTable>,
}

/// The table of one scheme.
#[derive(Serialize)]
pub(super) struct SchemeTable {
    pub scheme: Scheme,
    /// Of the exact network, percent.
    pub accuracy_8bit: f64,
    /// The first layer's multiplier, if it is not the row's.
    pub first: Option<String>,
    pub cost_sources: Vec<CostSource>,
    pub multipliers: Vec<Row>,
}

/// A multiplier.
#[derive(Serialize)]
pub(super) struct Row {
    multiplier: String,
    /// Relative to the exact multiplier.
    power_rel: f64,
    /// The compensation of highest accuracy, of equals that of least divergence.
    best: Option<String>,
    steps: Vec<Cell>,
}

/// A multiplier under a compensation. Figures are missing where the reason says why.
#[derive(Serialize)]
pub(super) struct Cell {
    compensation: String,
    steps: Steps,
    accuracy_pct: Option<f64>,
    loss_pp: Option<f64>,
    /// Paired.
    loss_se_pp: Option<f64>,
    /// From the exact network, nats.
    kl: Option<f64>,
    /// Weight maps are made once for each multiplier, in the first column that needs them.
    compensation_seconds: Option<f64>,
    reason: Option<String>,
}

/// What a table in text shows.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Measure {
    Accuracy,
    Kl,
}

impl Measure {
    /// As it is shown.
    fn shown(self, cell: &Cell) -> Option<String> {
        match self {
            Measure::Accuracy => cell.accuracy_pct.map(|accuracy| format!("{accuracy:.2}")),
            Measure::Kl => cell.kl.map(|kl| format!("{kl:.4}")),
        }
    }

    /// The place of the best of `cells`, the first of equals.
    fn best(self, cells: &[Cell]) -> Option<usize> {
        let key = |cell: &Cell| {
            let (accuracy, kl) = (cell.accuracy_pct?, cell.kl?);
            Some(if self == Measure::Accuracy { (-accuracy, kl) } else { (kl, -accuracy) })
        };
        let keys = cells.iter().enumerate().filter_map(|(place, cell)| Some((place, key(cell)?)));
        let order = |x: (f64, f64), y: (f64, f64)| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1));
        keys.min_by(|&(_, x), &(_, y)| order(x, y)).map(|(place, _)| place)
    }
}

impl Row {
    pub(super) fn new(multiplier: String, power_rel: f64, steps: Vec<Cell>) -> Row {
        let best = Measure::Accuracy.best(&steps).map(|place| steps[place].compensation.clone());
        Row { multiplier, power_rel, best, steps }
    }
}

impl Cell {
    /// Of what was measured after so many seconds of compensation, or the reason why nothing was.
    pub(super) fn new(name: &str, steps: Steps, outcome: Result<(Measured, f64), String>) -> Cell {
        let (measured, reason) = match outcome {
            Ok(measured) => (Some(measured), None),
            Err(reason) => (None, Some(reason)),
        };
        let figure = |of: fn(&(Measured, f64)) -> f64| measured.as_ref().map(of);
        Cell {
            compensation: name.to_owned(),
            steps,
            accuracy_pct: figure(|(m, _)| m.score.accuracy_pct()),
            loss_pp: figure(|(m, _)| m.loss_pp),
            loss_se_pp: figure(|(m, _)| m.loss_se_pp),
            kl: figure(|(m, _)| m.kl),
            compensation_seconds: figure(|(_, seconds)| *seconds),
            reason,
        }
    }

    /// In a few words.
    pub(super) fn summary(&self) -> String {
        match (self.accuracy_pct, &self.reason) {
            (Some(accuracy), _) => format!("{accuracy:.2} %"),
            (None, reason) => reason.clone().unwrap_or_default(),
        }
    }
}

impl Report {
    /// Tables for people to read.
    pub(super) fn text(&self, measure: Measure) -> String {
        let what = match measure {
            Measure::Accuracy => "accuracy in percent",
            Measure::Kl => "KL divergence from the exact network in nats",
        };
        let mut text = format!(
            "{} on {} test images, a multiplier in every layer: {what} by compensation; * best of its row\n",
            self.model, self.test_images
        );
        for table in &self.schemes {
            let first = table.first.as_ref().map_or(String::new(), |name| format!(", first layer {name}"));
            // Writing to a string can't fail.
            let _ = writeln!(
                text,
                "\n{} scheme, 8-bit exact {:.2} %{first}\n\n{}",
                table.scheme,
                table.accuracy_8bit,
                table.text(measure).trim_end()
            );
            for row in &table.multipliers {
                for (cell, reason) in row.steps.iter().filter_map(|cell| Some((cell, cell.reason.as_ref()?)))
                {
                    let _ = writeln!(text, "- {}, {}: {reason}", row.multiplier, cell.compensation);
                }
            }
        }
        text
    }

    /// A heading line and a line for each cell, in the order of the tables. What could not be measured has empty
    /// figures and a reason.
    pub(super) fn csv(&self) -> String {
        let heading = [
            "scheme",
            "multiplier",
            "power_rel",
            "compensation",
            "accuracy_percent",
            "accuracy_loss_percentage_points",
            "loss_standard_error_percentage_points",
            "kl_nats",
            "compensation_seconds",
            "reason",
        ];
        let mut csv = csv_line(&heading.map(Cow::from));
        for table in &self.schemes {
            let cells =
                table.multipliers.iter().flat_map(|row| row.steps.iter().map(move |cell| (row, cell)));
            for (row, cell) in cells {
                let figure = |figure: Option<f64>| figure.map_or(String::new(), |f| f.to_string()).into();
                csv.push_str(&csv_line(&[
                    table.scheme.to_string().into(),
                    Cow::from(&row.multiplier),
                    row.power_rel.to_string().into(),
                    Cow::from(&cell.compensation),
                    figure(cell.accuracy_pct),
                    figure(cell.loss_pp),
                    figure(cell.loss_se_pp),
                    figure(cell.kl),
                    figure(cell.compensation_seconds),
                    cell.reason.as_deref().unwrap_or_default().into(),
                ]));
            }
        }
        csv
    }
}

impl SchemeTable {
    /// The table with the names of the columns one step a line, as they would be too wide otherwise.
    fn text(&self, measure: Measure) -> String {
        let names = self.multipliers.first().map_or(&[][..], |row| &row.steps);
        let names: Vec<Vec<String>> = names.iter().map(|cell| heading(&cell.compensation)).collect();
        let lines = names.iter().map(Vec::len).max().unwrap_or(0);
        let line = |line: usize| names.iter().map(move |name| name.get(line).map_or("", String::as_str));
        let mut columns = vec![("multiplier", Align::Left), ("power rel", Align::Right)];
        columns.extend(line(0).map(|name| (name, Align::Right)));
        let below = |l: usize| ["", ""].into_iter().chain(line(l)).map(str::to_owned).collect();
        let mut rows: Vec<Vec<String>> = (1..lines).map(below).collect();
        rows.extend(self.multipliers.iter().map(|row| {
            let best = measure.best(&row.steps);
            let cells = row.steps.iter().enumerate().map(|(place, cell)| {
                let mark = if best == Some(place) { '*' } else { ' ' };
                format!("{}{mark}", measure.shown(cell).as_deref().unwrap_or("-"))
            });
            [row.multiplier.clone(), format!("{:.3}", row.power_rel)].into_iter().chain(cells).collect()
        }));
        text_table(&columns, &rows)
    }
}

/// The lines of a column's heading; each leaves room for the mark behind the figures.
fn heading(compensation: &str) -> Vec<String> {
    let steps = compensation.split('+').enumerate();
    steps.map(|(place, step)| format!("{}{step} ", if place == 0 { "" } else { "+" })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulate::metrics::Score;

    fn cell(name: &str, accuracy_pct: usize, kl: f64) -> Cell {
        let logits: Vec<i32> = (0..100).flat_map(|i| [0, if i < accuracy_pct { 1 } else { -1 }]).collect();
        let score = Score::new(&logits, &[1; 100]);
        let measured = Measured { score, loss_pp: 1.5, loss_se_pp: 0.25, kl };
        Cell::new(name, "squared".parse().unwrap(), Ok((measured, 2.0)))
    }

    fn report() -> Report {
        let failed = Cell::new("none", Steps::NONE, Err("too large, \"by far\"".into()));
        let rows = vec![
            Row::new("mul8u_a".into(), 0.5, vec![cell("none", 90, 0.25), cell("squared+bias", 90, 0.125)]),
            Row::new("mul8u_b".into(), 0.25, vec![failed, cell("squared+bias", 80, 0.5)]),
        ];
        let table = SchemeTable {
            scheme: Scheme::Unsigned,
            accuracy_8bit: 91.5,
            first: Some("mul8u_exact".into()),
            cost_sources: vec![CostSource::GateModel],
            multipliers: rows,
        };
        Report { model: "net".into(), test_images: 100, calibration_images: 8, schemes: vec![table] }
    }

    #[test]
    fn marks_the_best_and_says_what_is_missing() {
        let expected = "\
net on 100 test images, a multiplier in every layer: accuracy in percent by compensation; * best of its row

unsigned scheme, 8-bit exact 91.50 %, first layer mul8u_exact

multiplier  power rel   none   squared
                                 +bias
mul8u_a         0.500  90.00     90.00*
mul8u_b         0.250      -     80.00*
- mul8u_b, none: too large, \"by far\"
";
        assert_eq!(report().text(Measure::Accuracy), expected);
        let kl = report().text(Measure::Kl);
        assert!(kl.contains("KL divergence") && kl.contains(" 0.2500    0.1250*\n"), "{kl}");
    }

    #[test]
    fn json_and_csv_have_gaps_with_reasons() {
        let json = serde_json::to_value(report()).unwrap();
        let rows = &json["schemes"][0]["multipliers"];
        assert_eq!(rows[0]["best"], "squared+bias");
        let missing = &rows[1]["steps"][0];
        assert!(missing["accuracy_pct"].is_null() && missing["kl"].is_null(), "{missing}");
        assert_eq!(missing["reason"], "too large, \"by far\"");
        let csv = report().csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[2], "unsigned,mul8u_a,0.5,squared+bias,90,1.5,0.25,0.125,2,");
        assert_eq!(lines[3], "unsigned,mul8u_b,0.25,none,,,,,,\"too large, \"\"by far\"\"\"");
    }
}
