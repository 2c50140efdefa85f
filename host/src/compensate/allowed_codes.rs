//! Few weight codes, so that a lookup table has few rows.
//!
//! An image stores only the rows of a table that some weight names, equal ones once, and where negative weights give
//! negated products one row serves both. To keep a table to `N` rows, weights may take the codes of `N` rows only.
//! Layers that share a table share its rows, and layers are compensated one after another for many assignments; so the
//! codes are chosen once for each table, for all layers of the network that could use it.
//!
//! Of the rows `r` those are kept that make the weight map's errors small, summed over the weights of these layers:
//! ```text
//! sum_l sum_w n_l(w) min_r D_l(w, r) / sum_w n_l(w) Var_l(P(x, w))
//! D_l(w, r) = sum_x h_l(x) (M_r(x) - P(x, w))^2 - (sum_x h_l(x) (M_r(x) - P(x, w)))^2
//! ```
//! where `n_l(w)` counts the weights of layer `l` with code `w` and `h_l(x)` is the share of the activation code `x`
//! there; each layer's errors are in proportion to its products. (Where no bias is fitted afterwards, `D` is the mean
//! square instead of the variance.) Choosing the best `N` is a k-median problem. Rows are left out one by one, each time
//! the one whose weights lose least by going to the next best row.
//!
//! Tables whose products the runtime multiplies ([`Lowered`]) are not stored, and their codes stay free.

use super::weight_map::is_weight;
use crate::image::lowering::Lowered;
use crate::multiplier::{ProductTable, Scheme};
use std::collections::HashMap;

/// The codes that weights may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AllowedCodes {
    /// For each code the allowed one with the same products, if there is one.
    same: [Option<u8>; 256],
}

impl AllowedCodes {
    /// Whether weights may take `code`.
    pub(super) fn allows(&self, code: u8) -> bool {
        self.same[usize::from(code)] == Some(code)
    }

    /// The allowed code with the same products as `code`.
    pub(super) fn same_as(&self, code: u8) -> Option<u8> {
        self.same[usize::from(code)]
    }
}

/// A layer that may use the table.
pub(super) struct Use<'a> {
    /// Its weight codes before compensation.
    pub weights: &'a [u8],
    /// The shares of its activation codes; all alike if they are not known.
    pub shares: Option<&'a [f64; 256]>,
}

/// The codes of at most `most` rows of `products`, whose exact products `exact` has, for the layers `uses`; `None` if
/// nothing need be restricted. `free_mean` says whether a bias is fitted afterwards.
pub(super) fn choose(
    (products, exact): (&ProductTable, &ProductTable),
    scheme: Scheme,
    uses: &[Use],
    most: usize,
    free_mean: bool,
) -> Option<AllowedCodes> {
    let occurs: [bool; 256] = std::array::from_fn(|code| is_weight(code as u8, scheme));
    let rows = Rows::new(products, scheme);
    if rows.codes.len() <= most || Lowered::new(products, &occurs).is_some() {
        return None;
    }
    let mut costs = Vec::new();
    for layer in uses {
        add_costs(&mut costs, &rows, (products, exact), layer, free_mean);
    }
    let kept = leave_out(costs, rows.codes.len(), most);
    let same = std::array::from_fn(|code| {
        let (row, negated) = rows.of_code[code]?;
        kept[row].then(|| if negated { rows.codes[row].wrapping_neg() } else { rows.codes[row] })
    });
    Some(AllowedCodes { same })
}

/// The rows of a table as an image would store them if all its codes occurred.
struct Rows {
    /// For each row the plainest code that has it.
    codes: Vec<u8>,
    /// For each weight code its row, and whether its products are the negated ones.
    of_code: [Option<(usize, bool)>; 256],
    /// Whether a row serves a code and its negative.
    signed: bool,
}

impl Rows {
    fn new(products: &ProductTable, scheme: Scheme) -> Rows {
        let opposite = |code: u8| {
            let (row, negative) = (products.row(code), products.row(code.wrapping_neg()));
            row.iter().zip(negative).all(|(p, n)| *p == -n)
        };
        let signed = scheme != Scheme::Unsigned && (1..128).all(opposite);
        let mut rows = Rows { codes: Vec::new(), of_code: [None; 256], signed };
        let mut places: HashMap<&[i32; 256], usize> = HashMap::new();
        for i in 0..=255u8 {
            // From 0 away, so that of equal codes the plainest is found first.
            let code = match scheme {
                Scheme::Unsigned => i,
                _ if i % 2 == 1 => i / 2 + 1,
                _ => (i / 2).wrapping_neg(),
            };
            if !is_weight(code, scheme) {
                continue;
            }
            let negative = signed && code > 127;
            let plain = if negative { code.wrapping_neg() } else { code };
            let place = *places.entry(products.row(plain)).or_insert_with(|| {
                rows.codes.push(plain);
                rows.codes.len() - 1
            });
            // 0 has no negative, so it stands for negative codes only if its products are all 0.
            let zero = rows.codes[place] == 0;
            if !(negative && zero && products.row(0).iter().any(|&p| p != 0)) {
                rows.of_code[usize::from(code)] = Some((place, negative && !zero));
            }
        }
        rows
    }
}

/// Adds what each weight code of a layer costs in each row.
fn add_costs(
    costs: &mut Vec<Vec<f64>>,
    rows: &Rows,
    (products, exact): (&ProductTable, &ProductTable),
    layer: &Use,
    free_mean: bool,
) {
    const ALIKE: [f64; 256] = [1.0 / 256.0; 256];
    let shares = layer.shares.unwrap_or(&ALIKE);
    let moments = |of: &dyn Fn(usize) -> f64| -> f64 {
        shares.iter().enumerate().map(|(x, share)| if *share > 0.0 { share * of(x) } else { 0.0 }).sum()
    };
    // About the means where these are free.
    let centred = |row: &[i32; 256]| -> [f64; 256] {
        let mean = if free_mean { moments(&|x| f64::from(row[x])) } else { 0.0 };
        row.map(|p| f64::from(p) - mean)
    };
    let product = |a: &[f64; 256], b: &[f64; 256]| moments(&|x| a[x] * b[x]);
    let approximate: Vec<[f64; 256]> = rows.codes.iter().map(|&code| centred(products.row(code))).collect();
    let squares: Vec<f64> = approximate.iter().map(|row| product(row, row)).collect();
    let mut counts = [0u32; 256];
    layer.weights.iter().for_each(|&w| counts[usize::from(w)] += 1);
    let mut own = Vec::new();
    let mut signal = 0.0;
    for (code, &count) in (0..=255u8).zip(&counts).filter(|(_, count)| **count > 0) {
        let wanted = centred(exact.row(code));
        let (square, count) = (product(&wanted, &wanted), f64::from(count));
        signal += count * square;
        let cost = |(row, own): (&[f64; 256], &f64)| {
            let together = product(row, &wanted);
            let together = if rows.signed { together.abs() } else { together };
            count * (own + square - 2.0 * together).max(0.0)
        };
        own.push(approximate.iter().zip(&squares).map(cost).collect::<Vec<f64>>());
    }
    let scale = if signal > 0.0 { 1.0 / signal } else { 0.0 };
    own.iter_mut().flatten().for_each(|cost| *cost *= scale);
    costs.extend(own);
}

/// Which of `count` rows are left when only `most` may be, by the costs of each weight code in each row.
fn leave_out(costs: Vec<Vec<f64>>, count: usize, most: usize) -> Vec<bool> {
    let mut kept = vec![true; count];
    let two_best = |of_rows: &[f64], kept: &[bool]| {
        let mut best = [(f64::INFINITY, usize::MAX); 2];
        for (row, &cost) in of_rows.iter().enumerate().filter(|(row, _)| kept[*row]) {
            if cost < best[0].0 {
                best = [(cost, row), best[0]];
            } else if cost < best[1].0 {
                best[1] = (cost, row);
            }
        }
        best
    };
    let mut best: Vec<_> = costs.iter().map(|of_rows| two_best(of_rows, &kept)).collect();
    for _ in most..count {
        let mut losses = vec![0.0; count];
        for [first, second] in &best {
            losses[first.1] += second.0 - first.0;
        }
        // Of equals the last, which is the largest.
        let least =
            (0..count).rev().filter(|&row| kept[row]).min_by(|&a, &b| losses[a].total_cmp(&losses[b]));
        let Some(left_out) = least else { break };
        kept[left_out] = false;
        for (best, of_rows) in best.iter_mut().zip(&costs) {
            if best.iter().any(|&(_, row)| row == left_out) {
                *best = two_best(of_rows, &kept);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests;
