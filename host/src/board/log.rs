//! What the firmware logs.

use crate::process::Tail;
use defmt_decoder::{DecodeError, Table};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

/// A line that the firmware has logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `trace`, `debug`, `info`, `warn` or `error`; empty if it has none.
    pub level: &'static str,
    /// The text.
    pub message: String,
}

/// Last lines, shared between the thread that reads them and whoever explains a failure.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedTail(Arc<Mutex<Tail>>);

impl SharedTail {
    pub(super) fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).text()
    }
}

/// Decodes defmt frames from `source` until it ends, by the format strings in `table`.
pub(super) fn decode(mut source: impl Read, table: &Table, mut each: impl FnMut(LogLine)) {
    let mut decoder = table.new_stream_decoder();
    let mut buffer = [0; 1024];
    loop {
        match source.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(bytes) => decoder.received(&buffer[..bytes]),
        }
        loop {
            match decoder.decode() {
                Ok(frame) => each(LogLine {
                    level: frame.level().map_or("", |level| level.as_str()),
                    message: frame.display_message().to_string(),
                }),
                Err(DecodeError::UnexpectedEof) => break,
                // Something else wrote between the frames: the encoding finds its place again.
                Err(DecodeError::Malformed) if table.encoding().can_recover() => {}
                Err(DecodeError::Malformed) => return,
            }
        }
    }
}
