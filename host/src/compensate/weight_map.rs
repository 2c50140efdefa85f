//! ALWANN's weight map (Mrazek et al., ICCAD 2019, section III-C): every weight code is replaced by the
//! one whose approximate products are, over all activations, closest to the exact products of the code:
//! ```text
//! map(w) = argmin_w' sum_x |P(x, w) - M(x, w')|
//! ```

use crate::error::Result;
use crate::multiplier::{Choice, ProductCache, ProductTable, Scheme};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// For each weight code the code that takes its place.
pub(super) type WeightMap = Arc<[u8; 256]>;

/// The maps of a library's multipliers, each made when first asked for.
pub(super) struct WeightMaps<'n> {
    products: &'n ProductCache<'n>,
    maps: Mutex<HashMap<(Choice, u8), WeightMap>>,
}

impl<'n> WeightMaps<'n> {
    /// No maps yet.
    pub(super) fn new(products: &'n ProductCache<'n>) -> Self {
        WeightMaps { products, maps: Mutex::default() }
    }

    /// The map of `choice` in a layer whose input has `zero_point`.
    pub(super) fn get(&self, choice: Choice, zero_point: u8) -> Result<WeightMap> {
        let key = (choice, self.products.relevant(zero_point));
        let lock = || self.maps.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(map) = lock().get(&key) {
            return Ok(map.clone());
        }
        let exact = self.products.get(Choice::exact(self.products.library()), zero_point)?;
        let approximate = self.products.get(choice, zero_point)?;
        // Not under the lock: it takes all threads, and one of them may come back for another map.
        let map = Arc::new(alwann(&exact, &approximate, self.products.scheme()));
        lock().insert(key, map.clone());
        Ok(map)
    }
}

/// Activations whose distances are summed before a candidate is compared with the best one so far.
const BLOCK: usize = 64;

/// The map from weight code to weight code; ties keep `w`, then prefer the code nearest to `w`. Uses all
/// threads.
pub fn alwann(exact: &ProductTable, approximate: &ProductTable, scheme: Scheme) -> [u8; 256] {
    let nearest = |w: u8| {
        let far = |candidate: u8| match scheme {
            Scheme::Unsigned => candidate.abs_diff(w),
            Scheme::Signed | Scheme::SignMagnitude { .. } => (candidate as i8).abs_diff(w as i8),
        };
        let mut best = (u64::MAX, u8::MAX, w);
        // `w` first: it is mostly near the best, and most others are soon seen to be worse.
        for code in std::iter::once(w).chain(0..=255).filter(|&code| is_weight(code, scheme)) {
            if let Some(distance) = distance(exact.row(w), approximate.row(code), best.0) {
                best = best.min((distance, far(code), code));
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
fn is_weight(code: u8, scheme: Scheme) -> bool {
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
                    let far = |code: u8| match scheme {
                        Scheme::Unsigned => code.abs_diff(w),
                        _ => (code as i8).abs_diff(w as i8),
                    };
                    let distance = |code: u8| -> u64 {
                        let rows = exact.row(w).iter().zip(crude.row(code));
                        rows.map(|(&p, &m)| u64::from(p.abs_diff(m))).sum()
                    };
                    let codes = (0..=255u8).filter(|&code| is_weight(code, scheme));
                    let want = codes.min_by_key(|&code| (distance(code), far(code)));
                    assert_eq!(Some(map[usize::from(w)]), want, "{scheme}, mask {mask}, weight {w}");
                }
            }
        }
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
