//! The files of an evolution, checked before it begins.

use crate::error::{Error, Result};
use crate::evolve::{Checkpoint, Goal, Settings};
use crate::file;
use crate::multiplier::NetlistFile;
use std::path::{Path, PathBuf};

/// Where the checkpoint is if nothing is said: beside the library.
pub(super) fn checkpoint_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".checkpoint.json");
    name.into()
}

/// Checks that the library can be written to `out` in the end, and that nothing else is lost by that.
pub(super) fn check(out: &Path, checkpoint: &Path) -> Result<()> {
    let shown = out.display();
    // The sources of --multipliers go by this ending.
    if !out.to_str().is_some_and(|name| name.ends_with(".jsonl")) {
        let reason = "the name has to end in .jsonl, by which --multipliers knows a file of netlists";
        return Err(Error::Argument(format!("--out {shown}: {reason}")));
    }
    if same(out, checkpoint) {
        let reason = "the library of --out is to be written there; name another --checkpoint";
        return Err(Error::Argument(format!("--checkpoint {}: {reason}", checkpoint.display())));
    }
    for path in [out, checkpoint] {
        if path.is_dir() {
            return Err(Error::file(path, "is a folder; a file is to be written there"));
        }
        file::check_writable(path.parent().unwrap_or(Path::new("")))?;
    }
    if out.exists() {
        NetlistFile::read(out).map_err(|e| {
            let reason = "is there and no library of netlists, so it is not replaced; move it away or name another \
                          --out";
            Error::file(out, format!("{reason} ({e})"))
        })?;
    }
    Ok(())
}

/// Whether both are the same file, there or not.
fn same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let there = path.canonicalize().ok();
        let folder =
            || path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        there.or_else(|| Some(folder().canonicalize().ok()?.join(path.file_name()?)))
    };
    one == other || whole(one).is_some_and(|one| Some(one) == whole(other))
}

/// The checkpoint at `path`, if there is one.
pub(super) fn checkpoint(path: &Path) -> Result<Option<Checkpoint>> {
    if path.exists() { Checkpoint::read(path).map(Some) } else { Ok(None) }
}

/// Checks that the checkpoint is on the way to what is asked for.
pub(super) fn check_goes_on(
    path: &Path,
    checkpoint: &Checkpoint,
    settings: &Settings,
    goals: &[Goal],
    epochs: u64,
) -> Result<()> {
    let mut differences = checkpoint.settings.differences(settings);
    if checkpoint.goals != goals {
        differences.push("goals: other bounds there".into());
    }
    if !differences.is_empty() {
        let reason = format!(
            "of an evolution with other goals or settings ({}); move it away to begin anew, or name another \
             --checkpoint",
            differences.join("; ")
        );
        return Err(Error::file(path, reason));
    }
    let there = checkpoint.epochs;
    if there > epochs {
        let reason = format!(
            "at epoch {there}, and there is no way back to --epochs {epochs}; give --epochs {there} or more, or \
             another --checkpoint to begin anew"
        );
        return Err(Error::file(path, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_under_two_names_is_found_out() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        assert!(same(&folder.join("a.jsonl"), &folder.join("./a.jsonl")));
        std::fs::create_dir(folder.join("b")).unwrap();
        assert!(same(&folder.join("a.jsonl"), &folder.join("b/../a.jsonl")));
        assert!(!same(&folder.join("a.jsonl"), &folder.join("b/a.jsonl")));
        assert!(!same(&folder.join("none/a.jsonl"), &folder.join("none/b.jsonl")));
    }

    #[test]
    fn checkpoints_lie_beside_the_library() {
        assert_eq!(checkpoint_of(Path::new("a/b.jsonl")), Path::new("a/b.jsonl.checkpoint.json"));
    }
}
