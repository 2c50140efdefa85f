//! Tables as text: numbers with white space, commas or semicolons between them.
//!
//! Three layouts: 256 lines of 256 numbers, with or without a row and a column of operands' values; 65,536 numbers
//! on one line or one a line; or 65,536 lines `a,w,product`, in any order, with or without a header line.

mod labels;
mod triples;

use super::numbers::{Numbers, whole};
use crate::error::{Error, Result};
use crate::multiplier::TruthTable;
use std::fmt::Write;
use std::path::Path;

/// The text of a file that should hold some.
pub(super) fn decode<'b>(path: &Path, bytes: &'b [u8]) -> Result<&'b str> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err(Error::file(path, "is UTF-16 or no text at all; save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::file(path, "not text in UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads any of the layouts; what follows a `#` is skipped.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Numbers> {
    let text = decode(path, bytes)?;
    let wrong = |line: usize, reason: String| Error::file(path, format!("line {line}: {reason}"));
    let mut header: Option<Vec<&str>> = None;
    let mut rows: Vec<Row> = Vec::new();
    let mut count = 0;
    for (index, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default();
        let fields = content.split([',', ';', ' ', '\t', '\r']).filter(|field| !field.is_empty());
        let mut fields: Vec<&str> = fields.map(|field| field.trim_matches('"')).collect();
        if fields.is_empty() {
            continue;
        }
        if rows.is_empty() && header.is_none() {
            if fields.iter().all(|field| is_word(field)) {
                header = Some(fields);
                continue;
            }
            // What stands in the corner between a header row and an index column.
            if fields.len() == 257 && (is_word(fields[0]) || fields[0].contains(['\\', '/'])) {
                fields.remove(0);
            }
        }
        let number = |field: &&str| {
            number(field)
                .ok_or_else(|| wrong(index + 1, format!("\"{}\" is not a whole number", shortened(field))))
        };
        let numbers: Vec<i64> =
            fields.iter().filter(|field| !field.is_empty()).map(number).collect::<Result<_>>()?;
        count += numbers.len();
        if count > 3 * TruthTable::ENTRIES {
            return Err(wrong(index + 1, "more than 65536 products, or 65536 lines a,w,product".into()));
        }
        rows.push(Row { line: index + 1, numbers });
    }
    let triples = rows.iter().all(|row| row.numbers.len() == 3);
    if triples && (header.is_some() || count > TruthTable::ENTRIES) {
        return triples::read(path, header.as_deref(), &rows);
    }
    if let Some(header) = header {
        let reason = format!(
            "a header of words ({}) belongs to lines of three: a,w,product",
            shortened(&header.join(","))
        );
        return Err(Error::file(path, reason));
    }
    if let Some(numbers) = labels::read(path, &rows)? {
        return Ok(numbers);
    }
    check_shape(path, &rows, count)?;
    Ok(Numbers::of_any_type(rows.into_iter().flat_map(|row| row.numbers).collect()))
}

/// A line with numbers on it.
struct Row {
    line: usize,
    numbers: Vec<i64>,
}

/// Checks that numbers without any names are 256 lines of 256, or a list on one line or one a line: what else comes
/// to 65,536 is no table of 256 x 256.
fn check_shape(path: &Path, rows: &[Row], count: usize) -> Result<()> {
    if count != TruthTable::ENTRIES {
        let labelled = [257 * 257 - 1, 257 * 257, 256 * 257].contains(&count);
        let question = "; are there a header row or an index column? They are read if they hold 0 to 255 or -128 to \
                        127 in order";
        let question = if labelled { question } else { "" };
        let reason =
            format!("{count} numbers; a table has 65536 (256 x 256), or as many lines a,w,product{question}");
        return Err(Error::file(path, reason));
    }
    let width = match rows.len() {
        1 => return Ok(()),
        TruthTable::ENTRIES => 1,
        _ => 256,
    };
    match rows.iter().find(|row| row.numbers.len() != width) {
        None => Ok(()),
        Some(Row { line, numbers }) => {
            let found = numbers.len();
            let reason = format!(
                "line {line}: {found} numbers; 65536 are read as 256 lines of 256, or all on one line, or one a line"
            );
            Err(Error::file(path, reason))
        }
    }
}

/// Whether a field could name a column. NaN and infinities could not: they are numbers gone wrong.
fn is_word(field: &str) -> bool {
    field.starts_with(|c: char| c.is_alphabetic() || c == '_') && field.parse::<f64>().is_err()
}

/// A whole number, which some programs write as a float.
fn number(field: &str) -> Option<i64> {
    field.parse().ok().or_else(|| field.parse().ok().and_then(whole))
}

/// The beginning of a field that may be anything.
pub(super) fn shortened(field: &str) -> String {
    if field.chars().count() > 20 { field.chars().take(20).chain(['.'; 3]).collect() } else { field.into() }
}

/// 256 lines of 256 numbers with commas between them, a line an activation.
pub(super) fn write(table: &TruthTable) -> String {
    let mut text = String::new();
    for row in table.products().chunks(256) {
        for (w, product) in row.iter().enumerate() {
            let comma = if w == 0 { "" } else { "," };
            write!(text, "{comma}{product}").expect("writing to a string does not fail");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: impl AsRef<[u8]>) -> Result<Numbers> {
        read(Path::new("x.csv"), text.as_ref())
    }

    fn table() -> TruthTable {
        TruthTable::from_fn(true, |a, w| (a & !7) * w).unwrap()
    }

    fn products(table: &TruthTable) -> Vec<i64> {
        table.products().iter().map(|&product| product.into()).collect()
    }

    #[test]
    fn matrices_and_lists_are_read() {
        let matrix = write(&table());
        assert_eq!(matrix.lines().count(), 256);
        for text in [
            matrix.clone(),
            format!("\u{feff}# exact\r\n\r\n{}", matrix.replace(',', " ; ").replace('\n', "\r\n")),
            matrix.replace([',', '\n'], "\n"),
            matrix.replace([',', '\n'], "\t"),
            matrix.replace([',', '\n'], ".0e+00 "),
        ] {
            let numbers = parsed(&text).unwrap();
            assert_eq!(
                (numbers.products, numbers.signed, numbers.by_value),
                (products(&table()), Some(true), false)
            );
        }
    }

    #[test]
    fn faults_are_named_by_line() {
        let matrix = write(&table());
        let list = matrix.replace([',', '\n'], "\n");
        // Every line broken in its middle.
        let halves: String = matrix
            .lines()
            .map(|line| {
                let (middle, _) = line.match_indices(',').nth(127).unwrap();
                format!("{}\n{}\n", &line[..middle], &line[middle + 1..])
            })
            .collect();
        let utf16: Vec<u8> = "\u{feff}1,2,3".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (text, expected) in [
            (utf16, "is UTF-16"),
            (b"1,2\0,3".to_vec(), "is UTF-16 or no text"),
            (b"1,\xff".to_vec(), "not text in UTF-8"),
            (b"".to_vec(), "0 numbers; "),
            (list[..list.len() - 2].into(), "65535 numbers"),
            (format!("{list}1").into_bytes(), "65537 numbers"),
            (
                matrix.replacen('\n', ",", 1).replacen(',', "\n", 1).into_bytes(),
                "line 1: 1 numbers; 65536 are read as 256 lines of 256",
            ),
            (
                list.replacen("\n8\n", "\nNaN\n", 1).replacen('0', "nan", 1).into_bytes(),
                "line 1: \"nan\" is not",
            ),
            (list.replacen('0', "inf", 1).into_bytes(), "line 1: \"inf\""),
            (list.replacen('0', "0.5", 1).into_bytes(), "line 1: \"0.5\""),
            (halves.into_bytes(), "line 1: 128 numbers; 65536 are read as 256 lines"),
            (list.replacen("\n", ",", 2).into_bytes(), "line 1: 3 numbers; 65536 are read as"),
            (
                format!("{}\n{matrix}", vec!["w7"; 256].join(",")).into_bytes(),
                "a header of words (w7,w7,w7,w7,w7,w7,w7...) belongs",
            ),
            (format!("name,power_mw\n{list}").into_bytes(), "a header of words (name,power_mw)"),
            (vec![b'x'; 100], "its header is xxxxxxxxxxxxxxxxxxxx...: 1 names for lines of three"),
            ("1 ".repeat(200_000).into_bytes(), "more than 65536 products"),
        ] {
            let message = parsed(&text).map(|_| ()).unwrap_err().to_string();
            assert!(message.starts_with("x.csv: ") && message.contains(expected), "{expected}: {message}");
        }
    }
}
