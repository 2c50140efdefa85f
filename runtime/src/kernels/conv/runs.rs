//! The taps of a window as runs of codes that lie side by side in the input.

use crate::image::Conv2d;

/// Some taps in a row.
pub(super) enum Run<'a> {
    /// They are in the input.
    Codes(&'a [u8]),
    /// They are padding, so many of them.
    Padding(usize),
}

/// Visits the taps of output pixel number `pixel` in their order, those of channel group `group`:
/// `run(first tap, taps)`.
// One copy for all callers: what they do with a run takes much longer than an indirect call.
pub(super) fn for_each_run<'a>(
    op: &Conv2d,
    input: &'a [u8],
    pixel: usize,
    group: usize,
    run: &mut dyn FnMut(usize, Run<'a>),
) {
    let channels = usize::from(op.input.channels);
    let group_channels = channels / usize::from(op.groups.max(1));
    let [kernel_height, kernel_width] = op.window.kernel.map(usize::from);
    let (height, width) = (usize::from(op.input.height), usize::from(op.input.width));
    let output_width = usize::from(op.output.width).max(1);
    let top = pixel / output_width * usize::from(op.window.stride[0]);
    let left = pixel % output_width * usize::from(op.window.stride[1]);
    let [above, before] = op.window.padding.map(usize::from);
    // Of a kernel row, the taps from `first` up to `end` are inside.
    let first = before.saturating_sub(left).min(kernel_width);
    let end = (width + before).saturating_sub(left).min(kernel_width).max(first);
    let row_taps = kernel_width * group_channels;
    let mut tap = 0;
    for ky in 0..kernel_height {
        // Above the image the subtraction wraps to a number no image height reaches.
        let y = (top + ky).wrapping_sub(above);
        if y >= height || first == end {
            run(tap, Run::Padding(row_taps));
            tap += row_taps;
            continue;
        }
        if first > 0 {
            run(tap, Run::Padding(first * group_channels));
        }
        let start = (y * width + left + first - before) * channels + group * group_channels;
        let inside = tap + first * group_channels;
        if group_channels == channels {
            let codes = input.get(start..start + (end - first) * channels).unwrap_or(&[]);
            run(inside, Run::Codes(codes));
        } else {
            for kx in 0..end - first {
                let start = start + kx * channels;
                let codes = input.get(start..start + group_channels).unwrap_or(&[]);
                run(inside + kx * group_channels, Run::Codes(codes));
            }
        }
        if end < kernel_width {
            run(tap + end * group_channels, Run::Padding((kernel_width - end) * group_channels));
        }
        tap += row_taps;
    }
}

/// Pixels whose taps [`for_each_quad`] visits together.
pub(super) const QUAD: usize = 4;

/// Visits the taps of four neighbouring output pixels from `pixel` on by kernel row: `row(first tap, taps of
/// each pixel)`, `None` for a row of padding. Only where no window hangs over an edge at its side; returns
/// whether that is so, and has visited nothing otherwise.
pub(super) fn for_each_quad<'a>(
    op: &Conv2d,
    input: &'a [u8],
    pixel: usize,
    row: &mut dyn FnMut(usize, Option<[&'a [u8]; QUAD]>),
) -> bool {
    let channels = usize::from(op.input.channels);
    let [kernel_height, kernel_width] = op.window.kernel.map(usize::from);
    let [stride_y, stride_x] = op.window.stride.map(usize::from);
    let [above, before] = op.window.padding.map(usize::from);
    let (height, width) = (usize::from(op.input.height), usize::from(op.input.width));
    let output_width = usize::from(op.output.width).max(1);
    let (top, first) = (pixel / output_width * stride_y, pixel % output_width);
    let left = (first * stride_x).wrapping_sub(before);
    let end = left.wrapping_add((QUAD - 1) * stride_x + kernel_width);
    // Left of the image the subtraction wraps to a number no image width reaches.
    if op.groups != 1 || first + QUAD > output_width || left > width || end > width {
        return false;
    }
    let row_taps = kernel_width * channels;
    for ky in 0..kernel_height {
        let y = (top + ky).wrapping_sub(above);
        let codes = (y < height).then(|| {
            let start = (y * width + left) * channels;
            let step = stride_x * channels;
            [0, 1, 2, 3].map(|i| input.get(start + i * step..start + i * step + row_taps).unwrap_or(&[]))
        });
        row(ky * row_taps, codes);
    }
    true
}
