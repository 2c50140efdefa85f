//! Weight maps: every weight code is replaced by the one whose approximate products `M(x, w')` are closest to the
//! exact products `P(x, w)` of the code.
//!
//! ALWANN's (Mrazek et al., ICCAD 2019, section III-C) takes all activations for equally likely:
//! ```text
//! map(w) = argmin_w' sum_x |P(x, w) - M(x, w')|
//! ```
//! Weighted by the share `h(x)` of each activation code in the layer, the expected squared error of a product is
//! ```text
//! map(w) = argmin_w' sum_x h(x) (M(x, w') - P(x, w))^2
//! ```
//! and, as a mean error can be made up for by the bias, its variance
//! ```text
//! map(w) = argmin_w' sum_x h(x) e(x)^2 - (sum_x h(x) e(x))^2    with e(x) = M(x, w') - P(x, w)
//! ```

use crate::multiplier::{ProductTable, Scheme};
use rayon::prelude::*;

/// Activations whose distances are summed before a candidate is compared with the best one so far.
const BLOCK: usize = 64;

/// How far two weight codes are apart.
fn far(a: u8, b: u8, scheme: Scheme) -> u8 {
    match scheme {
        Scheme::Unsigned => a.abs_diff(b),
        Scheme::Signed | Scheme::SignMagnitude { .. } => (a as i8).abs_diff(b as i8),
    }
}

/// The map by squared error, or its variance, under the `shares` of the activation codes; ties as in [`alwann`].
/// Uses all threads.
pub fn weighted(
    exact: &ProductTable,
    approximate: &ProductTable,
    scheme: Scheme,
    shares: &[f64; 256],
    variance: bool,
) -> [u8; 256] {
    weighted_among(exact, approximate, shares, variance, (scheme, &|code| is_weight(code, scheme)))
}

/// The same among those codes of a scheme that are allowed, at least one.
pub(super) fn weighted_among(
    exact: &ProductTable,
    approximate: &ProductTable,
    shares: &[f64; 256],
    variance: bool,
    (scheme, allowed): (Scheme, &(dyn Fn(u8) -> bool + Sync)),
) -> [u8; 256] {
    let seen: Vec<(usize, f64)> =
        (0..256).map(|x| (x, shares[x])).filter(|&(_, share)| share > 0.0).collect();
    let error = |w: u8, code: u8| {
        let (exact, approximate) = (exact.row(w), approximate.row(code));
        let (mut mean, mut square) = (0.0, 0.0);
        for &(x, share) in &seen {
            let error = f64::from(approximate[x]) - f64::from(exact[x]);
            mean += share * error;
            square += share * error * error;
        }
        if variance { (square - mean * mean).max(0.0) } else { square }
    };
    let nearest = |w: u8| {
        let codes = (0..=255u8).filter(|&code| allowed(code));
        let all = codes.map(|code| (error(w, code), far(code, w, scheme), code));
        all.min_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2)))).map_or(w, |best| best.2)
    };
    let mut map = [0; 256];
    map.par_iter_mut().zip(0..=255u8).for_each(|(code, w)| *code = nearest(w));
    map
}

/// ALWANN's map from weight code to weight code; ties keep `w`, then prefer the code nearest to `w`. Uses all
/// threads.
pub fn alwann(exact: &ProductTable, approximate: &ProductTable, scheme: Scheme) -> [u8; 256] {
    alwann_among(exact, approximate, (scheme, &|code| is_weight(code, scheme)))
}

/// The same among those codes of a scheme that are allowed, at least one.
pub(super) fn alwann_among(
    exact: &ProductTable,
    approximate: &ProductTable,
    (scheme, allowed): (Scheme, &(dyn Fn(u8) -> bool + Sync)),
) -> [u8; 256] {
    let nearest = |w: u8| {
        let mut best = (u64::MAX, u8::MAX, w);
        // `w` first: it is mostly near the best, and most others are soon seen to be worse.
        for code in std::iter::once(w).chain(0..=255).filter(|&code| allowed(code)) {
            if let Some(distance) = distance(exact.row(w), approximate.row(code), best.0) {
                best = best.min((distance, far(code, w, scheme), code));
            }
        }
        best.2
    };
    let mut map = [0; 256];
    map.par_iter_mut().zip(0..=255u8).for_each(|(code, w)| *code = nearest(w));
    map
}

/// The distance of two rows of products, if it is at most `limit`.
fn distance(exact: &[i32; 256], approximate: &[i32; 256], limit: u64) -> Option<u64> {
    let mut distance = 0;
    // From the largest activations on, where rows mostly differ most.
    for (exact, approximate) in exact.rchunks_exact(BLOCK).zip(approximate.rchunks_exact(BLOCK)) {
        distance += exact.iter().zip(approximate).map(|(&p, &m)| u64::from(p.abs_diff(m))).sum::<u64>();
        if distance > limit {
            return None;
        }
    }
    Some(distance)
}

/// Whether a byte is a weight code of the scheme: -128 is none where weights are symmetric.
pub(super) fn is_weight(code: u8, scheme: Scheme) -> bool {
    matches!(scheme, Scheme::Unsigned) || code as i8 != i8::MIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;

    fn table(scheme: Scheme, product: impl Fn(i32, i32) -> i32) -> ProductTable {
        let table = TruthTable::from_fn(scheme.wants_signed_table(), product).unwrap();
        ProductTable::new(&table, scheme, false, 0).unwrap()
    }

    #[test]
    fn an_exact_multiplier_keeps_every_weight() {
        for scheme in [Scheme::Unsigned, Scheme::Signed, Scheme::SignMagnitude { weight_shift: 1 }] {
            let exact = table(scheme, |a, w| a * w);
            let map = alwann(&exact, &exact, scheme);
            for w in (0..=255u8).filter(|&w| is_weight(w, scheme)) {
                assert_eq!(map[usize::from(w)], w, "{scheme}");
            }
        }
    }

    #[test]
    fn maps_are_those_of_the_definition() {
        for scheme in [Scheme::Unsigned, Scheme::Signed, Scheme::SignMagnitude { weight_shift: 1 }] {
            let exact = table(scheme, |a, w| a * w);
            for mask in [!0x7f, !0x13, 0x2f] {
                let crude = table(scheme, |a, w| (a * w) & mask & 0x7fff);
                let map = alwann(&exact, &crude, scheme);
                for w in (0..=255u8).step_by(7) {
                    let distance = |code: u8| -> u64 {
                        let rows = exact.row(w).iter().zip(crude.row(code));
                        rows.map(|(&p, &m)| u64::from(p.abs_diff(m))).sum()
                    };
                    let codes = (0..=255u8).filter(|&code| is_weight(code, scheme));
                    let want = codes.min_by_key(|&code| (distance(code), far(code, w, scheme)));
                    assert_eq!(Some(map[usize::from(w)]), want, "{scheme}, mask {mask}, weight {w}");
                }
            }
        }
    }

    #[test]
    fn weighted_maps_look_only_at_what_occurs() {
        let scheme = Scheme::Unsigned;
        let exact = table(scheme, |a, w| a * w);
        // Useless below 128, a weight too small and 600 too much from there on.
        let crude = table(scheme, |a, w| if a < 128 { 7 } else { a * (w - 1).max(0) + 600 });
        let mut shares = [0.0; 256];
        shares[128..].fill(1.0 / 128.0);
        let by_variance = weighted(&exact, &crude, scheme, &shares, true);
        assert!((1..255u8).all(|w| by_variance[usize::from(w)] == w + 1), "the mean error is no variance");
        let squared = weighted(&exact, &crude, scheme, &shares, false);
        assert!((30..255u8).all(|w| squared[usize::from(w)] < w), "the mean error counts");
        let keeps = |map: [u8; 256]| (0..=255u8).all(|w| map[usize::from(w)] == w);
        assert!(keeps(weighted(&exact, &exact, scheme, &shares, true)));
        // Nothing occurs: every code is as good as any, and stays.
        assert!(keeps(weighted(&exact, &crude, scheme, &[0.0; 256], true)));
    }

    #[test]
    fn a_multiplier_that_is_off_by_one_weight_is_repaired_exactly() {
        let scheme = Scheme::Unsigned;
        let exact = table(scheme, |a, w| a * w);
        let shifted = table(scheme, |a, w| a * (w - 1).max(0));
        let map = alwann(&exact, &shifted, scheme);
        for w in 1..255u8 {
            assert_eq!(map[usize::from(w)], w + 1);
        }
        // 0 and 1 both give 0: the tie keeps 0. 255 has no successor.
        assert_eq!((map[0], map[255]), (0, 255));
    }
}
