//! C headers with a table as an initialiser, as AdaPT, TransAxx and their likes include:
//! `const int16_t lut[256][256] = {{0, 0, ...}, ...};`.

mod tokens;
mod write;

pub(super) use write::{check_identifiers, write};

use super::numbers::Numbers;
use super::text::{decode, shortened};
use crate::error::{Error, Result};
use crate::multiplier::TruthTable;
use std::path::Path;
use tokens::{number, without_comments};

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
        check_dimensions(path, declaration, line)?;
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

/// Refuses an array that is declared with other sizes than `[256][256]` or `[65536]`. Sizes that are left out, or
/// are no plain numbers, say nothing.
fn check_dimensions(path: &Path, declaration: &str, line: usize) -> Result<()> {
    let sizes: Vec<&str> =
        declaration.split('[').skip(1).filter_map(|size| size.split(']').next()).map(str::trim).collect();
    let fits = |wanted: i64| move |size: &&str| number(size).is_none_or(|size| size == wanted);
    let right = match sizes.len() {
        0 => true,
        1 => sizes.iter().all(fits(TruthTable::ENTRIES as i64)),
        2 => sizes.iter().all(fits(256)),
        _ => false,
    };
    if right {
        return Ok(());
    }
    let reason = format!(
        "line {line}: an array of [{}]; a table is [256][256], or [65536] in the same order",
        shortened(&sizes.join("]["))
    );
    Err(Error::file(path, reason))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::formats::origin::Origin;
    use crate::multiplier::formats::{Exporting, Format};

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
            (flat.replace("[256][256]", "[128][512]"), "an array of [128][512]; a table is [256][256]"),
            (flat.replace("[256][256]", "[][512]"), "an array of [][512]"),
            (flat.replace("[256][256]", "[65535]"), "an array of [65535]"),
            (flat.replace("[256][256]", "[1][256][256]"), "an array of [1][256][256]"),
            ("int a[2] = {1, 2};".into(), "has 2 numbers"),
            ("int a[] = {1}, b[] = {1, 2};".into(), "2 initialisers"),
        ] {
            let message = parsed(&text).map(|_| ()).unwrap_err().to_string();
            assert!(message.starts_with("x.h: ") && message.contains(expected), "{expected}: {message}");
        }
    }
}
