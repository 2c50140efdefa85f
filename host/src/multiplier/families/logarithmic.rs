//! Mitchell's multiplier: adds approximate logarithms.

use crate::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};

/// The product of two unsigned numbers of 8 bits by Mitchell's logarithms with `fraction` bits (up to 7)
/// after the point, further ones dropped.
///
/// With `x = 2^k (1 + f)`, `0 <= f < 1`, the logarithm is taken for `k + f`; the sum of two is taken back in
/// the same way. What comes out below the point is dropped, and a zero operand gives zero.
pub(super) fn logarithmic(builder: &mut Builder, a: &[Wire], w: &[Wire], fraction: usize) -> [Wire; OUTPUTS] {
    let fraction = fraction.min(7);
    let (log_a, log_w) = (logarithm(builder, a, fraction), logarithm(builder, w, fraction));
    let log = builder.ripple_add(&log_a, &log_w, Wire::ZERO);
    let (mantissa, exponent) = log.split_at(fraction);
    let nonzero = [builder.any(a), builder.any(w)];
    let nonzero = builder.gate(GateKind::And, nonzero[0], nonzero[1]);
    let mut number: Vec<Wire> =
        mantissa.iter().map(|&bit| builder.gate(GateKind::And, bit, nonzero)).collect();
    number.push(nonzero);
    let shifted = builder.shift_left(&number, exponent, OUTPUTS + fraction);
    std::array::from_fn(|c| shifted[c + fraction])
}

/// `k + f` in units of `2^-fraction`, rounded down: `fraction` bits of `f`, then three of `k`. Of zero, zero.
fn logarithm(builder: &mut Builder, x: &[Wire], fraction: usize) -> Vec<Wire> {
    let leading = builder.leading_one(x);
    // The bit `place` below the leading one.
    let below = |place: usize| (place..x.len()).map(|k| (leading[k], x[k - place])).collect::<Vec<_>>();
    let mut log: Vec<Wire> = (1..=fraction).rev().map(|place| builder.any_pair(&below(place))).collect();
    log.extend(builder.encode(&leading));
    log
}

#[cfg(test)]
mod tests {
    use crate::multiplier::families::tests::{equals, on_magnitudes, relative_errors};
    use crate::multiplier::{Design, Statistics};

    fn model(a: i32, w: i32, fraction: u32) -> i32 {
        if a == 0 || w == 0 {
            return 0;
        }
        let log = |x: i32| {
            let k = x.ilog2();
            ((k << fraction) as i32) + (((x - (1 << k)) << fraction) >> k)
        };
        let sum = log(a) + log(w);
        let mantissa = (1 << fraction) | sum & ((1 << fraction) - 1);
        (mantissa << (sum >> fraction)) >> fraction
    }

    #[test]
    fn logarithms_are_added() {
        for fraction in 0..=7 {
            let design = Design::Logarithmic { fraction };
            equals(design, false, |a, w| model(a, w, fraction as u32));
            equals(design, true, |a, w| on_magnitudes(a, w, |a, w| model(a, w, fraction as u32)));
        }
    }

    #[test]
    fn errors_are_within_mitchell_s_bounds() {
        for fraction in 0..=7 {
            let table = Design::Logarithmic { fraction }.netlist(false).simulate().table;
            // Never above the exact product.
            assert!(relative_errors(&table).all(|error| error <= 0.0), "{fraction}");
        }
        let table = Design::Logarithmic { fraction: 7 }.netlist(false).simulate().table;
        // Worst where both fractions are a half: 1 - 2 / 1.5^2 = 1/9, reached by 3 * 3.
        let worst = relative_errors(&table).fold(0.0, f64::min);
        assert!((worst + 1.0 / 9.0).abs() < 1e-12, "{worst}");
        assert_eq!(table.product(3, 3), 8);
        // 3.8 % on average over real numbers; the many small operands without a fraction lower it a little.
        let mre = Statistics::of(&table).mre_pct;
        assert!((3.6..3.9).contains(&mre), "{mre}");
    }

    #[test]
    fn powers_of_two_multiply_exactly() {
        let table = Design::Logarithmic { fraction: 7 }.netlist(false).simulate().table;
        for w in 0..=255u8 {
            for k in 0..8 {
                assert_eq!(table.product(1 << k, w), i32::from(w) << k);
            }
        }
    }
}
