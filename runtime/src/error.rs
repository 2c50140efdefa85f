//! Why an image was refused or an inference could not start.

/// An error of [`Network::load`](crate::Network::load) or [`Network::infer`](crate::Network::infer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not begin with the magic number: this is not a skimp image.
    Magic,
    /// The image was written for another format version.
    Version,
    /// The image is shorter than its header says, or the header's lengths contradict each other.
    Length,
    /// The CRC-32 does not match: the image is damaged.
    Checksum,
    /// The image does not start at a multiple of 4 bytes.
    Misaligned,
    /// The description can't be decoded.
    Description,
    /// A byte section lies outside the image or has the wrong length.
    Section,
    /// A tensor or scratch buffer lies outside the arena.
    Tensor,
    /// A layer's inputs, output and scratch buffer overlap.
    Overlap,
    /// A layer's shapes, window or channel groups do not fit together.
    Geometry,
    /// A weight names a table row that does not exist, or a layer a table that does not exist.
    Table,
    /// A requantization shift or rescaling factor is out of range.
    Requantization,
    /// A layer needs an operator that this build of the crate leaves out: see its features.
    Unsupported,
    /// The arena passed to `infer` is smaller than [`arena_bytes`](crate::Network::arena_bytes).
    ArenaTooSmall,
    /// The arena passed to `infer` does not start at a multiple of 4 bytes.
    ArenaMisaligned,
    /// The image has no operating point of that number.
    NoSuchPoint,
    /// The input passed to `infer` has not [`input_bytes`](crate::Network::input_bytes) bytes.
    InputLength,
    /// The logits passed to `infer` have not [`output_len`](crate::Network::output_len) elements.
    LogitsLength,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Error::Magic => "not a skimp image (wrong magic number)",
            Error::Version => "image has another format version",
            Error::Length => "image is truncated or its lengths disagree",
            Error::Checksum => "image is damaged (CRC-32 mismatch)",
            Error::Misaligned => "image is not 4-byte aligned in memory",
            Error::Description => "image description can't be decoded",
            Error::Section => "a section lies outside the image or has a wrong length",
            Error::Tensor => "a tensor lies outside the arena",
            Error::Overlap => "a layer's buffers overlap",
            Error::Geometry => "a layer's shapes do not fit together",
            Error::Table => "a weight or layer names a table row that does not exist",
            Error::Requantization => "a requantization factor or shift is out of range",
            Error::Unsupported => "the image needs an operator that this runtime was built without",
            Error::ArenaTooSmall => "the arena is too small for this image",
            Error::ArenaMisaligned => "the arena is not 4-byte aligned in memory",
            Error::NoSuchPoint => "the image has no operating point of that number",
            Error::InputLength => "the input has the wrong number of bytes",
            Error::LogitsLength => "the logits have the wrong number of elements",
        })
    }
}

impl core::error::Error for Error {}
