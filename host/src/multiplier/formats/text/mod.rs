//! Tables as text: numbers with white space, commas or semicolons between them.
//!
//! Three layouts: 256 lines of 256 numbers; 65,536 numbers however broken into lines; or 65,536 lines
//! `a,w,product`, in any order, with or without a header line.

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

/// Reads any of the three layouts; lines that begin with `#` are skipped.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Numbers> {
    let text = decode(path, bytes)?;
    let wrong = |line: usize, reason: String| Error::file(path, format!("line {line}: {reason}"));
    let mut header: Option<Vec<&str>> = None;
    // Each line's number and how many numbers stand on it.
    let mut lines: Vec<(usize, usize)> = Vec::new();
    let mut numbers: Vec<i64> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default();
        let fields = content.split([',', ';', ' ', '\t', '\r']).filter(|field| !field.is_empty());
        let fields: Vec<&str> = fields.map(|field| field.trim_matches('"')).collect();
        if fields.is_empty() {
            continue;
        }
        if lines.is_empty() && header.is_none() && fields.iter().all(|field| is_word(field)) {
            header = Some(fields);
            continue;
        }
        for field in &fields {
            let number = number(field)
                .ok_or_else(|| wrong(index + 1, format!("\"{}\" is not a whole number", shortened(field))))?;
            numbers.push(number);
        }
        if numbers.len() > 3 * TruthTable::ENTRIES {
            return Err(wrong(index + 1, "more than 65536 products, or 65536 lines a,w,product".into()));
        }
        lines.push((index + 1, fields.len()));
    }
    let triples = lines.iter().all(|&(_, count)| count == 3);
    if triples && (header.is_some() || numbers.len() > TruthTable::ENTRIES) {
        return read_triples(path, header.as_deref(), &lines, &numbers);
    }
    if let Some(header) = header {
        let reason = format!("a header ({}) belongs to lines of three: a,w,product", header.join(","));
        return Err(Error::file(path, reason));
    }
    if numbers.len() != TruthTable::ENTRIES {
        let found = numbers.len();
        let reason = format!("{found} numbers; a table has 65536 (256 x 256), or as many lines a,w,product");
        return Err(Error::file(path, reason));
    }
    if lines.len() == 256
        && let Some((line, count)) = lines.iter().find(|(_, count)| *count != 256)
    {
        return Err(wrong(*line, format!("{count} numbers where the other lines make rows of 256")));
    }
    Ok(Numbers::of_any_type(numbers))
}

/// Lines of three numbers: operands and product.
fn read_triples(
    path: &Path,
    header: Option<&[&str]>,
    lines: &[(usize, usize)],
    numbers: &[i64],
) -> Result<Numbers> {
    let (triples, _) = numbers.as_chunks::<3>();
    let by_value = triples.iter().any(|[a, w, _]| *a < 0 || *w < 0);
    let range = if by_value { -128..=127 } else { 0..=255 };
    // Columns that say so may come in the other order.
    let weight_first = header.is_some_and(|header| {
        ["w", "weight"].contains(&&*header[0].to_lowercase())
            && ["a", "activation"].contains(&&*header[1].to_lowercase())
    });
    let mut products = vec![None; TruthTable::ENTRIES];
    for (&(line, _), &[a, w, product]) in lines.iter().zip(triples) {
        if !range.contains(&a) || !range.contains(&w) {
            let (least, most) = (range.start(), range.end());
            let reason = format!("line {line}: operands {a} and {w}; both should be in {least}..={most}");
            return Err(Error::file(path, reason));
        }
        let [first, second] = if weight_first { [w, a] } else { [a, w] }.map(|operand| operand as u8);
        let entry = &mut products[usize::from(first) << 8 | usize::from(second)];
        if entry.replace(product).is_some() {
            return Err(Error::file(path, format!("line {line}: a second product of {a} and {w}")));
        }
    }
    if let Some(i) = products.iter().position(Option::is_none) {
        let of = |code: usize| if by_value { i64::from(code as u8 as i8) } else { code as i64 };
        let (a, w) = (of(i >> 8), of(i & 255));
        let reason = format!("{} lines a,w,product, none for a = {a} and w = {w}", triples.len());
        return Err(Error::file(path, reason));
    }
    let numbers = Numbers::of_any_type(products.into_iter().flatten().collect());
    Ok(Numbers { signed: if by_value { Some(true) } else { numbers.signed }, by_value, ..numbers })
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

    fn triples(header: &str, order: impl Fn(i32, i32) -> String) -> String {
        let mut text = format!("{header}\n");
        for i in (0..65536).rev() {
            text += &order(i >> 8, i & 255);
            text.push('\n');
        }
        text
    }

    fn value(code: i32) -> i32 {
        i32::from(code as u8 as i8)
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
    fn triples_are_read_in_any_order() {
        let of = |a: i32, w: i32| table().product(a as u8, w as u8);
        for text in [
            triples("a,w,product", |a, w| format!("{},{},{}", value(a), value(w), of(a, w))),
            triples("", |a, w| format!("{} {}\t{}", value(a), value(w), of(a, w))),
            triples("w;a;p", |w, a| format!("{};{};{}", value(w), value(a), of(a, w))),
        ] {
            let numbers = parsed(&text).unwrap();
            assert_eq!((numbers.products, numbers.by_value), (products(&table()), true));
        }
        let codes = parsed(triples("x,y,z", |a, w| format!("{a},{w},{}", of(a, w)))).unwrap();
        assert_eq!((codes.products, codes.by_value), (products(&table()), false));
    }

    #[test]
    fn faults_are_named_by_line() {
        let matrix = write(&table());
        let list = matrix.replace([',', '\n'], "\n");
        let good = triples("a,w,p", |a, w| format!("{a},{w},{}", a * w));
        let utf16: Vec<u8> = "\u{feff}1,2,3".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (text, expected) in [
            (utf16, "is UTF-16"),
            (b"1,2\0,3".to_vec(), "is UTF-16 or no text"),
            (b"1,\xff".to_vec(), "not text in UTF-8"),
            (b"".to_vec(), "0 numbers; "),
            (list[..list.len() - 2].into(), "65535 numbers"),
            (format!("{list}1").into_bytes(), "65537 numbers"),
            (matrix.replacen('\n', ",", 1).replacen(',', "\n", 1).into_bytes(), "line 1: 1 numbers"),
            (
                list.replacen("\n8\n", "\nNaN\n", 1).replacen('0', "nan", 1).into_bytes(),
                "line 1: \"nan\" is not",
            ),
            (list.replacen('0', "inf", 1).into_bytes(), "line 1: \"inf\""),
            (list.replacen('0', "0.5", 1).into_bytes(), "line 1: \"0.5\""),
            (format!("name,power_mw\n{list}").into_bytes(), "a header (name,power_mw)"),
            (
                good.replacen("255,255,", "255,254,", 1).into_bytes(),
                "line 3: a second product of 255 and 254",
            ),
            (good.replacen("255,255,", "256,255,", 1).into_bytes(), "line 2: operands 256 and 255"),
            (good.replacen("7,9,63\n", "", 1).into_bytes(), "none for a = 7 and w = 9"),
            (vec![b'x'; 100], "0 lines a,w,product"),
            ("1 ".repeat(200_000).into_bytes(), "more than 65536 products"),
        ] {
            let message = parsed(&text).map(|_| ()).unwrap_err().to_string();
            assert!(message.starts_with("x.csv: ") && message.contains(expected), "{expected}: {message}");
        }
    }
}
