//! The points of a front that one image carries.

use super::on_device::Target;
use super::options::Options;
use super::verify::{Verified, best_by_saving};
use crate::error::{Error, Result};
use crate::image::{FlashImage, OperatingPoint};
use crate::quantize::QuantizedNetwork;
use serde::Serialize;

/// An operating point as it is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointBudget {
    /// What it is called in the image.
    pub name: String,
    /// The largest accuracy loss, in percentage points.
    pub max_loss_pp: f64,
}

/// The points of an image by name, as places in the front.
pub(super) struct Picked(Vec<(String, usize)>);

impl Picked {
    /// The point that is `chosen`, and for each further one that is asked for that which saves most within its budget. All
    /// are of one search, that of the chosen point: with another scheme or other ranges it is another network.
    pub fn new(verified: &[Verified], chosen: usize, target: &Target, options: &Options) -> Result<Picked> {
        if options.points.is_empty() {
            return Ok(Picked(vec![(String::new(), chosen)]));
        }
        let search = verified[chosen].search;
        let pick = |point: &PointBudget| {
            let may = |of: &Verified| of.search == search && target.takes(&of.finalist);
            let place = best_by_saving(verified, point.max_loss_pp, may).ok_or_else(|| {
                let PointBudget { name, max_loss_pp } = point;
                Error::Argument(format!(
                    "--point {name}={max_loss_pp}: no point of the {} scheme loses so little; allow more, or name only \
                     schemes that have one with --schemes",
                    verified[chosen].scheme
                ))
            })?;
            Ok((point.name.clone(), place))
        };
        // The first is the chosen one itself: among the points of its search alone another might save as much.
        let mut picked = vec![(options.points[0].name.clone(), chosen)];
        for point in &options.points[1..] {
            picked.push(pick(point)?);
        }
        Ok(Picked(picked))
    }

    /// Names of the point at `place` of the front.
    pub fn names(&self, place: usize) -> Vec<String> {
        let named = self.0.iter().filter(|(name, of)| *of == place && !name.is_empty());
        named.map(|(name, _)| name.clone()).collect()
    }

    /// The image of all, which is refused if the board has no room for it.
    pub fn build(
        &self,
        verified: &[Verified],
        network: &QuantizedNetwork,
        target: &Target,
    ) -> Result<FlashImage> {
        let mut points = Vec::new();
        for (name, place) in &self.0 {
            let Verified { assignment, finalist, .. } = &verified[*place];
            points.push(OperatingPoint { name, convs: &finalist.fitted.convs, multipliers: assignment });
        }
        target.build_to_fit(network, &points)
    }
}
