//! Which files of a folder, and of the folders in it, are multipliers to import.

use super::Importing;
use super::candidates::no_table;
use super::names::{circuit_name, is_of_other_size};
use crate::error::{Error, Result};
use crate::multiplier::formats::Format;
use crate::multiplier::{folder, signed_by_folder, signed_by_name, signed_or_unsigned};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// More files than any library of multipliers has: a guard against whole disks.
const MOST_FILES: usize = 100_000;

/// Something in a folder that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The file or folder.
    pub path: PathBuf,
    /// Why it plainly is no table that was asked for.
    pub reason: String,
}

/// What there is to import in a folder.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub files: Vec<PathBuf>,
    pub skipped: Vec<Skipped>,
    /// Folders that say they are unsigned, and signed.
    halves: [Option<PathBuf>; 2],
    seen: usize,
}

impl Files {
    /// The files of a folder and of all folders in it, folder by folder in order of name.
    pub fn of(folder: &Path, how: &Importing) -> Result<Files> {
        let mut files = Files::default();
        files.walk(folder, how)?;
        if let (None, [Some(unsigned), Some(signed)]) = (how.signed, &files.halves) {
            let reason = format!(
                "has unsigned multipliers ({}) and signed ones ({}); choose with --unsigned or --signed",
                unsigned.display(),
                signed.display()
            );
            return Err(Error::file(folder, reason));
        }
        if files.files.is_empty() {
            let skipped = files.skipped.first().map(|skipped| {
                let (path, reason) = (skipped.path.display(), &skipped.reason);
                format!("; {} skipped, such as {path}: {reason}", files.skipped.len())
            });
            let reason = format!(
                "no tables (.bin, .npy, .h, .csv, .txt) or circuits (.v, .jsonl) in this folder{}",
                skipped.unwrap_or_default()
            );
            return Err(Error::file(folder, reason));
        }
        Ok(files)
    }

    fn skip(&mut self, path: PathBuf, reason: impl Into<String>) {
        self.skipped.push(Skipped { path, reason: reason.into() });
    }

    fn walk(&mut self, folder: &Path, how: &Importing) -> Result<()> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
            let entry = entry.map_err(Error::io(folder))?;
            self.seen += 1;
            if self.seen > MOST_FILES {
                return Err(Error::file(
                    folder,
                    format!("more than {MOST_FILES} files; name a smaller folder"),
                ));
            }
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().to_lowercase());
            // A link to a folder might lead back here.
            if entry.file_type().map_err(Error::io(&path))?.is_dir() {
                if !name.starts_with('.') && !how.out.as_deref().is_some_and(|out| same_folder(out, &path)) {
                    folders.push(path);
                }
                continue;
            }
            let beside = name == folder::COSTS || name.starts_with("readme") || name.starts_with("license");
            if path.is_file() && Format::of(&path).is_some() && !beside {
                files.push(path);
            }
        }
        files.sort();
        folders.sort();
        for path in without_doubles(files) {
            let Some(format) = Format::of(&path) else { continue };
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            match (signed_by_name(&stem), how.signed) {
                (Some(named), Some(wanted)) if named != wanted => {
                    self.skip(path, format!("its name says {}", signed_or_unsigned(named)));
                }
                _ => match no_table(&path, format)? {
                    Some(reason) => self.skip(path, reason),
                    None => self.files.push(path),
                },
            }
        }
        for path in folders {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if is_of_other_size(&name) {
                self.skip(path, "not of 8x8 bits by its name");
                continue;
            }
            let half = signed_by_folder(&name);
            if let (Some(half), Some(wanted)) = (half, how.signed)
                && half != wanted
            {
                self.skip(path, format!("{} by its name", signed_or_unsigned(half)));
                continue;
            }
            let before = self.files.len();
            self.walk(&path, how)?;
            if let Some(half) = half.filter(|_| self.files.len() > before) {
                self.halves[usize::from(half)].get_or_insert(path);
            }
        }
        Ok(())
    }
}

fn same_folder(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The files of one folder without those that describe a circuit once more: beside its Verilog lies its C model or
/// its test bench, and perhaps the same circuit in other cells.
fn without_doubles(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_verilog = |path: &Path| Format::of(path) == Some(Format::Verilog);
    let circuits: Vec<String> = files.iter().filter(|path| is_verilog(path)).map(|path| stem(path)).collect();
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
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIRCUIT: &str = "module m(input [7:0] A, B, output [15:0] O); assign O = {A, B}; endmodule";

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let table = vec![0; 131072];
            let content = if name.ends_with("v") { CIRCUIT.as_bytes() } else { &table[..] };
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    /// The files under `folder` that are imported and skipped.
    fn found(folder: &Path, how: &Importing) -> [Vec<String>; 2] {
        let files = Files::of(folder, how).unwrap();
        let skipped = files.skipped.into_iter().map(|skipped| skipped.path).collect();
        let name = |path: PathBuf| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        [files.files, skipped].map(|paths| paths.into_iter().map(name).collect())
    }

    #[test]
    fn each_circuit_of_a_folder_is_taken_once() {
        let folder = tree(&[
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
            "other.c",
            "t.BIN",
        ]);
        let [files, skipped] = found(folder.path(), &Importing::default());
        assert_eq!(files, ["mul8u_1JFF.v", "mul8u_DAF1_pdk45.v", "mul8u_x_gen.v", "t.BIN"]);
        assert_eq!(skipped, ["other.c"]);
        let empty = tempfile::tempdir().unwrap();
        let message = Files::of(empty.path(), &Importing::default()).unwrap_err().to_string();
        assert!(message.contains("no tables"), "{message}");
        let others = tree(&["other.c"]);
        let message = Files::of(others.path(), &Importing::default()).unwrap_err().to_string();
        assert!(message.contains("1 skipped, such as") && message.contains("other.c"), "{message}");
    }

    #[test]
    fn evoapproxlib_is_walked_as_it_is_cloned() {
        let folder = tree(&[
            ".git/x.bin",
            "8x4_unsigned/pareto_pwr_mae/mul8x4u_29A.v",
            "12x12_signed/pareto_pwr_mae/mul12s_2KL.v",
            "8x8_signed/pareto_pwr_mae/mul8s_1KV8.v",
            "8x8_unsigned/legacy_evoapprox8b/mul8_000.v",
            "8x8_unsigned/pareto_pwr_mae/mul8u_1JFF.v",
            "8x8_unsigned/pareto_pwr_wce/mul8u_1JFF.v",
            "mine/mul8u_1JFF.bin",
        ]);
        let message = Files::of(folder.path(), &Importing::default()).unwrap_err().to_string();
        assert!(message.contains("choose with --unsigned or --signed"), "{message}");
        let how = |signed| Importing {
            signed: Some(signed),
            out: Some(folder.path().join("mine")),
            ..Importing::default()
        };
        let [files, skipped] = found(folder.path(), &how(true));
        assert_eq!(files, ["8x8_signed/pareto_pwr_mae/mul8s_1KV8.v"]);
        assert_eq!(skipped, ["12x12_signed", "8x4_unsigned", "8x8_unsigned"]);
        let [files, skipped] = found(folder.path(), &how(false));
        assert_eq!(files.len(), 3);
        assert_eq!(skipped, ["12x12_signed", "8x4_unsigned", "8x8_signed"]);
    }
}
