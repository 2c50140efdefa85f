//! Just enough of ELF: 32 bits, little endian ("Tool Interface Standard, Executable and Linking Format",
//! version 1.2). What can't be read gives `None`.

use super::Segment;

const FILE_HEADER_BYTES: usize = 52;
const PROGRAM_HEADER_BYTES: usize = 32;
const SECTION_HEADER_BYTES: usize = 40;
/// Segments and sections begin at multiples of this in the file.
const ALIGNMENT_BYTES: usize = 4;

// Offsets in the file header.
const PROGRAM_OFFSET: usize = 28;
const SECTION_OFFSET: usize = 32;
const PROGRAM_COUNT: usize = 44;
const SECTION_COUNT: usize = 48;
const NAMES_INDEX: usize = 50;

const PT_LOAD: u32 = 1;
const PF_R: u32 = 4;
const SHT_PROGBITS: u32 = 1;
const SHT_STRTAB: u32 = 3;
const SHF_ALLOC: u32 = 2;

const SECTION_NAME: &[u8] = b".skimp_image\0";

/// What an ELF file has for flash: the segments to load, at their load addresses.
pub fn segments(elf: &[u8]) -> Option<Vec<Segment>> {
    let (table, _) = table(elf, PROGRAM_OFFSET, PROGRAM_COUNT, PROGRAM_HEADER_BYTES)?;
    let mut segments = Vec::new();
    for header in table.chunks_exact(PROGRAM_HEADER_BYTES) {
        let [kind, offset, _, address, bytes] = [0, 4, 8, 12, 16].map(|at| word(header, at));
        let bytes = elf.get(offset? as usize..)?.get(..bytes? as usize)?;
        if kind? == PT_LOAD && !bytes.is_empty() {
            segments.push(Segment { address: address?, bytes: bytes.to_vec() });
        }
    }
    Some(segments)
}

/// `elf` with a segment more, and a section of the same extent: some tools go by the one, some by the other.
///
/// What is there stays where it is. The new tables of segments and sections, the names of the latter and the
/// bytes follow at the end, and the old tables lie idle.
pub fn with_segment(mut elf: Vec<u8>, segment: &Segment) -> Option<Vec<u8>> {
    let (programs, program_count) = table(&elf, PROGRAM_OFFSET, PROGRAM_COUNT, PROGRAM_HEADER_BYTES)?;
    let (sections, section_count) = table(&elf, SECTION_OFFSET, SECTION_COUNT, SECTION_HEADER_BYTES)?;
    let (mut programs, mut sections) = (programs.to_vec(), sections.to_vec());
    let names_at = usize::from(half(&elf, NAMES_INDEX)?) * SECTION_HEADER_BYTES;
    let names_header = sections.get(names_at..)?.get(..SECTION_HEADER_BYTES)?;
    let (offset, bytes) = (word(names_header, 16)?, word(names_header, 20)?);
    let mut names = elf.get(offset as usize..)?.get(..bytes as usize)?.to_vec();
    let name = u32::try_from(names.len()).ok()?;
    names.extend(SECTION_NAME);

    let data_offset = append(&mut elf, &segment.bytes)?;
    let data_bytes = u32::try_from(segment.bytes.len()).ok()?;
    let program = [PT_LOAD, data_offset, segment.address, segment.address, data_bytes, data_bytes, PF_R, 4];
    program.iter().for_each(|word| programs.extend(word.to_le_bytes()));
    let section = [name, SHT_PROGBITS, SHF_ALLOC, segment.address, data_offset, data_bytes, 0, 0, 4, 0];
    section.iter().for_each(|word| sections.extend(word.to_le_bytes()));
    let names_offset = append(&mut elf, &names)?;
    put(&mut sections, names_at + 16, &names_offset.to_le_bytes())?;
    put(&mut sections, names_at + 20, &u32::try_from(names.len()).ok()?.to_le_bytes())?;

    let programs_offset = append(&mut elf, &programs)?;
    let sections_offset = append(&mut elf, &sections)?;
    put(&mut elf, PROGRAM_OFFSET, &programs_offset.to_le_bytes())?;
    put(&mut elf, PROGRAM_COUNT, &program_count.checked_add(1)?.to_le_bytes())?;
    put(&mut elf, SECTION_OFFSET, &sections_offset.to_le_bytes())?;
    put(&mut elf, SECTION_COUNT, &section_count.checked_add(1)?.to_le_bytes())?;
    Some(elf)
}

/// An ELF file for Arm with nothing in it but names of sections.
pub fn empty() -> Vec<u8> {
    const NAMES: &[u8; 12] = b"\0.shstrtab\0\0";
    const EXECUTABLE_FOR_ARM: [u8; 4] = [2, 0, 40, 0];
    const EABI_5: u32 = 0x0500_0000;
    let mut elf = b"\x7fELF\x01\x01\x01".to_vec();
    elf.resize(16, 0);
    elf.extend(EXECUTABLE_FOR_ARM);
    let sections_offset = (FILE_HEADER_BYTES + NAMES.len()) as u32;
    // Version, entry, offsets of segments and sections, flags.
    [1, 0, 0, sections_offset, EABI_5].iter().for_each(|word: &u32| elf.extend(word.to_le_bytes()));
    let halves =
        [FILE_HEADER_BYTES, PROGRAM_HEADER_BYTES, 0, SECTION_HEADER_BYTES, 2, 1].map(|half| half as u16);
    halves.iter().for_each(|half| elf.extend(half.to_le_bytes()));
    elf.extend(NAMES);
    elf.resize(elf.len() + SECTION_HEADER_BYTES, 0);
    let names = [1, SHT_STRTAB, 0, 0, FILE_HEADER_BYTES as u32, NAMES.len() as u32, 0, 0, 1, 0];
    names.iter().for_each(|word| elf.extend(word.to_le_bytes()));
    elf
}

/// The table whose offset and number of entries the file header has at the places given.
fn table(elf: &[u8], offset_at: usize, count_at: usize, entry_bytes: usize) -> Option<(&[u8], u16)> {
    if !elf.starts_with(b"\x7fELF\x01\x01") {
        return None;
    }
    // The size of an entry stands before their number.
    let (offset, count, size) = (word(elf, offset_at)?, half(elf, count_at)?, half(elf, count_at - 2)?);
    if usize::from(size) != entry_bytes && count > 0 {
        return None;
    }
    Some((elf.get(offset as usize..)?.get(..usize::from(count) * entry_bytes)?, count))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Option<()> {
    bytes.get_mut(at..)?.get_mut(..value.len())?.copy_from_slice(value);
    Some(())
}

/// Appends `bytes`, aligned, and returns where they begin.
fn append(elf: &mut Vec<u8>, bytes: &[u8]) -> Option<u32> {
    elf.resize(elf.len().next_multiple_of(ALIGNMENT_BYTES), 0);
    let offset = u32::try_from(elf.len()).ok()?;
    elf.extend(bytes);
    Some(offset)
}
