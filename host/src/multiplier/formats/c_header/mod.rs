//! C headers with a table as an initialiser, as AdaPT, TransAxx and their likes include:
//! `const int16_t lut[256][256] = {{0, 0, ...}, ...};`.

use super::Exporting;
use super::numbers::Numbers;
use super::origin::Origin;
use super::text::{decode, shortened};
use crate::error::{Error, Result};
use crate::multiplier::TruthTable;
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// Reads the only initialiser of 65,536 numbers, its braces nested by rows or flat.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Numbers> {
    let text = without_comments(path, decode(path, bytes)?)?;
    let mut found: Option<Numbers> = None;
    let mut others = Vec::new();
    let mut rest = text.as_str();
    let mut line = 1;
    // Every `= {`, which begins the initialiser of an array or a structure.
    while let Some(equals) = rest.find('=') {
        line += rest[..equals].matches('\n').count();
        let declaration = rest[..equals].rsplit([';', '}', '{', '=']).next().unwrap_or_default();
        rest = &rest[equals + 1..];
        let after = rest.trim_start();
        if !after.starts_with('{') {
            continue;
        }
        line += rest[..rest.len() - after.len()].matches('\n').count();
        let initialiser = Initialiser::parse(path, after, line)?;
        line += after[..initialiser.length].matches('\n').count();
        rest = &after[initialiser.length..];
        if initialiser.numbers.len() != TruthTable::ENTRIES {
            others.push(initialiser.numbers.len());
            continue;
        }
        initialiser.check_rows(path)?;
        if found.is_some() {
            let reason = format!("line {line}: a second table of 65536 numbers; keep one a file");
            return Err(Error::file(path, reason));
        }
        let of_values = Numbers::of_any_type(initialiser.numbers);
        let signed = match declared_signed(declaration) {
            Some(signed) => Some(signed),
            None => of_values.signed,
        };
        found = Some(Numbers { signed, ..of_values });
    }
    found.ok_or_else(|| {
        let reason = match others[..] {
            [] => "no initialiser of 256 x 256 numbers, such as int16_t lut[256][256] = {{...}, ...}; (C \
                   functions are not run: import the Verilog beside them, or a table)"
                .into(),
            [count] => format!("its initialiser has {count} numbers, not the 65536 of 256 x 256"),
            _ => format!("{} initialisers, none of the 65536 numbers of 256 x 256", others.len()),
        };
        Error::file(path, reason)
    })
}

/// Whether a declaration's type tells signed from unsigned products: types of 16 bits and unsigned ones do.
fn declared_signed(declaration: &str) -> Option<bool> {
    let mut words = declaration.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.find_map(|word| match word {
        "unsigned" | "uint16_t" | "uint32_t" | "uint64_t" | "ushort" | "uint" => Some(false),
        "short" | "int16_t" => Some(true),
        _ => None,
    })
}

/// What stands between an initialiser's outer braces.
struct Initialiser {
    numbers: Vec<i64>,
    /// How many numbers each inner pair of braces holds, and the line it ends on.
    rows: Vec<(usize, usize)>,
    /// Numbers outside inner braces.
    flat: usize,
    /// Bytes from the first brace to the last.
    length: usize,
}

impl Initialiser {
    /// Reads from the first brace of `text`, on line `line`.
    fn parse(path: &Path, text: &str, mut line: usize) -> Result<Initialiser> {
        let wrong = |line: usize, reason: String| Error::file(path, format!("line {line}: {reason}"));
        let mut read = Initialiser { numbers: Vec::new(), rows: Vec::new(), flat: 0, length: 0 };
        let (mut depth, mut row_start) = (0, 0);
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            match c {
                '{' if depth == 2 => return Err(wrong(line, "braces within a row's braces".into())),
                '{' => {
                    depth += 1;
                    row_start = read.numbers.len();
                }
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        read.length = at + 1;
                        return Ok(read);
                    }
                    read.rows.push((read.numbers.len() - row_start, line));
                }
                '\n' => line += 1,
                ',' | ' ' | '\t' | '\r' => {}
                _ => {
                    let end = text[at..].find([',', '{', '}', '\n', ';']).map_or(text.len(), |end| at + end);
                    let token = text[at..end].trim();
                    let number = number(token).ok_or_else(|| {
                        wrong(line, format!("\"{}\" is not a number of C", shortened(token)))
                    })?;
                    if read.numbers.len() == TruthTable::ENTRIES {
                        return Err(wrong(line, "more than the 65536 numbers of 256 x 256".into()));
                    }
                    read.numbers.push(number);
                    read.flat += usize::from(depth == 1);
                    at = end;
                    continue;
                }
            }
            at += c.len_utf8();
        }
        Err(wrong(line, "the file ends within an initialiser (no closing brace)".into()))
    }

    /// Checks that inner braces, if there are any, hold 256 numbers each: C would fill up short rows with zeros.
    fn check_rows(&self, path: &Path) -> Result<()> {
        let short = self.rows.iter().find(|(count, _)| *count != 256);
        match short {
            Some((count, line)) => {
                let reason = format!("line {line}: a row of {count} numbers, not 256");
                Err(Error::file(path, reason))
            }
            None if self.flat > 0 && !self.rows.is_empty() => {
                Err(Error::file(path, "some numbers of the table are in rows' braces and some are not"))
            }
            None => Ok(()),
        }
    }
}

/// A number of C: a sign, decimal, hexadecimal or octal digits, and a suffix of `u` and `l`.
fn number(token: &str) -> Option<i64> {
    let (negative, digits) = match token.strip_prefix('-') {
        Some(digits) => (true, digits.trim_start()),
        None => (false, token.strip_prefix('+').unwrap_or(token).trim_start()),
    };
    let digits = digits.trim_end_matches(['u', 'U', 'l', 'L']);
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    // from_str_radix would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let number = i64::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// `text` with spaces in place of comments and of lines for the preprocessor; lines stay where they were.
fn without_comments(path: &Path, text: &str) -> Result<String> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    // Whether nothing but white space has been kept of the line.
    let mut line_begins = true;
    while !rest.is_empty() {
        if rest.starts_with("//") || (rest.starts_with('#') && line_begins) {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let Some(end) = comment.find("*/") else {
                return Err(Error::file(path, "a comment /* does not end"));
            };
            kept.push(' ');
            kept.extend(comment[..end].chars().filter(|&c| c == '\n'));
            rest = &comment[end + 2..];
        } else {
            // To the next character that may begin a comment.
            let begin = rest.chars().next().map_or(0, char::len_utf8);
            let next = rest[begin..].find(['/', '#']).map_or(rest.len(), |next| begin + next);
            let chunk = &rest[..next];
            let (before, last) = chunk.rsplit_once('\n').map_or((None, chunk), |(x, y)| (Some(x), y));
            line_begins = (line_begins || before.is_some()) && last.trim().is_empty();
            kept.push_str(chunk);
            rest = &rest[next..];
        }
    }
    Ok(kept)
}

/// `name` as a part of C's identifiers.
fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Refuses names that are one in C: the second header of such a pair would be passed over.
pub(super) fn check_identifiers<'n>(names: impl Iterator<Item = &'n str>) -> Result<()> {
    let mut taken = HashMap::new();
    for name in names {
        if let Some(other) = taken.insert(identifier(name), name) {
            let reason =
                format!("{other} and {name} are one name in C; export them into folders of their own");
            return Err(Error::Argument(reason));
        }
    }
    Ok(())
}

/// A header with the array `lut`, or `lut_NAME`, of the products of `table` row by row, rows and columns in two's
/// complement order. A row is an activation unless `how` says that operands were swapped.
pub(super) fn write(name: &str, table: &TruthTable, how: Exporting, origin: Origin) -> String {
    let kind = if table.is_signed() { "int16_t" } else { "uint16_t" };
    let id = identifier(name);
    let array = if how.unique_arrays { format!("lut_{id}") } else { "lut".to_owned() };
    let operands = if how.swap_operands { "[w][a]" } else { "[a][w]" };
    let mut text = format!("/* {name}: {array}{operands}, a the activation's byte, w the weight's.");
    for line in origin.lines() {
        write!(text, "\n * {line}").expect("writing to a string does not fail");
    }
    text += &format!(" */\n#ifndef LUT_{id}_H\n#define LUT_{id}_H\n\n");
    text += &format!("#include <stdint.h>\n\nconst {kind} {array} [256][256] = {{\n");
    for row in table.products().chunks(256) {
        text.push('{');
        for (w, product) in row.iter().enumerate() {
            let comma = if w == 0 { "" } else { ", " };
            // -32768 is an int in C, if the int is wider than 16 bits, as it is wherever this is used.
            write!(text, "{comma}{product}").expect("writing to a string does not fail");
        }
        text.push_str("},\n");
    }
    text.push_str("};\n\n#endif\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::formats::Format;

    fn parsed(text: impl AsRef<[u8]>) -> Result<Numbers> {
        read(Path::new("x.h"), text.as_ref())
    }

    fn write(name: &str, table: &TruthTable) -> String {
        super::write(name, table, Exporting::new(Format::CHeader), Origin::default())
    }

    fn products(table: &TruthTable) -> Vec<i64> {
        table.products().iter().map(|&product| product.into()).collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        for signed in [false, true] {
            let table = TruthTable::from_fn(signed, |a, w| (a & !3) * w).unwrap();
            let numbers = parsed(write("mul", &table)).unwrap();
            assert_eq!((numbers.products, numbers.signed), (products(&table), Some(signed)));
        }
    }

    #[test]
    fn headers_say_what_they_hold_and_from_where() {
        let how = Exporting { swap_operands: true, unique_arrays: true, ..Exporting::new(Format::CHeader) };
        let origin = Origin { provenance: Some("a seed"), licence: Some("MIT") };
        let text = super::write("mul8u_a-b", &TruthTable::exact(false), how, origin);
        assert!(text.starts_with(
            "/* mul8u_a-b: lut_mul8u_a_b[w][a], a the activation's byte, w the weight's.\n * From: a seed\n \
             * Licence: MIT */\n#ifndef LUT_mul8u_a_b_H\n#define LUT_mul8u_a_b_H\n"
        ));
        assert!(text.contains("const uint16_t lut_mul8u_a_b [256][256]") && text.ends_with("#endif\n"));
        assert_eq!(parsed(text).unwrap().products, products(&TruthTable::exact(false)));
        assert!(write("x", &TruthTable::exact(true)).starts_with("/* x: lut[a][w], "));
        let message = check_identifiers(["a-b", "c", "a.b"].into_iter()).unwrap_err().to_string();
        assert!(message.contains("a-b and a.b are one name"), "{message}");
    }

    #[test]
    fn c_is_read_as_people_write_it() {
        let table = TruthTable::exact(true);
        let flat: Vec<String> = table.products().iter().map(i32::to_string).collect();
        let hex: Vec<String> = table
            .products()
            .iter()
            .map(|&p| if p < 0 { format!("- 0x{:X}L", -p) } else { format!("+{p:#x}UL") })
            .collect();
        let octal: Vec<String> = table
            .products()
            .iter()
            .map(|&p| format!("{}0{:o}", if p < 0 { "-" } else { "" }, p.abs()))
            .collect();
        let nested = write("mul", &table);
        for text in [
            format!("static int lut[65536]={{{}}};", flat.join(",")),
            format!("const __device__ int32_t lut[] = {{ // = {{1}}\n{}, }} ;", hex.join(",\n")),
            format!("int lut[1<<16] = {{{}}};", octal.join(" ,")),
            nested.replace("},\n};", "}};").replace("lut", "table"),
            nested
                .replace("#include", "/* {{ = */ #define X {1,\n#include")
                .replace("int16_t", "/* two\nlines */int"),
            format!("const int sizes[2] = {{256, 256}};\nconst int n = 3;\n{nested}"),
        ] {
            let numbers = parsed(&text).unwrap();
            assert_eq!((numbers.products, numbers.signed), (products(&table), Some(true)), "{}", &text[..60]);
        }
    }

    #[test]
    fn numbers_are_those_of_c() {
        for (text, value) in
            [("0", 0), ("-32768", -32768), ("0xFFu", 255), ("017", 15), ("- 0x1", -1), ("00", 0)]
        {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in [
            "",
            "-",
            "0x",
            "1.5",
            "--1",
            "0x-1",
            "lut",
            "09",
            "1 2",
            "é",
            "(int16_t)1",
            "99999999999999999999",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn faults_are_named_by_line() {
        let good = write("mul", &TruthTable::exact(true));
        let flat = good.replace("},\n", ",\n").replace('{', "").replace("=", "= {");
        assert!(parsed(&flat).is_ok());
        for (text, expected) in [
            (String::new(), "no initialiser"),
            ("uint16_t mul(uint8_t a) { int c = 0; return c; }".into(), "no initialiser"),
            ("/* never ends".into(), "comment"),
            (good.replacen("{0, 0, ", "{0, ", 1), "65535 numbers"),
            (flat.replacen("0, 0, ", "0, 0, 0, ", 1), "more than the 65536"),
            (good.replacen("{0, 0, ", "{0, ", 1).replacen("},\n};", ", 1},\n};", 1), "line 8: a row of 255"),
            (good.replacen("0, 1, 2", "0, x, 2", 1), "line 9: \"x\" is not a number"),
            (good.replacen("0, 1, 2", "0, [1] = 1, 2", 1), "line 9: \"[1] = 1\""),
            (good.replacen("0, 1, 2", "0, {{1}}, 2", 1), "line 9: braces within"),
            (good[..good.len() / 2].into(), "ends within an initialiser"),
            (format!("{good}{good}"), "a second table"),
            ("int a[2] = {1, 2};".into(), "has 2 numbers"),
            ("int a[] = {1}, b[] = {1, 2};".into(), "2 initialisers"),
        ] {
            let message = parsed(&text).map(|_| ()).unwrap_err().to_string();
            assert!(message.starts_with("x.h: ") && message.contains(expected), "{expected}: {message}");
        }
    }
}
