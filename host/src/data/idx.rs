//! The idx format of MNIST and its relatives: big-endian sizes, then bytes.

use super::DataSet;
use crate::error::{Error, Result};
use crate::file;
use crate::network::Shape;
use std::io::Read;
use std::path::Path;

/// More than any idx file in use unpacks to; a bound for hostile gzip files.
const LARGEST_BYTES: u64 = 1 << 30;

/// Reads grey images (idx3) and their labels (idx1), each plain or gzipped.
pub fn read(images: &Path, labels: &Path) -> Result<DataSet> {
    let (sizes, pixels) = parse::<3>(images)?;
    let ([count], labels_read) = parse::<1>(labels)?;
    if count != sizes[0] {
        return Err(Error::file(labels, format!("has {count} labels for {} images", sizes[0])));
    }
    Ok(DataSet { shape: Shape::new(sizes[1], sizes[2], 1), images: pixels, labels: labels_read })
}

/// The sizes and bytes of an idx file of unsigned bytes with N dimensions.
fn parse<const N: usize>(path: &Path) -> Result<([usize; N], Vec<u8>)> {
    let bytes = unpack(path)?;
    let magic = [0, 0, 8, N as u8];
    if bytes.get(..4) != Some(&magic) {
        return Err(Error::file(path, format!("not an idx file of bytes with {N} dimensions (wrong magic)")));
    }
    let header = 4 + 4 * N;
    let Some(sizes) = bytes.get(4..header) else {
        return Err(Error::file(path, "ends within its header"));
    };
    let mut parsed = [0usize; N];
    for (size, field) in parsed.iter_mut().zip(sizes.chunks_exact(4)) {
        *size = u32::from_be_bytes([field[0], field[1], field[2], field[3]]) as usize;
    }
    let total = parsed.iter().try_fold(1usize, |total, &size| total.checked_mul(size));
    let data = &bytes[header..];
    if total != Some(data.len()) || parsed.contains(&0) {
        return Err(Error::file(
            path,
            format!("its sizes {parsed:?} do not fit its {} bytes of data", data.len()),
        ));
    }
    Ok((parsed, data.to_vec()))
}

fn unpack(path: &Path) -> Result<Vec<u8>> {
    let bytes = file::read(path)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(bytes.as_slice()).take(LARGEST_BYTES + 1);
    reader.read_to_end(&mut unpacked).map_err(|e| Error::file(path, format!("damaged gzip data: {e}")))?;
    if unpacked.len() as u64 > LARGEST_BYTES {
        return Err(Error::file(path, format!("unpacks to more than {LARGEST_BYTES} bytes")));
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// The outcome of reading these two files, an error as text without its path.
    fn outcome(images: &[u8], labels: &[u8]) -> Result<DataSet, String> {
        let folder = tempfile::tempdir().unwrap();
        let (i, l) = (folder.path().join("i"), folder.path().join("l"));
        std::fs::write(&i, images).unwrap();
        std::fs::write(&l, labels).unwrap();
        read(&i, &l).map_err(|e| e.to_string().rsplit("/").next().unwrap().to_owned())
    }

    #[test]
    fn reads_plain_and_gzipped_files() {
        let (images, labels) = (idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]), idx(&[2], &[7, 8]));
        let set = outcome(&images, &labels).unwrap();
        assert_eq!((set.len(), set.image(1), set.labels[0]), (2, &[4, 5, 6][..], 7));
        assert_eq!(outcome(&gzip(&images), &gzip(&labels)).unwrap(), set);
    }

    #[test]
    fn each_defect_is_told() {
        let (images, labels) = (idx(&[2, 1, 3], &[0; 6]), idx(&[2], &[7, 8]));
        let error = |images: &[u8], labels: &[u8]| outcome(images, labels).unwrap_err();
        assert!(error(&labels, &labels).contains("wrong magic"));
        assert!(error(&images[..10], &labels).contains("header"));
        assert!(error(&images[..18], &labels).contains("do not fit"));
        assert!(error(&idx(&[u32::MAX, u32::MAX, 9], &[]), &labels).contains("do not fit"));
        assert!(error(&images, &idx(&[3], &[1, 2, 3])).contains("3 labels for 2 images"));
        let packed = gzip(&images);
        assert!(error(&packed[..packed.len() - 9], &labels).contains("damaged gzip"));
    }
}
