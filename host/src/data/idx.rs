//! IDX files, the format of MNIST and its kin: big-endian sizes, then bytes; plain or gzipped.
//!
//! Images may have bytes with a sign (type 0x09 instead of 0x08), such as the int8 inputs of a model in 8 bits: a value
//! `q` is the pixel `q + 128`.

use super::DataSet;
use crate::error::{Error, Result};
use crate::network::Shape;
use flate2::read::MultiGzDecoder;
use std::io::{BufReader, Read};
use std::path::Path;

/// Most bytes of pixels that are read from one file.
const MAX_BYTES: usize = 1 << 31;

/// Reads gray images and their labels. `classes` is their number, or `None` to take the largest label's.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`], naming the file at fault.
pub fn read(images: &Path, labels: &Path, classes: Option<usize>) -> Result<DataSet> {
    let (kind, dims, mut pixels) = read_bytes(images, 3)?;
    if kind == Kind::Signed {
        pixels.iter_mut().for_each(|pixel| *pixel ^= 0x80);
    }
    let (kind, label_dims, label_bytes) = read_bytes(labels, 1)?;
    if kind == Kind::Signed {
        return Err(Error::file(labels, "has labels with signs; labels are bytes of type 0x08"));
    }
    if label_dims[0] != dims[0] {
        let reason =
            format!("has {} labels for the {} images of {}", label_dims[0], dims[0], images.display());
        return Err(Error::file(labels, reason));
    }
    let largest = label_bytes.iter().max().map_or(0, |&label| usize::from(label));
    let classes = classes.unwrap_or(largest + 1);
    if largest >= classes {
        return Err(Error::file(labels, format!("has a label {largest}, but there are {classes} classes")));
    }
    let shape = Shape::new(dims[1], dims[2], 1);
    DataSet::new(images.display().to_string(), pixels, shape, label_bytes, classes)
        .map_err(|error| Error::file(images, error.to_string()))
}

/// What the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unsigned,
    /// Two's complement.
    Signed,
}

/// What an IDX file of `rank` dimensions holds: its bytes' kind, the sizes, the bytes.
fn read_bytes(path: &Path, rank: usize) -> Result<(Kind, Vec<usize>, Vec<u8>)> {
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    let mut reader = BufReader::new(file);
    let start = std::io::BufRead::fill_buf(&mut reader).map_err(Error::io(path))?;
    if start.starts_with(&[0x1f, 0x8b]) {
        read_stream(MultiGzDecoder::new(reader), path, rank)
    } else {
        read_stream(reader, path, rank)
    }
}

fn read_stream(mut reader: impl Read, path: &Path, rank: usize) -> Result<(Kind, Vec<usize>, Vec<u8>)> {
    // A damaged or cut gzip stream shows as a read error.
    let damaged = |error: std::io::Error| Error::file(path, format!("is damaged or cut: {error}"));
    let mut header = vec![0; 4 + 4 * rank];
    reader.read_exact(&mut header).map_err(damaged)?;
    let (magic, sizes) = header.split_at(4);
    let kind = match magic {
        [0, 0, 8, dimensions] if usize::from(*dimensions) == rank => Kind::Unsigned,
        [0, 0, 9, dimensions] if usize::from(*dimensions) == rank => Kind::Signed,
        _ => {
            let reason = format!("is no IDX file of bytes in {rank} dimensions: it starts with {magic:02x?}");
            return Err(Error::file(path, reason));
        }
    };
    let dims: Vec<usize> =
        sizes.as_chunks::<4>().0.iter().map(|&size| u32::from_be_bytes(size) as usize).collect();
    let count = dims.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let count = count
        .filter(|&count| count <= MAX_BYTES)
        .ok_or_else(|| Error::file(path, format!("says it has {dims:?} bytes, which is too many")))?;
    // Grows with what is really there; one byte more tells whether there is too much.
    let mut bytes = Vec::new();
    reader.take(count as u64 + 1).read_to_end(&mut bytes).map_err(damaged)?;
    if bytes.len() != count {
        let relation = if bytes.len() < count { "fewer" } else { "more" };
        return Err(Error::file(path, format!("has {relation} bytes than its sizes {dims:?} say")));
    }
    Ok((kind, dims, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomically;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    use std::path::PathBuf;

    fn idx(dims: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, dims.len() as u8];
        file.extend(dims.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(bytes);
        file
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    struct Files(tempfile::TempDir);

    impl Files {
        fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.0.path().join(name);
            write_atomically(&path, bytes).unwrap();
            path
        }
    }

    #[test]
    fn reads_plain_and_gzipped_files() {
        let files = Files(tempfile::tempdir().unwrap());
        let images = files.put("images", &gzip(&idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6])));
        let labels = files.put("labels", &idx(&[2], &[7, 0]));
        let set = read(&images, &labels, Some(10)).unwrap();
        assert_eq!((set.shape, set.len(), set.image(1)), (Shape::new(1, 3, 1), 2, &[4, 5, 6][..]));
        assert_eq!(read(&images, &labels, None).unwrap().classes, 8);
    }

    #[test]
    fn bytes_with_signs_become_pixels() {
        let files = Files(tempfile::tempdir().unwrap());
        let mut bytes = idx(&[1, 1, 4], &[0x80, 0xff, 0, 0x7f]);
        bytes[2] = 9;
        let images = files.put("images", &bytes);
        let labels = files.put("labels", &idx(&[1], &[0]));
        assert_eq!(read(&images, &labels, None).unwrap().images, [0, 127, 128, 255]);
        let mut signed = idx(&[1], &[0]);
        signed[2] = 9;
        let signed = files.put("signed", &signed);
        let message = read(&images, &signed, None).unwrap_err().to_string();
        assert!(message.starts_with(&signed.display().to_string()) && message.contains("0x08"), "{message}");
    }

    #[test]
    fn errors_name_the_file() {
        let files = Files(tempfile::tempdir().unwrap());
        let good = idx(&[2, 1, 2], &[1, 2, 3, 4]);
        let images = files.put("images", &good);
        let labels = files.put("labels", &idx(&[2], &[1, 0]));
        let fails = |images: &Path, labels: &Path, at: &Path, expected: &str| {
            let message = read(images, labels, Some(10)).unwrap_err().to_string();
            assert!(message.starts_with(&at.display().to_string()), "{message}");
            assert!(message.contains(expected), "\"{message}\" lacks \"{expected}\"");
        };
        let gzipped = gzip(&good);
        let mut flipped = gzipped.clone();
        let crc = flipped.len() - 6;
        flipped[crc] ^= 1;
        let bad: &[(&[u8], &str)] = &[
            (b"", "damaged or cut"),
            (b"P5 something else", "no IDX file"),
            (&good[..good.len() - 1], "fewer bytes"),
            (&[&good[..], &[0]].concat(), "more bytes"),
            (&gzipped[..gzipped.len() - 9], "damaged or cut"),
            (&flipped, "damaged or cut"),
            (&idx(&[u32::MAX, u32::MAX, u32::MAX], &[]), "too many"),
            (&idx(&[2, 0, 2], &[]), "0 pixels"),
            (&idx(&[3, 1, 1], &[1, 2, 3]), ""),
        ];
        for (i, (bytes, expected)) in bad.iter().enumerate() {
            let path = files.put(&format!("bad{i}"), bytes);
            let at = if expected.is_empty() { &labels } else { &path };
            fails(&path, &labels, at, expected);
        }
        let wrong = files.put("wrong", &idx(&[2], &[1, 10]));
        fails(&images, &wrong, &wrong, "label 10");
        fails(&images, &images, &images, "1 dimensions");
        let missing = files.0.path().join("missing");
        fails(&images, &missing, &missing, "No such file");
    }
}
