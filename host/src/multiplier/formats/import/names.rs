//! What imported multipliers are called.

use crate::error::{Error, Result};
use crate::multiplier::formats::Format;
use std::path::Path;

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

/// Names are file names, columns of CSV and words on the command line.
pub(super) fn check_name(path: &Path, name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 100 || name.starts_with(['.', '-']) || !name.chars().all(fits) {
        let reason = format!(
            "\"{name}\" can't be a multiplier's name: letters, digits, _, - and . only; give one with --name"
        );
        return Err(Error::file(path, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_file_or_column_can_have_are_refused() {
        for name in ["", "a,b", "a b", "../x", ".x", "-x", "x~", "é"] {
            assert!(check_name(Path::new("x"), name).is_err(), "{name}");
        }
        assert!(check_name(Path::new("x"), "mul8u_1-a.b").is_ok());
        assert_eq!(base_name(Path::new("a/mul8u_DAF1_pdk45.v"), Format::Verilog).unwrap(), "mul8u_DAF1");
    }
}
