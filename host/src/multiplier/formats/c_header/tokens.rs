//! Numbers and comments of C.

use crate::error::{Error, Result};
use std::path::Path;

/// A number of C: a sign, decimal, hexadecimal, octal or binary digits, perhaps with `'` among them, and a suffix
/// of `u` and `l`; in parentheses or cast to a type.
pub(super) fn number(token: &str) -> Option<i64> {
    if let Some((inner, rest)) = token.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        let is_type = inner.starts_with(|c: char| c.is_ascii_alphabetic())
            && inner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' '));
        return match rest.trim_start() {
            "" => number(inner.trim()),
            value if is_type => number(value),
            _ => None,
        };
    }
    let (negative, digits) = match token.strip_prefix('-') {
        Some(digits) => (true, digits.trim_start()),
        None => (false, token.strip_prefix('+').unwrap_or(token).trim_start()),
    };
    let digits = digits.trim_end_matches(['u', 'U', 'l', 'L']);
    let (digits, radix) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if digits.starts_with("0b") || digits.starts_with("0B") => (&digits[2..], 2),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    // from_str_radix would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.replace('\'', "");
    let number = i64::from_str_radix(&digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// `text` with spaces in place of comments and of lines for the preprocessor; lines stay where they were.
pub(super) fn without_comments(path: &Path, text: &str) -> Result<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_c() {
        for (text, value) in [
            ("0", 0),
            ("-32768", -32768),
            ("0xFFu", 255),
            ("017", 15),
            ("- 0x1", -1),
            ("00", 0),
            ("(int16_t)-5", -5),
            ("(unsigned short) 0b101u", 5),
            ("(-7)", -7),
            ("32'768", 32768),
        ] {
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
            "(int16_t)",
            "(1)2",
            "(int16_t)lut",
            "99999999999999999999",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
