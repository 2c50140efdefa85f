//! Convolution of few pixels by table lookup, row by activation: each code's row is looked up for the weights of a
//! block of output channels. It is the loop of [`table`](super::table()) with codes and weights in each other's place.

use super::finish::Requantization;
use super::table::gather_pixel;
use crate::image::Conv2d;
use crate::kernels::Rows;
use crate::kernels::inner::{self, NamedRows};

/// Output channels of a block.
pub(crate) const CHANNELS: usize = 8;

/// Runs the convolution. `rows` has one for each activation code, `weights` the blocks of output channels, each with a
/// byte for every tap and channel. `scratch` holds [`Conv2d::scratch_bytes`].
pub(crate) fn table_by_activation(
    op: &Conv2d,
    rows: Rows,
    weights: &[[u8; CHANNELS]],
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u8],
) {
    let Some(codes) = op.taps().and_then(|taps| scratch.get_mut(..taps)) else { return };
    let outputs = usize::from(op.output.channels);
    for pixel in 0..op.pixels() {
        gather_pixel(op, input, codes, pixel, 0);
        let sum = match requantization.activation_sums {
            Some(_) => codes.iter().map(|&code| i32::from(code)).sum(),
            None => 0,
        };
        let Some(rows) = NamedRows::by_code(rows, codes) else { return };
        let mut channel = 0;
        for block in weights.chunks_exact(codes.len().max(1)) {
            let mut acc = [0; CHANNELS];
            for (i, acc) in acc.iter_mut().enumerate() {
                [*acc] = requantization.starts(channel + i, &[sum]);
            }
            inner::add_rows(&mut acc, &rows, 0, block);
            // The last block may have more than there are.
            for acc in acc {
                if channel < outputs {
                    requantization.store(channel, &[acc], output, pixel * outputs + channel, 1);
                }
                channel += 1;
            }
        }
    }
}
