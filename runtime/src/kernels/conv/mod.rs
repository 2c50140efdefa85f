//! Convolutions: blocks of pixels are gathered into columns, multiplied with one or two output channels at a
//! time, and requantized. The kernels differ in how they multiply.
//!
//! Sums wrap: the host refuses networks whose sums could, but an image from elsewhere must not be able to
//! panic.

mod by_activation;
mod depthwise;
mod finish;
mod product;
mod runs;
mod table;

pub(crate) use by_activation::{CHANNELS as ACTIVATION_CHANNELS, table_by_activation};
pub(crate) use depthwise::{depthwise_product, depthwise_table};
pub(crate) use finish::Requantization;
pub(crate) use product::{Column, Factor, product};
pub(crate) use table::table;

use super::inner;
use crate::image::{Conv2d, Kernel, Operand};

/// Pixels of a block of the table kernel; the column of a tap has a byte for each.
const TABLE_PIXELS: usize = 8;
/// Pixels of a block of the product kernel; the column of a tap has two bytes for each.
const PRODUCT_PIXELS: usize = 4;
/// Bytes of a tap's column.
const COLUMN_BYTES: usize = 8;
/// Taps whose columns the product kernel keeps together.
pub(crate) const TAP_GROUP: usize = 4;

impl Conv2d {
    /// Taps of one window in one group: K.
    pub(crate) fn taps(&self) -> Option<usize> {
        let [height, width] = self.window.kernel.map(usize::from);
        let group_channels = usize::from(self.input.channels).checked_div(self.groups.into())?;
        height.checked_mul(width)?.checked_mul(group_channels)
    }

    /// Bytes of scratch memory that the kernel works with; `None` if they exceed the address space.
    pub fn scratch_bytes(&self) -> Option<usize> {
        let taps = self.taps()?;
        match self.kernel {
            Kernel::Table { .. } => taps.checked_mul(COLUMN_BYTES),
            Kernel::TableByActivation { .. } => Some(taps),
            Kernel::Product { operand, .. } => {
                let tap_bytes = COLUMN_BYTES + usize::from(self.is_staged(operand));
                taps.checked_next_multiple_of(TAP_GROUP).and_then(|taps| taps.checked_mul(tap_bytes))
            }
            // Where each tap is, each channel's sum, and a pixel of padding.
            Kernel::DepthwiseTable { .. } | Kernel::DepthwiseProduct { .. } => {
                let channels = usize::from(self.output.channels);
                taps.checked_add(channels)?.checked_add(channels.div_ceil(4))?.checked_mul(4)
            }
        }
    }

    /// Number of weights that the kernel reads.
    pub(crate) fn stored_weights(&self) -> Option<usize> {
        let taps = self.taps()?;
        let outputs = usize::from(self.output.channels);
        match self.kernel {
            Kernel::Product { .. } => {
                let groups = usize::from(self.groups);
                let pairs = outputs.checked_div(groups)?.div_ceil(2);
                let taps = taps.checked_next_multiple_of(TAP_GROUP)?;
                groups.checked_mul(pairs)?.checked_mul(taps)?.checked_mul(2)
            }
            Kernel::Table { .. } => taps.checked_mul(outputs),
            Kernel::TableByActivation { .. } => {
                taps.checked_mul(outputs.checked_next_multiple_of(ACTIVATION_CHANNELS)?)
            }
            Kernel::DepthwiseTable { .. } | Kernel::DepthwiseProduct { .. } => {
                taps.checked_mul(outputs.checked_next_multiple_of(inner::CHANNELS)?)
            }
        }
    }

    /// Whether the product kernel first puts a pixel's taps together byte by byte: those that come in groups of
    /// four and keep their bits go to the columns at once.
    pub(crate) fn is_staged(&self, operand: Operand) -> bool {
        let group_channels = usize::from(self.input.channels) / usize::from(self.groups.max(1));
        !group_channels.is_multiple_of(TAP_GROUP) || matches!(operand, Operand::Mapped(_))
    }

    fn pixels(&self) -> usize {
        usize::from(self.output.height) * usize::from(self.output.width)
    }

    /// Output channels of a group.
    fn group_outputs(&self) -> usize {
        usize::from(self.output.channels) / usize::from(self.groups.max(1))
    }
}
