//! UF2, Microsoft's format for boot loaders that pose as a drive (<https://github.com/microsoft/uf2>).

use super::{ERASED, Segment};
use std::collections::BTreeMap;

const PAGE_BYTES: usize = 256;
const BLOCK_BYTES: usize = 512;
const MAGIC_START: [u32; 2] = [0x0a32_4655, 0x9e5d_5157];
const MAGIC_END: u32 = 0x0ab1_6f30;
const FLAG_FAMILY: u32 = 0x2000;

/// Writes `segments` for the boot loader of `family`, page by page.
pub fn write(segments: &[Segment], family: u32) -> Vec<u8> {
    let mut pages: BTreeMap<u32, [u8; PAGE_BYTES]> = BTreeMap::new();
    for Segment { address, bytes } in segments {
        let mut at = *address;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let within = at as usize % PAGE_BYTES;
            let (part, tail) = rest.split_at((PAGE_BYTES - within).min(rest.len()));
            let page = pages.entry(at - within as u32).or_insert([ERASED; PAGE_BYTES]);
            page[within..within + part.len()].copy_from_slice(part);
            at = at.wrapping_add(part.len() as u32);
            rest = tail;
        }
    }
    let mut out = Vec::with_capacity(pages.len() * BLOCK_BYTES);
    for (index, (address, page)) in pages.iter().enumerate() {
        let numbers = [PAGE_BYTES as u32, index as u32, pages.len() as u32, family];
        let [payload_bytes, index, count, family] = numbers;
        let head =
            [MAGIC_START[0], MAGIC_START[1], FLAG_FAMILY, *address, payload_bytes, index, count, family];
        head.iter().for_each(|word| out.extend(word.to_le_bytes()));
        out.extend(page);
        out.resize(out.len().next_multiple_of(BLOCK_BYTES) - 4, 0);
        out.extend(MAGIC_END.to_le_bytes());
    }
    out
}
