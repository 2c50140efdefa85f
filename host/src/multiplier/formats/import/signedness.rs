//! Whether what a file holds is signed, where several things may tell.

use super::Importing;
use super::costs::folder_of;
use crate::error::{Error, Result};
use crate::multiplier::{signed_by_folder, signed_by_name, signed_or_unsigned};
use std::path::Path;

/// Whether a multiplier is signed (see [`formats`](crate::multiplier::formats)): as the caller says, else as its
/// name, else as the file itself (`told`), else as the nearest folder that says so.
pub(super) fn signedness(path: &Path, base: &str, told: Option<bool>, how: &Importing) -> Result<bool> {
    let named = signed_by_name(base);
    if let (Some(named), Some(wanted)) = (named, how.signed)
        && named != wanted
    {
        let wanted = signed_or_unsigned(wanted);
        let reason =
            format!("is to be {wanted}, but the name {base} says otherwise; give another with --name");
        return Err(Error::file(path, reason));
    }
    how.signed.or(named).or(told).or_else(|| by_folders(path)).ok_or_else(|| {
        Error::file(path, "is it signed? say --signed or --unsigned: neither name nor numbers tell")
    })
}

/// What the nearest of the folders that a file is in says. A folder given as "." has a name too.
fn by_folders(path: &Path) -> Option<bool> {
    let folder = folder_of(path).canonicalize().ok()?;
    folder.ancestors().filter_map(|folder| folder.file_name()?.to_str()).find_map(signed_by_folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signedness_is_what_is_said_named_or_seen() {
        let of = |name: &str, seen: Option<bool>, said: Option<bool>| {
            let how = Importing { signed: said, ..Importing::default() };
            signedness(Path::new("/no/such/x.npy"), name, seen, &how).map_err(|e| e.to_string())
        };
        assert_eq!(of("x", Some(false), Some(true)), Ok(true));
        assert_eq!(of("mul8s_x", Some(false), None), Ok(true));
        assert_eq!(of("x", Some(true), None), Ok(true));
        assert!(of("x", None, None).unwrap_err().contains("is it signed?"));
        assert!(of("mul8s_x", None, Some(false)).unwrap_err().contains("mul8s_x says otherwise"));
    }

    #[test]
    fn the_nearest_folder_that_says_so_decides() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("8x8_signed/of_unsigned/redesigned/x");
        std::fs::create_dir_all(&folder).unwrap();
        let of = |folder: &Path| signedness(&folder.join("x.bin"), "x", None, &Importing::default()).ok();
        assert_eq!(of(&folder), Some(false));
        assert_eq!(of(&root.path().join("8x8_signed")), Some(true));
        assert_eq!(of(root.path()), None);
    }
}
