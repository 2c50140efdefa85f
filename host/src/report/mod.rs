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

/// One point of a front, with everything that is said about it. Losses and divergences are against the exact 8-bit
/// network, of several schemes of the first one, but those of the search against that of the point's own scheme; losses
/// in percentage points, negative where accuracy was gained; standard errors are paired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrontPoint {
    /// What the point is called: its place in the front, or a name.
    pub label: String,
    /// Whether this is the point that was picked.
    pub chosen: bool,
    /// What it is called among the image's operating points, if there are several and it is one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operating_points: Vec<String>,
    /// The name of the multiplier of each layer.
    pub assignment: Vec<String>,
    /// How products are formed.
    pub scheme: String,
    /// How ranges of activations were chosen, as `--range` takes it.
    pub range: String,
    /// The steps of its compensation.
    pub compensation: String,
    /// Multiplication energy saved against the exact network, percent.
    pub energy_saved_pct: f64,
    /// Energy of whole multiply-accumulates saved against exact ones, percent.
    pub mac_energy_saved_pct: f64,
    /// Area of the multipliers of all tiles, relative to one exact tile's, if known.
    pub area_rel: Option<f64>,
    /// Bytes of its flash image, if those were an objective or it was for a board.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flash_bytes: Option<u64>,
    /// Instructions of an inference on the board it was for, as predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insns: Option<u64>,
    /// Cycles there without wait states, estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles_modelled: Option<u64>,
    /// The time these take at the board's clock, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms_modelled: Option<f64>,
    /// Loss on the images of the search, with its compensation.
    pub loss_search_pp: f64,
    /// Divergence there: mean Kullback-Leibler divergence of the answers from the exact network's, nats.
    pub kl_search: f64,
    /// Loss on the training images that points were chosen on.
    pub loss_choice_pp: f64,
    /// Its standard error.
    pub loss_choice_se_pp: f64,
    /// Divergence there.
    pub kl_choice: f64,
    /// Loss on the test images.
    pub loss_test_pp: f64,
    /// Its standard error.
    pub loss_test_se_pp: f64,
    /// Divergence there.
    pub kl_test: f64,
}

/// Points to show in tests and examples.
#[cfg(test)]
fn sample() -> Vec<FrontPoint> {
    let names = ["exact", "17KS", "FTA", "QKX"];
    let point = |(i, (saved, loss)): (usize, (f64, f64))| FrontPoint {
        label: i.to_string(),
        chosen: i == 6,
        operating_points: Vec::new(),
        assignment: (0..4).map(|l| names[(i / 2 + l) % 4].to_owned()).collect(),
        scheme: "sign-magnitude".to_owned(),
        range: "percentile:99.9".to_owned(),
        compensation: "variance+scale-shift".to_owned(),
        energy_saved_pct: saved,
        mac_energy_saved_pct: saved / 3.0,
        area_rel: (i > 0).then_some(1.5),
        flash_bytes: None,
        insns: None,
        cycles_modelled: None,
        ms_modelled: None,
        loss_search_pp: loss + 0.25,
        kl_search: loss.abs() / 32.0,
        loss_choice_pp: loss + 0.5,
        loss_choice_se_pp: 0.25,
        kl_choice: loss.abs() / 16.0,
        loss_test_pp: loss,
        loss_test_se_pp: 0.125,
        kl_test: loss.abs() / 30.0 + 0.001,
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
