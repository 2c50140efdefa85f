//! The first convolutions of a compensated network, with the images run that far.

use super::live_tensors::LiveTensors;
use crate::emulate::ApproximateConv;
use std::sync::Arc;

/// A network up to one of its convolutions and the layers without multiplications behind it, under the
/// beginning of an assignment: the convolutions so far, fitted, and of the calibration images and the scored
/// images those tensors that later layers read.
///
/// [`Compensator::start`](super::Compensator::start) makes the first one,
/// [`Compensator::extend`](super::Compensator::extend) makes longer ones of it. What a prefix and its
/// extension have in common they share.
#[derive(Clone)]
pub struct Prefix {
    pub(super) convs: Vec<Arc<ApproximateConv>>,
    /// Layers of the network that were run.
    pub(super) layers: usize,
    /// Whether every multiplier so far is the exact one.
    pub(super) all_exact: bool,
    pub(super) calibration: LiveTensors,
    pub(super) scored: LiveTensors,
    /// Of the scored images, once the layer that writes logits was run.
    pub(super) logits: Option<Vec<i32>>,
}

/// A piece of memory that several prefixes may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocation {
    /// Where it is, which tells it from any other as long as it is held.
    pub address: usize,
    /// How large it is.
    pub bytes: usize,
}

impl Prefix {
    /// The convolutions.
    pub(super) fn into_convs(self) -> Vec<ApproximateConv> {
        self.convs.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// What the prefix may share with others: its tensors and its convolutions. Product tables are not
    /// among them, the [`ProductCache`](crate::multiplier::ProductCache) keeps those in any case.
    pub fn shared(&self) -> Vec<Allocation> {
        let tensors = self.calibration.iter().chain(self.scored.iter());
        let tensors = tensors.map(|codes| allocation(codes, codes.capacity()));
        let convs = self.convs.iter().map(|conv| allocation(conv, heap_bytes(conv)));
        tensors.chain(convs).collect()
    }

    /// Bytes that are the prefix's own, whatever it shares.
    pub fn own_bytes(&self) -> usize {
        let pointers = self.convs.len() + 2 * (self.calibration.iter().count() + self.scored.iter().count());
        let logits = self.logits.as_ref().map_or(0, |logits| size_of_val(logits.as_slice()));
        size_of::<Prefix>() + pointers * size_of::<usize>() + logits
    }
}

/// A shared value that owns `heap_bytes` beside its own.
fn allocation<T>(shared: &Arc<T>, heap_bytes: usize) -> Allocation {
    let counts_bytes = 2 * size_of::<usize>();
    Allocation {
        address: Arc::as_ptr(shared).addr(),
        bytes: counts_bytes + size_of_val(&**shared) + heap_bytes,
    }
}

fn heap_bytes(conv: &ApproximateConv) -> usize {
    size_of_val(conv.weights.as_slice())
        + size_of_val(conv.bias.as_slice())
        + size_of_val(conv.operand_sum.as_slice())
        + size_of_val(conv.requantization.as_slice())
}
