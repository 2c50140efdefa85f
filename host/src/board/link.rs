//! The line to a board.

use std::io;
use std::time::Instant;

/// A line that carries bytes to a board and back.
pub trait Link {
    /// Sends all of `bytes`.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits for bytes until `deadline` and stores those that have come. Returns how many, at least one;
    /// an error of kind [`io::ErrorKind::TimedOut`] if none came, of kind
    /// [`io::ErrorKind::UnexpectedEof`] if none ever will.
    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize>;

    /// What can be told of the other end when it fails to answer, for the error message.
    fn post_mortem(&mut self) -> String {
        String::new()
    }

    /// Whether an emulator is at the other end, so that its time is counted in instructions.
    fn is_emulated(&self) -> bool {
        false
    }
}
