//! Images with their padding in place, so that a tap is a constant distance from its pixel.

use crate::quantize::QuantizedConv;
use std::ops::Range;

/// A convolution's shape as distances in padded images.
///
/// Codes are stored `[plane][image][row][column][channel of the plane]`, so that a kernel that reads so many
/// channels at a time finds those of neighbouring pixels side by side. A *position* is a pixel of a padded
/// image, counted over all images.
#[derive(Debug)]
pub struct Layout {
    /// Rows, columns and channels of a padded image.
    height: usize,
    width: usize,
    channels: usize,
    /// Channels of a plane.
    plane_channels: usize,
    /// Output columns.
    out_width: usize,
    /// Position of each output row's first window in its image.
    rows: Vec<usize>,
    /// Positions from the window of an output column to the next one's.
    column_stride: usize,
    /// Position of each tap from the start of its window.
    tap_positions: Vec<usize>,
    /// Channel of each tap in its group.
    tap_channels: Vec<usize>,
    /// Input channels of a group.
    group_channels: usize,
    has_padding: bool,
}

/// Some images of a layer's input, padded.
#[derive(Debug, Default)]
pub struct PaddedImages {
    /// Codes by [`Layout`], and room behind the last one for reading blocks of codes.
    pub codes: Vec<u8>,
    /// Distance of each output pixel's window from the start of a plane, image by image.
    pub windows: Vec<u32>,
    images: usize,
    /// Smallest code of each channel, padding included.
    smallest: Vec<u8>,
    /// Largest code of each channel, padding included.
    largest: Vec<u8>,
}

/// Codes that may be read beyond the last tap.
const SLACK: usize = 64;

impl Layout {
    /// The layout of `conv` in planes of so many channels.
    pub fn new(conv: &QuantizedConv, plane_channels: usize) -> Layout {
        let [kernel_height, kernel_width] = conv.window.kernel.map(usize::from);
        let [stride_y, stride_x] = conv.window.stride.map(usize::from);
        let [top, left] = conv.window.padding.map(usize::from);
        let (out_height, out_width) = (usize::from(conv.output.height), usize::from(conv.output.width));
        let (in_height, in_width) = (usize::from(conv.input.height), usize::from(conv.input.width));
        let height = (top + in_height).max((out_height - 1) * stride_y + kernel_height);
        let width = (left + in_width).max((out_width - 1) * stride_x + kernel_width);
        let channels = usize::from(conv.input.channels);
        let group_channels = channels / conv.groups;
        let tap_positions = (0..kernel_height).flat_map(|y| (0..kernel_width).map(move |x| y * width + x));
        Layout {
            height,
            width,
            channels,
            plane_channels,
            out_width,
            rows: (0..out_height).map(|y| y * stride_y * width).collect(),
            column_stride: stride_x,
            tap_positions: tap_positions.flat_map(|p| std::iter::repeat_n(p, group_channels)).collect(),
            tap_channels: (0..conv.taps()).map(|k| k % group_channels).collect(),
            group_channels,
            has_padding: (height, width) != (in_height, in_width),
        }
    }

    /// Output columns.
    pub fn out_width(&self) -> usize {
        self.out_width
    }

    /// Codes from the window of an output column to the next one's.
    pub fn window_stride(&self) -> usize {
        self.column_stride * self.plane_channels
    }

    /// Bytes of one padded image.
    pub fn image_bytes(&self) -> usize {
        self.height * self.width * self.channels.next_multiple_of(self.plane_channels)
    }

    /// Input channel of a tap of a group.
    pub fn channel(&self, tap: usize, group: usize) -> usize {
        group * self.group_channels + self.tap_channels[tap]
    }

    fn positions(&self, images: usize) -> usize {
        images * self.height * self.width
    }
}

impl PaddedImages {
    /// Fills `self` with the images whose codes `inputs` holds one after another.
    pub fn fill(&mut self, conv: &QuantizedConv, layout: &Layout, inputs: &[u8]) {
        let (rows, row_bytes) =
            (usize::from(conv.input.height), usize::from(conv.input.width) * layout.channels);
        let [top, left] = conv.window.padding.map(usize::from);
        let z = conv.input_zero_point;
        self.images = inputs.len() / (row_bytes * rows).max(1);
        self.codes.clear();
        self.codes.resize(self.images * layout.image_bytes() + SLACK, z);
        let plane_bytes = layout.positions(self.images) * layout.plane_channels;
        for (row, codes) in inputs.chunks_exact(row_bytes).enumerate() {
            let position = layout.positions(row / rows) + (top + row % rows) * layout.width + left;
            let to = &mut self.codes[position * layout.plane_channels..];
            match layout.plane_channels {
                all if all == layout.channels => to[..row_bytes].copy_from_slice(codes),
                1 => split::<1>(codes, layout.channels, to.chunks_mut(plane_bytes)),
                8 => split::<8>(codes, layout.channels, to.chunks_mut(plane_bytes)),
                _ => split::<16>(codes, layout.channels, to.chunks_mut(plane_bytes)),
            }
        }
        self.windows.clear();
        for image in 0..self.images {
            for row in &layout.rows {
                let start = layout.positions(image) + row;
                let position = |x| start + x * layout.column_stride;
                self.windows
                    .extend((0..layout.out_width).map(|x| (position(x) * layout.plane_channels) as u32));
            }
        }
    }

    /// Finds the [`code_range`](Self::code_range) of each channel in the images of `inputs`.
    pub fn find_code_ranges(&mut self, conv: &QuantizedConv, layout: &Layout, inputs: &[u8]) {
        let channels = layout.channels;
        let padding = layout.has_padding.then_some(conv.input_zero_point);
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

    /// Distance of a tap of a group from the start of its window in the first plane.
    pub fn tap(&self, layout: &Layout, tap: usize, group: usize) -> usize {
        let channel = layout.channel(tap, group);
        let (plane, channel) = (channel / layout.plane_channels, channel % layout.plane_channels);
        (plane * layout.positions(self.images) + layout.tap_positions[tap]) * layout.plane_channels + channel
    }

    /// Ranges of positions that hold the start of every window: the output rows, or everything if that is
    /// less when taken in blocks of `block` positions.
    pub fn runs(&self, layout: &Layout, block: usize) -> Vec<Range<usize>> {
        let span = (layout.out_width - 1) * layout.column_stride + 1;
        if layout.rows.len() * span.next_multiple_of(block) >= layout.positions(1) {
            return std::iter::once(0..layout.positions(self.images)).collect();
        }
        let rows = (0..self.images)
            .flat_map(|image| layout.rows.iter().map(move |row| layout.positions(image) + row));
        rows.map(|start| start..start + span).collect()
    }

    /// Smallest and largest code of a channel, once they were looked for.
    pub fn code_range(&self, channel: usize) -> (u8, u8) {
        (self.smallest[channel], self.largest[channel])
    }

    /// Sums of the codes under each window, `[group][pixel]`.
    pub fn sum_windows(&self, conv: &QuantizedConv, layout: &Layout, sums: &mut Vec<i32>) {
        // By position, group after group: a window then adds one number for each of its positions.
        let mut positions = vec![0i32; layout.positions(self.images)];
        let taps: Vec<usize> = layout.tap_positions.iter().copied().step_by(layout.group_channels).collect();
        sums.clear();
        for group in 0..conv.groups {
            positions.fill(0);
            let channels = group * layout.group_channels..(group + 1) * layout.group_channels;
            let plane = layout.plane_channels;
            for (index, codes) in self.codes.chunks_exact(positions.len() * plane).enumerate() {
                let within = |channel: usize| channel.saturating_sub(index * plane).min(plane);
                let channels = within(channels.start)..within(channels.end);
                if channels.is_empty() {
                    continue;
                }
                if plane == 1 {
                    positions.iter_mut().zip(codes).for_each(|(sum, &code)| *sum += i32::from(code));
                    continue;
                }
                for (sum, codes) in positions.iter_mut().zip(codes.chunks_exact(plane)) {
                    *sum += codes[channels.clone()].iter().map(|&code| i32::from(code)).sum::<i32>();
                }
            }
            for row in self.windows.chunks_exact(layout.out_width) {
                let start = row[0] as usize / plane;
                let first = sums.len();
                sums.resize(first + layout.out_width, 0);
                let sums = &mut sums[first..];
                for tap in &taps {
                    let positions = &positions[start + tap..];
                    // Not `step_by(1)`, which the compiler does not turn into vectors.
                    match layout.column_stride {
                        1 => sums.iter_mut().zip(positions).for_each(|(sum, &position)| *sum += position),
                        stride => {
                            let positions = positions.iter().step_by(stride);
                            sums.iter_mut().zip(positions).for_each(|(sum, &position)| *sum += position);
                        }
                    }
                }
            }
        }
    }
}

/// Copies a row's codes to planes of `C` channels; `planes` begin where the row does.
fn split<'a, const C: usize>(codes: &[u8], channels: usize, planes: impl Iterator<Item = &'a mut [u8]>) {
    for (first, plane) in (0..channels).step_by(C).zip(planes) {
        for (to, from) in plane.as_chunks_mut::<C>().0.iter_mut().zip(codes.chunks_exact(channels)) {
            match from[first..].first_chunk::<C>() {
                Some(from) => *to = *from,
                None => to[..channels - first].copy_from_slice(&from[first..]),
            }
        }
    }
}
