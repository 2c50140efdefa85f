//! From a model and a data set to a quantized network with its images as input codes: what every
//! subcommand begins with.

use crate::data::{self, DataSet, Preprocess, Request, Splits};
use crate::error::{Error, Result};
use crate::import;
use crate::multiplier::Scheme;
use crate::network::{FloatNetwork, Network};
use crate::quantize::{Calibration, InputCoding, LabelledCodes, QuantizedNetwork, RangeMethod, quantize};
use crate::zoo;
use std::sync::Arc;

/// One in so many calibration images is held out from all fits but that of ranges.
const HELD_OUT: usize = 4;

/// What to prepare.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// A network of the zoo or a model file.
    pub model: String,
    /// A data set of the zoo or a folder; `None` for the one that belongs to a network of the zoo.
    pub data: Option<String>,
    /// Mean of each channel, one for all, or none for 0; of pixels from 0 to 1. If a model that came in 8 bits has no
    /// `mean` and no `std`, pixels are its input's codes: 0 stands for the i8 code -128, 255 for 127.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel, one for all, or none for 1.
    pub std: Vec<f32>,
    /// How many images to take.
    pub images: Request,
    /// How activation ranges are chosen; `None` for what is [usual](RangeMethod::default_for) for the model and the scheme.
    pub range_method: Option<RangeMethod>,
    /// How products are formed.
    pub scheme: Scheme,
}

/// A quantized network and its images.
pub struct Prepared {
    /// As imported.
    pub float: Arc<Network>,
    /// In 8 bits.
    pub quantized: QuantizedNetwork,
    /// From pixels to codes.
    pub coding: InputCoding,
    /// Pixels to real values.
    pub preprocess: Preprocess,
    /// Training images that compensation may fit to.
    pub calibration: LabelledCodes,
    /// Training images, one in four of those for calibration, that tell which of several fits is best.
    pub held_out: LabelledCodes,
    /// Training images that candidates are scored on.
    pub selection: LabelledCodes,
    /// Test images as codes.
    pub test: LabelledCodes,
    /// All images as pixels.
    pub images: Arc<Splits>,
    ranges: Arc<Calibration>,
    range_method: Option<RangeMethod>,
}

/// Imports, calibrates and quantizes. Each step is told to `progress` before it starts.
pub fn prepare(recipe: &Recipe, progress: &dyn Fn(&str)) -> Result<Prepared> {
    let (path, own_data) = zoo::resolve(&recipe.model)?;
    progress(&format!("importing {}", path.display()));
    let float = import::open(&path)?;
    let name = recipe.data.as_deref().or(own_data).ok_or_else(|| {
        Error::Argument(format!(
            "{} is not a network of the zoo: say which images it was trained on with --data",
            recipe.model
        ))
    })?;
    let splits = data::open(name, recipe.images, progress)?;
    let input = float.tensors[float.input].shape;
    for set in [&splits.calibration, &splits.selection, &splits.test] {
        if set.shape != input {
            return Err(Error::Mismatch(format!(
                "{} takes images of {input}, those of {name} are {}",
                float.name, set.shape
            )));
        }
    }
    let preprocess = match &float.own_codes {
        // What such a model takes are codes, so pixels are taken for these unless something else is said.
        Some(own) if recipe.mean.is_empty() && recipe.std.is_empty() => {
            let coding = own.tensors[float.input];
            Preprocess::of_codes(coding.scale, coding.unsigned_zero_point(), input.channels)?
        }
        _ => Preprocess::new(&recipe.mean, &recipe.std, input.channels)?,
    };
    if float.own_codes.is_some() && recipe.range_method.is_none() {
        progress(&match RangeMethod::default_for(&float, recipe.scheme) {
            RangeMethod::Model => "keeping the model's own scales".to_owned(),
            _ => {
                format!("measuring ranges, as the {} scheme can't use the model's own scales", recipe.scheme)
            }
        });
    }
    progress(&format!("calibrating on {} images", splits.calibration.len()));
    let runner = FloatNetwork::new(&float)?;
    let fill = |i: usize, image: &mut [f32]| preprocess.fill(splits.calibration.image(i), image);
    let calibration = Calibration::measure(&runner, splits.calibration.len(), fill)?;
    Prepared::quantize(
        Arc::new(float),
        Arc::new(splits),
        (Arc::new(calibration), recipe.range_method),
        preprocess,
        recipe.scheme,
    )
}

impl Prepared {
    fn quantize(
        float: Arc<Network>,
        images: Arc<Splits>,
        (ranges, range_method): (Arc<Calibration>, Option<RangeMethod>),
        preprocess: Preprocess,
        scheme: Scheme,
    ) -> Result<Prepared> {
        let method = range_method.unwrap_or_else(|| RangeMethod::default_for(&float, scheme));
        let quantized = quantize(&float, &ranges, method, scheme)?;
        let coding = InputCoding::new(&quantized.tensors[quantized.input], |pixel, channel| {
            preprocess.value(channel, pixel)
        });
        let codes =
            |set: &DataSet| LabelledCodes { codes: coding.encode(&set.images), labels: set.labels.clone() };
        let (count, all) = (images.calibration.len(), codes(&images.calibration));
        let (calibration, held_out) = all.split(count - count / HELD_OUT);
        Ok(Prepared {
            calibration,
            held_out,
            selection: codes(&images.selection),
            test: codes(&images.test),
            images,
            preprocess,
            coding,
            quantized,
            float,
            ranges,
            range_method,
        })
    }

    /// The same network on the same images, its products formed by another scheme.
    pub fn with_scheme(&self, scheme: Scheme) -> Result<Prepared> {
        let ranges = (self.ranges.clone(), self.range_method);
        Prepared::quantize(self.float.clone(), self.images.clone(), ranges, self.preprocess.clone(), scheme)
    }

    /// How the ranges of its activations were chosen.
    pub fn range_method(&self) -> RangeMethod {
        self.range_method.unwrap_or_else(|| RangeMethod::default_for(&self.float, self.quantized.scheme))
    }

    /// The same network with activations coded over ranges that are chosen in another way. Codes of images are the
    /// same: their range is always that of all pixels, or that of a model which came in 8 bits.
    pub fn quantized_by(&self, range_method: RangeMethod) -> Result<QuantizedNetwork> {
        quantize(&self.float, &self.ranges, range_method, self.quantized.scheme)
    }

    /// Codes of all calibration images, held-out ones too: for looking at what layers multiply, which fits nothing.
    pub fn all_calibration_codes(&self) -> Vec<u8> {
        [self.calibration.codes.as_slice(), &self.held_out.codes].concat()
    }

    /// Share of the test images the float network classifies correctly, in percent.
    pub fn float_accuracy_pct(&self) -> Result<f64> {
        let runner = FloatNetwork::new(&self.float)?;
        let images = &self.images.test;
        let fill = |i: usize, image: &mut [f32]| self.preprocess.fill(images.image(i), image);
        let logits = runner.run_each(images.len(), fill)?;
        let classes = logits.chunks_exact(runner.outputs()).map(crate::network::argmax);
        let right =
            classes.zip(&images.labels).filter(|&(class, &label)| class == usize::from(label)).count();
        Ok(100.0 * right as f64 / images.len() as f64)
    }
}
