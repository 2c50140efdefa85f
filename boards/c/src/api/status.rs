//! Status codes and their texts.

use core::ffi::{CStr, c_char};
use skimp_runtime::Error;

/// What became of a call. 0 is success; the numbers keep their meaning.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::enum_variant_names, reason = "C has no other name spaces")]
pub enum SkimpStatus {
    /// Done.
    SkimpOk = 0,
    /// A pointer is null.
    SkimpNullPointer = 1,
    /// The network, the arena or the logits are not aligned: as their type asks for, the arena to 4 bytes.
    SkimpMisalignedPointer = 2,
    /// A length reaches beyond the end of the address space.
    SkimpTooLong = 3,
    /// Two of the memory areas share bytes.
    SkimpSharedMemory = 4,
    /// The network was not loaded, or loading it failed.
    SkimpNotLoaded = 5,
    /// The bytes do not begin as an image does.
    SkimpNoImage = 16,
    /// The image has another format version.
    SkimpImageVersion = 17,
    /// The image is longer than its flash, or its lengths disagree.
    SkimpImageLength = 18,
    /// The checksum does not match.
    SkimpImageDamaged = 19,
    /// The image is not 4-byte aligned.
    SkimpImageMisaligned = 20,
    /// The image contradicts itself.
    SkimpImageContents = 21,
    /// The image needs an operator that this library was built without.
    SkimpImageUnsupported = 22,
    /// The arena has fewer bytes than the network needs.
    SkimpArenaTooSmall = 32,
    /// The input has another length than the network's.
    SkimpInputLength = 33,
    /// There are more or fewer logits than the network has.
    SkimpLogitsLength = 34,
    /// The image has no operating point of that number.
    SkimpNoSuchPoint = 35,
    /// The runtime reports something this library has no code for.
    SkimpUnknown = 255,
}

use SkimpStatus::*;

impl From<Error> for SkimpStatus {
    fn from(error: Error) -> Self {
        match error {
            Error::Magic => SkimpNoImage,
            Error::Version => SkimpImageVersion,
            Error::Length => SkimpImageLength,
            Error::Checksum => SkimpImageDamaged,
            Error::Misaligned => SkimpImageMisaligned,
            Error::Description
            | Error::Section
            | Error::Tensor
            | Error::Overlap
            | Error::Geometry
            | Error::Table
            | Error::Requantization => SkimpImageContents,
            Error::Unsupported => SkimpImageUnsupported,
            Error::ArenaMisaligned => SkimpMisalignedPointer,
            Error::NoSuchPoint => SkimpNoSuchPoint,
            Error::ArenaTooSmall => SkimpArenaTooSmall,
            Error::InputLength => SkimpInputLength,
            Error::LogitsLength => SkimpLogitsLength,
            _ => SkimpUnknown,
        }
    }
}

const TEXTS: [(SkimpStatus, &CStr); 18] = [
    (SkimpOk, c"done"),
    (SkimpNullPointer, c"a pointer is null: pass the address of memory that is there"),
    (SkimpMisalignedPointer, c"the network, the arena or the logits are not aligned: declare them by their types, the arena as uint32_t"),
    (SkimpTooLong, c"a length reaches beyond the address space: pass the length in bytes or elements"),
    (SkimpSharedMemory, c"memory areas overlap: give image, network, arena, input and logits each their own"),
    (SkimpNotLoaded, c"the network is not loaded: call skimp_load first and look at what it returns"),
    (SkimpNoImage, c"there is no skimp image: flash one to the address that is passed to skimp_load"),
    (
        SkimpImageVersion,
        c"the image has another format version: build it with the skimp this library is from",
    ),
    (SkimpImageLength, c"the image is cut off: pass all of its flash, or flash it again"),
    (SkimpImageDamaged, c"the image is damaged: flash it again"),
    (SkimpImageMisaligned, c"the image is not 4-byte aligned: put it at a multiple of 4"),
    (SkimpImageContents, c"the image contradicts itself: build it again"),
    (SkimpImageUnsupported, c"the image needs an operator that is left out: build the library with its feature"),
    (SkimpArenaTooSmall, c"the arena is too small: give it skimp_arena_bytes"),
    (SkimpInputLength, c"the input has a wrong length: give it skimp_input_bytes"),
    (SkimpLogitsLength, c"there are too few or too many logits: give room for skimp_output_len"),
    (SkimpNoSuchPoint, c"the image has no such operating point: there are skimp_points, counted from 0"),
    (SkimpUnknown, c"the runtime reports an error that this library does not know"),
];

/// What a status means and what to do about it, in English, ended by a zero byte. Never null: numbers that
/// are no status have a text as well.
#[unsafe(no_mangle)]
pub extern "C" fn skimp_error_message(status: i32) -> *const c_char {
    let text = TEXTS.iter().find(|(known, _)| *known as i32 == status);
    text.map_or(c"not a status of skimp's", |(_, text)| text).as_ptr()
}
