//! Multipliers that a device need not look up.
//!
//! A layer's products can often be written `f(x) * g(w) + h(w)` for every activation code `x` and every
//! weight `w` that occurs in the layer: exact multipliers, those that ignore bits of their operands, and
//! others that happen to. `h` then goes into the bias, and a core with fast multiplications computes
//! `f(x) * g(w)`. Whether the form holds is proved over all entries, never assumed from a name.

use crate::multiplier::ProductTable;

/// The most that `f` may shift codes, so that it stays within 16 bits.
const MAX_SHIFT: u32 = 7;

/// Products in the form `f(x) * g(w) + h(w)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lowered {
    /// `f`.
    pub factor: Factor,
    /// `g` by weight code, 0 for those that do not occur.
    pub weights: [i32; 256],
    /// `h` by weight code.
    pub constants: [i32; 256],
}

/// The function `f` of activation codes.
#[allow(clippy::large_enum_variant, reason = "there is one for each layer")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// `(x & mask) << shift`.
    Masked {
        /// The bits that count.
        mask: u8,
        /// How far they are shifted.
        shift: u8,
    },
    /// Some other function.
    Mapped([i16; 256]),
}

impl Factor {
    /// `f(code)`.
    pub fn of(&self, code: u8) -> i32 {
        match self {
            Factor::Masked { mask, shift } => i32::from(code & mask) << shift,
            Factor::Mapped(values) => values[usize::from(code)].into(),
        }
    }
}

impl Lowered {
    /// The form of `products` for the weight codes that `occurs` marks, if they have it in 16 bits.
    pub fn new(products: &ProductTable, occurs: &[bool; 256]) -> Option<Lowered> {
        let codes = || (0..=255u8).filter(|&code| occurs[usize::from(code)]);
        let mut shape: Option<[i32; 256]> = None;
        let (mut weights, mut constants) = ([0; 256], [0; 256]);
        for code in codes() {
            let row = products.row(code);
            let differences = row.map(|product| product - row[0]);
            constants[usize::from(code)] = row[0];
            let Some(divisor) = signed_divisor(&differences) else { continue };
            let primitive = differences.map(|d| d / divisor);
            if *shape.get_or_insert(primitive) != primitive {
                return None;
            }
            weights[usize::from(code)] = divisor;
        }
        let factor = match shape {
            None => Factor::Masked { mask: 0, shift: 0 },
            Some(shape) => factor(&shape, &mut weights)?,
        };
        let fits = weights.iter().all(|&w| i16::try_from(w).is_ok());
        fits.then_some(Lowered { factor, weights, constants })
    }

    /// Whether weights fit 8 bits.
    pub fn is_narrow(&self) -> bool {
        self.weights.iter().all(|&w| i8::try_from(w).is_ok())
    }
}

/// The greatest common divisor, negative if the first value that is not 0 is; `None` if all are 0.
fn signed_divisor(values: &[i32; 256]) -> Option<i32> {
    let first = *values.iter().find(|&&value| value != 0)?;
    let divisor = values.iter().fold(0, |divisor: i32, &value| gcd(divisor, value.abs()));
    Some(divisor * first.signum())
}

fn gcd(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `f` for products `shape(x) * weights(w)`: codes whose bits are masked, if that is what they are, and else a
/// map. Factors that move from one side to the other change `weights`.
fn factor(shape: &[i32; 256], weights: &mut [i32; 256]) -> Option<Factor> {
    let scales = (0..8).map(|bit| 1 << bit);
    let masked = |scale: i32| {
        let mask = u8::try_from(shape[255] * scale).ok()?;
        let holds = (0..=255u8).zip(shape).all(|(x, &value)| value * scale == i32::from(x & mask));
        holds.then_some((mask, scale))
    };
    let all_divide = |weights: &[i32; 256], by: i32| weights.iter().all(|w| w % by == 0);
    let found = scales.into_iter().find_map(masked).filter(|&(_, scale)| all_divide(weights, scale));
    let Some((mask, scale)) = found else {
        let mut values = [0; 256];
        for (to, &value) in values.iter_mut().zip(shape) {
            *to = i16::try_from(value).ok()?;
        }
        return Some(Factor::Mapped(values));
    };
    weights.iter_mut().for_each(|w| *w /= scale);
    // Weights that do not fit 8 bits may after their common factor has gone to the other side.
    let mut shift = 0;
    let too_wide = |weights: &[i32; 256]| weights.iter().any(|&w| i8::try_from(w).is_err());
    let narrowed = |shift: u32| weights.map(|w| w >> shift);
    if let Some(enough) =
        (0..=MAX_SHIFT).take_while(|&s| all_divide(weights, 1 << s)).find(|&s| !too_wide(&narrowed(s)))
    {
        *weights = narrowed(enough);
        shift = enough as u8;
    }
    Some(Factor::Masked { mask, shift })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Scheme, TruthTable};

    const SIGN_MAGNITUDE: Scheme = Scheme::SignMagnitude { weight_shift: 1 };

    fn occurring(scheme: Scheme) -> [bool; 256] {
        let mut occurs = [true; 256];
        // -128 is no weight of the symmetric schemes.
        occurs[128] = scheme == Scheme::Unsigned;
        occurs
    }

    fn lower(table: &TruthTable, scheme: Scheme, zero_point: u8) -> Option<Lowered> {
        let products = ProductTable::new(table, scheme, false, zero_point).unwrap();
        let lowered = Lowered::new(&products, &occurring(scheme))?;
        for code in (0..=255u8).filter(|&code| occurring(scheme)[usize::from(code)]) {
            for x in 0..=255 {
                let product = lowered.factor.of(x) * lowered.weights[usize::from(code)]
                    + lowered.constants[usize::from(code)];
                assert_eq!(product, products.row(code)[usize::from(x)], "{code} {x}");
            }
        }
        Some(lowered)
    }

    #[test]
    fn exact_products_are_multiplications_in_every_scheme() {
        let plain = Factor::Masked { mask: 255, shift: 0 };
        let unsigned = lower(&TruthTable::exact(false), Scheme::Unsigned, 3).unwrap();
        assert_eq!((unsigned.factor, unsigned.is_narrow()), (plain, false));
        let signed = lower(&TruthTable::exact(true), Scheme::Signed, 7).unwrap();
        assert_eq!((signed.factor, signed.is_narrow()), (plain, true));
        for zero_point in [0, 128] {
            let lowered = lower(&TruthTable::exact(false), SIGN_MAGNITUDE, zero_point).unwrap();
            // Weights are doubled by the scheme; the factor of two goes to the activations.
            assert_eq!(lowered.factor, Factor::Masked { mask: 255, shift: 1 });
            assert!(lowered.is_narrow());
        }
    }

    #[test]
    fn masked_products_keep_their_mask() {
        let table = TruthTable::from_fn(false, |a, w| (a & 0xf4) * (w & 0xf0)).unwrap();
        let lowered = lower(&table, SIGN_MAGNITUDE, 0).unwrap();
        assert!(matches!(lowered.factor, Factor::Masked { mask: 0xf4, .. }), "{:?}", lowered.factor);
        assert!(lowered.is_narrow());
        // Around a zero point the magnitude's bits are not the code's: that takes a map.
        let lowered = lower(&table, SIGN_MAGNITUDE, 128).unwrap();
        assert!(matches!(lowered.factor, Factor::Mapped(_)), "{:?}", lowered.factor);
    }

    #[test]
    fn a_single_wrong_product_forbids_it() {
        // Where no operand is 0: zero weights have zero products in this scheme, and zeros are constants.
        for (a, w) in [(1, 2), (255, 254), (17, 32)] {
            let wrong = |x: i32, y: i32| x * y + i32::from((x, y) == (a, w));
            let table = TruthTable::from_fn(false, wrong).unwrap();
            assert_eq!(lower(&table, SIGN_MAGNITUDE, 0), None, "{a} {w}");
        }
    }

    #[test]
    fn rows_that_do_not_occur_do_not_matter() {
        let table = TruthTable::from_fn(false, |a, w| if w > 40 { 7 * a / 2 } else { a * w }).unwrap();
        let products = ProductTable::new(&table, Scheme::Unsigned, false, 0).unwrap();
        let mut occurs = [true; 256];
        assert_eq!(Lowered::new(&products, &occurs), None);
        occurs[41..].fill(false);
        assert!(Lowered::new(&products, &occurs).unwrap().is_narrow());
    }

    #[test]
    fn products_that_do_not_depend_on_the_activation_are_constants() {
        let table = TruthTable::from_fn(false, |_, w| w).unwrap();
        let lowered = lower(&table, Scheme::Unsigned, 0).unwrap();
        assert_eq!(lowered.weights, [0; 256]);
    }
}
