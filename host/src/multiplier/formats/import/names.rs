//! What imported multipliers are called.

use crate::error::{Error, Result};
use crate::multiplier::formats::Format;
use crate::multiplier::formats::text::shortened;
use crate::multiplier::name_prefix;
use std::path::Path;

/// Most characters of a name.
const LONGEST: usize = 100;

/// The name in a file's name.
pub(super) fn base_name(path: &Path, format: Format) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or_else(|| Error::file(path, "the file's name is not UTF-8; give one with --name"))?;
    Ok(if format == Format::Verilog { circuit_name(stem) } else { stem }.to_owned())
}

/// EvoApproxLib has some circuits twice, as generic gates and mapped to cells of a library.
pub(super) fn circuit_name(stem: &str) -> &str {
    let stripped = ["_pdk45", "_gen"].iter().find_map(|suffix| stem.strip_suffix(suffix));
    stripped.unwrap_or(stem)
}

/// `base` as a name of that signedness: after `mul8u_` or `mul8s_`, which also stands for evoapprox8b's `mul8_`.
pub(super) fn full_name(base: &str, signed: bool) -> String {
    let prefix = name_prefix(signed);
    if base.starts_with(prefix) { base.to_owned() } else { format!("{prefix}{}", rest(base)) }
}

/// A name without what stands for its kind.
fn rest(name: &str) -> &str {
    let prefixes = [name_prefix(false), name_prefix(true), "mul8_"];
    prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// Whether a folder's name says that its multipliers are not of 8x8 bits, as EvoApproxLib's `12x12_signed` does.
pub(super) fn is_of_other_size(folder: &str) -> bool {
    let size = folder.split('_').next().and_then(|size| size.split_once('x'));
    let number = |text: &str| text.parse::<u32>().ok();
    size.and_then(|(a, w)| Some((number(a)?, number(w)?))).is_some_and(|size| size != (8, 8))
}

/// Names are file names, columns of CSV and words on the command line.
pub(super) fn check_name(path: &Path, name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let fault = if name.len() > LONGEST {
        format!("{} characters, more than {LONGEST}", name.len())
    } else if rest(name).is_empty() {
        "nothing is left of it beside its kind".into()
    } else if name.starts_with(['.', '-']) || !name.chars().all(fits) {
        "letters, digits, _, - and . only, and no . or - in front".into()
    } else {
        return Ok(());
    };
    let reason =
        format!("\"{}\" can't be a multiplier's name: {fault}; give one with --name", shortened(name));
    Err(Error::file(path, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_file_or_column_can_have_are_refused() {
        for name in ["", "a,b", "a b", "../x", ".x", "-x", "x~", "é", "mul8u_", "mul8s_", "mul8_"] {
            assert!(check_name(Path::new("x"), name).is_err(), "{name}");
        }
        assert!(check_name(Path::new("x"), "mul8u_1-a.b").is_ok());
        let message = check_name(Path::new("x"), &"x".repeat(101)).unwrap_err().to_string();
        assert!(message.contains("xxx...\" can't be a multiplier's name: 101 characters"), "{message}");
        assert_eq!(full_name("mul8_000", false), "mul8u_000");
        assert_eq!(full_name("mul8s_1KV8", true), "mul8s_1KV8");
        assert_eq!(full_name("w4", true), "mul8s_w4");
        let sizes = ["12x12_signed", "8x4_unsigned", "8x8_signed", "matrix_1", "x"];
        assert_eq!(sizes.map(is_of_other_size), [true, true, false, false, false]);
        assert_eq!(base_name(Path::new("a/mul8u_DAF1_pdk45.v"), Format::Verilog).unwrap(), "mul8u_DAF1");
    }
}
