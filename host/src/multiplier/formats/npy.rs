//! NumPy's `.npy`: a header that is a Python dictionary, then the numbers.
//!
//! The format is described in the documentation of `numpy.lib.format`: magic, version (1.0, 2.0 or 3.0), the
//! length of the header (u16 in version 1, else u32), the header with `descr`, `fortran_order` and `shape`.

use super::numbers::{Numbers, whole};
use super::text::shortened;
use crate::error::{Error, Result};
use crate::multiplier::TruthTable;
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Types of numbers that hold products.
const TYPES: &str = "u1, i1, u2, i2, u4, i4, u8, i8, f4 and f8";

/// Reads a table of shape (256, 256) or (65536,).
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Numbers> {
    let wrong = |reason: String| Error::file(path, reason);
    let cut = || wrong("ends within its header".into());
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| wrong("not a NumPy file (no \\x93NUMPY)".into()))?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        other => return Err(wrong(format!("version {other} of the format; 1 to 3 are read"))),
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| wrong("its header is not text".into()))?;
    let header =
        Header::parse(header).ok_or_else(|| wrong(format!("header \"{}\"", shortened(header.trim()))))?;

    let (big_endian, kind) = match header.descr.split_at_checked(1) {
        Some((">", kind)) => (true, kind),
        Some(("<" | "=" | "|", kind)) => (false, kind),
        _ => (false, header.descr),
    };
    let number: fn([u8; 8]) -> Option<i64> = match kind {
        "u1" => |b| Some(b[0].into()),
        "i1" => |b| Some((b[0] as i8).into()),
        "u2" => |b| Some(u16::from_le_bytes([b[0], b[1]]).into()),
        "i2" => |b| Some(i16::from_le_bytes([b[0], b[1]]).into()),
        "u4" => |b| Some(u32::from_le_bytes([b[0], b[1], b[2], b[3]]).into()),
        "i4" => |b| Some(i32::from_le_bytes([b[0], b[1], b[2], b[3]]).into()),
        "u8" => |b| i64::try_from(u64::from_le_bytes(b)).ok(),
        "i8" => |b| Some(i64::from_le_bytes(b)),
        "f4" => |b| whole(f32::from_le_bytes([b[0], b[1], b[2], b[3]]).into()),
        "f8" => |b| whole(f64::from_le_bytes(b)),
        "f2" => {
            let reason =
                "numbers of type f2, which rounds whole numbers above 2048; save products as i2, u2 or f4";
            return Err(wrong(reason.into()));
        }
        _ => {
            return Err(wrong(format!("numbers of type \"{}\"; products are read as {TYPES}", header.descr)));
        }
    };
    if !matches!(header.shape[..], [256, 256] | [65536]) {
        return Err(wrong(format!("shape {:?}; a table has [256, 256] or [65536]", header.shape)));
    }
    let width = usize::from(kind.as_bytes()[1] - b'0');
    if data.len() != width * TruthTable::ENTRIES {
        let (found, wanted) = (data.len(), width * TruthTable::ENTRIES);
        return Err(wrong(format!("{found} bytes of numbers, where 65536 of type {kind} are {wanted}")));
    }
    let transposed = header.fortran_order && header.shape.len() == 2;
    let mut products = Vec::with_capacity(TruthTable::ENTRIES);
    for i in 0..TruthTable::ENTRIES {
        let at = if transposed { (i & 255) << 8 | i >> 8 } else { i };
        let mut word = [0; 8];
        word[..width].copy_from_slice(&data[at * width..][..width]);
        if big_endian {
            word[..width].reverse();
        }
        let product = number(word).ok_or_else(|| {
            wrong(format!("the number of row {}, column {} is not whole or too large", i >> 8, i & 255))
        })?;
        products.push(product);
    }
    Ok(match kind {
        "i2" => Numbers::of_type(products, Some(true)),
        "u2" | "u4" | "u8" => Numbers::of_type(products, Some(false)),
        _ => Numbers::of_any_type(products),
    })
}

/// How many numbers the array of a file has by its header, if that can be read.
pub(super) fn numbers_of(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let text = String::from_utf8_lossy(&rest[..rest.len().min(512)]);
    let header = Header::parse(&text)?;
    header.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))
}

/// What a header says.
struct Header<'t> {
    descr: &'t str,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl<'t> Header<'t> {
    /// Reads the dictionary that NumPy writes: three entries whose names hold no special characters.
    fn parse(text: &'t str) -> Option<Header<'t>> {
        let value = |key: &str| {
            let quoted = [format!("'{key}'"), format!("\"{key}\"")];
            let after = quoted.iter().find_map(|key| text.split_once(key.as_str()))?.1;
            after.trim_start().strip_prefix(':').map(str::trim_start)
        };
        let descr = value("descr")?;
        let quote = descr.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let descr = descr[1..].split_once(quote)?.0;
        let fortran_order = value("fortran_order")?;
        let fortran_order = match () {
            () if fortran_order.starts_with("True") => true,
            () if fortran_order.starts_with("False") => false,
            () => return None,
        };
        let (shape, _) = value("shape")?.strip_prefix('(')?.split_once(')')?;
        let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape = sizes.map(|size| size.trim_end_matches('L').parse().ok()).collect::<Option<_>>()?;
        Some(Header { descr, fortran_order, shape })
    }
}

/// A file of version 1.0 with u16 or i16 of shape (256, 256) in C order.
pub(super) fn write(table: &TruthTable) -> Vec<u8> {
    let kind = if table.is_signed() { "<i2" } else { "<u2" };
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (256, 256), }}");
    // Numbers begin at a multiple of 64 bytes, after a line feed.
    let header = format!("{header:<117}\n");
    let mut bytes = [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    bytes.extend(super::bin::write(table));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let length = header.len() as u32;
        let length = if version == 1 { &length.to_le_bytes()[..2] } else { &length.to_le_bytes()[..] };
        [MAGIC, &[version, 0], length, header.as_bytes(), data].concat()
    }

    fn header(descr: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    }

    fn parsed(bytes: &[u8]) -> Result<Numbers> {
        read(Path::new("x.npy"), bytes)
    }

    fn lopsided() -> TruthTable {
        TruthTable::from_fn(true, |a, w| (a & !7) * w).unwrap()
    }

    fn products(table: &TruthTable) -> Vec<i64> {
        table.products().iter().map(|&product| product.into()).collect()
    }

    #[test]
    fn every_type_version_and_order_is_read() {
        let table = lopsided();
        let of =
            |bytes: fn(i32) -> Vec<u8>| table.products().iter().flat_map(|&p| bytes(p)).collect::<Vec<u8>>();
        let types: [(&str, Vec<u8>); 7] = [
            ("<i2", of(|p| (p as i16).to_le_bytes().into())),
            (">i2", of(|p| (p as i16).to_be_bytes().into())),
            ("<i4", of(|p| p.to_le_bytes().into())),
            ("<i8", of(|p| i64::from(p).to_le_bytes().into())),
            (">i8", of(|p| i64::from(p).to_be_bytes().into())),
            ("<f4", of(|p| (p as f32).to_le_bytes().into())),
            ("<f8", of(|p| f64::from(p).to_le_bytes().into())),
        ];
        for (version, (descr, data)) in (1..=3).cycle().zip(&types) {
            for (fortran, shape) in [("False", "(256, 256)"), ("False", "(65536,)"), ("True", "(65536,)")] {
                let numbers = parsed(&file(version, &header(descr, fortran, shape), data)).unwrap();
                assert_eq!((numbers.products, numbers.signed), (products(&table), Some(true)), "{descr}");
            }
            let numbers = parsed(&file(version, &header(descr, "True", "(256, 256)"), data)).unwrap();
            assert_eq!(numbers.products, products(&table.swapped()), "{descr}");
        }
        let bytes: Vec<u8> = (0..65536).map(|i| (i * 7) as u8).collect();
        for (descr, value) in [("|u1", 0xfe), ("|i1", -2)] {
            let numbers = parsed(&file(1, &header(descr, "False", "(256, 256)"), &bytes)).unwrap();
            assert_eq!(numbers.products[0x92], value, "{descr}");
        }
        let unsigned = TruthTable::exact(false);
        for (descr, bytes) in [("<u4", 4), ("<u8", 8)] {
            let data: Vec<u8> = unsigned
                .products()
                .iter()
                .flat_map(|&p| (p as u64).to_le_bytes()[..bytes].to_vec())
                .collect();
            let numbers = parsed(&file(1, &header(descr, "False", "(256, 256)"), &data)).unwrap();
            assert_eq!((numbers.products, numbers.signed), (products(&unsigned), Some(false)));
        }
    }

    #[test]
    fn what_is_written_is_aligned_and_read_again() {
        for signed in [false, true] {
            let table = TruthTable::from_fn(signed, |a, w| (a & !3) * w).unwrap();
            let bytes = write(&table);
            assert_eq!(bytes.len(), 128 + 131072);
            let numbers = parsed(&bytes).unwrap();
            assert_eq!((numbers.products, numbers.signed), (products(&table), Some(signed)));
        }
    }

    #[test]
    fn faults_are_named() {
        let good = write(&lopsided());
        // Whatever the cut, an error and no panic.
        for end in (0..200).chain([good.len() / 2, good.len() - 1]) {
            assert!(parsed(&good[..end]).is_err(), "{end}");
        }
        let data = vec![0; 131072];
        let nan: Vec<u8> =
            (0..65536).flat_map(|i| if i == 258 { f32::NAN } else { 1.0 }.to_le_bytes()).collect();
        let half: Vec<u8> = (0..65536).flat_map(|_| 0.5f32.to_le_bytes()).collect();
        for (bytes, expected) in [
            (b"PK\x03\x04".to_vec(), "not a NumPy file"),
            (file(4, "", &[]), "version 4"),
            (file(1, "{}", &data), "header \"{}\""),
            (file(1, &header("<i2", "Perhaps", "(256, 256)"), &data), "header \"{"),
            (file(1, &header("<i2", "False", "(-1,)"), &data), "header \"{"),
            (file(2, &header("|b1", "False", "(256, 256)"), &data), "type \"|b1\""),
            (file(2, &header("<f2", "False", "(256, 256)"), &data), "type f2, which rounds"),
            (file(2, &header("", "False", "(256, 256)"), &data), "type \"\""),
            (file(1, &header("<c8", "False", "(256, 256)"), &data), "type \"<c8\""),
            (file(1, &header("<i2", "False", "(255, 256)"), &data), "shape [255, 256]"),
            (file(1, &header("<i2", "False", "()"), &data), "shape []"),
            (file(1, &header("<i2", "False", "(256, 256)"), &data[..131070]), "131070 bytes of numbers"),
            (file(1, &header("<f4", "False", "(256, 256)"), &nan), "row 1, column 2"),
            (file(1, &header("<f4", "False", "(256, 256)"), &half), "row 0, column 0 is not whole"),
        ] {
            let message = parsed(&bytes).unwrap_err().to_string();
            assert!(message.starts_with("x.npy: ") && message.contains(expected), "{expected}: {message}");
        }
    }
}
