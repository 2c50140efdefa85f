use super::*;
use crate::compensate::exact_run::gather;
use crate::compensate::patches::Rows;
use crate::compensate::testing::{SCHEMES, conv, products, scattered};

/// Multipliers with errors of every kind: none, of fewer bits (many weights alike), lopsided, and none at all.
fn tables(scheme: Scheme) -> Vec<ProductTable> {
    let hash = |a: i32, w: i32| {
        (a.wrapping_mul(7919) ^ w.wrapping_mul(104_729)).wrapping_mul(0x9e37_79b1_u32 as i32) >> 20
    };
    let clamp = move |product: i32| match scheme.wants_signed_table() {
        true => product.clamp(i16::MIN.into(), i16::MAX.into()),
        false => product.clamp(0, u16::MAX.into()),
    };
    vec![
        products(scheme, |a, w| a * w),
        products(scheme, |a, w| (a & !7) * (w & !15)),
        products(scheme, move |a, w| clamp(a * w + hash(a, w))),
        products(scheme, |a, w| (a * w) & 0x3f80),
        products(scheme, |_, _| 0),
    ]
}

/// The windows of a layer over single pixels, codes without a pattern.
fn windows(groups: usize, taps: usize, samples: usize) -> Vec<Patches> {
    let conv = conv(1, 1, groups, (groups * taps) as u16, groups as u16);
    let inputs: Vec<u8> = (0..samples * groups * taps).map(scattered).collect();
    gather(&conv, &inputs, &Rows::draw(samples, samples, 0))
}

/// Weights of which each is a code of the scheme.
fn weights(scheme: Scheme, count: usize, seed: usize) -> Vec<u8> {
    let code = |i: usize| scattered(i + seed);
    (0..count).map(|i| if is_weight(code(i), scheme) { code(i) } else { 3 }).collect()
}

/// The sums of products, `[sample][output channel]`.
fn accumulate(products: &ProductTable, patches: &[Patches], weights: &[u8], channels: usize) -> Vec<i64> {
    let (taps, samples) = (patches[0].taps(), patches[0].samples());
    let acc = |n: usize, o: usize| -> i64 {
        let patches = &patches[o / (channels / patches.len())];
        let product =
            |tap: usize| i64::from(products.row(weights[o * taps + tap])[usize::from(patches.tap(tap)[n])]);
        (0..taps).map(product).sum()
    };
    (0..samples).flat_map(|n| (0..channels).map(move |o| acc(n, o))).collect()
}

/// The variance of each channel.
fn variances(residuals: &[i64], channels: usize) -> Vec<f64> {
    let count = (residuals.len() / channels) as i128;
    let of = |o: usize| {
        let values = || residuals.iter().skip(o).step_by(channels).map(|&r| i128::from(r));
        let (sum, squares) = (values().sum::<i128>(), values().map(|r| r * r).sum::<i128>());
        (count * squares - sum * sum) as f64 / (count * count) as f64
    };
    (0..channels).map(of).collect()
}

/// A layer that is to descend.
struct Layer {
    products: ProductTable,
    candidates: Candidates,
    patches: Vec<Patches>,
    weights: Vec<u8>,
    targets: Vec<i64>,
    channels: usize,
}

impl Layer {
    /// One whose targets are the exact products of its weights.
    fn new(scheme: Scheme, products: ProductTable, [groups, taps, channels, samples]: [usize; 4]) -> Layer {
        let patches = windows(groups, taps, samples);
        let weights = weights(scheme, channels * taps, 1000 * groups);
        let targets = accumulate(&tables(scheme)[0], &patches, &weights, channels);
        Layer {
            candidates: Candidates::new(&products, scheme, None),
            products,
            patches,
            weights,
            targets,
            channels,
        }
    }

    fn residuals(&self, weights: &[u8]) -> Vec<i64> {
        let acc = accumulate(&self.products, &self.patches, weights, self.channels);
        acc.iter().zip(&self.targets).map(|(acc, target)| acc - target).collect()
    }

    /// The weights after so many sweeps, and the variances that are left.
    fn descend(&self, sweeps: usize) -> (Vec<u8>, Vec<f64>) {
        self.descend_with(sweeps, false)
    }

    fn descend_with(&self, sweeps: usize, free_scale: bool) -> (Vec<u8>, Vec<f64>) {
        let mut weights = self.weights.clone();
        let narrow = |values: &[i64]| values.iter().map(|&v| v as i32).collect::<Vec<i32>>();
        let acc = accumulate(&self.products, &self.patches, &weights, self.channels);
        let windows = Windows {
            patches: &self.patches,
            acc: &narrow(&acc),
            targets: &narrow(&self.targets),
            channels: self.channels,
            free_scale,
        };
        let left = descend(&self.candidates, &windows, &mut weights, sweeps);
        (weights, left)
    }
}

#[test]
fn candidates_are_the_rows_that_differ_up_to_sign() {
    for scheme in SCHEMES {
        for products in tables(scheme) {
            let candidates = Candidates::new(&products, scheme, None);
            let negative = |row: &[f32; 256]| row.map(|p| -p);
            for (i, row) in candidates.rows.iter().enumerate() {
                let others = &candidates.rows[i + 1..];
                assert!(!others.contains(row) && !others.contains(&negative(row)), "{scheme}: row {i}");
            }
            let codes = || (0..=255).filter(|&code| is_weight(code, scheme));
            for code in codes() {
                let (row, sign) = candidates.row(code);
                assert_eq!(row.map(|p| (sign * p) as i32), *products.row(code), "{scheme}: code {code}");
            }
            let size = |code: u8| match scheme {
                Scheme::Unsigned => (i32::from(code), false),
                _ => (i32::from(code as i8).abs(), (code as i8) < 0),
            };
            for (place, row) in candidates.rows.iter().enumerate() {
                for negated in [false, true] {
                    let wanted = if negated { negative(row) } else { *row };
                    let same = codes().filter(|&code| products.row(code).map(|p| p as f32) == wanted);
                    // A row of zeros is its own negative, and is taken as it is.
                    let plainest = same.min_by_key(|&code| size(code)).filter(|_| !negated || *row != wanted);
                    assert_eq!(candidates.code(place as u32, negated), plainest, "{scheme}: row {place}");
                }
            }
        }
    }
}

#[test]
fn sign_magnitude_has_half_the_rows() {
    let rows = |scheme: Scheme| Candidates::new(&tables(scheme)[0], scheme, None).rows.len();
    assert_eq!(SCHEMES.map(rows), [256, 128, 128, 128]);
}

/// More channels than a block has lanes, in two groups; and one channel in each group.
#[test]
fn a_permutation_of_the_weights_is_undone() {
    let scheme = Scheme::Unsigned;
    let permuted = |w: i32| (37 * w + 11) % 256;
    for shape in [[2, 6, 38, 2000], [3, 4, 3, 2000]] {
        let layer = Layer::new(scheme, products(scheme, |a, w| a * permuted(w)), shape);
        let (weights, left) = layer.descend(12);
        assert!(left.iter().all(|&variance| variance == 0.0), "{shape:?}: {left:?}");
        let found: Vec<u8> = weights.iter().map(|&w| permuted(w.into()) as u8).collect();
        assert_eq!(found, layer.weights, "{shape:?}");
    }
}

#[test]
fn variances_fall_and_are_those_of_the_weights() {
    for scheme in SCHEMES {
        for (table, products) in tables(scheme).into_iter().enumerate() {
            for shape in [[1, 9, 17, 300], [2, 5, 36, 50], [5, 4, 5, 7]] {
                let place = format!("{scheme}, table {table}, {shape:?}");
                let layer = Layer::new(scheme, products.clone(), shape);
                let before = variances(&layer.residuals(&layer.weights), layer.channels);
                let none = layer.descend(0);
                assert_eq!(none.0, layer.weights, "{place}");
                let mut last = before.clone();
                for sweeps in [1, 2] {
                    let (weights, left) = layer.descend(sweeps);
                    assert!(weights.iter().all(|&w| is_weight(w, scheme)), "{place}");
                    let now = variances(&layer.residuals(&weights), layer.channels);
                    // Floats decide, of sums as large as 1e12; what they gain is far above their rounding.
                    assert!(
                        now.iter().zip(&last).all(|(now, last)| *now <= 1.000_01 * last + 1.0),
                        "{place}"
                    );
                    for (left, now) in left.iter().zip(&now) {
                        assert!((left - now).abs() <= 1e-6 * now + 1e-3, "{place}: {left} {now}");
                    }
                    last = now;
                }
                let gained = last.iter().sum::<f64>() < 0.9 * before.iter().sum::<f64>();
                assert_eq!(gained, (1..4).contains(&table), "{place}: {before:?} {last:?}");
            }
        }
    }
}

#[test]
fn a_scale_that_is_fitted_afterwards_is_not_made_up_for() {
    let scheme = Scheme::Unsigned;
    // Every product is two thirds of what it ought to be, and those of large weights are cut off.
    let layer = Layer::new(scheme, products(scheme, |a, w| (2 * a * w / 3).min(30_000)), [1, 6, 18, 500]);
    let (weights, left) = layer.descend_with(4, true);
    let (_, fixed) = layer.descend_with(4, false);
    assert!(left.iter().sum::<f64>() < 0.1 * fixed.iter().sum::<f64>(), "{left:?} {fixed:?}");
    // What is left is what a regression of the targets on the accumulators leaves, but for rounding.
    let acc = accumulate(&layer.products, &layer.patches, &weights, layer.channels);
    for (o, left) in left.iter().enumerate() {
        let of = |values: &[i64]| -> Vec<f64> {
            values.iter().skip(o).step_by(layer.channels).map(|&v| v as f64).collect()
        };
        let (a, t) = (of(&acc), of(&layer.targets));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let covariance = |x: &[f64], y: &[f64]| {
            let (mx, my) = (mean(x), mean(y));
            x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / x.len() as f64
        };
        let want = covariance(&t, &t) - covariance(&a, &t).powi(2) / covariance(&a, &a);
        assert!((left - want).abs() <= 1e-3 * want + 1.0, "channel {o}: {left} {want}");
    }
}

#[test]
fn codes_as_good_as_the_present_ones_change_nothing() {
    let scheme = Scheme::Unsigned;
    // Every weight has an odd twin.
    let mut layer = Layer::new(scheme, products(scheme, |a, w| a * (w & !1)), [1, 7, 5, 40]);
    let twins = layer.weights.clone();
    layer.targets = accumulate(&layer.products, &layer.patches, &twins, layer.channels);
    assert!(twins.iter().any(|w| w % 2 == 1) && twins.iter().any(|w| w % 2 == 0));
    assert_eq!(layer.descend(3), (twins, vec![0.0; 5]));
    // A bias is free, so any constant is as good.
    layer.targets.iter_mut().for_each(|target| *target += 1234);
    assert_eq!(layer.descend(3).0, layer.weights);
}

#[test]
fn neither_threads_nor_neighbours_change_a_channel() {
    let scheme = Scheme::Signed;
    let layer = Layer::new(scheme, tables(scheme).swap_remove(2), [2, 12, 40, 200]);
    let on_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| layer.descend(2))
    };
    let want = on_threads(1);
    assert_ne!(want.0, layer.weights);
    assert_eq!(on_threads(2), want);
    assert_eq!(on_threads(3), want);
    for o in [0, 15, 16, 19, 20, 39] {
        let alone = Layer {
            products: layer.products.clone(),
            candidates: Candidates::new(&layer.products, scheme, None),
            patches: vec![layer.patches[o / 20].clone()],
            weights: layer.weights[o * 12..][..12].to_vec(),
            targets: layer.targets.iter().skip(o).step_by(40).copied().collect(),
            channels: 1,
        };
        let (weights, left) = alone.descend(2);
        assert_eq!((&weights[..], left[0]), (&want.0[o * 12..][..12], want.1[o]), "channel {o}");
    }
}

#[test]
fn without_samples_nothing_changes() {
    let scheme = Scheme::Unsigned;
    let layer = Layer::new(scheme, tables(scheme).swap_remove(1), [1, 4, 3, 0]);
    assert_eq!(layer.descend(2), (layer.weights.clone(), vec![0.0; 3]));
}
