//! The fronts of two libraries of multipliers as a chart: error, on a logarithmic axis, against power.

use super::axis::Axis;
use super::drawing::{Drawing, Symbol};

/// A front and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub label: String,
    /// Relative power and error in percent of each point, power falling.
    pub points: Vec<(f64, f64)>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub struct TwoFronts<'a> {
    /// The line above the chart.
    pub title: &'a str,
    /// The error's name, such as MAE.
    pub error: &'a str,
    /// Smaller errors are drawn as this one, percent; more than 0.
    pub floor_pct: f64,
    /// The first front is drawn in diamonds, the second in dots.
    pub fronts: [Series; 2],
}

impl TwoFronts<'_> {
    /// The chart as an SVG document with its own background. The error's axis begins at the decade of the
    /// floor and covers all points.
    pub fn to_svg(&self) -> String {
        let all = || self.fronts.iter().flat_map(|series| &series.points);
        let finite = |value: &f64| value.is_finite();
        let most_power = all().map(|point| point.0).filter(finite).fold(1.0, f64::max);
        let worst = all().map(|point| point.1).filter(finite).fold(self.floor_pct, f64::max);
        let y_label = format!("{} (% of 65,536; {} and less at the bottom)", self.error, self.floor_pct);
        let mut drawing = Drawing::new(
            self.title,
            (Axis::covering(0.0, most_power, 10), "power relative to the exact multiplier"),
            (Axis::decades(self.floor_pct, worst), &y_label),
        );
        let [first, second] = [&self.fronts[0], &self.fronts[1]]
            .map(|series| series.points.iter().map(|&(power, error)| (power, error.max(self.floor_pct))));
        let drawn = |&(power, error): &(f64, f64)| power.is_finite() && error.is_finite();
        drawing.staircase("rival", first.clone().filter(drawn));
        drawing.staircase("line", second.clone().filter(drawn));
        for (power, error) in first {
            drawing.diamond(power, error);
        }
        for (power, error) in second {
            drawing.dot("front", 3.5, power, error);
        }
        let [first, second] = &self.fronts;
        drawing.legend(&[(Symbol::Diamond, &first.label), (Symbol::Dot("front", 3.5), &second.label)]);
        drawing.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(first: &[(f64, f64)], second: &[(f64, f64)]) -> String {
        let series =
            |label: &str, points: &[(f64, f64)]| Series { label: label.into(), points: points.into() };
        let fronts = [series("a <folder>", first), series("builtin", second)];
        TwoFronts { title: "A & B", error: "MAE", floor_pct: 1e-4, fronts }.to_svg()
    }

    #[test]
    fn draws_points_steps_and_names() {
        let svg = chart(&[(1.0, 0.0), (0.5, 0.01), (0.1, 10.0)], &[(1.0, 1e-9), (0.4, 0.1)]);
        // Two diamonds inside and one at the top corner, each library's exact one at the bottom right.
        assert_eq!((svg.matches("class=\"mark\"").count(), svg.matches("class=\"front\"").count()), (4, 3));
        assert!(svg.contains("M776.0 432.0V281.6H424.0V56.0H142.4"), "power falls from right to left: {svg}");
        assert!(svg.contains("class=\"front\" cx=\"776.0\" cy=\"432.0\""));
        assert!(svg.contains("A &amp; B") && svg.contains(">a &lt;folder&gt;<") && svg.contains(">builtin<"));
        assert!(svg.contains(">0.0001<") && svg.contains(">10<") && svg.contains("MAE (% of 65,536"));
        assert!(!svg.contains("beyond"));
    }

    #[test]
    fn survives_empty_and_broken_values() {
        let broken = [(f64::NAN, 1.0), (0.5, f64::INFINITY), (0.5, f64::NAN), (-1.0, -1.0), (1e300, 1e300)];
        for svg in [chart(&[], &[]), chart(&broken, &broken), chart(&[], &[(1.0, 0.0)])] {
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
