use super::*;
use crate::compensate::testing::{SCHEMES, products, scattered};
use crate::compensate::weight_map::weighted_among;
use crate::image::TableForm;
use crate::image::tables::StoredTable;

/// Multipliers that are looked up: with errors without a pattern, of fewer products, and of no use.
fn tables(scheme: Scheme) -> Vec<ProductTable> {
    let noise = |a: i32, w: i32| i32::from(scattered((a * 1021 + w * 31) as u32 as usize));
    let clamp = move |product: i32| match scheme.wants_signed_table() {
        true => product.clamp(i16::MIN.into(), i16::MAX.into()),
        false => product.clamp(0, u16::MAX.into()),
    };
    vec![
        products(scheme, move |a, w| clamp(a * w + noise(a, w))),
        products(scheme, move |a, w| clamp((a * (w & !3)) & !0xff)),
        products(scheme, move |a, w| clamp(if w == 0 { 7 } else { 300 * noise(a, w) })),
    ]
}

fn weights(scheme: Scheme, count: usize, seed: usize) -> Vec<u8> {
    // Small magnitudes more often, as in networks.
    let code =
        |i: usize| (i32::from(scattered(i + seed) as i8) * i32::from(scattered(i + 7 * seed)) / 256) as u8;
    let shifted = |code: u8| if scheme == Scheme::Unsigned { code.wrapping_add(128) } else { code };
    (0..count).map(|i| shifted(code(i))).filter(|&code| is_weight(code, scheme)).collect()
}

fn shares(seed: usize) -> [f64; 256] {
    let counts: [f64; 256] = std::array::from_fn(|x| f64::from(scattered(x + seed)) / (1.0 + x as f64));
    let total: f64 = counts.iter().sum();
    counts.map(|count| count / total)
}

/// The mean error of the weights when each has the best of the allowed codes.
fn error(
    [exact, products]: [&ProductTable; 2],
    weights: &[u8],
    shares: &[f64; 256],
    scheme: Scheme,
    allowed: &(dyn Fn(u8) -> bool + Sync),
) -> f64 {
    let map = weighted_among(exact, products, shares, true, (scheme, allowed));
    let of = |&w: &u8| {
        let errors: Vec<f64> = exact
            .row(w)
            .iter()
            .zip(products.row(map[usize::from(w)]))
            .map(|(p, m)| f64::from(m - p))
            .collect();
        let mean: f64 = errors.iter().zip(shares).map(|(e, share)| e * share).sum();
        errors.iter().zip(shares).map(|(e, share)| e * e * share).sum::<f64>() - mean * mean
    };
    weights.iter().map(of).sum()
}

#[test]
fn no_choice_of_allowed_codes_needs_more_rows() {
    for scheme in SCHEMES {
        let exact = products(scheme, |a, w| a * w);
        for (t, table) in tables(scheme).iter().enumerate() {
            for most in [2, 3, 16, 31, 64, 128, 200] {
                let place = format!("{scheme}, table {t}, {most} rows");
                let weights = weights(scheme, 500, 3);
                let uses = [Use { weights: &weights, shares: None }];
                let Some(allowed) = choose((table, &exact), scheme, &uses, most, true) else {
                    let occurs: [bool; 256] = std::array::from_fn(|code| is_weight(code as u8, scheme));
                    assert!(
                        StoredTable::new(table, &occurs, TableForm::Smallest).rows.len() <= most,
                        "{place}"
                    );
                    continue;
                };
                let mut occurs: [bool; 256] = std::array::from_fn(|code| allowed.allows(code as u8));
                let rows =
                    |occurs: &[bool; 256]| StoredTable::new(table, occurs, TableForm::Smallest).rows.len();
                assert!((1..=most).contains(&rows(&occurs)), "{place}: {}", rows(&occurs));
                for code in (0..=255u8).filter(|&code| allowed.allows(code)) {
                    assert!(is_weight(code, scheme), "{place}");
                }
                for code in 0..=255u8 {
                    let Some(same) = allowed.same_as(code) else { continue };
                    assert_eq!(table.row(same), table.row(code), "{place}: {code}");
                    assert!(allowed.allows(same), "{place}: {code}");
                }
                // Nor do some of them.
                for i in 0..256 {
                    occurs[usize::from(scattered(i))] = false;
                    assert!(rows(&occurs) <= most, "{place}");
                }
            }
        }
    }
}

#[test]
fn chosen_codes_are_better_than_those_at_even_distances_or_the_most_frequent() {
    for scheme in SCHEMES {
        let exact = products(scheme, |a, w| a * w);
        let table = &tables(scheme)[0];
        let (weights, shares) = (weights(scheme, 3000, 11), shares(5));
        let mut last = f64::INFINITY;
        for most in [4, 8, 16, 32, 64, 100] {
            let uses = [Use { weights: &weights, shares: Some(&shares) }];
            let allowed = choose((table, &exact), scheme, &uses, most, true).unwrap();
            let of = |allows: &(dyn Fn(u8) -> bool + Sync)| {
                error([&exact, table], &weights, &shares, scheme, allows)
            };
            let chosen = of(&|code| allowed.allows(code));
            let signed = matches!(scheme, Scheme::SignMagnitude { .. });
            let size = |code: u8| if signed { (code as i8).unsigned_abs() } else { code };
            let all = if signed { 128 } else { 256 };
            let even = of(&|code| {
                let size = usize::from(size(code));
                is_weight(code, scheme) && size * most / all != (size + 1) * most / all
            });
            let mut frequent: Vec<(std::cmp::Reverse<usize>, u8)> = (0..all)
                .map(|s| {
                    (std::cmp::Reverse(weights.iter().filter(|&&w| size(w) == s as u8).count()), s as u8)
                })
                .collect();
            frequent.sort_unstable();
            let frequent: Vec<u8> = frequent[..most].iter().map(|&(_, size)| size).collect();
            let frequent = of(&|code| is_weight(code, scheme) && frequent.contains(&size(code)));
            let place = format!("{scheme}, {most} rows: {chosen}, {even}, {frequent}, {last}");
            assert!(chosen <= even && chosen <= frequent && chosen <= last, "{place}");
            last = chosen;
        }
    }
}

#[test]
fn rows_left_out_are_nearly_the_best_to_leave_out() {
    for seed in 0..30 {
        let cost = |item: usize, row: usize| f64::from(scattered(1000 * seed + 10 * item + row));
        let costs: Vec<Vec<f64>> = (0..12).map(|item| (0..9).map(|row| cost(item, row)).collect()).collect();
        let total = |kept: &dyn Fn(usize) -> bool| -> f64 {
            let least = |of_rows: &Vec<f64>| {
                let kept = of_rows.iter().enumerate().filter(|(row, _)| kept(*row));
                kept.map(|(_, &cost)| cost).fold(f64::INFINITY, f64::min)
            };
            costs.iter().map(least).sum()
        };
        let subsets = (0..1u32 << 9).filter(|set| set.count_ones() == 4);
        let best = subsets.map(|set| total(&|row| set >> row & 1 == 1)).fold(f64::INFINITY, f64::min);
        let kept = leave_out(costs.clone(), 9, 4);
        assert_eq!(kept.iter().filter(|&&kept| kept).count(), 4);
        let found = total(&|row| kept[row]);
        assert!(found <= 1.5 * best, "seed {seed}: {found} instead of {best}");
    }
    assert_eq!(leave_out(Vec::new(), 5, 2), [true, true, false, false, false]);
}

#[test]
fn what_is_multiplied_or_has_few_rows_is_left_alone() {
    for scheme in SCHEMES {
        let exact = products(scheme, |a, w| a * w);
        let weights = weights(scheme, 100, 1);
        let uses = [Use { weights: &weights, shares: None }];
        assert_eq!(choose((&exact, &exact), scheme, &uses, 2, true), None, "{scheme}");
        let masked = products(scheme, |a, w| (a & !7) * (w & !3));
        if scheme != Scheme::Signed {
            assert_eq!(choose((&masked, &exact), scheme, &uses, 16, true), None, "{scheme}");
        }
        let table = &tables(scheme)[0];
        assert_eq!(choose((table, &exact), scheme, &uses, 256, true), None, "{scheme}");
        // No layer, no weights: any codes are as good as others.
        for uses in [&[][..], &[Use { weights: &[], shares: None }]] {
            assert!(choose((table, &exact), scheme, uses, 16, false).is_some());
        }
    }
}
