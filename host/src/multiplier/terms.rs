//! Multipliers that are sums of a few products of functions of one operand.
//!
//! An exact product is one such term, and so is a product of masked operands `(a & ma) * (w & mw)`, whatever
//! the scheme makes of signs and shifts. A convolution with such a multiplier is as many exact matrix
//! products of the transformed operands as there are terms.

use super::ProductTable;

/// Longest sum that is looked for.
pub const MAX_TERMS: usize = 4;

/// `activation[x] * weight[w]`, a term of a product table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// By activation code.
    pub activation: [i16; 256],
    /// By weight code.
    pub weight: [i16; 256],
}

/// At most `max_terms` terms whose sum is `products` for all 65,536 pairs of codes; `None` if they were not
/// found. No terms for a table of zeros.
///
/// Wedderburn's rank reduction over the integers: a row divided by the greatest common divisor of its
/// entries is one factor, the column where that row is smallest, divided, is the other, and their product is
/// subtracted from the table. Each step leaves a table of rank one less.
pub fn terms(products: &ProductTable, max_terms: usize) -> Option<Vec<Term>> {
    let mut rest = products.entries().to_vec();
    let mut terms = Vec::new();
    loop {
        if rest.iter().all(|&p| p == 0) {
            return Some(terms);
        }
        if terms.len() == max_terms {
            return None;
        }
        // Rows of powers of two are those of single bits; any other row may do as well.
        let bits = (0..8).map(|bit| 1usize << bit);
        let term = bits.chain(0..256).find_map(|row| split(&rest, row))?;
        for (row, &weight) in rest.chunks_exact_mut(256).zip(&term.weight) {
            for (p, &activation) in row.iter_mut().zip(&term.activation) {
                *p = p.checked_sub(i32::from(weight) * i32::from(activation))?;
            }
        }
        terms.push(term);
    }
}

/// The term that takes row `pivot` of the table to zero, if it is one of integers of 16 bits.
fn split(table: &[i32], pivot: usize) -> Option<Term> {
    let row = &table[pivot * 256..][..256];
    let divisor = row.iter().fold(0u32, |divisor, &p| gcd(divisor, p.unsigned_abs()));
    let divisor = i32::try_from(divisor).ok().filter(|&d| d > 0)?;
    let mut activation = [0; 256];
    for (factor, &p) in activation.iter_mut().zip(row) {
        *factor = i16::try_from(p / divisor).ok()?;
    }
    let column = (0..256).filter(|&x| activation[x] != 0).min_by_key(|&x| activation[x].unsigned_abs())?;
    let mut weight = [0; 256];
    for (w, factor) in weight.iter_mut().enumerate() {
        let (p, by) = (table[w * 256 + column], i32::from(activation[column]));
        if p % by != 0 {
            return None;
        }
        *factor = i16::try_from(p / by).ok()?;
    }
    Some(Term { activation, weight })
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Scheme, TruthTable};

    fn count(scheme: Scheme, zero_point: u8, product: impl Fn(i32, i32) -> i32) -> Option<usize> {
        let table = TruthTable::from_fn(scheme.wants_signed_table(), product).unwrap();
        let products = ProductTable::new(&table, scheme, false, zero_point).unwrap();
        let terms = terms(&products, 3)?;
        for w in 0..=255u8 {
            for x in 0..256 {
                let sum: i32 = terms
                    .iter()
                    .map(|t| i32::from(t.activation[x]) * i32::from(t.weight[usize::from(w)]))
                    .sum();
                assert_eq!(sum, products.row(w)[x]);
            }
        }
        Some(terms.len())
    }

    const SIGN_MAGNITUDE: Scheme = Scheme::SignMagnitude { weight_shift: 1 };

    #[test]
    fn exact_and_masked_products_are_one_term_under_every_scheme() {
        for (scheme, z) in
            [(Scheme::Unsigned, 7), (Scheme::Signed, 128), (SIGN_MAGNITUDE, 0), (SIGN_MAGNITUDE, 128)]
        {
            assert_eq!(count(scheme, z, |a, w| a * w), Some(1), "{scheme}");
            assert_eq!(count(scheme, z, |a, w| (a & !3) * (w & !7)), Some(1), "{scheme}");
            assert_eq!(count(scheme, z, |_, _| 0), Some(0), "{scheme}");
        }
    }

    #[test]
    fn a_broken_product_is_a_few_terms() {
        // The low bits of one operand meet only some of the other's.
        let broken = |a: i32, w: i32| (a & 3) * (w & 0xf0) + (a & !3) * w;
        assert_eq!(count(Scheme::Unsigned, 0, broken), Some(2));
        let broken = |a: i32, w: i32| (a & 1) * (w & 0xc0) + (a & 2) * (w & 0xf0) + (a & !3) * w;
        assert_eq!(count(Scheme::Unsigned, 0, broken), Some(3));
        assert_eq!(count(SIGN_MAGNITUDE, 128, broken), Some(3));
    }

    #[test]
    fn one_entry_off_is_not_mistaken_for_a_product() {
        assert_eq!(count(Scheme::Unsigned, 0, |a, w| a * w + i32::from((a, w) == (200, 77))), Some(2));
        let noise = |a: i32, w: i32| (a * w + ((a * 31) ^ (w * 17)) % 5).max(0);
        assert_eq!(count(Scheme::Unsigned, 0, noise), None);
    }
}
