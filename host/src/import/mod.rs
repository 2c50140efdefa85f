//! Reading trained models into the float [`Network`].
//!
//! ONNX models from the usual exporters come in through [`onnx()`], TensorFlow Lite models, in floats or 8 bits,
//! through [`tflite()`]; which operators they may use is listed in [`onnx::SUPPORTED`] and [`tflite::SUPPORTED`].
//! Files are not trusted: any bytes give a network or an error that names the file and, where there is one, the
//! node.

pub mod onnx;
pub mod tflite;

pub use onnx::onnx;
pub use tflite::tflite;

use crate::error::{Error, Result};
use crate::file;
use crate::network::Network;
use std::path::Path;

/// Reads a model in the format its extension says.
///
/// # Errors
/// [`Error::File`] for an extension that is no supported format, and whatever the format's reader finds.
pub fn open(path: &Path) -> Result<Network> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if extension.eq_ignore_ascii_case("onnx") => onnx(path),
        Some(extension) if extension.eq_ignore_ascii_case("tflite") => tflite(path),
        _ => Err(Error::file(path, "not a model format skimp reads; give an .onnx or .tflite file")),
    }
}

/// Largest file that is read. Models for microcontrollers have a few megabytes at most.
const MAX_BYTES: u64 = 256 << 20;

/// The bytes of the model at `path`.
fn read(path: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size > MAX_BYTES {
        return Err(Error::file(path, format!("has {size} bytes; models of up to {MAX_BYTES} are read")));
    }
    file::read(path)
}

/// The name of the network at `path`: that of the file without extension. What is made of the network must not depend
/// on where it lay.
fn network_name(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_formats_it_reads() {
        let message = open(Path::new("model.pt")).unwrap_err().to_string();
        assert_eq!(message, "model.pt: not a model format skimp reads; give an .onnx or .tflite file");
        assert!(open(Path::new("/nowhere/model.ONNX")).unwrap_err().to_string().starts_with("/nowhere/"));
    }
}
