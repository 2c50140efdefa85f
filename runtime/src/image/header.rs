//! The fixed first bytes of an image.

use crate::Error;
use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// First four bytes of every image.
pub const MAGIC: [u8; 4] = *b"SKMP";
/// The format version this crate reads and describes.
pub const VERSION: u16 = 2;
/// Length of the header.
pub const HEADER_BYTES: usize = 20;
/// Alignment of the image and of every section in it.
pub const ALIGNMENT_BYTES: usize = 4;

const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// The header's variable fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Length of the whole image.
    pub total_bytes: u32,
    /// CRC-32 over everything but itself.
    pub checksum: u32,
    /// Length of the description, which follows the header.
    pub description_bytes: u32,
}

impl Header {
    /// The header as stored.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.total_bytes.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.description_bytes.to_le_bytes());
        bytes
    }

    /// Reads the header and cuts `flash` to the image; checks magic, version, lengths and checksum.
    pub fn read(flash: &[u8]) -> Result<(Header, &[u8]), Error> {
        let header = flash.first_chunk::<HEADER_BYTES>();
        let Some(header) = header else {
            let start = flash.get(..4).unwrap_or(flash);
            return Err(if MAGIC.starts_with(start) { Error::Length } else { Error::Magic });
        };
        let [m0, m1, m2, m3, v0, v1, r0, r1, t0, t1, t2, t3, c0, c1, c2, c3, d0, d1, d2, d3] = *header;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(Error::Magic);
        }
        if u16::from_le_bytes([v0, v1]) != VERSION || [r0, r1] != [0, 0] {
            return Err(Error::Version);
        }
        let header = Header {
            total_bytes: u32::from_le_bytes([t0, t1, t2, t3]),
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
            description_bytes: u32::from_le_bytes([d0, d1, d2, d3]),
        };
        let total = header.total_bytes as usize;
        if !total.is_multiple_of(ALIGNMENT_BYTES) {
            return Err(Error::Length);
        }
        let image = flash.get(..total).ok_or(Error::Length)?;
        let room = total.checked_sub(HEADER_BYTES).ok_or(Error::Length)?;
        if header.description_bytes as usize > room {
            return Err(Error::Length);
        }
        if checksum(image) != header.checksum {
            return Err(Error::Checksum);
        }
        Ok((header, image))
    }
}

/// CRC-32 of an image: all its bytes but those of the checksum itself.
pub fn checksum(image: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(image.get(..12).unwrap_or(image));
    digest.update(image.get(16..).unwrap_or(&[]));
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_image() -> [u8; 24] {
        let mut image = [0; 24];
        let header = Header { total_bytes: 24, checksum: 0, description_bytes: 3 };
        image[..20].copy_from_slice(&header.encode());
        let sum = checksum(&image);
        image[12..16].copy_from_slice(&sum.to_le_bytes());
        image
    }

    #[test]
    fn reads_what_it_wrote_and_ignores_what_follows() {
        let mut flash = [0xff; 40];
        flash[..24].copy_from_slice(&empty_image());
        let (header, image) = Header::read(&flash).unwrap();
        assert_eq!(header.description_bytes, 3);
        assert_eq!(image.len(), 24);
    }

    #[test]
    fn each_defect_has_its_error() {
        let image = empty_image();
        let broken = |at: usize, value: u8| {
            let mut copy = image;
            copy[at] = value;
            Header::read(&copy).unwrap_err()
        };
        assert_eq!(broken(0, b'X'), Error::Magic);
        assert_eq!(broken(4, 9), Error::Version);
        assert_eq!(broken(8, 28), Error::Length);
        assert_eq!(broken(8, 23), Error::Length);
        assert_eq!(broken(16, 200), Error::Length);
        assert_eq!(broken(22, 1), Error::Checksum);
        assert_eq!(Header::read(&image[..23]).unwrap_err(), Error::Length);
        assert_eq!(Header::read(&image[..3]).unwrap_err(), Error::Length);
        assert_eq!(Header::read(b"hello").unwrap_err(), Error::Magic);
    }

    #[test]
    fn the_checksum_is_the_usual_crc_32() {
        assert_eq!(CRC.checksum(b"123456789"), 0xcbf4_3926);
    }
}
