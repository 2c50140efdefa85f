//! Which files of a folder are multipliers to import.

use super::names::circuit_name;
use crate::error::{Error, Result};
use crate::multiplier::folder;
use crate::multiplier::formats::Format;
use std::path::{Path, PathBuf};

/// The files of a folder that may be multipliers, in order of name.
pub(super) fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let beside = name == folder::COSTS || name.starts_with("readme") || name.starts_with("license");
        if path.is_file() && Format::of(&path).is_some() && !beside {
            files.push(path);
        }
    }
    files.sort();
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_verilog = |path: &Path| Format::of(path) == Some(Format::Verilog);
    let circuits: Vec<String> = files.iter().filter(|path| is_verilog(path)).map(|path| stem(path)).collect();
    // Beside a circuit's Verilog lies its C model or its test bench, and perhaps the same circuit in other
    // cells.
    files.retain(|path| {
        let stem = stem(path);
        let base = circuit_name(&stem);
        let there = |suffix: &str| circuits.contains(&format!("{base}{suffix}"));
        if is_verilog(path) {
            if stem.strip_suffix("_tb").is_some_and(|tested| circuits.iter().any(|other| other == tested)) {
                return false;
            }
            let rank = ["", "_gen", "_pdk45"].into_iter().find(|suffix| there(suffix));
            rank.is_some_and(|suffix| stem == format!("{base}{suffix}"))
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("c")) {
            !["", "_gen", "_pdk45"].into_iter().any(there)
        } else {
            true
        }
    });
    if files.is_empty() {
        let reason = "no tables (.bin, .npy, .h, .csv, .txt) or circuits (.v, .jsonl) in this folder; folders in it \
                      are imported one by one";
        return Err(Error::file(folder, reason));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let files = files_of(folder.path()).unwrap();
        files.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn evoapproxlib_s_folders_give_each_circuit_once() {
        let files = names(&[
            "README.md",
            "fig.png",
            "costs.csv",
            "README.txt",
            "mul8u_1JFF.c",
            "mul8u_1JFF.v",
            "mul8u_1JFF_tb.v",
            "mul8u_1JFF_pdk45.v",
            "mul8u_DAF1.c",
            "mul8u_DAF1_pdk45.v",
            "mul8u_x_gen.v",
            "mul8u_x_pdk45.v",
            "mul8u_x.c",
            "table.c",
            "t.NPY",
        ]);
        assert_eq!(files, ["mul8u_1JFF.v", "mul8u_DAF1_pdk45.v", "mul8u_x_gen.v", "t.NPY", "table.c"]);
        let empty = tempfile::tempdir().unwrap();
        assert!(files_of(empty.path()).unwrap_err().to_string().contains("no tables"));
    }
}
