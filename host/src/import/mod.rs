//! Reading trained models into the float [`Network`].
//!
//! ONNX models from the usual exporters come in through [`onnx()`]; which operators they may use is listed
//! in [`onnx::SUPPORTED`]. Files are not trusted: any bytes give a network or an error that names the file
//! and, where there is one, the node.

pub mod onnx;

pub use onnx::onnx;

use crate::error::{Error, Result};
use crate::network::Network;
use std::path::Path;

/// Reads a model in the format its extension says.
///
/// # Errors
/// [`Error::File`] for an extension that is no supported format, and whatever the format's reader finds.
pub fn open(path: &Path) -> Result<Network> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if extension.eq_ignore_ascii_case("onnx") => onnx(path),
        _ => Err(Error::file(path, "not a model format skimp reads; give an .onnx file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_formats_it_reads() {
        let message = open(Path::new("model.pt")).unwrap_err().to_string();
        assert_eq!(message, "model.pt: not a model format skimp reads; give an .onnx file");
        assert!(open(Path::new("/nowhere/model.ONNX")).unwrap_err().to_string().starts_with("/nowhere/"));
    }
}
