//! Reads `costs.csv`: the published costs of the multipliers in a folder.

use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// One multiplier's line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Costs {
    /// The line it stands on, the first being 1.
    pub line: usize,
    /// Power in mW.
    pub power_mw: f64,
    /// Area in um2, if given.
    pub area_um2: Option<f64>,
    /// Delay in ns, if given.
    pub delay_ns: Option<f64>,
}

/// The lines of `text` by multiplier; `path` is for messages. The format is that of
/// [`Library::load_folder`](super::Library::load_folder); columns it does not mention are skipped.
pub(super) fn parse(path: &Path, text: &str) -> Result<HashMap<String, Costs>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let wrong = |line: usize, reason: String| Error::file(path, format!("line {line}: {reason}"));

    let Some((header_line, header)) = lines.next() else {
        return Err(Error::file(path, "no lines; the first should name the columns: name,power_mw,..."));
    };
    let columns: Vec<&str> = header.split(',').map(str::trim).collect();
    let find = |name: &str| columns.iter().position(|&column| column == name);
    let require = |name: &str| {
        let reason = || format!("no column \"{name}\" in \"{header}\"; the first line names the columns");
        find(name).ok_or_else(|| wrong(header_line, reason()))
    };
    let (name, power) = (require("name")?, require("power_mw")?);
    let (area, delay) = (find("area_um2"), find("delay_ns"));

    let mut costs: HashMap<String, Costs> = HashMap::new();
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
        if fields[name].is_empty() {
            return Err(wrong(line, "no name".into()));
        }
        let row =
            Costs { line, power_mw: number(power)?, area_um2: optional(area)?, delay_ns: optional(delay)? };
        if let Some(first) = costs.insert(fields[name].to_owned(), row) {
            return Err(wrong(line, format!("{} is already on line {}", fields[name], first.line)));
        }
    }
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<HashMap<String, Costs>> {
        parse(Path::new("costs.csv"), text)
    }

    #[test]
    fn reads_columns_by_name_in_any_order() {
        let text =
            "\u{feff}# a comment\r\npower_mw, name ,note,delay_ns\r\n\r\n0.5,one,hm,1.25\n2e-3,two,,\n";
        let costs = parsed(text).unwrap();
        let one = Costs { line: 4, power_mw: 0.5, area_um2: None, delay_ns: Some(1.25) };
        assert_eq!(costs["one"], one);
        assert_eq!(costs["two"], Costs { line: 5, power_mw: 0.002, area_um2: None, delay_ns: None });
        assert_eq!(costs.len(), 2);
    }

    #[test]
    fn faults_are_reported_with_file_line_and_content() {
        for (text, expected) in [
            ("", "costs.csv: no lines"),
            ("\nname,power\n", "costs.csv: line 2: no column \"power_mw\""),
            ("name,power_mw\na,1\nb\n", "costs.csv: line 3: 1 fields where the header has 2"),
            ("name,power_mw\na,one\n", "line 2: power_mw is \"one\""),
            ("name,power_mw\na,-1\n", "line 2: power_mw is \"-1\""),
            ("name,power_mw\na,inf\n", "line 2: power_mw is \"inf\""),
            ("name,power_mw,area_um2\na,1,x\n", "line 2: area_um2 is \"x\""),
            ("name,power_mw\n,1\n", "line 2: no name"),
            ("name,power_mw\na,1\nb,1\na,2\n", "line 4: a is already on line 2"),
        ] {
            let message = parsed(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }
}
