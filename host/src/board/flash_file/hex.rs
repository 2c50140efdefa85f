//! Intel HEX ("Intel Hexadecimal Object File Format Specification", revision A, 1988).

use super::Segment;
use std::fmt::Write;

const DATA: u8 = 0;
const END: u8 = 1;
/// The upper half of the addresses that follow.
const UPPER_ADDRESS: u8 = 4;
/// Bytes of a data record; no record crosses a multiple of this.
const RECORD_BYTES: usize = 16;

/// Writes `segments`.
pub fn write(segments: &[Segment]) -> Vec<u8> {
    let mut text = String::new();
    let mut upper = 0;
    for Segment { address, bytes } in segments {
        let to_boundary = RECORD_BYTES - *address as usize % RECORD_BYTES;
        let (head, rest) = bytes.split_at(to_boundary.min(bytes.len()));
        let mut at = *address;
        for chunk in std::iter::once(head).chain(rest.chunks(RECORD_BYTES)).filter(|c| !c.is_empty()) {
            let [high @ .., b1, b0] = at.to_be_bytes();
            if u16::from_be_bytes(high) != upper {
                upper = u16::from_be_bytes(high);
                record(&mut text, UPPER_ADDRESS, [0, 0], &high);
            }
            record(&mut text, DATA, [b1, b0], chunk);
            at = at.wrapping_add(chunk.len() as u32);
        }
    }
    record(&mut text, END, [0, 0], &[]);
    text.into_bytes()
}

fn record(text: &mut String, kind: u8, offset: [u8; 2], data: &[u8]) {
    text.push(':');
    let head = [data.len() as u8, offset[0], offset[1], kind];
    let sum = head.iter().chain(data).fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    for byte in head.iter().chain(data).chain([&sum.wrapping_neg()]) {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text.push('\n');
}
