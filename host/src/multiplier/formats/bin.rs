//! Raw tables: the products alone, little endian.

use super::numbers::Numbers;
use crate::error::{Error, Result};
use crate::multiplier::TruthTable;
use std::path::Path;

/// Reads products of 16 bits, whose signedness nothing tells, or of 32 bits.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Numbers> {
    match bytes.len() / TruthTable::ENTRIES {
        2 if bytes.len() == 2 * TruthTable::ENTRIES => {
            let (words, _) = bytes.as_chunks::<2>();
            let products = words.iter().map(|&word| u16::from_le_bytes(word).into()).collect();
            Ok(Numbers::of_type(products, None))
        }
        4 if bytes.len() == 4 * TruthTable::ENTRIES => {
            let (words, _) = bytes.as_chunks::<4>();
            Ok(Numbers::of_any_type(words.iter().map(|&word| i32::from_le_bytes(word).into()).collect()))
        }
        _ => {
            let reason = format!(
                "{} bytes; a raw table has 131072 (65536 products of 16 bits) or 262144 (of 32 bits)",
                bytes.len()
            );
            Err(Error::file(path, reason))
        }
    }
}

/// 65,536 words of 16 bits.
pub(super) fn write(table: &TruthTable) -> Vec<u8> {
    table.products().iter().flat_map(|&product| (product as u16).to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_tell_16_bits_from_32() {
        let read = |bytes: &[u8]| read(Path::new("x.bin"), bytes);
        let wide: Vec<u8> = TruthTable::exact(true).products().iter().flat_map(|p| p.to_le_bytes()).collect();
        let numbers = read(&wide).unwrap();
        assert_eq!((numbers.products[0xff_05], numbers.signed), (-5, Some(true)));
        let numbers = read(&write(&TruthTable::exact(true))).unwrap();
        assert_eq!((numbers.products[0xff_05], numbers.signed), (65531, None));
        for length in [0, 1, 131071, 131073, 196608, 262143] {
            let message = read(&vec![0; length]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("x.bin: {length} bytes; ")), "{message}");
        }
    }
}
