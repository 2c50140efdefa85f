//! The shapes of charts as SVG elements.

use super::FrontPoint;
use super::axis::Axis;
use super::chart::Mark;
use std::fmt::Write;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 512.0;
/// The plotting area: left, right, top, bottom.
const AREA: (f64, f64, f64, f64) = (72.0, 776.0, 56.0, 432.0);

const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:13px;fill:#1f2933}
.title{font-size:16px;font-weight:600}
.small{font-size:12px;fill:#52606d}
.halo{paint-order:stroke;stroke:#ffffff;stroke-width:4px;stroke-linejoin:round}
.grid{stroke:#e4e7eb}
.zero{stroke:#7b8794}
.faint{fill:#9aa5b1;fill-opacity:.4}
.line{fill:none;stroke:#1d6fb8;stroke-width:1.5;stroke-linejoin:round}
.front{fill:#1d6fb8}
.rival{fill:none;stroke:#b8651d;stroke-width:1.5;stroke-linejoin:round}
.mark{fill:#ffffff;stroke:#b8651d;stroke-width:1.5}
.budget{stroke:#c0392b;stroke-width:1.5;stroke-dasharray:6 4}
.budgettext{fill:#a93226}
.ring{fill:none;stroke:#14522d;stroke-width:2.5}
.chosen{font-weight:600;fill:#14522d}
";

/// A chart half drawn.
pub struct Drawing {
    svg: String,
    x: Axis,
    y: Axis,
    /// Points that did not fit.
    beyond: usize,
    /// Left end, width and base line of each label.
    labels: Vec<(f64, f64, f64)>,
}

impl Drawing {
    /// An empty chart with these axes, each with its label.
    pub fn new(title: &str, x: (Axis, &str), y: (Axis, &str)) -> Self {
        let mut drawing = Drawing { svg: String::new(), x: x.0, y: y.0, beyond: 0, labels: Vec::new() };
        drawing.frame(title, [x.1, y.1]);
        drawing
    }

    /// The whole document.
    pub fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    fn add(&mut self, element: std::fmt::Arguments) {
        // Writing to a string can't fail.
        let _ = writeln!(self.svg, "{element}");
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let (left, right, top, bottom) = AREA;
        (left + (right - left) * self.x.position(x), bottom - (bottom - top) * self.y.position(y))
    }

    /// The place of a point that fits; counts it if it does not.
    fn visible(&mut self, x: f64, y: f64) -> Option<(f64, f64)> {
        if !x.is_finite() || !y.is_finite() {
            return None;
        }
        if self.x.contains(x) && self.y.contains(y) {
            return Some(self.place(x, y));
        }
        self.beyond += 1;
        None
    }

    /// Background, title, grid, axes.
    fn frame(&mut self, title: &str, labels: [&str; 2]) {
        let (left, right, top, bottom) = AREA;
        let (width, height) = (right - left, bottom - top);
        let name = escape(title);
        self.add(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" role=\"img\">\n<title>{name}</title>\n<style>{STYLE}</style>\n\
             <clipPath id=\"area\"><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/></clipPath>\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
             <text class=\"title\" x=\"{left}\" y=\"30\">{name}</text>"
        ));
        let (x_axis, y_axis) = (self.x.clone(), self.y.clone());
        for &tick in &x_axis.ticks {
            let ((x, _), text) = (self.place(tick, y_axis.low), x_axis.text(tick));
            self.add(format_args!(
                "<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
                bottom + 19.0
            ));
        }
        for &tick in &y_axis.ticks {
            let ((_, y), text) = (self.place(x_axis.low, tick), y_axis.text(tick));
            let class = if tick == 0.0 { "zero" } else { "grid" };
            self.add(format_args!(
                "<path class=\"{class}\" d=\"M{left} {y:.1}H{right}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                left - 8.0,
                y + 4.5
            ));
        }
        let (center, middle) = ((left + right) / 2.0, (top + bottom) / 2.0);
        let [below, beside] = labels.map(escape);
        self.add(format_args!(
            "<text x=\"{center}\" y=\"{}\" text-anchor=\"middle\">{below}</text>\n\
             <text transform=\"translate(22 {middle}) rotate(-90)\" text-anchor=\"middle\">{beside}</text>",
            bottom + 40.0
        ));
    }

    /// A dot, if it fits on the chart.
    pub fn dot(&mut self, class: &str, radius: f64, x: f64, y: f64) {
        if let Some((x, y)) = self.visible(x, y) {
            self.add(format_args!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>"));
        }
    }

    /// A front's line: what lies between two points along the first axis is had only at the next one's
    /// place on the second.
    pub fn staircase(&mut self, class: &str, front: impl Iterator<Item = (f64, f64)>) {
        let mut path = String::new();
        for (x, y) in front {
            let (x, y) = self.place(x, y);
            // Writing to a string can't fail.
            let _ =
                if path.is_empty() { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "V{y:.1}H{x:.1}") };
        }
        if !path.is_empty() {
            self.add(format_args!("<path class=\"{class}\" clip-path=\"url(#area)\" d=\"{path}\"/>"));
        }
    }

    /// The largest loss allowed, as a dashed line.
    pub fn budget(&mut self, budget: f64) {
        if !budget.is_finite() || !self.y.contains(budget) {
            return;
        }
        let (left, right, ..) = AREA;
        let (_, y) = self.place(self.x.low, budget);
        self.add(format_args!(
            "<path class=\"budget\" d=\"M{left} {y:.1}H{right}\"/>\
             <text class=\"budgettext halo\" x=\"{}\" y=\"{:.1}\">budget {budget} pp</text>",
            left + 8.0,
            y - 6.0
        ));
    }

    /// A diamond, if it fits on the chart; where it is in the document.
    pub fn diamond(&mut self, x: f64, y: f64) -> Option<(f64, f64)> {
        let (x, y) = self.visible(x, y)?;
        self.add(format_args!("<path class=\"mark\" d=\"M{x:.1} {:.1}l5 5l-5 5l-5 -5z\"/>", y - 5.0));
        Some((x, y))
    }

    /// A diamond with its name.
    pub fn mark(&mut self, mark: &Mark) {
        if let Some((x, y)) = self.diamond(mark.energy_saved_pct, mark.loss_pp) {
            self.label("small halo", x, y, 5.0, &mark.label);
        }
    }

    /// A ring around the chosen point, with its figures.
    pub fn chosen(&mut self, point: &FrontPoint) {
        // Already counted as a dot if it does not fit.
        if !self.x.contains(point.energy_saved_pct) || !self.y.contains(point.loss_test_pp) {
            return;
        }
        let (x, y) = self.place(point.energy_saved_pct, point.loss_test_pp);
        self.add(format_args!("<circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8.5\"/>"));
        let text = format!(
            "{}: {:.1} % saved, {:.2} pp lost",
            point.label, point.energy_saved_pct, point.loss_test_pp
        );
        self.label("chosen halo", x, y, 8.5, &text);
    }

    /// Text beside a shape of this radius, up and to the left where the front has nothing, or to the right
    /// where there is no room; none where it would cover another label.
    fn label(&mut self, class: &str, x: f64, y: f64, radius: f64, text: &str) {
        // The font is the viewer's: about 7.5 units a character.
        let width = 7.5 * text.chars().count() as f64;
        let room = x - AREA.0 > width + radius;
        let (anchor, x) = if room { ("end", x - radius - 3.0) } else { ("start", x + radius + 3.0) };
        let (y, text) = (y - radius - 2.0, escape(text));
        let left = if room { x - width } else { x };
        let overlaps =
            |&(l, w, t): &(f64, f64, f64)| left < l + w && l < left + width && (y - t).abs() < 12.0;
        if self.labels.iter().any(overlaps) {
            return;
        }
        self.labels.push((left, width, y));
        self.add(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// What the shapes are, and how many points were left out.
    pub fn legend(&mut self, entries: &[(Symbol, &str)]) {
        let (mut x, y) = (AREA.0, HEIGHT - 12.0);
        for (symbol, text) in entries {
            let shape = symbol.svg(x + 5.0, y);
            let name = escape(text);
            self.add(format_args!("{shape}<text class=\"small\" x=\"{}\" y=\"{y}\">{name}</text>", x + 16.0));
            x += 36.0 + 6.8 * text.chars().count() as f64;
        }
        let right = AREA.1;
        match self.beyond {
            0 => {}
            1 => self.add(format_args!(
                "<text class=\"small\" x=\"{right}\" y=\"{y}\" text-anchor=\"end\">1 point lies beyond the chart</text>"
            )),
            n => self.add(format_args!(
                "<text class=\"small\" x=\"{right}\" y=\"{y}\" text-anchor=\"end\">{n} points lie beyond the chart</text>"
            )),
        }
    }
}

/// A shape in the legend.
pub enum Symbol {
    /// A dot of a class and radius.
    Dot(&'static str, f64),
    /// A dot of the front in a ring.
    Ringed,
    /// A diamond.
    Diamond,
}

impl Symbol {
    /// The shape in the middle of a line of text with this base line.
    fn svg(&self, x: f64, base: f64) -> String {
        let (middle, top) = (base - 4.0, base - 9.0);
        let circle =
            |class, radius| format!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{middle}\" r=\"{radius}\"/>");
        match *self {
            Symbol::Dot(class, radius) => circle(class, radius),
            Symbol::Ringed => circle("front", 2.5) + &circle("ring", 5.5),
            Symbol::Diamond => format!("<path class=\"mark\" d=\"M{x} {top}l5 5l-5 5l-5 -5z\"/>"),
        }
    }
}

/// `text` as XML character data: markup escaped, control characters, which XML can't hold, replaced.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
