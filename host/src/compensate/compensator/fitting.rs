//! The steps that are fitted to what the layers before make of the calibration images.

use super::Compensator;
use crate::compensate::allowed_codes::AllowedCodes;
use crate::compensate::descent::{Candidates, Windows, descend};
use crate::compensate::exact_run::{ExactLayer, gather};
use crate::compensate::patches::{over_windows, window_rows};
use crate::compensate::prefix::Prefix;
use crate::compensate::steps::{Descent, Fit};
use crate::compensate::{SWEEPS, activation_sum, scale_shift};
use crate::emulate::ApproximateConv;
use crate::error::Result;
use crate::quantize::{QuantizedConv, QuantizedLayer};

impl Compensator<'_> {
    /// Takes the steps that depend on what the layers before make of the calibration images. Returns the
    /// layer's output codes on these. Weights take `allowed` codes, if only some are.
    pub(super) fn fit(
        &self,
        prefix: &Prefix,
        (layer, conv): (&QuantizedLayer, &QuantizedConv),
        exact: &ExactLayer,
        approximate: &mut ApproximateConv,
        allowed: Option<&AllowedCodes>,
    ) -> Result<Vec<u8>> {
        let (steps, scheme) = (self.steps, self.network.scheme);
        let targets = exact.targets(conv, scheme, &prefix.calibration, steps.branches);
        if steps.descent == Descent::OnApproximate || steps.activation_sum {
            let targets = exact.at_descent_rows(&targets, conv.outputs());
            self.fit_to_windows(prefix, (layer, conv), exact, (approximate, allowed), &targets)?;
        }
        let acc = self.calibration_accumulators(prefix, layer, conv, approximate)?;
        let shifts = match steps.fit {
            Fit::None => vec![0; conv.outputs()],
            Fit::Bias | Fit::ScaleShift => {
                let sample = exact.rows.pick(&acc, conv.outputs());
                scale_shift::fit(
                    conv,
                    scheme,
                    approximate,
                    (&sample, &targets),
                    &exact.seen,
                    steps.fit == Fit::Bias,
                )
            }
        };
        Ok(self.calibration_codes(layer, conv, approximate, &acc, &shifts))
    }

    /// The steps that look into the windows of the layer's input.
    fn fit_to_windows(
        &self,
        prefix: &Prefix,
        (layer, conv): (&QuantizedLayer, &QuantizedConv),
        exact: &ExactLayer,
        (approximate, allowed): (&mut ApproximateConv, Option<&AllowedCodes>),
        targets: &[i32],
    ) -> Result<()> {
        let scheme = self.network.scheme;
        let patches = gather(conv, prefix.calibration.get(layer.inputs[0]), &exact.descent_rows());
        let windows = window_rows(conv, &patches);
        let small = over_windows(conv);
        let accumulate = |approximate: &ApproximateConv| -> Result<Vec<i32>> {
            let mut acc = vec![0; targets.len()];
            self.plan(layer, &small, approximate)?.accumulate(&windows, &mut acc);
            Ok(acc)
        };
        if self.steps.descent == Descent::OnApproximate {
            let windows = Windows {
                patches: &patches,
                acc: &accumulate(approximate)?,
                targets,
                channels: conv.outputs(),
                free_scale: self.steps.fit == Fit::ScaleShift,
            };
            let candidates = Candidates::new(&approximate.products, scheme, allowed);
            descend(&candidates, &windows, &mut approximate.weights, SWEEPS);
        }
        if self.steps.activation_sum {
            let acc = accumulate(approximate)?;
            let group_outputs = conv.outputs() / conv.groups;
            for (group, patches) in patches.iter().enumerate() {
                let channels = group * group_outputs..(group + 1) * group_outputs;
                let of_group = |values: &[i32]| -> Vec<i32> {
                    let rows = values.chunks_exact(conv.outputs());
                    rows.flat_map(|row| &row[channels.clone()]).copied().collect()
                };
                let coefficients = activation_sum::coefficients(
                    &of_group(&acc),
                    &of_group(targets),
                    &patches.sums(),
                    group_outputs,
                );
                let factors = approximate.operand_sum[channels.clone()].iter_mut();
                factors.zip(coefficients).for_each(|(factor, more)| *factor += more);
            }
        }
        Ok(())
    }
}
