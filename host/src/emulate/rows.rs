//! Convolution by table lookup over blocks of pixels.

use super::ApproximateConv;
use crate::quantize::QuantizedConv;

/// Pixels whose sums are kept in registers while a weight's row is looked up.
const BLOCK: usize = 8;

/// Writes the accumulators of one image, `[pixel][output channel]`, into `acc`; `bias` is the folded one of
/// [`ApproximateConv::fold`].
pub fn accumulate(
    conv: &QuantizedConv,
    approximate: &ApproximateConv,
    bias: &[i32],
    input: &[u8],
    acc: &mut [i32],
) {
    let (taps, outputs, pixels) = (conv.taps(), conv.outputs(), conv.pixels());
    let group_outputs = outputs / conv.groups;
    let mut columns = vec![[conv.input_zero_point; BLOCK]; taps];
    for group in 0..conv.groups {
        for first in (0..pixels).step_by(BLOCK) {
            let count = BLOCK.min(pixels - first);
            gather(conv, input, group, first, count, &mut columns);
            let mut sums = [0i32; BLOCK];
            for codes in &columns {
                for (sum, &code) in sums.iter_mut().zip(codes) {
                    *sum += i32::from(code);
                }
            }
            for o in group * group_outputs..(group + 1) * group_outputs {
                let weights = &approximate.weights[o * taps..(o + 1) * taps];
                let mut total = [0i32; BLOCK];
                for (&w, codes) in weights.iter().zip(&columns) {
                    let row = approximate.products.row(w);
                    for (total, &code) in total.iter_mut().zip(codes) {
                        *total += row[usize::from(code)];
                    }
                }
                for lane in 0..count {
                    acc[(first + lane) * outputs + o] =
                        bias[o] + approximate.operand_sum[o] * sums[lane] + total[lane];
                }
            }
        }
    }
}

/// The window taps of `count` pixels from `first` on, for one channel group.
fn gather(
    conv: &QuantizedConv,
    input: &[u8],
    group: usize,
    first: usize,
    count: usize,
    columns: &mut [[u8; BLOCK]],
) {
    let (height, width) = (usize::from(conv.input.height), usize::from(conv.input.width));
    let channels = usize::from(conv.input.channels);
    let group_channels = channels / conv.groups;
    let [kernel_height, kernel_width] = conv.window.kernel.map(usize::from);
    let [stride_y, stride_x] = conv.window.stride.map(usize::from);
    let [top, left] = conv.window.padding.map(usize::from);
    let out_width = usize::from(conv.output.width);
    for lane in 0..count {
        let (row, column) = ((first + lane) / out_width, (first + lane) % out_width);
        for ky in 0..kernel_height {
            for kx in 0..kernel_width {
                let tap = (ky * kernel_width + kx) * group_channels;
                let target = &mut columns[tap..tap + group_channels];
                let y = (row * stride_y + ky).wrapping_sub(top);
                let x = (column * stride_x + kx).wrapping_sub(left);
                if y < height && x < width {
                    let start = (y * width + x) * channels + group * group_channels;
                    for (target, &code) in target.iter_mut().zip(&input[start..start + group_channels]) {
                        target[lane] = code;
                    }
                } else {
                    target.iter_mut().for_each(|target| target[lane] = conv.input_zero_point);
                }
            }
        }
    }
}
