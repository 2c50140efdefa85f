//! Convolutions whose groups have one channel each. Codes of neighbouring channels are neighbours in the input
//! already, so nothing is gathered: for each pixel, the places of its window's taps are listed.

use super::finish::Requantization;
use super::product::Factor;

use crate::image::Conv2d;
use crate::kernels::inner::{self, Codes, DepthwiseWeights, NamedRows};

/// How products are formed.
// Matched for each pixel: one copy of all around, and no call whose target is not known.
enum Products<'a> {
    Table(&'a NamedRows<'a>),
    Product(Factor<'a>, DepthwiseWeights<'a>),
}

impl Products<'_> {
    /// Adds a pixel's products to the starts or, without them, to the sums.
    #[inline]
    fn add(&self, codes: &Codes, starts: Option<&[i32]>, sums: &mut [i32]) {
        match *self {
            Products::Table(rows) if cfg!(feature = "table") => inner::look_up(codes, rows, starts, sums),
            Products::Product(factor, weights) if cfg!(feature = "product") => {
                inner::multiply(codes, factor, weights, starts, sums);
            }
            // No network is loaded whose kernels were left out.
            _ => {}
        }
    }
}

/// Table lookup. The output's channels are the input's; `scratch` holds [`Conv2d::scratch_bytes`].
pub(crate) fn depthwise_table(
    op: &Conv2d,
    rows: &NamedRows,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u32],
) {
    run(op, requantization, 0, input, output, scratch, &Products::Table(rows));
}

/// Products `f(x) * g(w)`; `scratch` as above.
pub(crate) fn depthwise_product(
    op: &Conv2d,
    factor: Factor,
    weights: DepthwiseWeights,
    requantization: &Requantization,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u32],
) {
    // Sums are shifted rather than all their codes: they wrap to the same.
    let shift = match factor {
        Factor::Masked { shift, .. } => shift,
        Factor::Mapped(_) => 0,
    };
    run(op, requantization, shift, input, output, scratch, &Products::Product(factor, weights));
}

/// Adds products up and shifts them, adds what sums begin with, and stores the results.
#[inline(never)]
fn run(
    op: &Conv2d,
    requantization: &Requantization,
    shift: u8,
    input: &[u8],
    output: &mut [u8],
    scratch: &mut [u32],
    products: &Products,
) {
    let channels = usize::from(op.output.channels);
    let Some((places, rest)) = op.taps().and_then(|taps| scratch.split_at_mut_checked(taps)) else { return };
    let Some((sums, padding)) = rest.split_at_mut_checked(channels) else { return };
    let sums: &mut [i32] = bytemuck::must_cast_slice_mut(sums);
    let padding: &mut [u8] = bytemuck::must_cast_slice_mut(padding);
    let Some(padding) = padding.get_mut(..channels) else { return };
    padding.fill(op.input_zero_point);
    let mut codes = Codes::new(places, input, padding);
    let simple = shift == 0 && requantization.activation_sums.is_none();
    let usual = requantization.is_usual();
    let mut pixel = 0;
    let mut walk = Walk::new(op);
    while walk.next(&mut codes) {
        if simple {
            products.add(&codes, Some(requantization.bias), sums);
        } else {
            sums.fill(0);
            products.add(&codes, None, sums);
            sums.iter_mut().for_each(|sum| *sum <<= shift & 7);
            add_starts(requantization, &codes, sums);
        }
        let first = pixel * channels;
        if usual {
            let output = output.get_mut(first..first + channels).unwrap_or(&mut []);
            requantization.store_pixel(sums, output);
        } else {
            for (channel, &sum) in sums.iter().enumerate() {
                requantization.store(channel, &[sum], output, first + channel, 1);
            }
        }
        pixel += 1;
    }
}

/// Goes from pixel to pixel.
struct Walk<'a> {
    op: &'a Conv2d,
    row: usize,
    column: usize,
    /// Whether the codes are those of the pixel before.
    follows: bool,
}

impl<'a> Walk<'a> {
    fn new(op: &'a Conv2d) -> Self {
        Walk { op, row: 0, column: 0, follows: false }
    }

    /// Brings the codes to the next pixel; returns whether there is one.
    #[inline]
    fn next(&mut self, codes: &mut Codes) -> bool {
        let op = self.op;
        if self.row >= usize::from(op.output.height) {
            return false;
        }
        let [stride_y, stride_x] = op.window.stride.map(usize::from);
        let [top, left] = op.window.padding.map(usize::from);
        // Left of the image and above it, subtractions wrap to numbers no image size reaches.
        let x = (self.column * stride_x).wrapping_sub(left);
        let inside = x.wrapping_add(op.window.kernel[1].into()) <= usize::from(op.input.width);
        let step = stride_x * usize::from(op.input.channels);
        if !(self.follows && inside && codes.advance(step)) {
            let y = (self.row * stride_y).wrapping_sub(top);
            codes.go_to(&op.input, op.window.kernel[1].into(), y, x);
        }
        self.column += 1;
        self.follows = true;
        if self.column >= usize::from(op.output.width) {
            (self.row, self.column, self.follows) = (self.row + 1, 0, false);
        }
        true
    }
}

/// Adds what the sums of products of each channel begin with.
#[inline(never)]
fn add_starts(requantization: &Requantization, codes: &Codes, sums: &mut [i32]) {
    for (sum, &bias) in sums.iter_mut().zip(requantization.bias) {
        *sum = sum.wrapping_add(bias);
    }
    let Some(factors) = requantization.activation_sums else { return };
    let blocks = sums.chunks_mut(inner::CHANNELS).zip(factors.chunks(inner::CHANNELS));
    for (block, (sums, factors)) in blocks.enumerate() {
        let code_sums = code_sums(codes, block * inner::CHANNELS);
        for ((sum, &factor), code_sum) in sums.iter_mut().zip(factors).zip(code_sums) {
            *sum = sum.wrapping_add(factor.wrapping_mul(code_sum));
        }
    }
}

/// Sums of the codes of four channels from `first` on; those of the last that are fewer may be anything.
#[inline]
fn code_sums(codes: &Codes, first: usize) -> [i32; inner::CHANNELS] {
    let mut sums = [0i32; inner::CHANNELS];
    for codes in codes.taps() {
        for (sum, &code) in sums.iter_mut().zip(codes.get(first..).unwrap_or(&[])) {
            *sum = sum.wrapping_add(code.into());
        }
    }
    sums
}

#[cfg(test)]
mod tests;
