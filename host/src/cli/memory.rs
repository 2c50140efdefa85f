//! Amounts of memory on the command line.

use std::str::FromStr;

/// An amount of memory, written as MiB (`512`) or with a suffix (`64K`, `512M`, `2G`), powers of 1,024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The amount.
    pub bytes: usize,
}

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, shift) = match text.char_indices().last() {
            Some((i, 'k' | 'K')) => (&text[..i], 10),
            Some((i, 'm' | 'M')) => (&text[..i], 20),
            Some((i, 'g' | 'G')) => (&text[..i], 30),
            _ => (text, 20),
        };
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err(format!(
                "\"{text}\" is no amount of memory; use MiB such as 512, or a suffix: 64K, 512M or 2G"
            ));
        }
        let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(1 << shift));
        bytes
            .map(|bytes| Memory { bytes })
            .ok_or_else(|| format!("{text} is more memory than can be counted"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Result<usize, String> {
        text.parse::<Memory>().map(|memory| memory.bytes)
    }

    #[test]
    fn amounts_are_mebibytes_or_have_a_suffix() {
        for (text, wanted) in [
            ("0", 0),
            ("512", 512 << 20),
            ("3k", 3 << 10),
            ("512M", 512 << 20),
            ("2G", 2 << 30),
            ("1g", 1 << 30),
        ] {
            assert_eq!(bytes(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "M", "x", "1T", "-1", "+1", "1.5G", "1 G", "1GiB", "GG", "ä"] {
            assert!(bytes(text).unwrap_err().contains("2G"), "{text}");
        }
        for text in ["99999999999999999999", "99999999999999999G"] {
            assert!(bytes(text).unwrap_err().contains(text));
        }
    }
}
