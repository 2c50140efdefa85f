//! Fronts as a person reads them: a text table, a CSV file, a chart.
//!
//! Everything here is a pure function from points to text; the caller prints it or writes it through
//! [`crate::file::write_atomically`].

mod axis;
mod chart;
mod csv;
mod drawing;
mod heat_map;
mod table;
mod two_fronts;

pub use chart::{Chart, Mark};
pub use csv::front_csv;
pub(crate) use csv::line as csv_line;
pub use heat_map::HeatMap;
pub use table::{Align, front_table, text_table};
pub use two_fronts::{Series, TwoFronts};

use serde::{Deserialize, Serialize};

/// One point of a front, with everything that is said about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrontPoint {
    /// What the point is called: its place in the front, or a name.
    pub label: String,
    /// The name of the multiplier of each layer.
    pub assignment: Vec<String>,
    /// Multiplication energy saved against the exact network, percent.
    pub energy_saved_pct: f64,
    /// Accuracy lost against the exact network, percentage points; negative where it gained.
    pub loss_pp: f64,
    /// Mean Kullback-Leibler divergence of the outputs from the exact network's, nats, if measured.
    pub kl: Option<f64>,
    /// Whether this is the point that was picked.
    pub chosen: bool,
}

/// Points to show in tests and examples.
#[cfg(test)]
fn sample() -> Vec<FrontPoint> {
    let names = ["exact", "17KS", "FTA", "QKX"];
    let point = |(i, (saved, loss)): (usize, (f64, f64))| FrontPoint {
        label: i.to_string(),
        assignment: (0..4).map(|l| names[(i / 2 + l) % 4].to_owned()).collect(),
        energy_saved_pct: saved,
        loss_pp: loss,
        kl: (i > 0).then_some(loss.abs() / 30.0 + 0.001),
        chosen: i == 6,
    };
    let values = [
        (8.1, -0.15),
        (22.4, -0.1),
        (41.0, 0.05),
        (55.2, 0.12),
        (63.7, 0.23),
        (74.9, 0.31),
        (85.8, 0.57),
        (92.0, 0.77),
        (93.8, 1.73),
        (95.1, 9.4),
    ];
    values.into_iter().enumerate().map(point).collect()
}
