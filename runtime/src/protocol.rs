//! The conversation between a host and a board that runs this crate.
//!
//! The host asks, the board answers, one request at a time. Both sides use [`encode`] and [`Decoder`];
//! nothing here allocates, and every message has a bounded size, so that a board with 16 KiB of RAM can
//! speak it.
//!
//! # Wire format, version 1
//!
//! ```text
//! frame = COBS(body) 0x00                  at most 512 bytes, the closing 0x00 included
//! body  = sequence message crc             at most 508 bytes
//! ```
//!
//! - `sequence`: one byte. A reply carries the number of the request it answers, so that a late reply is
//!   not taken for a fresh one. Requests are numbered 1 to 255; 0 is left for a board's
//!   [`Failure::BadFrame`], whose request it could not read.
//! - `message`: a [`Request`] or a [`Reply`] in [postcard's wire format](https://postcard.jamesmunns.com/):
//!   a variant number, then the fields in order; integers wider than a byte are varints.
//! - `crc`: four bytes, little endian, CRC-32/ISO-HDLC (zlib's) over `sequence message`.
//! - [COBS](https://doi.org/10.1109/90.769765) leaves no 0x00 inside a frame. A receiver that has lost
//!   its place drops everything up to the next 0x00. Empty frames mean nothing and are skipped: a sender
//!   that does not know the line's state starts with a 0x00.
//!
//! [`Request::Hello`] and its answer stay as they are in every version, so that a host can tell what it
//! talks to. Within a version messages may be added, at the end, and none is changed.

use cobs::{DecodeResult, DecoderState};
use crc::{CRC_32_ISO_HDLC, Crc};
use heapless::{String, Vec};
use serde::{Deserialize, Serialize};

/// The version of the protocol written down here.
pub const VERSION: u16 = 1;
/// The longest frame on the wire, its closing zero included.
pub const MAX_FRAME_BYTES: usize = 512;
/// The most input bytes in one [`Request::Input`].
pub const MAX_INPUT_CHUNK_BYTES: usize = 256;
/// The most numbers in one [`Reply::Logits`] or [`Reply::LayerTicks`].
pub const MAX_VALUES: usize = 64;

const CRC_BYTES: usize = 4;
const MAX_BODY_BYTES: usize = 508;
const _: () = assert!(cobs::max_encoding_length(MAX_BODY_BYTES) < MAX_FRAME_BYTES);

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What the host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Who is there? Answered by [`Reply::Hello`].
    Hello,
    /// Read the image in flash. Answered by [`Reply::Loaded`]; may be asked again at any time.
    Load,
    /// The CRC-32/ISO-HDLC of the first bytes of the image's flash region, which tells the host whether
    /// the image it has in hand is the one on the board. Answered by [`Reply::ImageCrc`].
    ImageCrc {
        /// How many bytes to take.
        length_bytes: u32,
    },
    /// Store a part of the network's input. Answered by [`Reply::Stored`].
    Input {
        /// Where the part begins in the input.
        offset_bytes: u32,
        /// The part, at most [`MAX_INPUT_CHUNK_BYTES`].
        #[serde(borrow)]
        bytes: &'a [u8],
    },
    /// Run the network on the input stored. Answered by [`Reply::Inferred`].
    Infer,
    /// The last inference's logits from number `offset` on. Answered by [`Reply::Logits`].
    Logits {
        /// The number of the first logit wanted.
        offset: u32,
    },
    /// The last inference's counts by layer from number `offset` on. Answered by [`Reply::LayerTicks`].
    LayerTicks {
        /// The number of the first layer wanted.
        offset: u32,
    },
    /// Go to an operating point of the network loaded; the input stays. Answered by [`Reply::Loaded`] with what
    /// holds at that point.
    Select {
        /// The number of the point; [`Request::Load`] begins with 0.
        point: u16,
    },
}

/// What the board answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reply {
    /// The board introduces itself.
    Hello(DeviceInfo),
    /// The image is a network that fits the board, at its operating point.
    Loaded(NetworkInfo),
    /// The CRC-32 asked for.
    ImageCrc(u32),
    /// The part of the input is in place.
    Stored,
    /// The network has run.
    Inferred {
        /// Ticks of the board's counter from the first layer's start to the last one's end.
        ticks: u64,
    },
    /// At most [`MAX_VALUES`] logits; fewer at the end.
    Logits(Vec<i32, MAX_VALUES>),
    /// Ticks of at most [`MAX_VALUES`] layers; fewer at the end.
    LayerTicks(Vec<u32, MAX_VALUES>),
    /// The request was not carried out.
    Failed(Failure),
}

/// A board and what it can measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// The board's [`VERSION`].
    pub version: u16,
    /// The board's name, as the host's table of boards spells it.
    pub board: String<32>,
    /// What a tick is.
    pub counter: Counter,
    /// Ticks a second.
    pub counter_hz: u32,
    /// Bytes of RAM for a network's arena, its input, its logits (4 bytes each) and its layers' tick
    /// counts (4 bytes each) together.
    pub memory_bytes: u32,
    /// Bytes of flash for the image.
    pub image_capacity_bytes: u32,
}

/// What a board counts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Counter {
    /// The core's 24-bit system timer.
    SysTick,
    /// The core's cycle counter, `DWT_CYCCNT`, or what counts the same: ticks are processor cycles.
    Cycles,
    /// A timer of the microcontroller, 32 bits wide.
    Timer,
}

/// A network as the board has loaded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInfo {
    /// Bytes of one input.
    pub input_bytes: u32,
    /// Logits of one output.
    pub output_len: u32,
    /// Layers, each with a tick count.
    pub layer_count: u32,
    /// Bytes of the arena.
    pub arena_bytes: u32,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Failure {
    /// A frame was damaged on its way.
    BadFrame,
    /// A frame arrived whole but holds no request that this board knows.
    UnknownRequest,
    /// The bytes in the image's flash region are not an image this board can run.
    BadImage(Fault),
    /// The network needs more RAM than there is.
    OutOfMemory {
        /// Bytes needed, counted as in [`DeviceInfo::memory_bytes`].
        needed_bytes: u32,
    },
    /// No image has been loaded, or none with success.
    NotLoaded,
    /// An offset or length reaches beyond what there is.
    OutOfRange,
    /// No input has been stored since the image was loaded.
    NoInput,
    /// There is no result: nothing has been inferred since the image was loaded, an operating point selected or
    /// an input stored.
    NoResult,
    /// The network did not run.
    Inference(Fault),
}

/// An error of this crate as it crosses the wire: by name, so that a host of another version can show it.
pub type Fault = String<32>;

/// Names an error for the wire: what its `Debug` prints, cut to the first 32 bytes.
pub fn fault(error: impl core::fmt::Debug) -> Fault {
    /// Keeps what fits and drops the rest.
    struct Cut(Fault);
    impl core::fmt::Write for Cut {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            for character in text.chars() {
                self.0.push(character).map_err(|_| core::fmt::Error)?;
            }
            Ok(())
        }
    }
    let mut name = Cut(Fault::new());
    // An error here only says that the name was cut.
    let _ = core::fmt::write(&mut name, format_args!("{error:?}"));
    name.0
}

/// A message does not fit a frame. Only a [`Request::Input`] with too many bytes can be that long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Writes `message` as a frame into `frame` and returns the part used, the closing zero included.
pub fn encode<'a>(
    sequence: u8,
    message: &impl Serialize,
    frame: &'a mut [u8; MAX_FRAME_BYTES],
) -> Result<&'a [u8], TooLong> {
    let mut body = [0; MAX_BODY_BYTES];
    body[0] = sequence;
    let message_room = &mut body[1..MAX_BODY_BYTES - CRC_BYTES];
    let message_bytes = postcard::to_slice(message, message_room).map_err(|_| TooLong)?.len();
    let (covered, rest) = body.split_at_mut(1 + message_bytes);
    rest[..CRC_BYTES].copy_from_slice(&CRC.checksum(covered).to_le_bytes());
    let body_bytes = covered.len() + CRC_BYTES;

    let encoded_bytes = cobs::try_encode(&body[..body_bytes], frame).map_err(|_| TooLong)?;
    *frame.get_mut(encoded_bytes).ok_or(TooLong)? = 0;
    Ok(&frame[..=encoded_bytes])
}

/// A frame that arrived damaged: its COBS coding is broken, its CRC differs, or it is too long or short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrame;

/// The content of a frame that arrived whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The number that ties a reply to its request.
    pub sequence: u8,
    message: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The message, a [`Request`] or a [`Reply`]; `None` if it is not one that this version knows.
    pub fn message<T: Deserialize<'a>>(&self) -> Option<T> {
        match postcard::take_from_bytes(self.message) {
            Ok((message, [])) => Some(message),
            _ => None,
        }
    }
}

/// Finds frames in a stream of bytes, whatever the bytes are.
#[derive(Debug)]
pub struct Decoder {
    body: [u8; MAX_BODY_BYTES],
    body_bytes: usize,
    state: DecoderState,
    overlong: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the start of a frame.
    pub const fn new() -> Self {
        Self { body: [0; MAX_BODY_BYTES], body_bytes: 0, state: DecoderState::Idle, overlong: false }
    }

    /// Takes the next byte. Returns a frame at its closing zero, or [`BadFrame`] there if it is damaged,
    /// and is then ready for the next one.
    pub fn push(&mut self, byte: u8) -> Option<Result<Frame<'_>, BadFrame>> {
        let fed = self.state.feed(byte);
        if let Ok(DecodeResult::DataContinue(data)) = fed {
            match self.body.get_mut(self.body_bytes) {
                Some(place) => {
                    *place = data;
                    self.body_bytes += 1;
                }
                None => self.overlong = true,
            }
        }
        if byte != 0 {
            return None;
        }
        // A zero always ends a frame; between frames it means nothing.
        let body_bytes = core::mem::take(&mut self.body_bytes);
        let overlong = core::mem::take(&mut self.overlong);
        match fed {
            Ok(DecodeResult::NoData) => None,
            Ok(DecodeResult::DataComplete) if !overlong => Some(check(&self.body[..body_bytes])),
            _ => Some(Err(BadFrame)),
        }
    }
}

/// Takes a body apart if its CRC agrees.
fn check(body: &[u8]) -> Result<Frame<'_>, BadFrame> {
    let (covered, crc) = body.split_last_chunk::<CRC_BYTES>().ok_or(BadFrame)?;
    let (&sequence, message) = covered.split_first().ok_or(BadFrame)?;
    if CRC.checksum(covered) != u32::from_le_bytes(*crc) {
        return Err(BadFrame);
    }
    Ok(Frame { sequence, message })
}

/// The CRC-32/ISO-HDLC of `bytes`, as [`Reply::ImageCrc`] reports it.
pub fn crc32(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

#[cfg(test)]
mod tests;
