//! A multiplier's products as a layer sees them.

use super::terms::{MAX_TERMS, Term, terms};
use super::{Scheme, TruthTable};
use crate::error::Result;
use std::sync::OnceLock;

/// The products of every weight code and activation code under a [`Scheme`], rows by weight.
#[derive(Debug, Clone)]
pub struct ProductTable {
    /// 256 rows by weight code, 256 products by activation code each.
    rows: Vec<[i32; 256]>,
    /// What [`terms`](Self::terms) found, once it was asked.
    terms: OnceLock<Option<Vec<Term>>>,
}

impl PartialEq for ProductTable {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl Eq for ProductTable {}

impl ProductTable {
    /// The products of `table` used by `scheme`, with its operands exchanged if `swapped`, for activations
    /// whose zero point is `zero_point` (only sign-magnitude looks at it, and wants 0 or 128).
    ///
    /// The swap exchanges the wires at the multiplier: `M(w, a)` in place of `M(a, w)`, shift and signs as
    /// before.
    pub fn new(table: &TruthTable, scheme: Scheme, swapped: bool, zero_point: u8) -> Result<ProductTable> {
        scheme.check(table, zero_point)?;
        let row = |w_bits: u8| {
            let (weight, weight_sign) = weight_operand(scheme, w_bits);
            std::array::from_fn(|x| {
                let (activation, sign) = activation_operand(scheme, zero_point, x as u8);
                let (first, second) = if swapped { (weight, activation) } else { (activation, weight) };
                weight_sign * sign * table.product(first, second)
            })
        };
        Ok(ProductTable { rows: (0..=255).map(row).collect(), terms: OnceLock::new() })
    }

    /// The products of the weight code `w_bits` (two's complement where weights have signs), by stored
    /// activation code.
    pub fn row(&self, w_bits: u8) -> &[i32; 256] {
        &self.rows[usize::from(w_bits)]
    }

    /// The table as a sum of a few products of a function of the activation and a function of the weight, if
    /// it is one: proved over all 65,536 entries. Sums of more than [`MAX_TERMS`] are not looked for.
    pub fn terms(&self) -> Option<&[Term]> {
        self.terms.get_or_init(|| terms(self, MAX_TERMS)).as_deref()
    }

    /// All 65,536 products, entry `w_bits * 256 + x`.
    pub fn entries(&self) -> &[i32] {
        self.rows.as_flattened()
    }
}

/// The multiplier's weight operand, and the sign (or zero) its product is multiplied by.
pub(super) fn weight_operand(scheme: Scheme, w_bits: u8) -> (u8, i32) {
    match scheme {
        Scheme::Unsigned | Scheme::Signed => (w_bits, 1),
        Scheme::SignMagnitude { weight_shift } => {
            let weight = w_bits as i8;
            // -128 is not a weight of this scheme; it acts as -127.
            (weight.unsigned_abs().min(127) << weight_shift, i32::from(weight.signum()))
        }
    }
}

/// The multiplier's activation operand, and the sign its product is multiplied by.
pub(super) fn activation_operand(scheme: Scheme, zero_point: u8, x: u8) -> (u8, i32) {
    match scheme {
        Scheme::Unsigned => (x, 1),
        Scheme::Signed => (x.wrapping_sub(128), 1),
        Scheme::SignMagnitude { .. } => (x.abs_diff(zero_point), if x < zero_point { -1 } else { 1 }),
    }
}

/// One product of a layer, straight from the definitions of [`Scheme`]: what [`ProductTable`] is checked
/// against. `x` is the stored activation code, `w_bits` the weight code (two's complement where weights
/// have signs). Combinations that [`Scheme::check`] refuses give some number, never a panic.
pub fn scheme_product(
    table: &TruthTable,
    scheme: Scheme,
    swapped: bool,
    zero_point: u8,
    x: u8,
    w_bits: u8,
) -> i32 {
    let multiply = |a: u8, w: u8| if swapped { table.product(w, a) } else { table.product(a, w) };
    match scheme {
        Scheme::Unsigned => multiply(x, w_bits),
        Scheme::Signed => multiply((i32::from(x) - 128) as u8, w_bits),
        Scheme::SignMagnitude { weight_shift } => {
            let a = i32::from(x) - i32::from(zero_point);
            let w = i32::from(w_bits as i8).max(-127);
            let magnitude = w.unsigned_abs() << weight_shift.min(1);
            match (a >= 0, w) {
                (_, 0) => 0,
                (true, 1..) | (false, ..0) => multiply(a.unsigned_abs() as u8, magnitude as u8),
                (true, ..0) | (false, 1..) => -multiply(a.unsigned_abs() as u8, magnitude as u8),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::Design;

    fn schemes() -> Vec<(Scheme, u8)> {
        let mut schemes = vec![(Scheme::Unsigned, 0), (Scheme::Unsigned, 97), (Scheme::Signed, 128)];
        for weight_shift in [0, 1] {
            schemes.extend([0, 128].map(|z| (Scheme::SignMagnitude { weight_shift }, z)));
        }
        schemes
    }

    #[test]
    fn tables_hold_the_products_of_the_definition() {
        for signed in [false, true] {
            // Not commutative, and wrong for zero operands.
            let odd = TruthTable::from_fn(signed, |a, w| (a & !5) * (w & !2) / 2 + (a & 3) + 1).unwrap();
            let broken = Design::BrokenArray { horizontal: 2, vertical: 6 }.netlist(signed).simulate().table;
            for table in [odd, broken, TruthTable::exact(signed)] {
                for (scheme, z) in schemes().into_iter().filter(|(s, _)| s.wants_signed_table() == signed) {
                    for swapped in [false, true] {
                        let products = ProductTable::new(&table, scheme, swapped, z).unwrap();
                        for (i, &product) in products.entries().iter().enumerate() {
                            let (w, x) = ((i >> 8) as u8, i as u8);
                            let expected = scheme_product(&table, scheme, swapped, z, x, w);
                            assert_eq!(product, expected, "{scheme} swapped {swapped} z {z} x {x} w {w}");
                            assert_eq!(products.row(w)[usize::from(x)], product);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn exact_multipliers_give_the_layer_s_exact_products() {
        let scale = Scheme::default().product_scale();
        for (x, w) in (0..=255u8).flat_map(|x| (0..=255u8).map(move |w| (x, w))) {
            let (xi, wi) = (i32::from(x), i32::from(w as i8));
            let of = |signed, scheme, z| scheme_product(&TABLES[usize::from(signed)], scheme, false, z, x, w);
            assert_eq!(of(false, Scheme::Unsigned, 0), xi * i32::from(w));
            assert_eq!(of(true, Scheme::Signed, 128), (xi - 128) * wi);
            if wi != -128 {
                assert_eq!(of(false, Scheme::default(), 0), xi * wi * scale);
                assert_eq!(of(false, Scheme::default(), 128), (xi - 128) * wi * scale);
            }
        }
    }

    static TABLES: std::sync::LazyLock<[TruthTable; 2]> =
        std::sync::LazyLock::new(|| [false, true].map(TruthTable::exact));

    #[test]
    fn sign_magnitude_has_its_rules_for_zeros_and_for_the_lowest_weight() {
        let table = TruthTable::from_fn(false, |a, w| 1000 + a + w).unwrap();
        let products = ProductTable::new(&table, Scheme::default(), false, 128).unwrap();
        assert_eq!(products.row(0), &[0; 256]);
        assert_eq!(products.row(3)[128], 1006, "a zero activation is positive");
        assert_eq!(products.row(253)[128], -1006);
        assert_eq!(products.row(253)[0], 1000 + 128 + 6);
        assert_eq!(products.row(0x80), products.row(0x81), "-128 acts as -127");
    }

    #[test]
    fn misfits_are_refused_by_the_table_and_harmless_one_by_one() {
        let table = TruthTable::exact(true);
        let scheme = Scheme::SignMagnitude { weight_shift: 200 };
        assert!(ProductTable::new(&table, scheme, false, 7).is_err());
        for (x, w) in [(0, 0x80), (255, 0x7f), (7, 0)] {
            scheme_product(&table, scheme, true, 7, x, w);
        }
    }
}
