//! `costs.csv`: what the multipliers of a folder cost.

use super::library::CostSource;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// One figure of a multiplier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// In mW, um2 or ns.
    Absolute(f64),
    /// Divided by the figure of the exact multiplier of the same cost source.
    Relative(f64),
}

/// What a multiplier costs, as written in its folder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Power, in mW or relative.
    pub power: Figure,
    /// Area, in um2 or relative, if given.
    pub area: Option<Figure>,
    /// Delay, in ns or relative, if given.
    pub delay: Option<Figure>,
    /// Where the figures come from.
    pub source: CostSource,
}

/// A multiplier's costs and the line they stand on, the first being 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub line: usize,
    pub costs: Costs,
}

/// Columns of power, area and delay: the absolute one, then the relative one.
pub(super) const COLUMNS: [[&str; 2]; 3] =
    [["power_mw", "power_rel"], ["area_um2", "area_rel"], ["delay_ns", "delay_rel"]];
const SOURCE: &str = "cost_source";

/// Whether a line holds neither columns nor figures.
fn is_blank(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// The figure that a row gives as absolute or relative, not both.
pub(super) fn figure(
    of: usize,
    absolute: Option<f64>,
    relative: Option<f64>,
) -> Result<Option<Figure>, String> {
    match (absolute, relative) {
        (Some(_), Some(_)) => {
            let [absolute, relative] = COLUMNS[of];
            Err(format!("both {absolute} and {relative} are given; give one"))
        }
        (Some(figure), None) => Ok(Some(Figure::Absolute(figure))),
        (None, Some(figure)) => Ok(Some(Figure::Relative(figure))),
        (None, None) => Ok(None),
    }
}

/// The lines of `text` by multiplier; `path` is for messages. The format is that of
/// [`Library::load_folder`](super::Library::load_folder); columns it does not mention are skipped.
pub(super) fn parse(path: &Path, text: &str) -> Result<HashMap<String, Row>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !is_blank(line));
    let wrong = |line: usize, reason: String| Error::file(path, format!("line {line}: {reason}"));

    let Some((header_line, header)) = lines.next() else {
        return Err(Error::file(path, "no lines; the first should name the columns: name,power_mw,..."));
    };
    let columns: Vec<&str> = header.split(',').map(str::trim).collect();
    let find = |name: &str| columns.iter().position(|&column| column == name);
    let missing = |name: &str| {
        // Whole tables are taken for costs now and then; a message is to be read.
        let mut shown: String = header.chars().take(60).collect();
        if shown.len() < header.len() {
            shown.push_str("...");
        }
        wrong(header_line, format!("no column \"{name}\" in \"{shown}\"; the first line names the columns"))
    };
    let name = find("name").ok_or_else(|| missing("name"))?;
    let figures = COLUMNS.map(|pair| pair.map(find));
    if figures[0] == [None; 2] {
        return Err(missing("power_mw"));
    }
    let source = find(SOURCE);
    for known in COLUMNS.into_iter().flatten().chain(["name", SOURCE]) {
        if columns.iter().filter(|&&column| column == known).count() > 1 {
            return Err(wrong(header_line, format!("two columns \"{known}\"; keep one of them")));
        }
    }

    let mut rows: HashMap<String, Row> = HashMap::new();
    for (line, content) in lines {
        let fields: Vec<&str> = content.split(',').map(str::trim).collect();
        if fields.len() != columns.len() {
            let (found, wanted) = (fields.len(), columns.len());
            return Err(wrong(line, format!("{found} fields where the header has {wanted}")));
        }
        let number = |column: usize| match fields[column].parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(number.abs()),
            _ => {
                let reason = format!("{} is \"{}\", not a number >= 0", columns[column], fields[column]);
                Err(wrong(line, reason))
            }
        };
        let optional = |column: Option<usize>| match column {
            Some(column) if !fields[column].is_empty() => number(column).map(Some),
            _ => Ok(None),
        };
        let of = |which: usize| -> Result<Option<Figure>> {
            let [absolute, relative] = figures[which];
            figure(which, optional(absolute)?, optional(relative)?).map_err(|reason| wrong(line, reason))
        };
        if fields[name].is_empty() {
            return Err(wrong(line, "no name".into()));
        }
        let Some(power) = of(0)? else {
            let column = figures[0].into_iter().flatten().next().expect("one of the two was found");
            let reason = format!("{} is \"\", not a number >= 0", columns[column]);
            return Err(wrong(line, reason));
        };
        let source = match source.map(|column| fields[column]) {
            None | Some("") => CostSource::Published,
            Some(text) => text.parse().map_err(|e: Error| wrong(line, e.to_string()))?,
        };
        let row = Row { line, costs: Costs { power, area: of(1)?, delay: of(2)?, source } };
        if let Some(first) = rows.insert(fields[name].to_owned(), row) {
            return Err(wrong(line, format!("{} is already on line {}", fields[name], first.line)));
        }
    }
    Ok(rows)
}

/// The text of a `costs.csv` after `new` lines were added to `old`, which [`parse`] accepts or which is
/// empty. Lines of the same names are replaced; comments, other lines and columns of other meanings stay.
pub(super) fn updated(old: &str, new: &[(&str, Costs)]) -> String {
    let old = old.strip_prefix('\u{feff}').unwrap_or(old);
    let header = old.lines().map(str::trim).find(|line| !is_blank(line));
    let mut columns: Vec<&str> = header.unwrap_or("name").split(',').map(str::trim).collect();
    let known = columns.len();
    let needed = |column: &str| new.iter().any(|(_, costs)| field(costs, column).is_some());
    for column in COLUMNS.into_iter().flatten().chain([SOURCE]) {
        if !columns.contains(&column) && needed(column) {
            columns.push(column);
        }
    }
    let name = columns.iter().position(|&column| column == "name").unwrap_or(0);
    let padding = ",".repeat(columns.len() - known);

    let mut text = String::new();
    let mut header_seen = false;
    let mut push = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    for line in old.lines().map(str::trim) {
        if is_blank(line) {
            push(line);
        } else if !header_seen {
            header_seen = true;
            push(&columns.join(","));
        } else {
            let of = line.split(',').nth(name).map(str::trim);
            if !new.iter().any(|(name, _)| Some(*name) == of) {
                push(&format!("{line}{padding}"));
            }
        }
    }
    if !header_seen {
        push(&columns.join(","));
    }
    for (name, costs) in new {
        let fields = columns.iter().map(|&column| match column {
            "name" => (*name).to_owned(),
            column => field(costs, column).unwrap_or_default(),
        });
        push(&fields.collect::<Vec<_>>().join(","));
    }
    text
}

/// What stands in a column, if it is one of costs and anything does. Numbers are written with as many digits
/// as it takes to read the same number again.
fn field(costs: &Costs, column: &str) -> Option<String> {
    if column == SOURCE {
        return Some(costs.source.to_string());
    }
    let figures = [Some(costs.power), costs.area, costs.delay];
    let (pair, figure) = COLUMNS.iter().zip(figures).find(|(pair, _)| pair.contains(&column))?;
    match figure? {
        Figure::Absolute(figure) if column == pair[0] => Some(figure.to_string()),
        Figure::Relative(figure) if column == pair[1] => Some(figure.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<HashMap<String, Row>> {
        parse(Path::new("costs.csv"), text)
    }

    fn published(power: Figure, area: Option<Figure>, delay: Option<Figure>) -> Costs {
        Costs { power, area, delay, source: CostSource::Published }
    }

    #[test]
    fn reads_columns_by_name_in_any_order() {
        let text =
            "\u{feff}# a comment\r\npower_mw, name ,note,delay_ns\r\n\r\n0.5,one,hm,1.25\n2e-3,two,,\n";
        let rows = parsed(text).unwrap();
        let one = published(Figure::Absolute(0.5), None, Some(Figure::Absolute(1.25)));
        assert_eq!(rows["one"], Row { line: 4, costs: one });
        assert_eq!(rows["two"], Row { line: 5, costs: published(Figure::Absolute(0.002), None, None) });
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn reads_relative_costs_and_where_costs_come_from() {
        let text = "name,power_mw,power_rel,area_rel,cost_source\na,,0.5,0.25,gate-model\nb,2,,,\n";
        let rows = parsed(text).unwrap();
        let a = Costs {
            source: CostSource::GateModel,
            ..published(Figure::Relative(0.5), Some(Figure::Relative(0.25)), None)
        };
        assert_eq!(rows["a"].costs, a);
        assert_eq!(rows["b"].costs, published(Figure::Absolute(2.0), None, None));
        assert!(parsed("power_rel,name\n1,a\n").is_ok());
    }

    #[test]
    fn faults_are_reported_with_file_line_and_content() {
        for (text, expected) in [
            ("", "costs.csv: no lines"),
            ("\nname,power\n", "costs.csv: line 2: no column \"power_mw\""),
            ("power_mw\n", "costs.csv: line 1: no column \"name\""),
            ("name,power_mw,power_mw\na,1,2\n", "line 1: two columns \"power_mw\""),
            ("name,power_mw,name\na,1,b\n", "line 1: two columns \"name\""),
            (
                &"0,1,".repeat(99),
                "no column \"name\" in \"0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,0,1,...\"",
            ),
            ("name,power_mw\na,1\nb\n", "costs.csv: line 3: 1 fields where the header has 2"),
            ("name,power_mw\na,one\n", "line 2: power_mw is \"one\""),
            ("name,power_mw\na,\n", "line 2: power_mw is \"\""),
            ("name,power_mw\na,-1\n", "line 2: power_mw is \"-1\""),
            ("name,power_mw\na,inf\n", "line 2: power_mw is \"inf\""),
            ("name,power_mw,area_um2\na,1,x\n", "line 2: area_um2 is \"x\""),
            ("name,power_mw,power_rel\na,1,1\n", "line 2: both power_mw and power_rel"),
            ("name,power_mw,cost_source\na,1,guess\n", "line 2: a cost source is published or gate-model"),
            ("name,power_mw\n,1\n", "line 2: no name"),
            ("name,power_mw\na,1\nb,1\na,2\n", "line 4: a is already on line 2"),
        ] {
            let message = parsed(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn adding_keeps_what_others_wrote() {
        let old = "# from a sheet\npower_mw,name,note\n0.4,one,hm\n0.1,two,\n";
        let costs = Costs {
            source: CostSource::GateModel,
            ..published(Figure::Relative(1.0 / 3.0), None, Some(Figure::Relative(0.5)))
        };
        let text = updated(old, &[("two", costs), ("three", costs)]);
        assert!(text.starts_with(
            "# from a sheet\npower_mw,name,note,power_rel,delay_rel,cost_source\n0.4,one,hm,,,\n"
        ));
        let rows = parsed(&text).unwrap();
        assert_eq!(rows["one"].costs, published(Figure::Absolute(0.4), None, None));
        assert_eq!([rows["two"].costs, rows["three"].costs], [costs; 2]);
        assert_eq!(rows.len(), 3);

        let fresh = updated("", &[("a", published(Figure::Absolute(0.25), None, None))]);
        assert_eq!(fresh, "name,power_mw,cost_source\na,0.25,published\n");
    }
}
