//! What an optimization ends with.

use super::evaluator::Measured;
use super::methods::Method;
use super::operating_points::Picked;
use super::search::Selection;
use super::verify::Verified;
use super::walk::LayerRuns;
use crate::emulate::ApproximateConv;
use crate::image::FlashImage;
use crate::multiplier::{CostSource, Scheme};
use crate::quantize::QuantizedNetwork;
use crate::report::FrontPoint;
use serde::Serialize;

/// What an optimization ends with.
pub struct Optimized {
    /// The network.
    pub network: String,
    /// The results of the searches, one for each scheme that was searched.
    pub searches: Vec<(Scheme, Selection)>,
    /// Assignments measured to tell which schemes and ranges are worth a search.
    pub trials: usize,
    /// The front: compensated in full and measured on the test images, from the least saving to the most.
    pub front: Vec<FrontPoint>,
    /// Which point of the front was picked.
    pub chosen: usize,
    /// Names of the layers that multiply.
    pub layers: Vec<String>,
    /// The chosen point's scheme.
    pub scheme: Scheme,
    /// The 8-bit network that the chosen point is one of: under its scheme and its ranges of activations.
    pub quantized: QuantizedNetwork,
    /// The chosen point's convolutions.
    pub convs: Vec<ApproximateConv>,
    /// The chosen point on the test images.
    pub verified: Measured,
    /// Test images.
    pub test_images: usize,
    /// Accuracy of the exact 8-bit network on the test images, in percent: that of the first scheme, against which all
    /// losses are counted but those of the searches.
    pub exact_accuracy_pct: f64,
    /// Where the costs of the schemes that were searched come from.
    pub cost_sources: Vec<CostSource>,
    /// The chosen point's image.
    pub image: FlashImage,
    /// This method and its rivals, if those were asked for, at each of [`BUDGETS_PP`](super::BUDGETS_PP).
    pub methods: Vec<Method>,
}

/// What the searches of an optimization cost, all of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Effort {
    /// Multipliers tried, in both operand orders where those differ; under two schemes two of them.
    pub choices: usize,
    /// Assignments measured.
    pub evaluations: usize,
    /// Those that only told how sensitive each layer is.
    pub probes: usize,
    /// Those that only told which schemes and ranges are worth a search.
    pub trials: usize,
    /// Evaluations saved because an assignment came up again.
    pub memo_hits: usize,
    /// The work on layers.
    #[serde(flatten)]
    pub layer_runs: LayerRuns,
}

impl Optimized {
    /// What the searches cost.
    pub fn effort(&self) -> Effort {
        let start = Effort { evaluations: self.trials, trials: self.trials, ..Effort::default() };
        self.searches.iter().fold(start, |sum, (_, selection)| Effort {
            choices: sum.choices + selection.choices,
            evaluations: sum.evaluations + selection.evaluations,
            probes: sum.probes + selection.probes,
            trials: sum.trials,
            memo_hits: sum.memo_hits + selection.memo_hits,
            layer_runs: sum.layer_runs.and(selection.layer_runs),
        })
    }

    /// Every point that was evaluated in searches, as (energy saved in percent, loss in percentage points).
    pub fn evaluated(&self) -> impl Iterator<Item = (f64, f64)> {
        self.searches.iter().flat_map(|(_, selection)| selection.evaluated.iter().copied())
    }
}

/// The points as they are reported.
pub(super) fn front(verified: &[Verified], chosen: usize, picked: &Picked) -> Vec<FrontPoint> {
    let point = |(i, point): (usize, &Verified)| {
        let (candidate, choice) = (&point.finalist.candidate, &point.finalist.choice);
        let image = point.finalist.image;
        let latency = image.and_then(|image| image.latency);
        FrontPoint {
            label: i.to_string(),
            chosen: i == chosen,
            operating_points: picked.names(i),
            assignment: point.assignment.clone(),
            scheme: point.scheme.to_string(),
            range: point.range.to_string(),
            compensation: point.finalist.fitted.steps.to_string(),
            energy_saved_pct: candidate.energy.saved_pct,
            mac_energy_saved_pct: candidate.energy.mac_saved_pct,
            area_rel: candidate.energy.area_rel,
            flash_bytes: image.map(|image| image.flash_bytes as u64),
            insns: latency.map(|latency| latency.insns),
            cycles_modelled: latency.and_then(|latency| latency.cycles),
            ms_modelled: image.filter(|_| latency.is_some()).map(|image| image.ms()),
            loss_search_pp: candidate.measured.loss_pp,
            kl_search: candidate.measured.kl,
            loss_choice_pp: choice.loss_pp,
            loss_choice_se_pp: choice.loss_se_pp,
            kl_choice: choice.kl,
            loss_test_pp: point.test.loss_pp,
            loss_test_se_pp: point.test.loss_se_pp,
            kl_test: point.test.kl,
        }
    };
    verified.iter().enumerate().map(point).collect()
}
