//! Reading and writing whole files with errors that name them.

use crate::error::{Error, Result};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Reads all of `path`.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    std::fs::read(&path).map_err(Error::io(&path))
}

/// Refuses what is no file of bytes that lie there: reading a pipe would wait for whoever writes it.
pub fn check_regular(path: &Path) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
    if metadata.is_file() { Ok(()) } else { Err(Error::file(path, "is no regular file")) }
}

/// Reads all of `path`, which has to be a regular file.
pub fn read_regular(path: &Path) -> Result<Vec<u8>> {
    check_regular(path)?;
    read(path)
}

/// Reads all of `path`, which has to be text in UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String> {
    String::from_utf8(read(&path)?).map_err(|_| Error::file(&path, "not text in UTF-8"))
}

/// Writes `bytes` to `path` so that a reader sees the old file or the new one, never a part:
/// a temporary file in the same folder is renamed over it. Missing parent folders are made.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    write_all_atomically(&[(path.as_ref().to_owned(), bytes)])
}

/// Writes several files as [`write_atomically`] does, and none of them if one can't be written.
pub fn write_all_atomically(files: &[(PathBuf, impl AsRef<[u8]>)]) -> Result<()> {
    let mut written = Vec::new();
    for (path, bytes) in files {
        if path.is_dir() {
            return Err(Error::file(path, "is a folder; a file is to be written there"));
        }
        written.push((write_beside(path, bytes.as_ref())?, path));
    }
    written.into_iter().try_for_each(|(file, path)| match file.persist(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(Error::Io { path: path.clone(), source: e.error }),
    })
}

/// Checks that files can be made in `folder`, or in the nearest folder above it that exists.
pub fn check_writable(folder: &Path) -> Result<()> {
    let exists = folder.ancestors().find(|f| f.as_os_str().is_empty() || f.exists());
    let existing = exists.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !existing.is_dir() {
        return Err(Error::file(existing, "is not a folder; files are to be written into it"));
    }
    let test = NamedTempFile::new_in(existing);
    test.map(drop).map_err(|e| Error::file(folder, format!("no file can be written there: {}", e.kind())))
}

/// A temporary file with this content in the folder of `path`.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let mut builder = tempfile::Builder::new();
    // Temporary files are private unless told otherwise; results are for whom the umask lets in.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(Error::io(folder))?;
    file.write_all(bytes).map_err(Error::io(path))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_files_and_makes_folders() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn names_the_file_that_is_missing() {
        let message = read("/no/such/file").unwrap_err().to_string();
        assert!(message.starts_with("/no/such/file: "), "{message}");
    }
}
