//! From a prepared network to a verified image.

use super::evaluator::{Evaluator, Measured};
use super::search::{Candidate, Options, Progress, Selection, search};
use crate::compensate::{Compensator, Steps};
use crate::emulate::ApproximateConv;
use crate::error::{Error, Result};
use crate::file;
use crate::image::{self, FlashImage};
use crate::multiplier::{Choice, CostSource, Library, ProductCache};
use crate::prepare::Prepared;
use crate::report::{Chart, FrontPoint, Mark, front_csv};
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::Path;

/// Name of the chosen point's image among the files of [`Optimized::write`].
pub const IMAGE_FILE: &str = "network.skimp";

/// What an optimization ends with.
pub struct Optimized {
    /// The search's result.
    pub selection: Selection,
    /// Which point of the front was picked.
    pub chosen: usize,
    /// Names of the layers that multiply.
    pub layers: Vec<String>,
    /// Names of their multipliers at the chosen point.
    pub multipliers: Vec<String>,
    /// The chosen point's convolutions.
    pub convs: Vec<ApproximateConv>,
    /// The chosen point on the test images.
    pub verified: Measured,
    /// Accuracy of the exact 8-bit network on the test images, in percent.
    pub exact_accuracy_pct: f64,
    /// The chosen point's image.
    pub image: FlashImage,
    /// The front as reported.
    pub front: Vec<FrontPoint>,
}

/// Searches on some of the selection images, picks a point on all of them, verifies it on the test images and
/// builds its image.
pub fn optimize(
    prepared: &Prepared,
    products: &ProductCache,
    steps: Steps,
    options: &Options,
    on_progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Optimized> {
    let (network, library) = (&prepared.quantized, products.library());
    let (searched, _) = prepared.selection.split(options.search_images);
    let compensator = Compensator::new(network, products, steps, &prepared.calibration.codes)?;
    // In a block, so that its cache is gone before the larger image sets come.
    let selection = {
        let evaluator = Evaluator::new(&compensator, &searched)?.with_memory(options.memory_bytes);
        search(&evaluator, library, &network.multiplications(), options, on_progress)?
    };
    let chooser = Evaluator::new(&compensator, &prepared.selection)?;
    let chosen = choose(&selection.front, &chooser, options.max_loss_pp)?;
    let assignment = &selection.front[chosen].assignment;
    let tester = Evaluator::new(&compensator, &prepared.test)?;
    let multipliers = names(library, assignment);
    let convs = compensator.compensate(assignment)?;
    let front = selection.front.iter().enumerate().map(|(i, candidate)| FrontPoint {
        label: i.to_string(),
        assignment: names(library, &candidate.assignment),
        energy_saved_pct: candidate.energy.saved_pct,
        loss_pp: candidate.measured.loss_pp,
        kl: Some(candidate.measured.kl),
        chosen: i == chosen,
    });
    Ok(Optimized {
        front: front.collect(),
        layers: network.convs().map(|(layer, _)| layer.name.clone()).collect(),
        verified: tester.measure_convs(&convs)?,
        exact_accuracy_pct: tester.exact_score().accuracy_pct(),
        image: image::build(network, &convs, &multipliers)?,
        multipliers,
        convs,
        chosen,
        selection,
    })
}

/// Refuses a library whose costs come from several sources: a saving by one is no saving by the other.
pub fn check_cost_sources(library: &Library) -> Result<()> {
    let of =
        |source| library.multipliers().iter().find(|m| m.cost_source == source).map(|m| (source, &m.name));
    let examples: Vec<_> = library.cost_sources().into_iter().filter_map(of).collect();
    let [(one, first), (other, second), ..] = examples[..] else { return Ok(()) };
    Err(Error::Argument(format!(
        "the library mixes {one} costs (such as {first}'s) with {other} ones ({second}'s), which do not compare; \
         use one source, or allow it with --mix-cost-sources"
    )))
}

/// The point of the front with the least energy whose loss on the images of `chooser` is within the budget
/// by a standard error: of many points that were scored on few images, the best-looking ones were lucky. If
/// no point is so safe, the least energy whose measured loss is within the budget.
fn choose(front: &[Candidate], chooser: &Evaluator, max_loss_pp: f64) -> Result<usize> {
    let mut within = None;
    for (i, candidate) in front.iter().enumerate().rev() {
        if candidate.measured.loss_pp > max_loss_pp {
            continue;
        }
        let measured = chooser.measure(&candidate.assignment)?;
        if measured.loss_pp + measured.loss_se_pp <= max_loss_pp {
            return Ok(i);
        }
        if within.is_none() && measured.loss_pp <= max_loss_pp {
            within = Some(i);
        }
    }
    within.ok_or_else(|| {
        Error::Argument(format!(
            "no point of the front loses at most {max_loss_pp} points of accuracy; allow more with --max-loss"
        ))
    })
}

/// Names of the multipliers of an assignment.
pub fn names(library: &Library, assignment: &[Choice]) -> Vec<String> {
    assignment.iter().map(|choice| choice.name(library)).collect()
}

/// The front and the chosen point as `front.json` has them.
#[derive(Debug, Clone, Serialize)]
pub struct FrontFile<'a> {
    /// The network.
    pub network: &'a str,
    /// How products are formed.
    pub scheme: String,
    /// Where energies come from, such as `gate-model` or `published`.
    pub cost_sources: Vec<CostSource>,
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
}

impl Optimized {
    /// The chosen point.
    pub fn chosen_point(&self) -> &FrontPoint {
        &self.front[self.chosen]
    }

    /// Writes `front.csv`, `front.svg`, `front.json` and the image [`IMAGE_FILE`] into `folder`.
    pub fn write(
        &self,
        prepared: &Prepared,
        library: &Library,
        options: &Options,
        folder: &Path,
    ) -> Result<()> {
        let marks = self.selection.uniform.iter().map(|(choice, saved, loss)| Mark {
            label: choice.name(library),
            energy_saved_pct: *saved,
            loss_pp: *loss,
        });
        let marks: Vec<Mark> = marks.collect();
        let title = format!("{}: accuracy loss against multiplication energy saved", prepared.float.name);
        let chart = Chart {
            title: &title,
            front: &self.front,
            evaluated: &self.selection.evaluated,
            marks: &marks,
            loss_budget_pp: Some(options.max_loss_pp),
        };
        let json = FrontFile {
            network: &prepared.float.name,
            scheme: prepared.quantized.scheme.to_string(),
            cost_sources: library.cost_sources(),
            layers: &self.layers,
            front: &self.front,
            loss_test_pp: self.verified.loss_pp,
            loss_test_se_pp: self.verified.loss_se_pp,
            kl_test: self.verified.kl,
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
