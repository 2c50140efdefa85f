//! Tables of plain text.

use super::FrontPoint;
use std::fmt::Write;

/// On which side of its column a cell's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// For names.
    Left,
    /// For numbers.
    Right,
}

/// A table with a heading line and columns two spaces apart. A row may be shorter than the columns; cells
/// beyond them are left out. Widths count characters.
pub fn text_table(columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let width = |c: usize| {
        let cells = rows.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count());
        cells.chain([columns[c].0.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut table = String::new();
    let heading: Vec<String> = columns.iter().map(|(name, _)| name.to_string()).collect();
    for row in std::iter::once(&heading).chain(rows) {
        let mut line = String::new();
        for ((cell, &width), (_, align)) in row.iter().zip(&widths).zip(columns) {
            // Writing to a string can't fail.
            let _ = match align {
                Align::Left => write!(line, "{cell:<width$}  "),
                Align::Right => write!(line, "{cell:>width$}  "),
            };
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// The front as a text table; the chosen point has a star. Runs of layers with one multiplier are shown as
/// `name xN`.
pub fn front_table(points: &[FrontPoint]) -> String {
    let flash = points.iter().any(|point| point.flash_bytes.is_some());
    let latency = points.iter().any(|point| point.ms_modelled.is_some());
    let mut columns = vec![
        ("", Align::Left),
        ("point", Align::Right),
        ("energy saved %", Align::Right),
        ("of MACs %", Align::Right),
        ("choice loss pp", Align::Right),
        ("test loss pp", Align::Right),
        ("KL nats", Align::Right),
        ("multipliers by layer", Align::Left),
    ];
    if flash {
        columns.insert(columns.len() - 1, ("flash bytes", Align::Right));
    }
    if latency {
        columns.insert(columns.len() - 1, ("about ms", Align::Right));
    }
    let row = |p: &FrontPoint| {
        let mut row = vec![
            if p.chosen { "*" } else { "" }.to_owned(),
            p.label.clone(),
            format!("{:.1}", p.energy_saved_pct),
            format!("{:.1}", p.mac_energy_saved_pct),
            format!("{:.2}", p.loss_choice_pp),
            format!("{:.2} +- {:.2}", p.loss_test_pp, p.loss_test_se_pp),
            format!("{:.4}", p.kl_test),
            runs(&p.assignment),
        ];
        if flash {
            let bytes = p.flash_bytes.map_or(String::new(), |bytes| bytes.to_string());
            row.insert(row.len() - 1, bytes);
        }
        if latency {
            row.insert(row.len() - 1, p.ms_modelled.map_or(String::new(), |ms| format!("{ms:.1}")));
        }
        row
    };
    text_table(&columns, &points.iter().map(row).collect::<Vec<_>>())
}

/// `a, a, a, b` as `a x3, b`.
fn runs(assignment: &[String]) -> String {
    let run = |run: &[String]| match run.len() {
        1 => run[0].clone(),
        n => format!("{} x{n}", run[0]),
    };
    assignment.chunk_by(|a, b| a == b).map(run).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_columns() {
        let rows = [
            vec!["é".to_owned(), "1".to_owned()],
            vec!["long".to_owned(), "-10.5".to_owned(), "x".to_owned()],
        ];
        let table = text_table(&[("a", Align::Left), ("n", Align::Right)], &rows);
        assert_eq!(table, "a         n\né         1\nlong  -10.5\n");
        assert_eq!(text_table(&[], &rows), "\n\n\n");
    }

    #[test]
    fn shows_a_front() {
        let mut points = super::super::sample();
        points[6].assignment = ["QKX", "QKX", "FTA", "QKX"].map(str::to_owned).to_vec();
        let table = front_table(&points);
        let lines: Vec<&str> = table.lines().collect();
        let heading = "   point  energy saved %  of MACs %  choice loss pp   test loss pp  KL nats  multipliers by layer";
        assert_eq!(lines[0], heading);
        let first = "       0             8.1        2.7            0.35  -0.15 +- 0.12   0.0060  exact, 17KS, FTA, QKX";
        assert_eq!(lines[1], first);
        assert!(lines[7].starts_with("*      6            85.8       28.6 "), "{}", lines[7]);
        assert!(lines[7].ends_with("  0.57 +- 0.12   0.0200  QKX x2, FTA, QKX"), "{}", lines[7]);
        points[6].flash_bytes = Some(46_240);
        let table = front_table(&points);
        assert!(table.lines().next().unwrap().ends_with("  KL nats  flash bytes  multipliers by layer"));
        assert!(table.contains("  0.0200        46240  QKX x2, FTA, QKX\n"), "{table}");
        points[6].ms_modelled = Some(140.25);
        let table = front_table(&points);
        assert!(table.contains("flash bytes  about ms  multipliers by layer"), "{table}");
        assert!(table.contains("  0.0200        46240     140.2  QKX x2, FTA, QKX\n"), "{table}");
    }
}
