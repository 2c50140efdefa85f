//! The image's section area.

use skimp_runtime::image::{ALIGNMENT_BYTES, Section};
use std::collections::HashMap;

/// Byte sections one after another, each aligned; equal content is stored once.
#[derive(Default)]
pub(super) struct Sections {
    bytes: Vec<u8>,
    stored: HashMap<Vec<u8>, Section>,
}

impl Sections {
    /// Stores `content`, or finds it. Sizes are checked against 32 bits when the image is finished.
    pub fn add(&mut self, content: Vec<u8>) -> Section {
        if let Some(&section) = self.stored.get(&content) {
            return section;
        }
        let section = Section { offset: self.bytes.len() as u32, bytes: content.len() as u32 };
        self.bytes.extend(&content);
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT_BYTES), 0);
        self.stored.insert(content, section);
        section
    }

    /// Stores i32 values.
    pub fn add_i32(&mut self, values: &[i32]) -> Section {
        self.add(values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// The whole area.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
