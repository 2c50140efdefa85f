//! What each board's firmware takes of its flash and RAM, and what the runtime alone does, against the figures in
//! `boards/sizes.txt` and `boards/footprint.txt`. They are written anew by
//!
//!     SKIMP_REFRESH_SIZES=1 cargo test --release -p skimp --test firmware_sizes

#[allow(dead_code, reason = "shared with a test that uses the rest")]
#[path = "common/thumb.rs"]
mod thumb;

#[path = "firmware_sizes/footprint.rs"]
mod footprint;

use object::{Object, ObjectSection, SectionFlags, elf};
use skimp::board::description::BOARDS;
use skimp::board::toolchain::Toolchain;
use skimp::board::{Board, Install, firmware};
use std::path::{Path, PathBuf};

/// By how many percent flash may differ when the compiler is the one that the figures are from, and when not.
const SAME_COMPILER_PERCENT: u32 = 2;
const OTHER_COMPILER_PERCENT: u32 = 15;

/// Sizes in bytes.
#[derive(Debug)]
struct Sizes {
    flash: u32,
    /// Statics, the networks' memory among them.
    ram: u32,
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../boards/sizes.txt")
}

fn measure(elf: &Path) -> Sizes {
    measure_bytes(&std::fs::read(elf).unwrap())
}

fn measure_bytes(elf: &[u8]) -> Sizes {
    let file = object::File::parse(elf).unwrap();
    let mut sizes = Sizes { flash: 0, ram: 0 };
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
        if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
            continue;
        }
        let bytes = section.size() as u32;
        sizes.flash += if section.file_range().is_some() { bytes } else { 0 };
        sizes.ram += if sh_flags & u64::from(elf::SHF_WRITE) != 0 { bytes } else { 0 };
    }
    sizes
}

fn compilers() -> String {
    let mut names: Vec<String> = BOARDS.iter().map(compiler).collect();
    names.sort();
    names.dedup();
    names.join("; ")
}

fn compiler(board: &Board) -> String {
    Toolchain::find_or_install(board.target, Install::Forbidden, &mut |_| {}).unwrap().description()
}

#[test]
fn firmware_takes_what_is_written_down() {
    let build = |board| {
        firmware::build(board, Install::Allowed, &mut |line| println!("{line}"))
            .unwrap_or_else(|e| panic!("{e}"))
    };
    let measured: Vec<(&Board, Sizes)> = BOARDS.iter().map(|board| (board, measure(&build(board)))).collect();
    for (board, sizes) in &measured {
        let room = board.image_address - board.flash_address;
        assert!(sizes.flash <= room, "{}: {} of {room} bytes of flash", board.name, sizes.flash);
        assert!(sizes.ram < board.ram_bytes, "{}", board.name);
    }
    let compilers = compilers();
    if std::env::var_os("SKIMP_REFRESH_SIZES").is_some() {
        return std::fs::write(file(), text(&measured, &compilers)).unwrap();
    }

    let written = std::fs::read_to_string(file()).unwrap();
    let same = written.lines().any(|line| line == format!("# {compilers}"));
    if !same {
        println!("boards/sizes.txt is from another compiler than {compilers}: the comparison is rough");
    }
    let percent = if same { SAME_COMPILER_PERCENT } else { OTHER_COMPILER_PERCENT };
    let rows: Vec<Vec<&str>> = written
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
        .collect();
    for (board, sizes) in &measured {
        let row =
            rows.iter().find(|row| row[0] == board.name).unwrap_or_else(|| panic!("no row {}", board.name));
        let [flash, ram, memory] = [1, 2, 3].map(|column| row[column].parse::<u32>().unwrap());
        assert!(
            sizes.flash.abs_diff(flash) * 100 <= flash * percent && sizes.ram.abs_diff(ram) <= 64,
            "{}: {sizes:?}, but boards/sizes.txt says {flash} and {ram}: if that is meant, write it anew by\n  \
             SKIMP_REFRESH_SIZES=1 cargo test --release -p skimp --test firmware_sizes",
            board.name
        );
        assert_eq!(memory, board.memory_bytes, "{}", board.name);
    }
}

fn text(measured: &[(&Board, Sizes)], compilers: &str) -> String {
    let mut text = format!(
        "# Firmware in bytes: flash; static RAM, networks' memory included; that memory alone.\n# {compilers}\n"
    );
    for (board, Sizes { flash, ram }) in measured {
        text += &format!("{:16} {flash:>8} {ram:>8} {:>8}\n", board.name, board.memory_bytes);
    }
    text
}

/// What the Raspberry Pi chips' boot ROMs check before they run anything.
#[test]
fn boot_roms_find_what_they_look_for() {
    let start_of = |name: &str| {
        let board = Board::find(name).unwrap();
        let elf = firmware::build(board, Install::Allowed, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
        let bytes = std::fs::read(elf).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let mut flash = vec![0xff; 4096];
        for section in file.sections() {
            let Some(at) = section.address().checked_sub(board.flash_address.into()) else { continue };
            let Some(place) = flash.get_mut(at as usize..) else { continue };
            section.data().unwrap().iter().zip(place).for_each(|(&byte, place)| *place = byte);
        }
        flash
    };
    let word = |flash: &[u8], at: usize| u32::from_le_bytes(flash[at..at + 4].try_into().unwrap());

    let pico = start_of("pico");
    assert_eq!(word(&pico, 252), crc32_mpeg2(&pico[..252]), "the second stage's checksum");
    assert_eq!(word(&pico, 256), 0x2004_2000, "the stack's top, first in the vector table");

    let pico2 = start_of("pico2");
    assert_eq!(word(&pico2, 0), 0x2008_0000, "the stack's top, first in the vector table");
    let block = [0xffff_ded3, 0x1021_0142, 0x0000_01ff, 0, 0xab12_3579];
    assert!((0..4096 - 20).step_by(4).any(|at| [0, 1, 2, 3, 4].map(|i| word(&pico2, at + 4 * i)) == block));
}

/// CRC-32/MPEG-2.
fn crc32_mpeg2(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            (crc << 1) ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}
