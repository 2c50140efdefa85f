//! Images with their padding in place, so that a tap is a constant distance from its pixel.

use crate::quantize::QuantizedConv;
use std::ops::Range;

/// A convolution's shape as distances in padded images.
#[derive(Debug)]
pub struct Layout {
    /// Rows, columns and channels of a padded image.
    height: usize,
    width: usize,
    pub channels: usize,
    /// Output columns, and the distance of each output row's first window from the start of its image.
    out_width: usize,
    rows: Vec<usize>,
    /// Distance between the windows of two output columns.
    column_stride: usize,
    /// Distance of each tap from the start of its window, in the first group.
    pub taps: Vec<usize>,
    /// Channel of each tap, in the first group.
    pub tap_channels: Vec<usize>,
    /// Distance between the first taps of two groups.
    pub group_stride: usize,
    has_padding: bool,
}

/// Some images of a layer's input, padded.
#[derive(Debug, Default)]
pub struct PaddedImages {
    /// Codes `[image][row][column][channel]`, and room behind the last one for reading blocks of codes.
    pub codes: Vec<u8>,
    /// Distance of each output pixel's window in [`codes`](Self::codes), image by image.
    pub windows: Vec<u32>,
    /// Smallest code of each channel, padding included.
    smallest: Vec<u8>,
    /// Largest code of each channel, padding included.
    largest: Vec<u8>,
}

/// Codes that may be read beyond the last tap.
const SLACK: usize = 64;

impl Layout {
    /// The layout of `conv`.
    pub fn new(conv: &QuantizedConv) -> Layout {
        let channels = usize::from(conv.input.channels);
        let [kernel_height, kernel_width] = conv.window.kernel.map(usize::from);
        let [stride_y, stride_x] = conv.window.stride.map(usize::from);
        let [top, left] = conv.window.padding.map(usize::from);
        let (out_height, out_width) = (usize::from(conv.output.height), usize::from(conv.output.width));
        let (in_height, in_width) = (usize::from(conv.input.height), usize::from(conv.input.width));
        let height = (top + in_height).max((out_height - 1) * stride_y + kernel_height);
        let width = (left + in_width).max((out_width - 1) * stride_x + kernel_width);
        let at = |y: usize, x: usize| (y * width + x) * channels;
        let rows = (0..out_height).map(|y| at(y * stride_y, 0)).collect();
        let group_channels = usize::from(conv.input.channels) / conv.groups;
        let window = (0..kernel_height).flat_map(|y| (0..kernel_width).map(move |x| at(y, x)));
        let taps = window.flat_map(|start| (0..group_channels).map(move |c| start + c)).collect();
        let tap_channels = (0..conv.taps()).map(|k| k % group_channels).collect();
        let has_padding = (height, width) != (in_height, in_width);
        Layout {
            height,
            width,
            channels,
            out_width,
            rows,
            column_stride: stride_x * channels,
            taps,
            tap_channels,
            group_stride: group_channels,
            has_padding,
        }
    }

    /// Ranges of positions (pixels of padded images, counted over all images) that hold the start of every
    /// window: the output rows, or everything if that is less when taken in blocks of `block` positions.
    pub fn runs(&self, images: usize, block: usize) -> Vec<Range<usize>> {
        let positions = self.height * self.width;
        let span = (self.out_width - 1) * (self.column_stride / self.channels) + 1;
        if self.rows.len() * span.next_multiple_of(block) >= positions {
            return vec![0..images * positions];
        }
        let rows = self.rows.iter().map(|row| row / self.channels);
        let starts = (0..images).flat_map(|image| rows.clone().map(move |row| image * positions + row));
        starts.map(|start| start..start + span).collect()
    }

    /// Bytes of one padded image.
    pub fn image_bytes(&self) -> usize {
        self.height * self.width * self.channels
    }
}

impl PaddedImages {
    /// Fills `self` with the images whose codes `inputs` holds one after another.
    pub fn fill(&mut self, conv: &QuantizedConv, layout: &Layout, inputs: &[u8]) {
        let channels = usize::from(conv.input.channels);
        let row_bytes = usize::from(conv.input.width) * channels;
        let [top, left] = conv.window.padding.map(usize::from);
        let z = conv.input_zero_point;
        let images = inputs.len() / (row_bytes * usize::from(conv.input.height)).max(1);
        self.codes.clear();
        self.codes.resize(images * layout.image_bytes() + SLACK, z);
        for (row, codes) in inputs.chunks_exact(row_bytes).enumerate() {
            let (image, y) = (row / usize::from(conv.input.height), row % usize::from(conv.input.height));
            let start = image * layout.image_bytes() + ((top + y) * layout.width + left) * layout.channels;
            self.codes[start..start + row_bytes].copy_from_slice(codes);
        }
        self.windows.clear();
        for image in 0..images {
            for row in &layout.rows {
                let start = image * layout.image_bytes() + row;
                let columns = (0..layout.out_width).map(|x| (start + x * layout.column_stride) as u32);
                self.windows.extend(columns);
            }
        }
        self.find_code_ranges(channels, layout.has_padding.then_some(z), inputs);
    }

    fn find_code_ranges(&mut self, channels: usize, padding: Option<u8>, inputs: &[u8]) {
        // Few channels are taken several pixels at a time, so that there are enough for a vector.
        let wide = channels * 32usize.div_ceil(channels);
        let fill = |codes: &mut Vec<u8>, code| {
            codes.clear();
            codes.resize(wide, code);
        };
        fill(&mut self.smallest, padding.unwrap_or(u8::MAX));
        fill(&mut self.largest, padding.unwrap_or(0));
        for codes in inputs.chunks(wide) {
            for ((low, high), &code) in self.smallest.iter_mut().zip(&mut self.largest).zip(codes) {
                *low = code.min(*low);
                *high = code.max(*high);
            }
        }
        for at in channels..wide {
            self.smallest[at % channels] = self.smallest[at].min(self.smallest[at % channels]);
            self.largest[at % channels] = self.largest[at].max(self.largest[at % channels]);
        }
    }

    /// How many images there are.
    pub fn image_count(&self, layout: &Layout) -> usize {
        self.codes.len().saturating_sub(SLACK) / layout.image_bytes().max(1)
    }

    /// Smallest and largest code of a channel.
    pub fn code_range(&self, channel: usize) -> (u8, u8) {
        (self.smallest[channel], self.largest[channel])
    }

    /// Sums of the codes under each window, `[group][pixel]`.
    pub fn sum_windows(&self, conv: &QuantizedConv, layout: &Layout, sums: &mut Vec<i32>) {
        let group_channels = usize::from(conv.input.channels) / conv.groups;
        // By position, group after group: a window then adds one number for each of its positions.
        let mut positions = vec![0i32; self.codes.len() / layout.channels];
        let taps: Vec<usize> =
            layout.taps.iter().step_by(group_channels).map(|tap| tap / layout.channels).collect();
        let stride = layout.column_stride / layout.channels;
        sums.clear();
        for group in 0..conv.groups {
            let channels = group * group_channels..(group + 1) * group_channels;
            for (sum, codes) in positions.iter_mut().zip(self.codes.chunks_exact(layout.channels)) {
                *sum = codes[channels.clone()].iter().map(|&code| i32::from(code)).sum();
            }
            for row in self.windows.chunks_exact(layout.out_width) {
                let start = row[0] as usize / layout.channels;
                let first = sums.len();
                sums.resize(first + layout.out_width, 0);
                for tap in &taps {
                    let positions = positions[start + tap..].iter().step_by(stride);
                    sums[first..].iter_mut().zip(positions).for_each(|(sum, &position)| *sum += position);
                }
            }
        }
    }
}
