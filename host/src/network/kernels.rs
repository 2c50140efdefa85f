//! Float kernels over one image, height x width x channels.
//!
//! All of them trust [`Network::check`](super::Network::check) for shapes.

use super::{Activation, Conv2d, Shape, Window};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};

/// Patches are gathered for so many elements at a time: they stay in the second-level cache, and scratch
/// space does not grow with the image.
const SCRATCH: usize = 1 << 16;

/// A convolution with its weights laid out for the loop that runs it.
pub(super) struct ConvPlan {
    window: Window,
    groups: usize,
    input: Shape,
    output: Shape,
    /// `[output channel][tap]`; depthwise, where channels are innermost in the loop, `[tap][channel]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

impl ConvPlan {
    pub(super) fn new(conv: &Conv2d, input: Shape, output: Shape) -> Self {
        let mut plan = ConvPlan {
            window: conv.window,
            groups: conv.groups,
            input,
            output,
            weights: conv.weights.clone(),
            bias: conv.bias.clone(),
            activation: conv.activation,
        };
        if plan.is_depthwise() {
            let taps = plan.taps();
            for channel in 0..output.channels {
                for tap in 0..taps {
                    plan.weights[tap * output.channels + channel] = conv.weights[channel * taps + tap];
                }
            }
        }
        plan
    }

    fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.input.channels && self.groups == self.output.channels
    }

    /// Weights of one output channel.
    fn taps(&self) -> usize {
        self.window.kernel[0] * self.window.kernel[1] * (self.input.channels / self.groups)
    }

    /// Convolves `input` into `output`, using `scratch` for whatever it needs.
    pub(super) fn run(&self, input: &[f32], output: &mut [f32], scratch: &mut Vec<f32>) {
        for pixel in output.chunks_exact_mut(self.output.channels) {
            pixel.copy_from_slice(&self.bias);
        }
        if self.is_depthwise() {
            self.depthwise(input, output);
        } else {
            for group in 0..self.groups {
                self.group(group, input, output, scratch);
            }
        }
        for x in output {
            *x = self.activation.apply(*x);
        }
    }

    /// Adds one group's products: patches x transposed weights, a block of pixels at a time.
    fn group(&self, group: usize, input: &[f32], output: &mut [f32], scratch: &mut Vec<f32>) {
        let taps = self.taps();
        let pixels = self.output.height * self.output.width;
        let channels = self.output.channels / self.groups;
        let columns = group * channels..(group + 1) * channels;
        let weights = &self.weights[columns.start * taps..columns.end * taps];
        let weights = matrix(weights, channels, taps);
        let block = (SCRATCH / taps).clamp(1, pixels);
        // A 1x1 convolution's patches are the image itself.
        let direct = self.groups == 1 && self.window == Window::global(1, 1);
        if !direct && scratch.len() < block * taps {
            scratch.resize(block * taps, 0.0);
        }
        for first in (0..pixels).step_by(block) {
            let count = block.min(pixels - first);
            let patches = if direct {
                &input[first * taps..][..count * taps]
            } else {
                for (i, patch) in scratch[..count * taps].chunks_exact_mut(taps).enumerate() {
                    self.gather(first + i, group, input, patch);
                }
                &scratch[..count * taps]
            };
            let rows = &mut output[first * self.output.channels..][..count * self.output.channels];
            let mut rows = matrix_mut(rows, count, self.output.channels);
            let mut target = rows.slice_mut(s![.., columns.clone()]);
            general_mat_mul(1.0, &matrix(patches, count, taps), &weights.t(), 1.0, &mut target);
        }
    }

    /// Copies the input values under one output pixel's window, zeros where it lies outside.
    fn gather(&self, pixel: usize, group: usize, input: &[f32], patch: &mut [f32]) {
        let (oy, ox) = (pixel / self.output.width, pixel % self.output.width);
        let [_, kernel_width] = self.window.kernel;
        let depth = self.input.channels / self.groups;
        let columns = inside(ox, 1, &self.window, self.input.width);
        let rows = inside(oy, 0, &self.window, self.input.height);
        if rows.len() < self.window.kernel[0] || columns.len() < kernel_width {
            patch.fill(0.0);
        }
        if columns.is_empty() {
            return;
        }
        for ky in rows {
            let y = oy * self.window.stride[0] + ky - self.window.padding_before[0];
            let x = ox * self.window.stride[1] + columns.start - self.window.padding_before[1];
            let source = &input[(y * self.input.width + x) * self.input.channels..];
            let target = &mut patch[(ky * kernel_width + columns.start) * depth..];
            if self.groups == 1 {
                target[..columns.len() * depth].copy_from_slice(&source[..columns.len() * depth]);
            } else {
                for i in 0..columns.len() {
                    let from = i * self.input.channels + group * depth;
                    target[i * depth..][..depth].copy_from_slice(&source[from..][..depth]);
                }
            }
        }
    }

    fn depthwise(&self, input: &[f32], output: &mut [f32]) {
        let channels = self.output.channels;
        for (pixel, out) in output.chunks_exact_mut(channels).enumerate() {
            let (oy, ox) = (pixel / self.output.width, pixel % self.output.width);
            for ky in inside(oy, 0, &self.window, self.input.height) {
                let y = oy * self.window.stride[0] + ky - self.window.padding_before[0];
                for kx in inside(ox, 1, &self.window, self.input.width) {
                    let x = ox * self.window.stride[1] + kx - self.window.padding_before[1];
                    let values = &input[(y * self.input.width + x) * channels..][..channels];
                    let weights = &self.weights[(ky * self.window.kernel[1] + kx) * channels..][..channels];
                    for ((out, value), weight) in out.iter_mut().zip(values).zip(weights) {
                        *out += value * weight;
                    }
                }
            }
        }
    }
}

/// The kernel indices along `axis` (0 vertical) that fall on the input at an output position.
fn inside(position: usize, axis: usize, window: &Window, size: usize) -> std::ops::Range<usize> {
    let corner = position * window.stride[axis];
    let before = window.padding_before[axis];
    let start = before.saturating_sub(corner);
    let end = (size + before).saturating_sub(corner).min(window.kernel[axis]);
    start.min(end)..end
}

/// A row-major matrix over exactly `rows * columns` elements.
fn matrix(data: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), data).expect("callers pass rows * columns elements")
}

/// The same, to be written.
fn matrix_mut(data: &mut [f32], rows: usize, columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, columns), data).expect("callers pass rows * columns elements")
}

/// Maximum over each window, padding ignored.
pub(super) fn max_pool(window: &Window, input: &[f32], from: Shape, output: &mut [f32], to: Shape) {
    output.fill(f32::NEG_INFINITY);
    pool(window, input, from, output, to, |out, x| *out = out.max(x));
}

/// Mean over each window, padded zeros counted.
pub(super) fn average_pool(window: &Window, input: &[f32], from: Shape, output: &mut [f32], to: Shape) {
    output.fill(0.0);
    pool(window, input, from, output, to, |out, x| *out += x);
    let count = (window.kernel[0] * window.kernel[1]) as f32;
    for out in output {
        *out /= count;
    }
}

/// Folds the input values under each window into the output value of their channel.
fn pool(
    window: &Window,
    input: &[f32],
    from: Shape,
    output: &mut [f32],
    to: Shape,
    fold: impl Fn(&mut f32, f32),
) {
    for (pixel, out) in output.chunks_exact_mut(to.channels).enumerate() {
        let (oy, ox) = (pixel / to.width, pixel % to.width);
        for ky in inside(oy, 0, window, from.height) {
            let y = oy * window.stride[0] + ky - window.padding_before[0];
            for kx in inside(ox, 1, window, from.width) {
                let x = ox * window.stride[1] + kx - window.padding_before[1];
                let values = &input[(y * from.width + x) * from.channels..][..from.channels];
                for (out, value) in out.iter_mut().zip(values) {
                    fold(out, *value);
                }
            }
        }
    }
}

/// Every `step`-th element from `start` on.
pub(super) fn slice(
    start: [usize; 3],
    step: [usize; 3],
    input: &[f32],
    from: Shape,
    output: &mut [f32],
    to: Shape,
) {
    for (pixel, out) in output.chunks_exact_mut(to.channels).enumerate() {
        let y = start[0] + pixel / to.width * step[0];
        let x = start[1] + pixel % to.width * step[1];
        let values = &input[(y * from.width + x) * from.channels..][..from.channels];
        for (out, value) in out.iter_mut().zip(values[start[2]..].iter().step_by(step[2])) {
            *out = *value;
        }
    }
}

/// Zeros around the input.
pub(super) fn pad(before: [usize; 3], input: &[f32], from: Shape, output: &mut [f32], to: Shape) {
    output.fill(0.0);
    for (pixel, values) in input.chunks_exact(from.channels).enumerate() {
        let y = before[0] + pixel / from.width;
        let x = before[1] + pixel % from.width;
        let at = (y * to.width + x) * to.channels + before[2];
        output[at..at + from.channels].copy_from_slice(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, one multiplication at a time.
    fn naive(conv: &Conv2d, input: &[f32], from: Shape, to: Shape) -> Vec<f32> {
        let window = &conv.window;
        let (depth, per_group) = (from.channels / conv.groups, to.channels / conv.groups);
        let mut output = Vec::new();
        for (y, x, o) in (0..to.elements())
            .map(|i| (i / to.channels / to.width, i / to.channels % to.width, i % to.channels))
        {
            let mut sum = f64::from(conv.bias[o]);
            for (i, weight) in
                conv.weights.chunks(conv.weights.len() / to.channels).nth(o).unwrap().iter().enumerate()
            {
                let (ky, kx, c) = (i / depth / window.kernel[1], i / depth % window.kernel[1], i % depth);
                let iy = (y * window.stride[0] + ky) as isize - window.padding_before[0] as isize;
                let ix = (x * window.stride[1] + kx) as isize - window.padding_before[1] as isize;
                if (0..from.height as isize).contains(&iy) && (0..from.width as isize).contains(&ix) {
                    let channel = o / per_group * depth + c;
                    let at = (iy as usize * from.width + ix as usize) * from.channels + channel;
                    sum += f64::from(input[at]) * f64::from(*weight);
                }
            }
            output.push(conv.activation.apply(sum as f32));
        }
        output
    }

    /// Values in -1..1 that look random.
    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    proptest! {
        #[test]
        fn convolution_is_the_naive_one(
            (height, width) in (1usize..9, 1usize..9),
            (kernel, stride) in ([1usize..5, 1usize..5], [1usize..4, 1usize..4]),
            (before, after) in ([0usize..6, 0usize..6], [0usize..6, 0usize..6]),
            (groups, depth, per_group) in (1usize..4, 1usize..4, 1usize..4),
            seed: u32,
        ) {
            let window = Window { kernel, stride, padding_before: before, padding_after: after };
            let Some([rows, columns]) = window.output(height, width) else { return Ok(()) };
            let from = Shape::new(height, width, groups * depth);
            let to = Shape::new(rows, columns, groups * per_group);
            let conv = Conv2d {
                window,
                groups,
                weights: noise(to.channels * kernel[0] * kernel[1] * depth, seed),
                bias: noise(to.channels, !seed),
                activation: Activation::Clip { min: -0.5, max: 1.5 },
            };
            let input = noise(from.elements(), seed ^ 0x5555);
            let mut output = vec![f32::NAN; to.elements()];
            ConvPlan::new(&conv, from, to).run(&input, &mut output, &mut Vec::new());
            for (a, b) in output.iter().zip(naive(&conv, &input, from, to)) {
                prop_assert!((a - b).abs() < 1e-5, "{a} instead of {b}");
            }
        }
    }

    #[test]
    fn large_images_are_gathered_in_blocks() {
        let (from, to) = (Shape::new(64, 64, 8), Shape::new(64, 64, 3));
        let window = Window { kernel: [3, 3], stride: [1, 1], padding_before: [1, 1], padding_after: [1, 1] };
        let (weights, bias) = (noise(3 * 72, 1), noise(3, 2));
        let conv = Conv2d { window, groups: 1, weights, bias, activation: Activation::Relu };
        let input = noise(from.elements(), 3);
        let (mut output, mut scratch) = (vec![0.0; to.elements()], Vec::new());
        ConvPlan::new(&conv, from, to).run(&input, &mut output, &mut scratch);
        assert!(scratch.len() <= SCRATCH);
        let expected = naive(&conv, &input, from, to);
        assert!(output.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn pools_treat_padding_as_documented() {
        let window = Window { kernel: [2, 2], stride: [2, 2], padding_before: [1, 0], padding_after: [0, 1] };
        let (from, to) = (Shape::new(3, 3, 1), Shape::new(2, 2, 1));
        let input: Vec<f32> = (1..10).map(|x| -(x as f32)).collect();
        let mut output = vec![0.0; 4];
        max_pool(&window, &input, from, &mut output, to);
        assert_eq!(output, [-1.0, -3.0, -4.0, -6.0]);
        average_pool(&window, &input, from, &mut output, to);
        assert_eq!(output, [-0.75, -0.75, -6.0, -3.75]);
    }

    #[test]
    fn slice_and_pad_move_along_all_axes() {
        let (from, to) = (Shape::new(3, 3, 4), Shape::new(2, 1, 2));
        let input: Vec<f32> = (0..36).map(|x| x as f32).collect();
        let mut cut = vec![0.0; 4];
        slice([0, 1, 1], [2, 2, 2], &input, from, &mut cut, to);
        assert_eq!(cut, [5.0, 7.0, 29.0, 31.0]);
        let mut wide = vec![9.0; 2 * 2 * 4];
        pad([0, 1, 1], &cut, to, &mut wide, Shape::new(2, 2, 4));
        assert_eq!(wide, [0., 0., 0., 0., 0., 5., 7., 0., 0., 0., 0., 0., 0., 29., 31., 0.]);
    }
}
