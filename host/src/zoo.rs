//! The networks and data sets that come with skimp, by name.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// A network of the zoo.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Its file in the models folder.
    pub file: &'static str,
    /// The data set it was trained on.
    pub data: &'static str,
}

/// All networks of the zoo. Their cards lie beside their files.
pub const NETWORKS: [Entry; 3] = [
    Entry { name: "fashion-cnn", file: "fashion-cnn.onnx", data: "fashion-mnist" },
    Entry { name: "digits-cnn", file: "digits-cnn.onnx", data: "digits" },
    Entry { name: "resnet8", file: "resnet8.onnx", data: "cifar10" },
];

/// The models folder: `SKIMP_MODELS`, or the one of the source tree this was built from.
pub fn models_folder() -> PathBuf {
    match std::env::var_os("SKIMP_MODELS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../models"),
    }
}

/// The file a MODEL argument means, and the data set of the zoo that belongs to it, if any.
pub fn resolve(model: &str) -> Result<(PathBuf, Option<&'static str>)> {
    if let Some(entry) = NETWORKS.iter().find(|entry| entry.name == model) {
        return Ok((models_folder().join(entry.file), Some(entry.data)));
    }
    let path = PathBuf::from(model);
    if path.extension().is_none() && !path.exists() {
        let names: Vec<&str> = NETWORKS.iter().map(|entry| entry.name).collect();
        return Err(Error::Argument(format!(
            "\"{model}\" is neither a file nor a network of the zoo ({})",
            names.join(", ")
        )));
    }
    Ok((path, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_files_are_told_apart() {
        let (path, data) = resolve("resnet8").unwrap();
        assert!(path.ends_with("resnet8.onnx"));
        assert_eq!(data, Some("cifar10"));
        assert_eq!(resolve("some/net.onnx").unwrap(), ("some/net.onnx".into(), None));
        assert!(resolve("resnet9").unwrap_err().to_string().contains("fashion-cnn, digits-cnn, resnet8"));
    }
}
