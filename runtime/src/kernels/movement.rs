//! Operators that move codes without changing them.

use crate::image::{Pad, Slice};

/// Copies every `step`-th element from `start` on.
pub fn slice(op: &Slice, input: &[u8], output: &mut [u8]) {
    let [start_y, start_x, start_c] = op.start.map(usize::from);
    let [step_y, step_x, step_c] = op.step.map(usize::from);
    let (in_width, in_channels) = (usize::from(op.input.width), usize::from(op.input.channels));
    let (width, channels) = (usize::from(op.output.width).max(1), usize::from(op.output.channels).max(1));
    for (pixel, out) in output.chunks_exact_mut(channels).enumerate() {
        let y = start_y + pixel / width * step_y;
        let x = start_x + pixel % width * step_x;
        for (c, out) in out.iter_mut().enumerate() {
            let element = (y * in_width + x) * in_channels + start_c + c * step_c;
            *out = input.get(element).copied().unwrap_or(0);
        }
    }
}

/// Copies the input into the middle of zeros.
pub fn pad(op: &Pad, input: &[u8], output: &mut [u8]) {
    let [top, left, first] = op.before.map(usize::from);
    let (in_width, in_channels) = (usize::from(op.input.width).max(1), usize::from(op.input.channels).max(1));
    let (width, channels) = (usize::from(op.output.width), usize::from(op.output.channels));
    output.fill(op.zero_point);
    for (pixel, codes) in input.chunks_exact(in_channels).enumerate() {
        let (y, x) = (top + pixel / in_width, left + pixel % in_width);
        let start = (y * width + x) * channels + first;
        if let Some(out) = output.get_mut(start..start + codes.len()) {
            out.copy_from_slice(codes);
        }
    }
}
