//! The files that an optimization leaves.

use super::methods::Method;
use super::objectives::unbeaten;
use super::outcome::Optimized;
use crate::error::{Error, Result};
use crate::file;
use crate::multiplier::CostSource;
use crate::report::{Chart, FrontPoint, Mark, front_csv};
use serde::Serialize;
use std::path::Path;

/// Name of the chosen point's image among the files of [`Optimized::write`].
pub const IMAGE_FILE: &str = "network.skimp";

/// The front and the chosen point as `front.json` has them.
#[derive(Debug, Clone, Serialize)]
pub struct FrontFile<'a> {
    /// The network.
    pub network: &'a str,
    /// How products are formed at the chosen point.
    pub scheme: String,
    /// Where energies come from, such as `gate-model` or `published`.
    pub cost_sources: &'a [CostSource],
    /// Test images that losses and divergences on test images are of.
    pub test_images: usize,
    /// Accuracy of the exact 8-bit network on the test images, in percent.
    pub accuracy_8bit: f64,
    /// Names of the layers that multiply, in the order of each assignment.
    pub layers: &'a [String],
    /// The front.
    pub front: &'a [FrontPoint],
    /// Loss of the chosen point on the test images, in percentage points.
    pub loss_test_pp: f64,
    /// Its paired standard error.
    pub loss_test_se_pp: f64,
    /// Divergence of the chosen point on the test images, in nats.
    pub kl_test: f64,
    /// This method and its rivals within several loss budgets.
    pub methods: &'a [Method],
}

impl Optimized {
    /// The chosen point.
    pub fn chosen_point(&self) -> &FrontPoint {
        &self.front[self.chosen]
    }

    /// The points that none beats in saving and divergence: all, unless there were further objectives.
    fn by_saving(&self) -> Vec<FrontPoint> {
        let figures = |p: &FrontPoint| vec![-p.energy_saved_pct, p.kl_choice];
        let kept = unbeaten(&self.front.iter().map(figures).collect::<Vec<_>>());
        kept.into_iter().map(|place| self.front[place].clone()).collect()
    }

    /// Writes `front.csv`, `front.svg`, `front.json` and the image [`IMAGE_FILE`] into `folder`; the budget
    /// (percentage points) is drawn.
    pub fn write(&self, loss_budget_pp: f64, folder: &Path) -> Result<()> {
        let rivals = self.methods.iter().skip(1).flat_map(|method| {
            let within = method.front.iter().flatten();
            within.map(|within| Mark {
                label: method.name.to_owned(),
                energy_saved_pct: within.energy_saved_pct,
                loss_pp: within.loss_test_pp,
            })
        });
        let marks: Vec<Mark> = rivals.collect();
        let title = format!("{}: accuracy loss against multiplication energy saved", self.network);
        let chart = Chart {
            title: &title,
            front: &self.by_saving(),
            evaluated: &self.evaluated().collect::<Vec<_>>(),
            marks: &marks,
            loss_budget_pp: Some(loss_budget_pp),
        };
        let json = FrontFile {
            network: &self.network,
            scheme: self.scheme.to_string(),
            cost_sources: &self.cost_sources,
            test_images: self.test_images,
            accuracy_8bit: self.exact_accuracy_pct,
            layers: &self.layers,
            front: &self.front,
            loss_test_pp: self.verified.loss_pp,
            loss_test_se_pp: self.verified.loss_se_pp,
            kl_test: self.verified.kl,
            methods: &self.methods,
        };
        let json = serde_json::to_string_pretty(&json)
            .map_err(|e| Error::Mismatch(format!("the front can't be written as JSON: {e}")))?;
        file::write_all_atomically(&[
            (folder.join("front.csv"), front_csv(&self.layers, &self.front).as_bytes()),
            (folder.join("front.svg"), chart.to_svg().as_bytes()),
            (folder.join("front.json"), json.as_bytes()),
            (folder.join(IMAGE_FILE), &self.image.bytes),
        ])
    }
}
