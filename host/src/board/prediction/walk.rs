//! How the runtime's kernels walk through a layer's windows, without the codes: the same steps as in
//! `runtime/src/kernels/conv/runs.rs` and `for_each_tap`.

use skimp_runtime::image::{Conv2d, Tensor, Window};

/// Pixels that are gathered together where no window hangs over an edge at its side.
pub(super) const QUAD: usize = 4;

/// Some taps in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// They are in the input, from this element on.
    Codes { from: usize, taps: usize },
    /// They are padding.
    Padding(usize),
}

/// Visits the taps of output pixel number `pixel` of channel group `group`: `run(first tap, taps)`.
pub(super) fn for_each_run(op: &Conv2d, pixel: usize, group: usize, mut run: impl FnMut(usize, Run)) {
    let channels = usize::from(op.input.channels);
    let group_channels = channels / usize::from(op.groups.max(1));
    let [kernel_height, kernel_width] = op.window.kernel.map(usize::from);
    let (height, width) = (usize::from(op.input.height), usize::from(op.input.width));
    let output_width = usize::from(op.output.width).max(1);
    let top = pixel / output_width * usize::from(op.window.stride[0]);
    let left = pixel % output_width * usize::from(op.window.stride[1]);
    let [above, before] = op.window.padding.map(usize::from);
    let first = before.saturating_sub(left).min(kernel_width);
    let end = (width + before).saturating_sub(left).min(kernel_width).max(first);
    let row_taps = kernel_width * group_channels;
    for ky in 0..kernel_height {
        let tap = ky * row_taps;
        let y = (top + ky).wrapping_sub(above);
        if y >= height || first == end {
            run(tap, Run::Padding(row_taps));
            continue;
        }
        if first > 0 {
            run(tap, Run::Padding(first * group_channels));
        }
        let start = (y * width + left + first - before) * channels + group * group_channels;
        let inside = tap + first * group_channels;
        if group_channels == channels {
            run(inside, Run::Codes { from: start, taps: (end - first) * channels });
        } else {
            for kx in 0..end - first {
                let codes = Run::Codes { from: start + kx * channels, taps: group_channels };
                run(inside + kx * group_channels, codes);
            }
        }
        if end < kernel_width {
            run(tap + end * group_channels, Run::Padding((kernel_width - end) * group_channels));
        }
    }
}

/// Kernel rows inside the input and outside it, if the four pixels from `pixel` on are gathered together.
pub(super) fn quad(op: &Conv2d, pixel: usize) -> Option<[usize; 2]> {
    let [kernel_height, kernel_width] = op.window.kernel.map(usize::from);
    let [stride_y, stride_x] = op.window.stride.map(usize::from);
    let [above, before] = op.window.padding.map(usize::from);
    let (height, width) = (usize::from(op.input.height), usize::from(op.input.width));
    let output_width = usize::from(op.output.width).max(1);
    let (top, first) = (pixel / output_width * stride_y, pixel % output_width);
    let left = (first * stride_x).checked_sub(before)?;
    let end = left + (QUAD - 1) * stride_x + kernel_width;
    if op.groups != 1 || first + QUAD > output_width || end > width {
        return None;
    }
    let inside = (0..kernel_height).filter(|ky| (top + ky).wrapping_sub(above) < height).count();
    Some([inside, kernel_height - inside])
}

/// Taps of all windows of a pool, for one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taps {
    /// In the input.
    pub inside: u64,
    /// Over its edge.
    pub outside: u64,
}

impl Taps {
    /// Those of a window that slides over `input` and makes `output`.
    pub fn new(input: &Tensor, output: &Tensor, window: &Window) -> Taps {
        let along = |axis: usize, outputs: u16, size: u16| {
            let [stride, padding] = [window.stride[axis], window.padding[axis]].map(u64::from);
            let (kernel, size) = (u64::from(window.kernel[axis]), u64::from(size));
            let one = |at: u64| {
                let first = padding.saturating_sub(at * stride).min(kernel);
                (size + padding).saturating_sub(at * stride).min(kernel).saturating_sub(first)
            };
            let inside: u64 = (0..u64::from(outputs)).map(one).sum();
            (inside, kernel * u64::from(outputs))
        };
        let (rows, all_rows) = along(0, output.height, input.height);
        let (columns, all_columns) = along(1, output.width, input.width);
        let inside = rows.saturating_mul(columns);
        Taps { inside, outside: all_rows.saturating_mul(all_columns).saturating_sub(inside) }
    }
}
