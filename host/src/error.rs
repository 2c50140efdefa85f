//! What can go wrong on the host, always naming the thing at fault and, where there is one, the way out.

use std::path::{Path, PathBuf};

/// A result of a host operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure a user can act on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file was read but its content is not usable.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// A model's node that skimp can't import or lower.
    #[error("{model}: node \"{node}\" ({operator}): {reason}")]
    Node {
        /// The model's file or name.
        model: String,
        /// The node's name, or its output's where it has none.
        node: String,
        /// The operator as the model spells it.
        operator: String,
        /// What is not supported, and what is.
        reason: String,
    },
    /// An argument, option or combination of them that can't be used.
    #[error("{0}")]
    Argument(String),
    /// A network and its data, multipliers or image do not fit together.
    #[error("{0}")]
    Mismatch(String),
    /// An external program is missing, failed or did not answer.
    #[error("{tool}: {reason}")]
    Tool {
        /// The program or device.
        tool: String,
        /// What happened and what to do.
        reason: String,
    },
}

impl Error {
    /// An [`Error::Io`] at `path`, for `map_err`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_owned();
        move |source| Error::Io { path, source }
    }

    /// An [`Error::File`] at `path`.
    pub fn file(path: impl AsRef<Path>, reason: impl Into<String>) -> Error {
        Error::File { path: path.as_ref().to_owned(), reason: reason.into() }
    }

    /// An [`Error::Tool`] for `tool`.
    pub fn tool(tool: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Tool { tool: tool.into(), reason: reason.into() }
    }
}
