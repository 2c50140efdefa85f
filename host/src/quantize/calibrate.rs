//! Ranges of activations, measured on calibration images.

use crate::error::{Error, Result};
use crate::network::{FloatNetwork, TensorId};
use rayon::prelude::*;
use serde::Serialize;

/// How a tensor's range is chosen from the values seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum RangeMethod {
    /// Smallest and largest value.
    MinMax,
    /// Bounds that leave out this share of the values at each end, such as 0.0001.
    Percentile(f64),
    /// The bounds, scaled down step by step, with the least mean squared error of the coded values.
    Mse,
    /// The model's own scales and zero points, and with them its own codes of weights and biases, for one that came in
    /// 8 bits. Nothing is measured.
    Model,
}

impl std::str::FromStr for RangeMethod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "minmax" => Ok(RangeMethod::MinMax),
            "mse" => Ok(RangeMethod::Mse),
            "model" => Ok(RangeMethod::Model),
            _ => match text.strip_prefix("percentile:").and_then(|share| share.parse().ok()) {
                Some(percent) if (50.0..=100.0).contains(&percent) => {
                    Ok(RangeMethod::Percentile(1.0 - percent / 100.0))
                }
                _ => Err(format!(
                    "\"{text}\" is not a range method; use minmax, mse, model, or percentile:P with P from 50 \
                     to 100"
                )),
            },
        }
    }
}

impl std::fmt::Display for RangeMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RangeMethod::MinMax => f.write_str("minmax"),
            RangeMethod::Mse => f.write_str("mse"),
            RangeMethod::Model => f.write_str("model"),
            // Without the noise of the share's subtraction from 1.
            RangeMethod::Percentile(share) => {
                write!(f, "percentile:{}", (1e11 * (1.0 - share)).round() / 1e9)
            }
        }
    }
}

const BINS: usize = 4096;

/// What was seen of every tensor: bounds, and a histogram between them.
#[derive(Debug, Clone)]
pub struct Calibration {
    tensors: Vec<Seen>,
}

#[derive(Debug, Clone)]
struct Seen {
    low: f64,
    high: f64,
    counts: Vec<u64>,
}

impl Calibration {
    /// Runs the float network over `count` images, each written by `fill(index, pixels)`, twice: for the
    /// bounds, then for the histograms. The result does not depend on the number of threads.
    pub fn measure(
        network: &FloatNetwork,
        count: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<Calibration> {
        if count == 0 {
            return Err(Error::Argument("calibration needs at least one image".into()));
        }
        let tensors = network.network().tensors.len();
        let empty = Seen { low: f64::INFINITY, high: f64::NEG_INFINITY, counts: Vec::new() };
        let visit_all = |start: Vec<Seen>, see: &(dyn Fn(&mut Seen, &[f32]) + Sync)| {
            (0..count)
                .into_par_iter()
                .try_fold(
                    || start.clone(),
                    |mut seen, index| {
                        let mut image = vec![0f32; network.input().elements()];
                        fill(index, &mut image);
                        network.forward(&image, &mut |id: TensorId, values: &[f32]| {
                            see(&mut seen[id], values)
                        })?;
                        Ok(seen)
                    },
                )
                .try_reduce_with(|mut a, b| {
                    a.iter_mut().zip(b).for_each(|(a, b)| a.merge(&b));
                    Ok(a)
                })
                .expect("there is at least one image")
        };
        let mut seen = visit_all(vec![empty; tensors], &|seen, values| {
            for &value in values {
                seen.low = seen.low.min(value.into());
                seen.high = seen.high.max(value.into());
            }
        })?;
        for (seen, tensor) in seen.iter_mut().zip(&network.network().tensors) {
            if seen.low <= seen.high && !(seen.low.is_finite() && seen.high.is_finite()) {
                return Err(Error::Mismatch(format!(
                    "tensor \"{}\" takes the values {} to {} on the calibration images",
                    tensor.name, seen.low, seen.high
                )));
            }
            seen.counts = vec![0; BINS];
        }
        let tensors = visit_all(seen, &|seen, values| {
            let per_step = BINS as f64 / (seen.high - seen.low).max(f64::MIN_POSITIVE);
            for &value in values {
                let bin = ((f64::from(value) - seen.low) * per_step) as usize;
                seen.counts[bin.min(BINS - 1)] += 1;
            }
        })?;
        Ok(Calibration { tensors })
    }

    /// Smallest and largest value seen of tensor `id`; (0, 0) if it was never computed.
    pub fn bounds(&self, id: TensorId) -> (f64, f64) {
        let seen = &self.tensors[id];
        if seen.low <= seen.high { (seen.low, seen.high) } else { (0.0, 0.0) }
    }

    /// The range to code tensor `id` over; contains 0.
    pub fn range(&self, id: TensorId, method: RangeMethod) -> (f64, f64) {
        let seen = &self.tensors[id];
        let (low, high) = self.bounds(id);
        let (low, high) = match method {
            // What a model's own scales leave to be measured, if anything, is taken whole.
            RangeMethod::MinMax | RangeMethod::Model => (low, high),
            RangeMethod::Percentile(share) => (seen.quantile(share), seen.quantile(1.0 - share)),
            RangeMethod::Mse => {
                // Only outliers are worth cutting, so a coarse line of candidates is enough.
                let candidates = (20..=100).rev().map(|percent| f64::from(percent) / 100.0);
                let best = candidates.map(|part| (seen.coding_error(low * part, high * part), part));
                let (_, part) = best.fold((f64::INFINITY, 1.0), |a, b| if b.0 < a.0 { b } else { a });
                (low * part, high * part)
            }
        };
        (low.min(0.0), high.max(0.0))
    }
}

impl Seen {
    fn merge(&mut self, other: &Seen) {
        // Histograms are filled from equal, final bounds; merging those changes nothing.
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        for (a, b) in self.counts.iter_mut().zip(&other.counts) {
            *a += b;
        }
    }

    fn bin_value(&self, bin: usize) -> f64 {
        self.low + (bin as f64 + 0.5) * (self.high - self.low) / BINS as f64
    }

    fn quantile(&self, share: f64) -> f64 {
        let total: u64 = self.counts.iter().sum();
        let target = share * total as f64;
        let mut below = 0;
        for (bin, &count) in self.counts.iter().enumerate() {
            below += count;
            if below as f64 >= target {
                return self.bin_value(bin).clamp(self.low, self.high);
            }
        }
        self.high
    }

    /// Sum of squared errors if values are clamped to the range and rounded to 256 levels.
    fn coding_error(&self, low: f64, high: f64) -> f64 {
        let step = ((high.max(0.0) - low.min(0.0)) / 255.0).max(f64::MIN_POSITIVE);
        let errors = self.counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(bin, &count)| {
            let value = self.bin_value(bin);
            let beyond = value - value.clamp(low.min(0.0), high.max(0.0));
            count as f64 * (beyond * beyond + step * step / 12.0)
        });
        errors.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[f64]) -> Calibration {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut counts = vec![0; BINS];
        for v in values {
            counts[(((v - low) * BINS as f64 / (high - low)) as usize).min(BINS - 1)] += 1;
        }
        Calibration { tensors: vec![Seen { low, high, counts }] }
    }

    #[test]
    fn outliers_are_cut_by_percentile_and_mse_but_not_by_min_max() {
        let mut values: Vec<f64> = (0..2_000_000).map(|i| f64::from(i % 1000) / 1000.0).collect();
        values.push(40.0);
        let calibration = seen(&values);
        assert_eq!(calibration.range(0, RangeMethod::MinMax), (0.0, 40.0));
        let (_, high) = calibration.range(0, RangeMethod::Percentile(0.001));
        assert!((0.95..1.1).contains(&high), "{high}");
        let (_, high) = calibration.range(0, RangeMethod::Mse);
        assert!(high < 20.0, "{high}");
    }

    #[test]
    fn mse_keeps_the_whole_of_a_uniform_range() {
        let values: Vec<f64> = (0..100_000).map(|i| f64::from(i % 1000) / 1000.0 - 0.5).collect();
        let (low, high) = seen(&values).range(0, RangeMethod::Mse);
        assert!(low < -0.48 && high > 0.48, "{low} {high}");
    }

    #[test]
    fn methods_are_named_in_text() {
        for text in ["minmax", "mse", "model", "percentile:99.9"] {
            let method: RangeMethod = text.parse().unwrap();
            assert_eq!(method.to_string().parse::<RangeMethod>().unwrap(), method);
        }
        assert!("percentile:12".parse::<RangeMethod>().unwrap_err().contains("percentile:P"));
    }
}
