//! Which files of a folder plainly hold no table. What is named on the command line is read in any case.

use crate::error::{Error, Result};
use crate::multiplier::formats::{Format, MAX_BYTES, npy, read_bounded};
use crate::multiplier::netlist_file::claims_netlists;
use crate::multiplier::{TruthTable, verilog};
use std::path::Path;

/// Half a table: what has fewer numbers is something else, what has more may be a table that was damaged.
const HALF: usize = TruthTable::ENTRIES / 2;

/// Why the file at `path` plainly is no table or circuit, if so. Whatever may be a broken one is none of these.
pub(super) fn no_table(path: &Path, format: Format) -> Result<Option<String>> {
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size > MAX_BYTES {
        return Ok(Some("too large for a table".into()));
    }
    let bytes = read_bounded(path)?;
    let text = || String::from_utf8_lossy(&bytes);
    let reason = match format {
        Format::Bin if !(2 * HALF..=8 * TruthTable::ENTRIES).contains(&bytes.len()) => {
            Some(format!("{} bytes are no table", bytes.len()))
        }
        Format::Npy => npy::numbers_of(&bytes)
            .filter(|numbers| !(HALF..=2 * TruthTable::ENTRIES).contains(numbers))
            .map(|numbers| format!("an array of {numbers} numbers is no table")),
        Format::CHeader | Format::Csv if numbers_in(&text()) < HALF => Some("no table in it".into()),
        Format::Verilog if !verilog::may_hold_multiplier(path, &text()) => {
            Some("no 8x8-bit multiplier in it".into())
        }
        Format::Netlists if !claims_netlists(&text()) => Some("no netlists in it".into()),
        _ => None,
    };
    Ok(reason)
}

/// How many words of a text begin as numbers do. UTF-16 counts as well as UTF-8.
fn numbers_in(text: &str) -> usize {
    let text = text.replace('\0', "");
    let words = text.split(|c: char| c.is_whitespace() || ",;{}()[]=\"".contains(c));
    words.filter(|word| word.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit())).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_other_things_are_told_from_broken_tables() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            no_table(&path, Format::of(&path).unwrap()).unwrap()
        };
        let numbers = "17,".repeat(40_000);
        let npy = |shape: &str| {
            let header = format!("{{'descr': '<i2', 'fortran_order': False, 'shape': {shape}, }}");
            [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat()
        };
        for (name, content) in [
            ("a.bin", vec![0; 1000]),
            ("b.bin", vec![0; 600_000]),
            ("a.npy", npy("(10, 3)")),
            ("b.npy", npy("(256, 256, 3)")),
            ("notes.txt", b"cmake_minimum_required(VERSION 3.10)".to_vec()),
            ("results.csv", b"name,loss\nx,0.5\n".to_vec()),
            ("a.h", b"int f(int x) { return x + 1; }".to_vec()),
            ("a.v", b"module m(input [7:0] a, output [8:0] o); assign o = {1'b0, a}; endmodule".to_vec()),
            ("top.v", b"module top; initial $finish; endmodule".to_vec()),
            ("log.jsonl", b"{\"epoch\": 1}\n".to_vec()),
        ] {
            assert!(of(name, &content).is_some(), "{name}");
        }
        for (name, content) in [
            ("a.bin", vec![0; 131_071]),
            ("a.npy", npy("(255, 256)")),
            ("b.npy", b"cut".to_vec()),
            ("a.csv", numbers.clone().into_bytes()),
            ("b.csv", numbers.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("a.h", format!("int lut[] = {{{numbers}").into_bytes()),
            ("a.v", b"module m(input [7:0] a, b, output [15:0] p); assign p = a * b; endmodule".to_vec()),
            ("a.jsonl", b"{\"format\": \"skimp-netlists\"".to_vec()),
        ] {
            assert_eq!(of(name, &content), None, "{name}");
        }
    }
}
