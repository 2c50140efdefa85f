//! A sample of a convolution's outputs, and what their windows hold.

use crate::quantize::QuantizedConv;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp_runtime::image::{Tensor, Window};

/// Some outputs of a convolution over a number of images: `image * pixels + pixel`, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows(Vec<u32>);

impl Rows {
    /// At most `count` of `total` outputs, one drawn from each of as many equal stretches.
    pub(super) fn draw(total: usize, count: usize, seed: u64) -> Rows {
        let count = count.min(total);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let row = |i: usize| {
            let (first, end) = (i * total / count, (i + 1) * total / count);
            random.random_range(first as u64..end as u64) as u32
        };
        Rows((0..count).map(row).collect())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// At most `count` places in the list, evenly spread.
    pub(super) fn places(&self, count: usize) -> Vec<usize> {
        let count = count.min(self.len());
        (0..count).map(|i| i * self.len() / count).collect()
    }

    /// The rows at these places.
    pub(super) fn at(&self, places: &[usize]) -> Rows {
        Rows(places.iter().map(|&place| self.0[place]).collect())
    }

    /// Of `values`, `[output][channel]` over all images, those of the sample.
    pub(super) fn pick<T: Copy>(&self, values: &[T], channels: usize) -> Vec<T> {
        self.0.iter().flat_map(|&row| &values[row as usize * channels..][..channels]).copied().collect()
    }
}

/// The activation codes of the sampled windows of one group of channels, `[tap][sample]`; padded taps hold the
/// zero point.
#[derive(Debug, Clone)]
pub(super) struct Patches {
    codes: Vec<u8>,
    samples: usize,
}

impl Patches {
    /// Those of `rows` in channel group `group`; `inputs` are the codes of all images.
    pub(super) fn gather(conv: &QuantizedConv, inputs: &[u8], rows: &Rows, group: usize) -> Patches {
        let [height, width, channels] =
            [conv.input.height, conv.input.width, conv.input.channels].map(usize::from);
        let [kernel, stride, padding] =
            [conv.window.kernel, conv.window.stride, conv.window.padding].map(|sides| sides.map(usize::from));
        let (group_channels, out_width) = (channels / conv.groups, usize::from(conv.output.width));
        let samples = rows.len();
        let mut codes = vec![conv.input_zero_point; conv.taps() * samples];
        for (sample, &row) in rows.0.iter().enumerate() {
            let (image, pixel) = (row as usize / conv.pixels(), row as usize % conv.pixels());
            let image = &inputs[image * height * width * channels..][..height * width * channels];
            let (top, left) = (pixel / out_width * stride[0], pixel % out_width * stride[1]);
            for (window, (ky, kx)) in
                (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))).enumerate()
            {
                let (y, x) = (top + ky, left + kx);
                if y < padding[0] || x < padding[1] || y - padding[0] >= height || x - padding[1] >= width {
                    continue;
                }
                let first = ((y - padding[0]) * width + x - padding[1]) * channels + group * group_channels;
                let taps = window * group_channels..;
                for (tap, &code) in taps.zip(&image[first..first + group_channels]) {
                    codes[tap * samples + sample] = code;
                }
            }
        }
        Patches { codes, samples }
    }

    /// The codes of one tap in every sample.
    pub(super) fn tap(&self, tap: usize) -> &[u8] {
        &self.codes[tap * self.samples..][..self.samples]
    }

    /// How many taps a window has.
    pub(super) fn taps(&self) -> usize {
        self.codes.len() / self.samples.max(1)
    }

    /// How many windows there are.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// For each window the sum of its codes.
    pub(super) fn sums(&self) -> Vec<i32> {
        let mut sums = vec![0; self.samples];
        for tap in self.codes.chunks_exact(self.samples.max(1)) {
            sums.iter_mut().zip(tap).for_each(|(sum, &code)| *sum += i32::from(code));
        }
        sums
    }
}

/// The convolution over the windows of [`window_rows`], each an image as large as the kernel.
pub(super) fn over_windows(conv: &QuantizedConv) -> QuantizedConv {
    let [height, width] = conv.window.kernel;
    QuantizedConv {
        input: Tensor { offset: 0, height, width, ..conv.input },
        output: Tensor { offset: 0, height: 1, width: 1, ..conv.output },
        window: Window { stride: [1; 2], padding: [0; 2], ..conv.window },
        ..conv.clone()
    }
}

/// The windows, `[sample][kernel row][kernel column][channel]`, from those of each of the `groups` of channels.
pub(super) fn window_rows(conv: &QuantizedConv, groups: &[Patches]) -> Vec<u8> {
    let Some(first) = groups.first() else { return Vec::new() };
    let (taps, channels) = (first.taps(), usize::from(conv.input.channels));
    let (group_channels, width) = (channels / groups.len(), taps * groups.len());
    let mut rows = vec![0; first.samples * width];
    // Some samples at a time, so that the rows written to stay in the cache.
    for (group, patches) in groups.iter().enumerate() {
        for block in (0..first.samples).step_by(BLOCK) {
            let end = (block + BLOCK).min(first.samples);
            for tap in 0..taps {
                let place = tap / group_channels * channels + group * group_channels + tap % group_channels;
                let to = rows[block * width + place..].iter_mut().step_by(width);
                to.zip(&patches.tap(tap)[block..end]).for_each(|(to, &code)| *to = code);
            }
        }
    }
    rows
}

/// Samples that are turned at a time.
const BLOCK: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulate::{ApproximateConv, ConvPlan};
    use crate::multiplier::{ProductTable, Scheme, TruthTable};
    use skimp_runtime::arithmetic::CodeRange;
    use skimp_runtime::image::OutputKind;
    use std::sync::Arc;

    #[test]
    fn rows_are_spread_and_repeatable() {
        let rows = Rows::draw(1000, 100, 3);
        assert_eq!(rows, Rows::draw(1000, 100, 3));
        assert!(rows.0.iter().enumerate().all(|(i, &row)| row as usize / 10 == i));
        assert_eq!(Rows::draw(7, 100, 3).0, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(rows.places(4), [0, 25, 50, 75]);
        assert_eq!(rows.at(&[2]).pick(&[5; 2000], 2), [5, 5]);
        assert_eq!(Rows::draw(0, 10, 1).len(), 0);
    }

    /// Windows with padding and strides, and groups: the convolution over them is the one over the images.
    #[test]
    fn accumulators_over_windows_are_those_of_the_convolution() {
        let scheme = Scheme::Unsigned;
        let table = TruthTable::from_fn(false, |a, w| (a * w) & !9).unwrap();
        let products = Arc::new(ProductTable::new(&table, scheme, false, 0).unwrap());
        for (groups, stride, padding) in [(1, 1, 1), (2, 2, 1), (1, 2, 0), (4, 1, 2)] {
            let side = 5u16;
            let out = (side + 2 * padding - 3) / stride + 1;
            let input = Tensor { offset: 0, height: side, width: side, channels: 4 };
            let taps = 9 * 4 / groups;
            let conv = QuantizedConv {
                input,
                output: Tensor { offset: 0, height: out, width: out, channels: 8 },
                window: Window { kernel: [3; 2], stride: [stride; 2], padding: [padding; 2] },
                groups,
                input_scale: 1.0,
                input_zero_point: 3,
                weights: (0..8 * taps).map(|i| (i * 37 % 256) as u8).collect(),
                weight_scales: vec![1.0; 8],
                weight_zero_point: 128,
                bias: vec![5.0; 8],
                output_scale: 1.0,
                output_kind: OutputKind::Codes(CodeRange { zero_point: 0, min: 0, max: 255 }),
            };
            let approximate = ApproximateConv::uncompensated(&conv, scheme, products.clone());
            let images: Vec<u8> = (0..3 * 100).map(|i| (i * 91 % 251) as u8).collect();
            let mut acc = vec![0; 3 * conv.pixels() * 8];
            ConvPlan::new(&conv, scheme, &approximate).unwrap().accumulate(&images, &mut acc);
            let rows = Rows::draw(3 * conv.pixels(), 11, 1);
            let patches: Vec<Patches> =
                (0..groups).map(|group| Patches::gather(&conv, &images, &rows, group)).collect();
            let small = over_windows(&conv);
            let mut over_windows = vec![0; rows.len() * 8];
            let plan = ConvPlan::new(&small, scheme, &approximate).unwrap();
            plan.accumulate(&window_rows(&conv, &patches), &mut over_windows);
            assert_eq!(
                over_windows,
                rows.pick(&acc, 8),
                "{groups} groups, stride {stride}, padding {padding}"
            );
            let sum: i32 = (0..taps).map(|tap| i32::from(patches[0].tap(tap)[4])).sum();
            assert_eq!(patches[0].sums()[4], sum);
        }
    }
}
