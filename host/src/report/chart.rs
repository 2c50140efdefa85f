//! The front as a chart: a self-contained SVG with its own background, so that it reads the same in a light
//! and in a dark viewer.

use super::FrontPoint;
use super::axis::Axis;
use super::drawing::{Drawing, Symbol};

/// A named place to compare the front with, such as one multiplier in every layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The name shown beside it.
    pub label: String,
    /// Energy saved, percent.
    pub energy_saved_pct: f64,
    /// Accuracy lost, percentage points.
    pub loss_pp: f64,
}

/// Accuracy loss against energy saved: what to draw. Values that are not finite are left out.
#[derive(Debug, Clone, Default)]
pub struct Chart<'a> {
    /// The line above the chart.
    pub title: &'a str,
    /// The front, in any order.
    pub front: &'a [FrontPoint],
    /// Other evaluated points, as energy saved in percent and accuracy loss in percentage points.
    pub evaluated: &'a [(f64, f64)],
    /// Places to compare with.
    pub marks: &'a [Mark],
    /// The largest accuracy loss allowed, percentage points.
    pub loss_budget_pp: Option<f64>,
}

impl Chart<'_> {
    /// The chart as an SVG document.
    ///
    /// The vertical axis keeps to where the choice is: with a budget, to five times it, otherwise to the
    /// front. What lies beyond is counted in a line below the chart.
    pub fn to_svg(&self) -> String {
        let mut front: Vec<&FrontPoint> = self
            .front
            .iter()
            .filter(|p| p.energy_saved_pct.is_finite() && p.loss_test_pp.is_finite())
            .collect();
        front.sort_by(|a, b| {
            a.energy_saved_pct.total_cmp(&b.energy_saved_pct).then(a.loss_test_pp.total_cmp(&b.loss_test_pp))
        });
        let (x, y) = self.axes(&front);
        let labels = ["multiplication energy saved (%)", "accuracy loss (percentage points)"];
        let mut drawing = Drawing::new(self.title, (x, labels[0]), (y, labels[1]));
        for &(saved, loss) in self.evaluated {
            drawing.dot("faint", 2.5, saved, loss);
        }
        drawing.staircase("line", least_losses(&front).into_iter());
        if let Some(budget) = self.loss_budget_pp {
            drawing.budget(budget);
        }
        // A label is left out where it would cover an earlier one: the chosen point's comes first, then those
        // of marks from the largest saving down.
        for point in front.iter().filter(|p| p.chosen) {
            drawing.chosen(point);
        }
        let mut marks: Vec<&Mark> = self.marks.iter().collect();
        marks.sort_by(|a, b| b.energy_saved_pct.total_cmp(&a.energy_saved_pct));
        for mark in marks {
            drawing.mark(mark);
        }
        for point in &front {
            drawing.dot("front", 4.0, point.energy_saved_pct, point.loss_test_pp);
        }
        let legend = [
            (!front.is_empty(), Symbol::Dot("front", 4.0), "front"),
            (front.iter().any(|p| p.chosen), Symbol::Ringed, "chosen"),
            (!self.evaluated.is_empty(), Symbol::Dot("faint", 3.0), "evaluated"),
            (!self.marks.is_empty(), Symbol::Diamond, "compared"),
        ];
        let shown = legend.into_iter().filter(|entry| entry.0).map(|(_, symbol, text)| (symbol, text));
        drawing.legend(&shown.collect::<Vec<_>>());
        drawing.finish()
    }

    /// The axes: all savings, and losses as far as [`Chart::to_svg`] says.
    fn axes(&self, front: &[&FrontPoint]) -> (Axis, Axis) {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values
                .filter(|v| v.is_finite())
                .fold((0.0f64, 0.0f64), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (left, right) = ends(
            &mut (front.iter().map(|p| p.energy_saved_pct))
                .chain(self.marks.iter().map(|m| m.energy_saved_pct))
                .chain(self.evaluated.iter().map(|e| e.0)),
        );
        let (bottom, mut top) = ends(&mut front.iter().map(|p| p.loss_test_pp));
        if let Some(budget) = self.loss_budget_pp.filter(|b| b.is_finite() && *b > 0.0) {
            let chosen = front.iter().filter(|p| p.chosen).map(|p| p.loss_test_pp).fold(0.0, f64::max);
            top = top.min(5.0 * budget).max(1.5 * budget).max(1.2 * chosen);
        }
        (Axis::covering(left, right, 10), Axis::covering(bottom, top, 8))
    }
}

/// Of points in the order of their savings those that lose less than all that save more, as (saving, loss): a front is
/// one of divergence, so that on few images a point may well lose less than one that saves less.
fn least_losses(front: &[&FrontPoint]) -> Vec<(f64, f64)> {
    let mut least = f64::INFINITY;
    let mut kept = Vec::new();
    for point in front.iter().rev() {
        if point.loss_test_pp < least {
            least = point.loss_test_pp;
            kept.push((point.energy_saved_pct, point.loss_test_pp));
        }
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(label: &str, energy_saved_pct: f64, loss_pp: f64) -> Mark {
        Mark { label: label.to_owned(), energy_saved_pct, loss_pp }
    }

    #[test]
    fn the_line_passes_by_what_loses_more_and_saves_less() {
        let point = |energy_saved_pct, loss_test_pp| FrontPoint {
            energy_saved_pct,
            loss_test_pp,
            ..super::super::sample()[0].clone()
        };
        let points =
            [point(0.0, 0.0), point(20.0, 0.2), point(40.0, -0.4), point(60.0, 0.4), point(70.0, 0.4)];
        let of = |points: &[FrontPoint]| least_losses(&points.iter().collect::<Vec<_>>());
        assert_eq!(of(&points), [(40.0, -0.4), (70.0, 0.4)]);
        assert_eq!(of(&points[..2]), [(0.0, 0.0), (20.0, 0.2)]);
    }

    /// A chart with everything on it. To look at it: `SKIMP_CHART=/tmp/front.svg cargo test chart`.
    #[test]
    fn draws_everything() {
        let front = super::super::sample();
        let evaluated: Vec<(f64, f64)> = (0..400)
            .map(|i| f64::from(i) / 400.0)
            .map(|t| ((t * 7.7).fract(), (t * 31.3).fract()))
            .map(|(s, t)| (92.0 * s, 0.1 / (1.0 - 0.92 * s) + 1.5 * s * t))
            .collect();
        let marks = [mark("17KS", 73.4, 1.1), mark("3-bit <exact>", 70.0, 0.9), mark("PKY", 40.0, 20.0)];
        let title = "ResNet-20 & CIFAR-10: accuracy against energy";
        let chart =
            Chart { title, front: &front, evaluated: &evaluated, marks: &marks, loss_budget_pp: Some(0.6) };
        let svg = chart.to_svg();
        if let Some(path) = std::env::var_os("SKIMP_CHART") {
            std::fs::write(path, &svg).unwrap();
        }
        assert!(svg.contains("ResNet-20 &amp; CIFAR-10") && svg.contains("3-bit &lt;exact&gt;"));
        assert!(svg.contains("6: 85.8 % saved, 0.57 pp lost") && svg.contains("budget 0.6 pp"));
        assert_eq!(svg.matches("class=\"faint\"").count(), 401, "all in range, and the legend's");
        assert!(svg.contains("2 points lie beyond the chart"), "one of the front and a mark");
        assert!(!svg.contains("NaN") && !svg.contains("inf\""));
    }

    #[test]
    fn survives_empty_and_broken_values() {
        let mut front = super::super::sample();
        for (i, value) in [f64::NAN, f64::INFINITY, 1e300, -1e300].into_iter().enumerate() {
            front[i].loss_test_pp = value;
            front[i + 4].energy_saved_pct = value;
        }
        let broken = Chart {
            title: "\u{0}<",
            front: &front,
            evaluated: &[(f64::NAN, 0.0), (0.0, f64::INFINITY), (1e300, 1e300)],
            marks: &[mark("x", f64::NEG_INFINITY, 0.0)],
            loss_budget_pp: Some(f64::NAN),
        };
        for chart in [Chart::default(), broken] {
            let svg = chart.to_svg();
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
