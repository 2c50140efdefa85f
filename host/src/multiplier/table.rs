//! A multiplier as the list of all its products.

use super::signed_or_unsigned;
use crate::error::{Error, Result};
use std::fmt;
use std::sync::{Arc, LazyLock};

/// The exact multipliers, which all errors are measured against.
static EXACT: [LazyLock<TruthTable>; 2] =
    [LazyLock::new(|| work_out_exact(false)), LazyLock::new(|| work_out_exact(true))];

/// All 65,536 products of an 8x8-bit multiplier.
///
/// Clones share them: a library and all that is chosen from it hold each table once.
#[derive(Clone, PartialEq, Eq)]
pub struct TruthTable {
    signed: bool,
    products: Arc<[i32]>,
}

impl fmt::Debug for TruthTable {
    /// Only what a line has room for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = signed_or_unsigned(self.signed);
        write!(f, "TruthTable({kind}, {:?}...)", &self.products[self.products.len().saturating_sub(4)..])
    }
}

impl TruthTable {
    /// Number of operand pairs.
    pub const ENTRIES: usize = 1 << 16;

    /// A table of `products`, entry `a * 256 + w` (operands as bytes, two's complement if signed).
    ///
    /// Unsigned products must fit u16, signed ones i16.
    pub fn new(signed: bool, products: Vec<i32>) -> Result<Self> {
        if products.len() != Self::ENTRIES {
            return Err(Error::Mismatch(format!(
                "a truth table has 65536 products (256 x 256), this one has {}",
                products.len()
            )));
        }
        let range = if signed { i16::MIN.into()..=i16::MAX.into() } else { 0..=u16::MAX.into() };
        if let Some(i) = products.iter().position(|p| !range.contains(p)) {
            return Err(Error::Mismatch(format!(
                "product {} of operands {} and {} is outside {}..={}",
                products[i],
                i >> 8,
                i & 255,
                range.start(),
                range.end()
            )));
        }
        Ok(TruthTable { signed, products: products.into() })
    }

    /// The table of a function of the two operands' values (0..=255, or -128..=127 if signed).
    pub fn from_fn(signed: bool, product: impl Fn(i32, i32) -> i32) -> Result<Self> {
        let value = |code: usize| if signed { i32::from(code as u8 as i8) } else { code as i32 };
        let products = (0..Self::ENTRIES).map(|i| product(value(i >> 8), value(i & 255))).collect();
        Self::new(signed, products)
    }

    /// The exact multiplier.
    pub fn exact(signed: bool) -> Self {
        EXACT[usize::from(signed)].clone()
    }

    /// Whether operands and products are two's complement.
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// All products, entry `a * 256 + w`.
    pub fn products(&self) -> &[i32] {
        &self.products
    }

    /// `M(a, w)` for operands given as bytes (two's complement if signed).
    pub fn product(&self, a: u8, w: u8) -> i32 {
        self.products[usize::from(a) << 8 | usize::from(w)]
    }

    /// The same circuit with its operands wired the other way round: another multiplier.
    pub fn swapped(&self) -> TruthTable {
        let products = (0..Self::ENTRIES).map(|i| self.products[(i & 255) << 8 | i >> 8]).collect();
        TruthTable { signed: self.signed, products }
    }
}

fn work_out_exact(signed: bool) -> TruthTable {
    TruthTable::from_fn(signed, |a, w| a * w).expect("exact products fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_tables_multiply() {
        let unsigned = TruthTable::exact(false);
        assert_eq!(unsigned.product(255, 254), 255 * 254);
        let signed = TruthTable::exact(true);
        assert_eq!(signed.product(0x80, 0x80), 128 * 128);
        assert_eq!(signed.product(0xff, 5), -5);
    }

    #[test]
    fn swapping_twice_changes_nothing() {
        let table = TruthTable::from_fn(false, |a, w| (a & 0xf0) * w).unwrap();
        assert_ne!(table.swapped(), table);
        assert_eq!(table.swapped().product(3, 200), table.product(200, 3));
        assert_eq!(table.swapped().swapped(), table);
    }

    #[test]
    fn bad_tables_are_refused_with_the_reason() {
        let short = TruthTable::new(false, vec![0; 7]).unwrap_err().to_string();
        assert!(short.contains("65536") && short.contains('7'), "{short}");
        let negative = TruthTable::from_fn(false, |a, w| if (a, w) == (2, 3) { -1 } else { 0 });
        let message = negative.unwrap_err().to_string();
        assert!(message.contains("operands 2 and 3"), "{message}");
    }
}
