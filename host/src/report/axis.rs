//! Axes with round numbers.

/// An axis from one tick to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The value at the start of the axis.
    pub low: f64,
    /// The value at its end.
    pub high: f64,
    /// Values with a tick, ascending, the first at `low` and the last at `high`.
    pub ticks: Vec<f64>,
    /// Decimals the ticks need.
    pub decimals: usize,
    /// Whether equal distances are equal ratios. `low` is then more than 0.
    pub logarithmic: bool,
}

impl Axis {
    /// The axis that covers `low` to `high` with about `intervals` steps of 1, 2 or 5 times a power of ten.
    /// An empty range, or one that is not finite, becomes 0 to 1 from its start.
    pub fn covering(low: f64, high: f64, intervals: usize) -> Axis {
        let low = if low.abs() < 1e12 { low } else { 0.0 };
        let high = if high.abs() < 1e12 && high - low > 1e-9 { high } else { low + 1.0 };
        let raw = (high - low) / intervals.max(1) as f64;
        let power = raw.log10().floor();
        let nearest = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| raw <= m * 10f64.powf(power) * 1.0001);
        let step = nearest.unwrap_or(10.0) * 10f64.powf(power);
        // Division before rounding leaves a trace of error; don't let it add a step.
        let first = (low / step + 1e-9).floor();
        let last = (high / step - 1e-9).ceil();
        let ticks: Vec<f64> = (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect();
        let decimals = (-(step * 1.0001).log10().floor()).clamp(0.0, 9.0) as usize;
        Axis { low: first * step, high: last * step, ticks, decimals, logarithmic: false }
    }

    /// The logarithmic axis that covers `low` to `high` with a tick at each power of ten. Ends that are not
    /// within 1e-12 to 1e12, or not in order, become 1 and the next decade.
    pub fn decades(low: f64, high: f64) -> Axis {
        let exponent = |value: f64| Some(value.log10()).filter(|e| e.abs() < 12.0);
        let first = (exponent(low).unwrap_or(0.0) + 1e-9).floor() as i32;
        let last = (exponent(high).unwrap_or(0.0) - 1e-9).ceil() as i32;
        let ticks: Vec<f64> = (first..=last.max(first + 1)).map(|e| 10f64.powi(e)).collect();
        Axis { low: ticks[0], high: ticks[ticks.len() - 1], ticks, decimals: 0, logarithmic: true }
    }

    /// Where `value` is on the axis: 0 at `low`, 1 at `high`.
    pub fn position(&self, value: f64) -> f64 {
        if self.logarithmic {
            return (value / self.low).ln() / (self.high / self.low).ln();
        }
        (value - self.low) / (self.high - self.low)
    }

    /// Whether the axis reaches `value`.
    pub fn contains(&self, value: f64) -> bool {
        (-1e-9..=1.0 + 1e-9).contains(&self.position(value))
    }

    /// A tick's text.
    pub fn text(&self, tick: f64) -> String {
        let decimals = match self.logarithmic {
            // As many as this power of ten needs.
            true => (-tick.log10().round()).max(0.0) as usize,
            false => self.decimals,
        };
        // Adding zero writes -0 as 0.
        format!("{:.decimals$}", tick + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(low: f64, high: f64) -> Vec<String> {
        let axis = Axis::covering(low, high, 5);
        axis.ticks.iter().map(|&t| axis.text(t)).collect()
    }

    #[test]
    fn round_ticks() {
        assert_eq!(texts(0.0, 95.1), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(texts(-0.1, 0.9), ["-0.2", "0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(0.0, 0.05), ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"]);
        assert_eq!(texts(3.0, 3.0), ["3.0", "3.2", "3.4", "3.6", "3.8", "4.0"]);
        assert_eq!(texts(f64::NAN, f64::INFINITY), texts(0.0, 1.0));
    }

    #[test]
    fn decades_are_equally_far() {
        let axis = Axis::decades(1e-4, 10.0);
        let texts: Vec<String> = axis.ticks.iter().map(|&t| axis.text(t)).collect();
        assert_eq!(texts, ["0.0001", "0.001", "0.01", "0.1", "1", "10"]);
        for (i, &tick) in axis.ticks.iter().enumerate() {
            assert!((axis.position(tick) - i as f64 / 5.0).abs() < 1e-12);
        }
        assert!(axis.contains(10.0) && !axis.contains(11.0) && !axis.contains(0.0));
        assert_eq!((Axis::decades(0.002, 5.0).low, Axis::decades(0.002, 5.0).high), (0.001, 10.0));
        for (low, high) in [(0.0, f64::NAN), (f64::INFINITY, -1.0), (1.0, 1.0)] {
            assert_eq!(Axis::decades(low, high).ticks, [1.0, 10.0]);
        }
    }

    proptest! {
        #[test]
        fn covers_its_range(low in -1e6f64..1e6, range in 1e-6f64..1e6, intervals in 1usize..12) {
            let axis = Axis::covering(low, low + range, intervals);
            prop_assert!(axis.contains(low) && axis.contains(low + range));
            prop_assert!(axis.ticks.len() <= intervals + 2 && axis.ticks.len() >= 2);
        }
    }
}
