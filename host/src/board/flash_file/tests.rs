use super::*;
use object::{Object, ObjectSection, ObjectSegment};
use proptest::prelude::*;
use std::collections::BTreeMap;

const FIRMWARE: &[u8] = &[1, 2, 3, 4, 5, 6, 7];

/// The bytes that a file puts into flash, by address.
type Flash = BTreeMap<u32, u8>;

fn flash(segments: &[(u32, &[u8])]) -> Flash {
    let bytes = segments.iter().flat_map(|&(address, bytes)| (address..).zip(bytes.iter().copied()));
    bytes.collect()
}

fn read_elf(elf: &[u8]) -> Flash {
    let elf = object::File::parse(elf).unwrap();
    let segments: Vec<(u32, Vec<u8>)> =
        elf.segments().map(|s| (s.address() as u32, s.data().unwrap().to_vec())).collect();
    flash(&Vec::from_iter(segments.iter().map(|(address, bytes)| (*address, bytes.as_slice()))))
}

fn read_hex(text: &[u8]) -> Flash {
    let mut read = Flash::new();
    let mut upper = 0u32;
    let mut ended = false;
    for line in std::str::from_utf8(text).unwrap().lines() {
        assert!(!ended, "{line} after the end");
        let digits = line.strip_prefix(':').unwrap();
        let byte = |i: usize| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..digits.len() / 2).map(byte).collect();
        assert_eq!(bytes.iter().fold(0u8, |sum, b| sum.wrapping_add(*b)), 0, "{line}");
        let (head, data) = bytes[..bytes.len() - 1].split_at(4);
        assert_eq!(usize::from(head[0]), data.len());
        let at = upper + u32::from(u16::from_be_bytes([head[1], head[2]]));
        match head[3] {
            0 => read.extend((at..).zip(data.iter().copied())),
            1 => ended = true,
            4 => upper = u32::from(u16::from_be_bytes([data[0], data[1]])) << 16,
            other => panic!("record of type {other}"),
        }
    }
    assert!(ended);
    read
}

fn read_uf2(bytes: &[u8], family: u32) -> Flash {
    let mut read = Flash::new();
    let blocks = bytes.as_chunks::<512>().0;
    assert_eq!(blocks.len() * 512, bytes.len());
    for (index, block) in blocks.iter().enumerate() {
        let word = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
        assert_eq!([word(0), word(4), word(508)], [0x0a32_4655, 0x9e5d_5157, 0x0ab1_6f30]);
        assert_eq!([word(8), word(16), word(28)], [0x2000, 256, family]);
        assert_eq!([word(20), word(24)], [index as u32, blocks.len() as u32]);
        assert_eq!(word(12) % 256, 0);
        read.extend((word(12)..).zip(block[32..288].iter().copied()));
    }
    read
}

/// Firmware at the beginning of the board's flash, and an image, each in its file.
fn files(board: &Board, image: &[u8]) -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (firmware_path, image_path) = (folder.path().join("fw"), folder.path().join("net"));
    let segment = Segment { address: board.flash_address, bytes: FIRMWARE.to_vec() };
    std::fs::write(&firmware_path, elf::with_segment(elf::empty(), &segment).unwrap()).unwrap();
    std::fs::write(&image_path, image).unwrap();
    (folder, firmware_path, image_path)
}

#[test]
fn all_formats_put_firmware_and_image_where_they_belong() {
    let image: Vec<u8> = (0..=255).cycle().take(70_001).collect();
    for name in ["pico", "stm32f4discovery"] {
        let board = Board::find(name).unwrap();
        let (_folder, firmware, path) = files(board, &image);
        let alone = flash(&[(board.image_address, &image)]);
        let both = flash(&[(board.flash_address, FIRMWARE), (board.image_address, &image)]);
        for (firmware, expected) in [(None, alone), (Some(firmware.as_path()), both)] {
            let merge = |format| merge(board, firmware, &path, format).unwrap();
            assert!(read_elf(&merge(Format::Elf)) == expected, "{name}");
            assert!(read_hex(&merge(Format::Hex)) == expected, "{name}");

            let first = *expected.first_key_value().unwrap().0;
            let plain = flash(&[(first, &merge(Format::Bin))]);
            assert_eq!(plain.last_key_value(), expected.last_key_value());
            assert!(plain.iter().all(|(at, byte)| expected.get(at).unwrap_or(&0xff) == byte), "{name}");

            let Some(family) = board.uf2_family else { continue };
            let pages = read_uf2(&merge(Format::Uf2), family);
            assert!(expected.iter().all(|(at, byte)| pages.get(at) == Some(byte)));
            assert!(pages.iter().all(|(at, byte)| expected.get(at).unwrap_or(&0xff) == byte));
            assert!(pages.len() < expected.len() + 1024, "gaps are left out");
        }
    }
}

#[test]
fn an_elf_file_keeps_its_sections_and_names_the_image() {
    let board = Board::find("pico2").unwrap();
    let (_folder, firmware, path) = files(board, b"image");
    let elf = merge(board, Some(&firmware), &path, Format::Elf).unwrap();
    let elf = object::File::parse(&*elf).unwrap();
    // The firmware of `files` has its own section of that name.
    let sections: Vec<(u64, &[u8])> = elf
        .sections()
        .filter(|section| section.name() == Ok(".skimp_image"))
        .map(|section| (section.address(), section.data().unwrap()))
        .collect();
    assert_eq!(sections, [(0x1000_0000, FIRMWARE), (0x1002_0000, b"image")]);
}

#[test]
fn formats_go_by_extension_and_uf2_needs_a_boot_loader() {
    assert_eq!(Format::of(Path::new("a/b.HEX")).unwrap(), Format::Hex);
    let message = Format::of(Path::new("a/b.img")).unwrap_err().to_string();
    assert!(message.starts_with("a/b.img: ") && message.contains("--format"), "{message}");
    let message = Format::Uf2.check(Board::find("microbit").unwrap()).unwrap_err().to_string();
    assert!(message.contains("microbit has no boot loader"), "{message}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let board = Board::find("stm32vldiscovery").unwrap();
    let (_folder, _, path) = files(board, &vec![0; board.image_capacity_bytes as usize + 1]);
    let message = merge(board, None, &path, Format::Hex).unwrap_err().to_string();
    assert!(message.contains("has room for 73728"), "{message}");
    // Firmware for another board lies elsewhere.
    let (_folder, firmware, path) = files(Board::find("pico").unwrap(), b"image");
    let message = merge(board, Some(&firmware), &path, Format::Bin).unwrap_err().to_string();
    assert!(message.contains("do not fit its flash"), "{message}");
}

proptest! {
    #[test]
    fn damaged_elf_files_are_refused_or_read(at in 0usize..300, byte: u8, length in 0usize..300) {
        let segment = Segment { address: 0, bytes: FIRMWARE.to_vec() };
        let mut elf = elf::with_segment(elf::empty(), &segment).unwrap();
        if let Some(place) = elf.get_mut(at) {
            *place = byte;
        }
        elf.truncate(length);
        let _ = elf::segments(&elf);
        let _ = elf::with_segment(elf, &segment);
    }
}
