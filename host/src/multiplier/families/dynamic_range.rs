//! DRUM: an exact multiplier of few bits, slid to the operands' leading ones.

use super::heap::multiply;
use crate::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};

/// The product of two unsigned numbers of 8 bits, of either only the `bits` bits from its leading one on.
///
/// Where bits are cut off the lowest bit kept is set to one, the middle of what the cut ones may be, so that
/// the errors have almost no bias. Operands that fit `bits` bits are taken as they are. With one or two bits
/// the product of the magnitudes 128 and 128 comes out too large for a signed one, and wraps round.
pub(super) fn dynamic_range(builder: &mut Builder, a: &[Wire], w: &[Wire], bits: usize) -> [Wire; OUTPUTS] {
    let bits = bits.clamp(1, 8);
    let (a, shift_a) = window(builder, a, bits);
    let (w, shift_w) = window(builder, w, bits);
    let product = multiply(builder, &a, &w);
    let shift = builder.ripple_add(&shift_a, &shift_w, Wire::ZERO);
    let shifted = builder.shift_left(&product[..2 * bits], &shift, OUTPUTS);
    std::array::from_fn(|c| shifted[c])
}

/// The bits kept, and how many are cut off below.
fn window(builder: &mut Builder, x: &[Wire], bits: usize) -> (Vec<Wire>, Vec<Wire>) {
    let large = builder.any(&x[bits..]);
    // How many places to go up: none, or enough to reach the leading one.
    let mut places = vec![builder.not(large)];
    places.extend(builder.leading_one(&x[bits..]));
    let mut kept = Vec::new();
    for b in 0..bits {
        kept.push(if b == 0 || b == bits - 1 {
            // Set in a large operand: as the lowest bit kept or as the leading one.
            builder.gate(GateKind::Or, large, x[b])
        } else {
            let choices: Vec<_> = places.iter().enumerate().map(|(shift, &at)| (at, x[b + shift])).collect();
            builder.any_pair(&choices)
        });
    }
    (kept, builder.encode(&places))
}

#[cfg(test)]
mod tests {
    use crate::multiplier::families::tests::{equals, on_magnitudes, relative_errors};
    use crate::multiplier::{Design, Statistics};

    fn model(a: i32, w: i32, bits: u32) -> i32 {
        let rounded = |x: i32| match x {
            0 => 0,
            _ => {
                let cut = (x.ilog2() + 1).saturating_sub(bits);
                if cut == 0 { x } else { (x >> cut | 1) << cut }
            }
        };
        rounded(a) * rounded(w)
    }

    #[test]
    fn the_bits_from_the_leading_ones_on_are_multiplied() {
        for bits in 1..=8 {
            let design = Design::DynamicRange { bits };
            equals(design, false, |a, w| model(a, w, bits as u32));
            equals(design, true, |a, w| on_magnitudes(a, w, |a, w| model(a, w, bits as u32)));
        }
    }

    #[test]
    fn relative_errors_are_near_those_published_for_wider_operands() {
        // The paper, on operands of 16 bits. Of 8 bits more operands fit the bits kept, and have no error.
        for (bits, published) in [(3, 11.90), (4, 5.89), (5, 2.94), (6, 1.47)] {
            let table = Design::DynamicRange { bits }.netlist(false).simulate().table;
            let mre = Statistics::of(&table).mre_pct;
            assert!((mre / published - 1.0).abs() < 0.12, "{bits}: {mre}");
            // An operand is off by at most 2^(1 - bits) of itself, upwards or downwards.
            let operand = 0.5f64.powi(bits as i32 - 1);
            let bound = (1.0 + operand).powi(2) - 1.0;
            assert!(relative_errors(&table).all(|error| error.abs() <= bound), "{bits}");
        }
    }
}
