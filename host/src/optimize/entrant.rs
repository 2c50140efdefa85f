//! What takes part in an optimization: a network under one scheme, with the multipliers for it.

use super::checkpoint::CheckpointFile;
use crate::multiplier::{Library, ProductCache, Scheme};
use crate::prepare::Prepared;

/// A network under one scheme and the multipliers to choose from.
pub struct Entrant<'a> {
    /// The network and its images.
    pub prepared: &'a Prepared,
    /// The library, under the network's scheme.
    pub products: &'a ProductCache<'a>,
    /// Where the search is saved, if it is.
    pub checkpoint: Option<CheckpointFile>,
}

impl Entrant<'_> {
    /// How products are formed.
    pub fn scheme(&self) -> Scheme {
        self.prepared.quantized.scheme
    }

    /// The multipliers to choose from.
    pub fn library(&self) -> &Library {
        self.products.library()
    }
}
