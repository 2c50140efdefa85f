//! Products with a weight rounded towards zero to its highest bits from the leading one on.

use super::FinalAdder;
use super::heap::Heap;
use crate::multiplier::netlist::{Builder, GateKind, Netlist, OUTPUTS, Wire};

/// Multiplies the `activation` highest bits of the activation with the weight rounded to `bits` bits.
///
/// The activation times the weight's leading bits, a number of `bits` bits of which the highest is 1, is
/// shifted to where the leading one is. A signed multiplier rounds the weight's magnitude, and gives the
/// weight's sign to the activation; low bits of the activation are cut off in two's complement.
pub(super) fn leading_bits(signed: bool, activation: usize, bits: usize) -> Netlist {
    let (cut, bits) = (8 - activation.min(8), bits.clamp(1, 8));
    let mut builder = Builder::new();
    let mut a: Vec<Wire> = (0..8).map(|i| if i < cut { Wire::ZERO } else { Wire::a(i) }).collect();
    let mut w: Vec<Wire> = (0..8).map(Wire::w).collect();
    if signed {
        // One bit more, for the negative of -128.
        a.push(Wire::a(7));
        a = builder.negate_if(Wire::w(7), &a);
        w = builder.negate_if(Wire::w(7), &w);
    }
    let leading = builder.leading_one(&w);
    let scaled = times_leading_bits(&mut builder, signed, &a, &w, &leading, bits);
    let shifted = builder.shift_left_by_one_of(&scaled, &leading, OUTPUTS + bits - 1);
    builder.finish(signed, std::array::from_fn(|c| shifted[c + bits - 1]))
}

/// `a` times the `bits` bits of `w` from its leading one on, as if that were 2^(bits - 1); extended by the
/// sign to all the bits that shifting it may need.
fn times_leading_bits(
    builder: &mut Builder,
    signed: bool,
    a: &[Wire],
    w: &[Wire],
    leading: &[Wire],
    bits: usize,
) -> Vec<Wire> {
    let mut heap = Heap::new();
    for place in 0..bits {
        let below: Vec<_> = (place..8).map(|j| (leading[j], w[j - place])).collect();
        let digit = if place == 0 { Wire::ONE } else { builder.any_pair(&below) };
        for (i, &a) in a.iter().enumerate() {
            let column = bits - 1 - place + i;
            let partial = builder.gate(GateKind::And, a, digit);
            if signed && i == 8 { heap.subtract(builder, column, partial) } else { heap.add(column, partial) }
        }
    }
    // At most 255 (2^bits - 1), or 128 (2^bits - 1) on either side of zero: 8 + bits bits.
    let length = 8 + bits;
    let sum = if bits == 1 { a.to_vec() } else { heap.dadda(builder, FinalAdder::Ripple)[..length].to_vec() };
    let above = if signed { sum[length - 1] } else { Wire::ZERO };
    (0..OUTPUTS + bits - 1).map(|i| sum.get(i).copied().unwrap_or(above)).collect()
}

#[cfg(test)]
mod tests {
    use crate::multiplier::Design;
    use crate::multiplier::families::tests::{equals, relative_errors};

    fn rounded(w: i32, bits: u32) -> i32 {
        let magnitude = w.abs();
        if magnitude == 0 {
            return 0;
        }
        let cut = (magnitude.ilog2() + 1).saturating_sub(bits);
        w.signum() * (magnitude >> cut << cut)
    }

    #[test]
    fn weights_are_rounded_towards_zero_to_their_highest_bits() {
        for signed in [false, true] {
            for bits in 1..=8 {
                for activation in [8, 5, 3] {
                    let design = Design::LeadingBits { activation, bits };
                    let mask = !0 << (8 - activation);
                    equals(design, signed, |a, w| (a & mask) * rounded(w, bits as u32));
                }
            }
        }
    }

    #[test]
    fn products_lose_less_than_the_bit_after_the_last_kept() {
        for bits in 1..=8 {
            let table = Design::LeadingBits { activation: 8, bits }.netlist(false).simulate().table;
            let bound = 0.5f64.powi(bits as i32 - 1);
            assert!(relative_errors(&table).all(|error| error <= 0.0 && -error < bound), "{bits}");
        }
    }
}
