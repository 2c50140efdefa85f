//! Which layers this build of the crate can run: its features are the operators that are compiled in.

use super::{Kernel, Op};

impl Op {
    /// Whether the operator is compiled in. [`Network::load`](crate::Network::load) refuses images with others.
    #[inline]
    pub const fn is_supported(&self) -> bool {
        match self {
            Op::Conv2d(op) => op.kernel.is_supported(),
            Op::Add(_) => cfg!(feature = "add"),
            Op::MaxPool(_) => cfg!(feature = "max-pool"),
            Op::AveragePool(_) => cfg!(feature = "average-pool"),
            Op::Slice(_) | Op::Pad(_) => cfg!(feature = "movement"),
            Op::CopyTable(_) => cfg!(feature = "table"),
        }
    }
}

impl Kernel {
    /// Whether the kernel is compiled in.
    #[inline]
    pub const fn is_supported(&self) -> bool {
        match self {
            Kernel::Table { .. } | Kernel::TableByActivation { .. } => cfg!(feature = "table"),
            Kernel::Product { .. } => cfg!(feature = "product"),
            Kernel::DepthwiseTable { .. } => cfg!(all(feature = "table", feature = "depthwise")),
            Kernel::DepthwiseProduct { .. } => cfg!(all(feature = "product", feature = "depthwise")),
        }
    }
}
