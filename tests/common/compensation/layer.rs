//! What is to become of one convolution.

use super::descent::{ExactDescent, codes};
use super::fits::{is_coefficient, slope, unexplained};
use super::{Oracle, Tally, Tensors};
use skimp::compensate::{Descent, Fit, MapRule, Steps, weight_map};
use skimp::emulate::ApproximateConv;
use skimp::multiplier::{Choice, ProductTable, Scheme};
use skimp::quantize::{QuantizedConv, QuantizedLayer, QuantizedOp, requantization};
use skimp_runtime::image::{Op, OutputKind};

/// Passes over the weights.
const SWEEPS: usize = 8;

/// The same behind the exact network.
const EXACT_SWEEPS: usize = 2;

/// How often a result counts in fits that is not clipped.
const SEEN_WEIGHT: usize = 8;

/// A convolution that is judged.
pub struct Layer<'a> {
    pub oracle: &'a Oracle<'a>,
    /// Among all layers.
    pub index: usize,
    /// Among those that multiply.
    pub place: usize,
    pub conv: &'a QuantizedConv,
    pub choice: Choice,
    /// What the approximate network gives it, by image.
    pub inputs: &'a [Vec<u8>],
    /// Whether a multiplier so far is approximate.
    pub fits: bool,
    pub name: String,
}

impl Layer<'_> {
    pub fn judge(&self, steps: Steps, got: &ApproximateConv, tensors: &Tensors, tally: &mut Tally) {
        let (conv, name, scheme) = (self.conv, &self.name, self.scheme());
        let input = self.oracle.network.layers[self.index].inputs[0];
        let exact_inputs = &self.oracle.tensors[input];
        let exact = &self.oracle.accumulators[self.place];
        let mut want = self.oracle.uncompensated(conv, self.choice);
        assert_eq!(got.products, want.products, "{name}");
        if self.choice != self.oracle.exact
            && let Some(map) = self.map(steps.map, &want.products, exact_inputs)
        {
            want.weights.iter_mut().for_each(|w| *w = map[usize::from(*w)]);
        }
        let targets = self.targets(steps, tensors, tally);
        match steps.descent {
            Descent::OnExact if self.choice != self.oracle.exact => {
                self.judge_descent(steps, &want, got, exact_inputs, exact, tally);
            }
            Descent::OnApproximate if self.fits => {
                self.judge_descent(steps, &want, got, self.inputs, &targets, tally);
            }
            _ => assert_eq!(got.weights, want.weights, "{name}"),
        }
        want.weights.clone_from(&got.weights);
        if steps.activation_sum && self.fits {
            let acc = self.accumulate(&want);
            for o in 0..conv.outputs() {
                let gamma = got.operand_sum[o] - want.operand_sum[o];
                tally.coefficients += usize::from(gamma != 0);
                let sums = self.operand_sums(o);
                let (a, t) = (self.channel(&acc, o), self.channel(&targets, o));
                assert!(is_coefficient(gamma, &a, &t, &sums), "{name}, channel {o}: {gamma}");
            }
            want.operand_sum.clone_from(&got.operand_sum);
        }
        assert_eq!(got.operand_sum, want.operand_sum, "{name}");
        if steps.fit != Fit::None && self.fits {
            let (acc, seen) = (self.accumulate(&want), self.seen());
            for o in 0..conv.outputs() {
                let (a, t) = (self.repeated(&acc, &seen, o), self.repeated(&targets, &seen, o));
                tally.repeated += usize::from(a.len() > seen.len() / conv.outputs());
                let slope = if steps.fit == Fit::Bias { 1.0 } else { slope(&a, &t) };
                let mean = |values: &[i64]| values.iter().sum::<i64>() as f64 / values.len() as f64;
                want.bias[o] += (mean(&t) / slope - mean(&a)).round() as i64;
                let scale = conv.accumulator_scale(scheme, o) / conv.output_scale;
                want.requantization[o] = requantization(slope * scale);
            }
        }
        assert_eq!(got.bias, want.bias, "{name}");
        assert_eq!(got.requantization, want.requantization, "{name}");
    }

    fn scheme(&self) -> Scheme {
        self.oracle.network.scheme
    }

    fn accumulate(&self, approximate: &ApproximateConv) -> Vec<i64> {
        self.oracle.accumulate(self.conv, self.choice, approximate, self.inputs)
    }

    /// Of values by output those of one channel.
    fn channel(&self, values: &[i64], o: usize) -> Vec<i64> {
        values.iter().skip(o).step_by(self.conv.outputs()).copied().collect()
    }

    /// By output, whether the exact result is within the range it is clipped to: its own, or that of the sum of
    /// branches.
    fn seen(&self) -> Vec<bool> {
        let network = self.oracle.network;
        let output = network.layers[self.index].output;
        let (tensor, range) = match (self.branch(), self.conv.output_kind) {
            (_, OutputKind::Logits) => return vec![false; self.oracle.accumulators[self.place].len()],
            (None, OutputKind::Codes(range)) => (output, range),
            (Some(_), _) => {
                let reader = network.layers.iter().find(|layer| layer.inputs.contains(&output)).unwrap();
                let QuantizedOp::Fixed(Op::Add(add)) = &reader.op else { unreachable!("a branch of no sum") };
                (reader.output, add.range)
            }
        };
        let codes = self.oracle.tensors[tensor].iter().flatten();
        codes.map(|&code| range.min < code && code < range.max).collect()
    }

    /// Of values by output those of one channel, each that is seen as often as it counts.
    fn repeated(&self, values: &[i64], seen: &[bool], o: usize) -> Vec<i64> {
        let each = values.iter().zip(seen).skip(o).step_by(self.conv.outputs());
        each.flat_map(|(&value, &seen)| std::iter::repeat_n(value, if seen { SEEN_WEIGHT } else { 1 }))
            .collect()
    }

    /// The codes under the windows of an output channel, padding included.
    fn windows(&self, inputs: &[Vec<u8>], o: usize) -> Vec<Vec<u8>> {
        let conv = self.conv;
        let first = o / (conv.outputs() / conv.groups) * (usize::from(conv.input.channels) / conv.groups);
        let [height, width, channels] =
            [conv.input.height, conv.input.width, conv.input.channels].map(i64::from);
        let mut windows = Vec::new();
        for image in inputs {
            for (row, column) in pairs(conv.output.height, conv.output.width) {
                let mut window = Vec::new();
                for (ky, kx) in pairs(conv.window.kernel[0], conv.window.kernel[1]) {
                    let y = row * i64::from(conv.window.stride[0]) + ky - i64::from(conv.window.padding[0]);
                    let x =
                        column * i64::from(conv.window.stride[1]) + kx - i64::from(conv.window.padding[1]);
                    for c in first..first + usize::from(conv.input.channels) / conv.groups {
                        let inside = (0..height).contains(&y) && (0..width).contains(&x);
                        let at = ((y * width + x) * channels) as usize;
                        window.push(if inside { image[at + c] } else { conv.input_zero_point });
                    }
                }
                windows.push(window);
            }
        }
        windows
    }

    /// The sums of the windows' codes.
    fn operand_sums(&self, o: usize) -> Vec<i64> {
        self.windows(self.inputs, o).iter().map(|codes| codes.iter().map(|&x| i64::from(x)).sum()).collect()
    }

    fn map(&self, rule: MapRule, products: &ProductTable, inputs: &[Vec<u8>]) -> Option<[u8; 256]> {
        let reference = self.oracle.products.get(self.oracle.exact, self.conv.input_zero_point).unwrap();
        let weighted = |variance: bool| {
            let each_group = (0..self.conv.outputs()).step_by(self.conv.outputs() / self.conv.groups);
            let codes: Vec<u8> = each_group.flat_map(|o| self.windows(inputs, o)).flatten().collect();
            let share = |x: usize| {
                codes.iter().filter(|&&code| usize::from(code) == x).count() as f64 / codes.len() as f64
            };
            let shares = std::array::from_fn(share);
            weight_map::weighted(&reference, products, self.scheme(), &shares, variance)
        };
        match rule {
            MapRule::None => None,
            MapRule::Alwann => Some(weight_map::alwann(&reference, products, self.scheme())),
            MapRule::Squared => Some(weighted(false)),
            MapRule::Variance => Some(weighted(true)),
        }
    }

    /// What the layer's accumulators ought to be, `[image][pixel][output channel]`.
    fn targets(&self, steps: Steps, tensors: &Tensors, tally: &mut Tally) -> Vec<i64> {
        let exact = &self.oracle.accumulators[self.place];
        let Some(branch) = self.branch().filter(|_| steps.branches) else { return exact.clone() };
        tally.branches += 1;
        let missing = self.oracle.tensors[branch].iter().flatten().zip(tensors[branch].iter().flatten());
        let scale = self.oracle.network.tensors[branch].scale;
        let target = |(i, (&target, (&exact, &present))): (usize, (&i64, (&u8, &u8)))| {
            let step = scale / self.conv.accumulator_scale(self.scheme(), i % self.conv.outputs());
            let target = target as f64 + (f64::from(exact) - f64::from(present)) * step;
            target.round().clamp(i32::MIN.into(), i32::MAX.into()) as i64
        };
        exact.iter().zip(missing).enumerate().map(target).collect()
    }

    /// The other operand of the addition that alone reads the result, if there already.
    fn branch(&self) -> Option<usize> {
        let (network, output) = (self.oracle.network, self.oracle.network.layers[self.index].output);
        let readers: Vec<_> = network.layers.iter().filter(|l| l.inputs.contains(&output)).collect();
        let [QuantizedLayer { op: QuantizedOp::Fixed(Op::Add(_)), inputs, .. }] = readers[..] else {
            return None;
        };
        let other = inputs.iter().copied().find(|&input| input != output)?;
        let mut known = network.layers[..self.index].iter().map(|layer| layer.output).chain([network.input]);
        (network.output != output && known.any(|id| id == other)).then_some(other)
    }

    /// Where scales are fitted afterwards they are free while descending, which integers can't follow: there, what
    /// a regression of the targets leaves must not be more than before. Elsewhere, descent has to be the oracle's.
    fn judge_descent(
        &self,
        steps: Steps,
        start: &ApproximateConv,
        got: &ApproximateConv,
        inputs: &[Vec<u8>],
        targets: &[i64],
        tally: &mut Tally,
    ) {
        let acc = self.oracle.accumulate(self.conv, self.choice, start, inputs);
        let codes = codes(&start.products, self.scheme());
        let descended = ApproximateConv { weights: got.weights.clone(), ..start.clone() };
        let sweeps = if steps.descent == Descent::OnExact { EXACT_SWEEPS } else { SWEEPS };
        for o in 0..self.conv.outputs() {
            let weights = o * self.conv.taps()..(o + 1) * self.conv.taps();
            let (before, after) = (&start.weights[weights.clone()], &got.weights[weights]);
            tally.descended += before.iter().zip(after).filter(|(before, after)| before != after).count();
            let (acc, targets) = (self.channel(&acc, o), self.channel(targets, o));
            if steps.fit == Fit::ScaleShift {
                let now = self.oracle.accumulate(self.conv, self.choice, &descended, inputs);
                let now = self.channel(&now, o);
                if let (Some(before), Some(after)) =
                    (unexplained(&acc, &targets), unexplained(&now, &targets))
                {
                    assert!(after <= 1.000_1 * before + 1e-6, "{}, channel {o}: {before} {after}", self.name);
                    tally.scaled += usize::from(after < 0.99 * before);
                }
                continue;
            }
            let residuals: Vec<i64> = acc.iter().zip(targets).map(|(acc, target)| acc - target).collect();
            let mut descent = ExactDescent {
                products: &start.products,
                windows: self.windows(inputs, o),
                weights: before.to_vec(),
                residuals,
                doubtful: false,
            };
            let variance = descent.variance(before);
            for tap in (0..sweeps).flat_map(|_| 0..before.len()) {
                descent.improve(tap, &codes);
            }
            descent.judge(after, variance, tally, &format!("{}, channel {o}", self.name));
        }
    }
}

fn pairs(height: u16, width: u16) -> impl Iterator<Item = (i64, i64)> {
    (0..i64::from(height)).flat_map(move |y| (0..i64::from(width)).map(move |x| (y, x)))
}
