//! What a multiplier must keep to while it gets cheaper.

use super::operands::{self, BLOCKS, Block, WEIGHT_GROUPS};
use crate::error::{Error, Result};
use crate::kernels::{self, BLOCK_WEIGHTS, ErrorSums, Isa, Lanes, Limits, Moments, PRODUCT_BITS};
use crate::multiplier::{Distribution, TruthTable};
use serde::{Deserialize, Serialize};

/// Bounds on a multiplier's errors over all operand pairs, in units of [`Statistics`](crate::multiplier::Statistics).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Largest mean absolute error, in percent of 65,536.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mae_pct: Option<f64>,
    /// Largest worst-case error, in percent of 65,536.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wce_pct: Option<f64>,
    /// Largest mean error either way, in units of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<f64>,
    /// Largest noise under the objective's distribution, in percent of 65,536: the root mean square error
    /// that is left when every weight's mean error has been made up for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_pct: Option<f64>,
    /// Whether `M(0, w)` and `M(a, 0)` must be zero.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub zero_preserving: bool,
}

/// How much each operand counts under a distribution.
///
/// The noise of a multiplier is `sqrt(sum_w q(w) Var_a e(a, w))`, the variance over the activations' shares:
/// what an error that depends only on the weight adds to a sum of products is a constant, which
/// compensation takes away.
#[derive(Debug, Clone)]
struct Weighting {
    /// By activation operand; whole numbers that keep the sums of squares within 64 bits.
    activation: [i32; 256],
    /// By weight operand, adding up to 1.
    weight: [f64; 256],
}

/// What activations' shares are multiplied with to become whole numbers.
const ACTIVATION_UNITS: f64 = 65536.0;

/// Bounds together with all operand pairs.
pub struct Objective {
    /// The bounds.
    pub bounds: Bounds,
    /// All pairs.
    pub blocks: &'static [Block],
    limits: Limits,
    most_absolute: Option<u64>,
    most_bias: Option<u64>,
    /// With the largest variance.
    weighting: Option<(Weighting, f64)>,
}

/// Errors counted so far.
#[derive(Debug, Clone)]
pub struct Tally {
    sums: ErrorSums,
    moments: Vec<Moments>,
    activations: [i64; WEIGHT_GROUPS],
}

/// What the errors of some blocks come to, for comparison with those of other circuits on the same blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Sum of the errors' magnitudes in a block.
    absolute: f64,
    /// Square of the noise.
    variance: f64,
}

impl Objective {
    /// The objective of keeping to `bounds`; `distribution` is that of [`Bounds::noise_pct`].
    pub fn new(signed: bool, bounds: Bounds, distribution: Option<&Distribution>) -> Result<Objective> {
        let figures = [
            ("MAE", bounds.mae_pct),
            ("WCE", bounds.wce_pct),
            ("bias", bounds.bias),
            ("noise", bounds.noise_pct),
        ];
        for (name, figure) in figures {
            if let Some(figure) = figure.filter(|figure| !(figure.is_finite() && *figure >= 0.0)) {
                let reason = format!("a bound of {figure} on the {name} makes no sense; give 0 or more");
                return Err(Error::Argument(reason));
            }
        }
        if figures.iter().all(|(_, figure)| figure.is_none()) {
            return Err(Error::Argument("no bound on any error: give one, such as an MAE".into()));
        }
        let weighting = match (bounds.noise_pct, distribution) {
            (None, _) => None,
            (Some(bound), Some(distribution)) => {
                let most = (bound / 100.0 * 65536.0).powi(2) * (1.0 + 1e-9);
                Some((Weighting::new(distribution)?, most))
            }
            (Some(_), None) => {
                let reason = "a bound on the noise needs a layer whose operands count";
                return Err(Error::Argument(reason.into()));
            }
        };
        let pairs = TruthTable::ENTRIES as f64;
        // A hair above, so that a multiplier's own printed figure is a bound it keeps.
        let whole = |figure: f64| (figure * (1.0 + 1e-9) + 1e-9).floor();
        let of_range = |pct: f64| pct / 100.0 * 65536.0;
        let limits = Limits {
            signed,
            worst: bounds.wce_pct.map(|pct| whole(of_range(pct)).min(f64::from(u16::MAX)) as u16),
            zero_preserving: bounds.zero_preserving,
            signed_sum: bounds.bias.is_some(),
        };
        Ok(Objective {
            bounds,
            blocks: operands::blocks(signed),
            limits,
            most_absolute: bounds.mae_pct.map(|pct| whole(of_range(pct) * pairs) as u64),
            most_bias: bounds.bias.map(|bias| whole(bias * pairs) as u64),
            weighting,
        })
    }

    /// Whether products are two's complement.
    pub fn is_signed(&self) -> bool {
        self.limits.signed
    }

    /// No errors counted yet.
    pub fn tally(&self) -> Tally {
        let groups = if self.weighting.is_some() { WEIGHT_GROUPS } else { 0 };
        Tally {
            sums: ErrorSums::default(),
            moments: vec![Moments::ZERO; groups],
            activations: [0; WEIGHT_GROUPS],
        }
    }

    /// Counts the errors of a block's products, given by their bits; whether the bounds can still be kept to.
    #[inline]
    pub fn count(
        &self,
        isa: Isa,
        block: &Block,
        product: &[&Lanes; PRODUCT_BITS],
        tally: &mut Tally,
    ) -> bool {
        let pointwise = self.limits.worst.is_some() || self.limits.zero_preserving;
        if pointwise || self.most_absolute.is_some() || self.most_bias.is_some() {
            let sums = &mut tally.sums;
            if !kernels::add_errors(isa, product, &block.exact, &self.limits, sums) {
                return false;
            }
            if self.most_absolute.is_some_and(|most| tally.sums.absolute > most) {
                return false;
            }
        }
        if let Some((weighting, _)) = &self.weighting {
            let counts = block.activations.map(|a| weighting.activation[usize::from(a)]);
            let exact = (&*block.products, self.limits.signed);
            let moments = &mut tally.moments[block.weight_group];
            kernels::add_moments_of_errors(isa, product, exact, &counts, moments);
            tally.activations[block.weight_group] += counts.iter().copied().map(i64::from).sum::<i64>();
        }
        true
    }

    /// What the errors of the blocks counted come to.
    pub fn figures(&self, tally: &Tally, blocks: usize) -> Figures {
        Figures { absolute: tally.sums.absolute as f64 / blocks as f64, variance: self.variance(tally) }
    }

    /// Whether the bounds are kept to, all blocks counted.
    pub fn keeps(&self, tally: &Tally) -> bool {
        let sums = &tally.sums;
        self.most_absolute.is_none_or(|most| sums.absolute <= most)
            && self.most_bias.is_none_or(|most| sums.signed.unsigned_abs() <= most)
            && self.weighting.as_ref().is_none_or(|(_, most)| self.variance(tally) <= *most)
    }

    /// Whether a candidate's figures on some blocks leave hope that it keeps to the bounds.
    ///
    /// Candidates differ from their parents in little: by how much they are worse on some blocks says more
    /// about how much worse they will be on all than their own figures do. `trust` of that difference is
    /// expected of the rest, between 0 and 1; a candidate turned away wrongly is a chance missed, no more.
    pub fn promises(
        &self,
        candidate: &Figures,
        parent: &Figures,
        parent_in_all: &Figures,
        trust: f64,
    ) -> bool {
        let expected =
            |of: fn(&Figures) -> f64| of(parent_in_all) + trust * (of(candidate) - of(parent)).max(0.0);
        // Bounds are kept to exactly in the end; rounding here must not matter.
        let hair = 1.0 + 1e-9;
        let most_absolute = self.most_absolute.map(|most| most as f64 / BLOCKS as f64 * hair);
        most_absolute.is_none_or(|most| expected(|figures| figures.absolute) <= most)
            && self.weighting.as_ref().is_none_or(|(_, most)| expected(|f| f.variance) <= most * hair)
    }

    /// The square of the noise of the blocks counted, in units of the product.
    fn variance(&self, tally: &Tally) -> f64 {
        let Some((weighting, _)) = &self.weighting else { return 0.0 };
        let (mut variance, mut share) = (0.0, 0.0);
        for (group, (moments, &activations)) in tally.moments.iter().zip(&tally.activations).enumerate() {
            if activations == 0 {
                continue;
            }
            let total = activations as f64;
            for i in 0..BLOCK_WEIGHTS {
                let weight = weighting.weight[usize::from(operands::weight(group, i))];
                let mean = moments.sum[i] as f64 / total;
                variance += weight * (moments.squares[i] as f64 / total - mean * mean);
                share += weight;
            }
        }
        if share == 0.0 { 0.0 } else { (variance / share).max(0.0) }
    }
}

impl Weighting {
    fn new(distribution: &Distribution) -> Result<Weighting> {
        if distribution.multiplications() == 0 {
            return Err(Error::Argument("the layer does no multiplications".into()));
        }
        let activation = distribution.activation_shares();
        // No activation that occurs is forgotten.
        let units = |share: f64| if share > 0.0 { (share * ACTIVATION_UNITS).round().max(1.0) } else { 0.0 };
        Ok(Weighting {
            activation: activation.map(|share| units(share) as i32),
            weight: distribution.weight_shares(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_make_no_sense_are_refused() {
        let refused = |bounds| Objective::new(false, bounds, None).err().expect("no sense").to_string();
        let none = Bounds::default();
        assert!(refused(none).contains("no bound"));
        assert!(refused(Bounds { zero_preserving: true, ..none }).contains("no bound"));
        assert!(refused(Bounds { mae_pct: Some(-1.0), ..none }).contains("MAE"));
        assert!(refused(Bounds { wce_pct: Some(f64::NAN), ..none }).contains("WCE"));
        assert!(refused(Bounds { noise_pct: Some(0.1), ..none }).contains("layer"));
        let idle = Distribution { activation: [0; 256], weight: [0; 256] };
        let noise = Bounds { noise_pct: Some(0.1), ..none };
        assert!(Objective::new(false, noise, Some(&idle)).is_err());
    }
}
