//! What a multiplier's table is made of: how simple it is to compute, and how small to store.

use super::{ProductTable, Scheme, TruthTable};
use serde::Serialize;
use std::collections::HashSet;

/// The bits that a masked product looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Masks {
    /// Bits of the activation.
    pub activation: u8,
    /// Bits of the weight.
    pub weight: u8,
}

/// How a truth table is built. Everything is proved over all 65,536 products, but for
/// [`rank`](Self::rank).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Structure {
    /// Whether `M(a, w) = (a & ma) * (w & mw)` with these masks (two's complement if signed): an exact
    /// multiplication of masked operands, which needs no table.
    pub masked_product: Option<Masks>,
    /// The coefficients `c[i][j]` where `M(a, w) = sum over i, j of c[i][j] * a_i * w_j` over the operands'
    /// bits, the lowest first: a sum of partial products, whatever their signs and weights.
    pub bilinear: Option<[[i32; 8]; 8]>,
    /// Whether `M(a, w) = f(a >> 4, w) + g(a & 15, w)`: two tables of 16 rows instead of one of 256.
    pub separable_activation: bool,
    /// Whether `M(a, w) = f(a, w >> 4) + g(a, w & 15)`.
    pub separable_weight: bool,
    /// Rank of the table as a matrix: the length of the shortest sum of products `f(a) * g(w)` that it is.
    /// Computed modulo 2^61 - 1, so never too large, and too small only if that prime happens to divide
    /// every minor that would show it.
    pub rank: usize,
    /// Length of the sum of integer products `f(a) * g(w)` that emulation runs as matrix products, if it is
    /// at most [`MAX_TERMS`](super::MAX_TERMS); for the unsigned or signed scheme.
    pub terms: Option<usize>,
    /// Distinct rows by weight, out of 256: what a device has to store if it keeps a row for each weight.
    pub rows_by_weight: usize,
    /// Distinct rows by activation, out of 256.
    pub rows_by_activation: usize,
    /// Bits of the activation that no product depends on.
    pub ignored_activation_bits: u8,
    /// Bits of the weight that no product depends on.
    pub ignored_weight_bits: u8,
}

impl Structure {
    /// The structure of `table`. Takes some tens of milliseconds, mostly for the rank.
    pub fn of(table: &TruthTable) -> Structure {
        let swapped = table.swapped();
        let bilinear = bilinear(table);
        let scheme = if table.is_signed() { Scheme::Signed } else { Scheme::Unsigned };
        let products = ProductTable::new(table, scheme, false, 0).ok();
        Structure {
            masked_product: masked_product(table),
            separable_activation: separable(table),
            separable_weight: separable(&swapped),
            // A sum of 64 bit products has at most one term a bit; the general case is dearer.
            rank: match &bilinear {
                Some(coefficients) => rank(coefficients.iter().map(|row| row.to_vec()).collect()),
                None => rank(table.products().chunks_exact(256).map(<[i32]>::to_vec).collect()),
            },
            bilinear,
            terms: products.and_then(|products| products.terms().map(<[_]>::len)),
            rows_by_weight: distinct_rows(&swapped),
            rows_by_activation: distinct_rows(table),
            ignored_activation_bits: ignored_bits(table),
            ignored_weight_bits: ignored_bits(&swapped),
        }
    }

    /// Bytes of a table of 16-bit products that holds each distinct row by weight once.
    pub fn device_table_bytes(&self) -> usize {
        self.rows_by_weight * 256 * 2
    }
}

fn masked_product(table: &TruthTable) -> Option<Masks> {
    // A masked product is not zero exactly for pairs of bits in both masks.
    let mut masks = Masks { activation: 0, weight: 0 };
    for (i, j) in (0..8).flat_map(|i| (0..8).map(move |j| (i, j))) {
        if table.product(1 << i, 1 << j) != 0 {
            masks.activation |= 1 << i;
            masks.weight |= 1 << j;
        }
    }
    let value = |bits: u8| if table.is_signed() { i32::from(bits as i8) } else { i32::from(bits) };
    let product = |a: u8, w: u8| value(a & masks.activation) * value(w & masks.weight);
    pairs().all(|(a, w)| table.product(a, w) == product(a, w)).then_some(masks)
}

fn bilinear(table: &TruthTable) -> Option<[[i32; 8]; 8]> {
    let coefficients: [[i32; 8]; 8] =
        std::array::from_fn(|i| std::array::from_fn(|j| table.product(1 << i, 1 << j)));
    let bits = |byte: u8| (0..8).filter(move |bit| byte >> bit & 1 == 1);
    // By activation bit and weight: the products of one bit with whole weights.
    let rows = coefficients.map(|row| {
        let product = |w: u8| bits(w).map(|j| row[j]).sum::<i32>();
        (0..=255).map(product).collect::<Vec<i32>>()
    });
    let product = |a: u8, w: u8| bits(a).map(|i| rows[i][usize::from(w)]).sum::<i32>();
    pairs().all(|(a, w)| table.product(a, w) == product(a, w)).then_some(coefficients)
}

/// Whether the table is a sum of a table of the first operand's high nibble and one of its low nibble.
fn separable(table: &TruthTable) -> bool {
    pairs().all(|(a, w)| {
        let [whole, high, low, none] = [a, a & 0xf0, a & 0x0f, 0].map(|a| table.product(a, w));
        whole + none == high + low
    })
}

fn distinct_rows(table: &TruthTable) -> usize {
    table.products().chunks_exact(256).collect::<HashSet<_>>().len()
}

/// Bits of the first operand that no product depends on.
fn ignored_bits(table: &TruthTable) -> u8 {
    let ignored = |bit: &u8| pairs().all(|(a, w)| table.product(a, w) == table.product(a ^ bit, w));
    (0..8).map(|i| 1 << i).filter(ignored).sum()
}

fn pairs() -> impl Iterator<Item = (u8, u8)> {
    (0..=255).flat_map(|a| (0..=255).map(move |w| (a, w)))
}

/// The field that ranks are taken over.
const PRIME: u64 = (1 << 61) - 1;

/// Rank modulo [`PRIME`], by Gaussian elimination.
fn rank(matrix: Vec<Vec<i32>>) -> usize {
    let element = |x: i32| if x < 0 { PRIME - u64::from(x.unsigned_abs()) } else { x as u64 };
    // Rows that are the same would only be eliminated one after another.
    let rows: HashSet<Vec<i32>> = matrix.into_iter().collect();
    let mut rows: Vec<Vec<u64>> =
        rows.into_iter().map(|row| row.into_iter().map(element).collect()).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let mut rank = 0;
    for column in 0..columns {
        let Some(pivot) = (rank..rows.len()).find(|&row| rows[row][column] != 0) else { continue };
        rows.swap(rank, pivot);
        let (done, rest) = rows.split_at_mut(rank + 1);
        let pivot = &done[rank][column..];
        let inverse = power(pivot[0], PRIME - 2);
        for row in rest.iter_mut().filter(|row| row[column] != 0) {
            // Subtracting `factor * pivot` is adding `(PRIME - factor) * pivot`.
            let factor = PRIME - multiply(row[column], inverse);
            for (x, &p) in row[column..].iter_mut().zip(pivot) {
                *x = (*x + multiply(factor, p)) % PRIME;
            }
        }
        rank += 1;
    }
    rank
}

fn multiply(x: u64, y: u64) -> u64 {
    let product = u128::from(x) * u128::from(y);
    // 2^61 is 1 modulo 2^61 - 1.
    let folded = (product as u64 & PRIME) + (product >> 61) as u64;
    if folded >= PRIME { folded - PRIME } else { folded }
}

fn power(base: u64, mut exponent: u64) -> u64 {
    let (mut square, mut result) = (base, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::Design;

    fn structure(signed: bool, product: impl Fn(i32, i32) -> i32) -> Structure {
        Structure::of(&TruthTable::from_fn(signed, product).unwrap())
    }

    #[test]
    fn exact_and_masked_products_are_recognised() {
        for signed in [false, true] {
            let exact = structure(signed, |a, w| a * w);
            assert_eq!(exact.masked_product, Some(Masks { activation: 0xff, weight: 0xff }));
            assert!(exact.bilinear.is_some() && exact.separable_activation && exact.separable_weight);
            assert_eq!((exact.rank, exact.terms), (1, Some(1)));
            assert_eq!((exact.rows_by_weight, exact.rows_by_activation), (256, 256));
            assert_eq!((exact.ignored_activation_bits, exact.ignored_weight_bits), (0, 0));

            let masked = structure(signed, |a, w| (a & !5) * (w & !0x13));
            assert_eq!(masked.masked_product, Some(Masks { activation: !5, weight: !0x13 }));
            assert_eq!((masked.rank, masked.rows_by_weight, masked.rows_by_activation), (1, 32, 64));
            assert_eq!((masked.ignored_activation_bits, masked.ignored_weight_bits), (5, 0x13));
            assert_eq!(masked.device_table_bytes(), 16384);
        }
    }

    #[test]
    fn partial_products_left_out_are_bilinear_but_no_masked_product() {
        let table = Design::Truncated { columns: 6 }.netlist(false).simulate().table;
        let s = Structure::of(&table);
        let coefficients = s.bilinear.unwrap();
        for (i, j) in (0..8).flat_map(|i| (0..8).map(move |j| (i, j))) {
            assert_eq!(coefficients[i][j], if i + j >= 6 { 1 << (i + j) } else { 0 });
        }
        assert!(s.masked_product.is_none() && s.separable_activation && s.separable_weight);
        // The five lowest activation bits each meet other weight bits, the three highest meet all... but
        // bits 6 and 7 meet the same ones: 7 patterns.
        assert_eq!(s.rank, 7);
        assert_eq!(s.terms, None);
    }

    #[test]
    fn nibbles_of_one_operand_may_separate_alone() {
        // Anything of the low nibble, anything of the high one, and nothing of the weight in common.
        let product = |a: i32, w: i32| (a & 15) * (w * w % 97) + (a >> 4) * (w * w * w % 89);
        let s = structure(false, product);
        assert!(s.separable_activation && !s.separable_weight && s.bilinear.is_none());
        assert_eq!((s.rank, s.terms), (2, Some(2)));
        assert!(structure(false, |a, w| product(w, a)).separable_weight);
        let s = structure(false, |a, w| (a + w) * (a + w) / 8);
        assert!(!s.separable_activation && !s.separable_weight);
    }

    #[test]
    fn one_wrong_product_spoils_every_structure() {
        let s = structure(true, |a, w| a * w + i32::from((a, w) == (-77, 33)));
        assert!(s.masked_product.is_none() && s.bilinear.is_none());
        assert!(!s.separable_activation && !s.separable_weight);
        assert_eq!((s.rank, s.terms), (2, Some(2)));
    }

    #[test]
    fn constants_are_of_rank_one_and_nothing_is_of_none() {
        let zero = structure(false, |_, _| 0);
        assert_eq!(zero.masked_product, Some(Masks { activation: 0, weight: 0 }));
        assert_eq!((zero.rank, zero.terms, zero.rows_by_weight), (0, Some(0), 1));
        let one = structure(false, |_, _| 1);
        assert!(one.bilinear.is_none() && one.separable_activation);
        assert_eq!((one.rank, one.ignored_weight_bits), (1, 0xff));
    }

    #[test]
    fn ranks_are_those_of_matrices_with_known_ones() {
        assert_eq!(rank(vec![]), 0);
        assert_eq!(rank(vec![vec![0, -3], vec![5, 0]]), 2);
        // Rows and columns that stop changing at r.
        for r in [1, 5, 40, 64] {
            let row = |i: i32| (0..64).map(|j| 7 * i.min(j).min(r - 1) - 3).collect::<Vec<i32>>();
            assert_eq!(rank((0..64).map(row).collect()), r as usize);
        }
    }
}
