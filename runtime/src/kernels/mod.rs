//! The operators, each the plain loop of its formula in [`crate::arithmetic`].
//!
//! Every kernel takes its record and slices that [`Network::load`](crate::Network::load) or the host has
//! checked; should they not fit all the same, results are wrong but nothing panics or leaves its slice.
//! The host's emulator calls the same functions, except for convolutions, which it runs in its own way
//! and compares. Convolutions have a kernel for each way to multiply; their innermost loops are the crate's
//! only unsafe code.

mod add;
pub(crate) mod conv;
pub(crate) mod inner;
mod movement;
mod pool;
mod rows;

pub use add::{add, add_onto, add_to_itself};
pub(crate) use inner::{DepthwiseWeights, NamedRows, ProductWeights};
pub use movement::{pad, slice};
pub use pool::{average_pool, max_pool};
pub use rows::{Rows, SlopedRow};

use crate::image::{Tensor, Window};

/// Visits the taps of the window at output position (`row`, `column`): calls `tap(kernel position, input
/// pixel)` with the input pixel's index, or `None` where the window hangs over the edge.
#[inline]
fn for_each_tap(
    input: &Tensor,
    window: &Window,
    row: usize,
    column: usize,
    mut tap: impl FnMut(usize, Option<usize>),
) {
    let (height, width) = (usize::from(input.height), usize::from(input.width));
    let [kernel_height, kernel_width] = window.kernel.map(usize::from);
    let [stride_y, stride_x] = window.stride.map(usize::from);
    let [top, left] = window.padding.map(usize::from);
    for ky in 0..kernel_height {
        // Below the padding the subtraction wraps to a number no image height reaches.
        let y = (row * stride_y + ky).wrapping_sub(top);
        for kx in 0..kernel_width {
            let x = (column * stride_x + kx).wrapping_sub(left);
            let inside = y < height && x < width;
            tap(ky * kernel_width + kx, inside.then(|| y * width + x));
        }
    }
}
