//! A coefficient of the sum of the activations for each output channel, fitted by least squares.
//!
//! With `a` the channel's approximate accumulators, `t` their targets and `s` the sums of the window's operands:
//! ```text
//! t ~ rho (a + gamma s) + const        operand_sum += round(gamma)
//! ```
//! A multiplier whose error grows with the activation, whatever the weight, is made up for so; the arithmetic
//! contract has the term for the sake of weight zero points. Correcting approximate products by a linear function
//! of one operand is known from Mrazek et al. ("Design of quality-configurable approximate multipliers", 2018)
//! and as control variates (Zervakis et al., 2021).

/// The coefficients `gamma`, rounded; 0 where the sums say nothing. `acc` and `targets` are
/// `[sample][channel]`, `sums` has one entry a sample.
pub(super) fn coefficients(acc: &[i32], targets: &[i32], sums: &[i32], channels: usize) -> Vec<i32> {
    let n = sums.len() as f64;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n;
    let mean_s = mean(&mut sums.iter().map(|&s| s.into()));
    let of = |channel: usize| {
        let of = |values: &[i32]| -> Vec<f64> {
            values.iter().skip(channel).step_by(channels).map(|&v| v.into()).collect()
        };
        let (a, t) = (of(acc), of(targets));
        let (mean_a, mean_t) = (mean(&mut a.iter().copied()), mean(&mut t.iter().copied()));
        let (mut aa, mut ss, mut a_s, mut at, mut st) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for ((a, t), &s) in a.iter().zip(&t).zip(sums) {
            let (a, t, s) = (a - mean_a, t - mean_t, f64::from(s) - mean_s);
            aa += a * a;
            ss += s * s;
            a_s += a * s;
            at += a * t;
            st += s * t;
        }
        let determinant = aa * ss - a_s * a_s;
        // Nearly collinear: what one explains the other does as well.
        if determinant <= 1e-6 * aa * ss {
            return 0;
        }
        let (rho, slope) = ((at * ss - st * a_s) / determinant, (st * aa - at * a_s) / determinant);
        let gamma = (slope / rho).round();
        // Beyond that it is no correction any more: an 8-bit weight's product for each unit of activation.
        if rho > 0.0 && gamma.abs() <= 255.0 { gamma as i32 } else { 0 }
    };
    (0..channels).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_with_the_activations_is_found() {
        let sums: Vec<i32> = (0..50).map(|i| 300 + i * i % 47).collect();
        let acc: Vec<i32> = (0..50).flat_map(|i| [1000 * (i % 7), 31 * (i % 11)]).collect();
        let targets: Vec<i32> =
            acc.chunks(2).zip(&sums).flat_map(|(a, s)| [a[0] - 5 * s + 77, 2 * (a[1] + 3 * s)]).collect();
        assert_eq!(coefficients(&acc, &targets, &sums, 2), [-5, 3]);
    }

    #[test]
    fn sums_that_say_nothing_change_nothing() {
        assert_eq!(coefficients(&[1, 2, 3], &[1, 2, 3], &[9, 9, 9], 1), [0]);
        assert_eq!(coefficients(&[1, 2, 3], &[1, 2, 3], &[2, 4, 6], 1), [0]);
        assert_eq!(coefficients(&[], &[], &[], 1), [0]);
    }
}
