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
    /// that is left when every weight's mean error has been made up for (see [`Weighting`]).
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
    weighting: Option<(Weighting, f64)>,
}

/// Errors counted so far.
#[derive(Debug, Clone)]
pub struct Tally {
    sums: ErrorSums,
    moments: Vec<Moments>,
    activations: [i64; WEIGHT_GROUPS],
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
            (Some(bound), Some(distribution)) => Some((Weighting::new(distribution)?, bound)),
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

    /// Counts the errors of a block whose products are `values[outputs]`; whether the bounds can still be
    /// kept to.
    #[inline]
    pub fn count(
        &self,
        isa: Isa,
        block: &Block,
        values: &[Lanes],
        outputs: &[u16; PRODUCT_BITS],
        tally: &mut Tally,
    ) -> bool {
        let pointwise = self.limits.worst.is_some() || self.limits.zero_preserving;
        if pointwise || self.most_absolute.is_some() || self.most_bias.is_some() {
            let sums = &mut tally.sums;
            if !kernels::add_errors(isa, values, outputs, &block.exact, &self.limits, sums) {
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
            kernels::add_moments_of_errors(isa, values, outputs, exact, &counts, moments);
            tally.activations[block.weight_group] += counts.iter().copied().map(i64::from).sum::<i64>();
        }
        true
    }

    /// Whether the bounds may still be kept to after `blocks` blocks, or are kept to after all.
    ///
    /// Before the last block this is a guess: that blocks are alike, within a margin that shrinks with their
    /// number. A multiplier it turns away wrongly is a chance missed, no more.
    pub fn promises(&self, tally: &Tally, blocks: usize) -> bool {
        let share = blocks as f64 / BLOCKS as f64;
        let margin = if blocks == BLOCKS { 1.0 } else { 1.0 + 2.0 / (blocks as f64).sqrt() };
        let sums = &tally.sums;
        if self.most_absolute.is_some_and(|most| sums.absolute as f64 > most as f64 * share * margin) {
            return false;
        }
        if let Some((_, bound)) = &self.weighting
            && self.noise_pct(tally) > bound * (1.0 + 1e-9) * margin.sqrt()
        {
            return false;
        }
        blocks < BLOCKS || self.most_bias.is_none_or(|most| sums.signed.unsigned_abs() <= most)
    }

    /// Noise of the blocks counted, in percent of 65,536.
    fn noise_pct(&self, tally: &Tally) -> f64 {
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
        if share == 0.0 { 0.0 } else { 100.0 * (variance / share).max(0.0).sqrt() / 65536.0 }
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
