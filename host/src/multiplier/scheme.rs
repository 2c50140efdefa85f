//! How a layer uses a multiplier.

use super::{TruthTable, signed_or_unsigned};
use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How a layer's codes become operands of its multiplier and the product becomes the layer's product.
///
/// Activations are stored as u8 codes `x` with a zero point `z` in every scheme. As text: `unsigned`,
/// `signed`, `sign-magnitude` (weight shift 1), `sign-magnitude:0` (any other shift).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `M(x, w)` on u8 codes; an unsigned multiplier.
    Unsigned,
    /// `M(x - 128, w)` on i8 codes; a signed multiplier.
    Signed,
    /// `sgn(a) sgn(w) M(|a|, |w| << weight_shift)` with `a = x - z`; an unsigned multiplier, the sign exact.
    /// A zero weight gives zero; a zero activation counts as positive. Weights are -127..=127.
    SignMagnitude {
        /// How far the weight's magnitude is shifted left, 0 or 1. By 1 its 7 bits become the highest of the
        /// multiplier's operand, where most approximate multipliers are at their best.
        weight_shift: u8,
    },
}

impl Default for Scheme {
    fn default() -> Self {
        Scheme::SignMagnitude { weight_shift: Self::DEFAULT_SHIFT }
    }
}

impl Scheme {
    const DEFAULT_SHIFT: u8 = 1;

    /// How many times the exact product of the codes a product of this scheme is: an exact multiplier gives
    /// 2 `a * w` under a weight shift of 1. Biases and requantization have to be in the same measure.
    pub fn product_scale(self) -> i32 {
        match self {
            Scheme::SignMagnitude { weight_shift } => 1 << weight_shift.min(1),
            _ => 1,
        }
    }

    /// Whether the multiplier has to be a signed one.
    pub fn wants_signed_table(self) -> bool {
        self == Scheme::Signed
    }

    /// Whether this scheme can use `table` for activations with this zero point; if not, why.
    pub fn check(self, table: &TruthTable, zero_point: u8) -> Result<()> {
        if table.is_signed() != self.wants_signed_table() {
            let [wanted, given] = [self.wants_signed_table(), table.is_signed()].map(signed_or_unsigned);
            return Err(Error::Mismatch(format!(
                "the {self} scheme needs a multiplier that is {wanted}, this one is {given}"
            )));
        }
        if let Scheme::SignMagnitude { weight_shift } = self {
            check_shift(weight_shift)?;
            if zero_point != 0 && zero_point != 128 {
                return Err(Error::Mismatch(format!(
                    "the {self} scheme needs activations with zero point 0 (not negative) or 128 \
                     (symmetric), not {zero_point}"
                )));
            }
        }
        Ok(())
    }
}

fn check_shift(weight_shift: u8) -> Result<()> {
    if weight_shift <= 1 {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "a sign-magnitude weight shift of {weight_shift} does not fit: 7-bit magnitudes can be shifted by 0 \
         or 1 within the multiplier's 8 bits"
    )))
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Scheme::Unsigned => f.pad("unsigned"),
            Scheme::Signed => f.pad("signed"),
            Scheme::SignMagnitude { weight_shift: Self::DEFAULT_SHIFT } => f.pad("sign-magnitude"),
            Scheme::SignMagnitude { weight_shift } => f.pad(&format!("sign-magnitude:{weight_shift}")),
        }
    }
}

impl FromStr for Scheme {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "unsigned" => return Ok(Scheme::Unsigned),
            "signed" => return Ok(Scheme::Signed),
            "sign-magnitude" => return Ok(Scheme::default()),
            _ => {}
        }
        let shift = text.strip_prefix("sign-magnitude:").and_then(|shift| shift.parse().ok());
        let Some(weight_shift) = shift else {
            return Err(Error::Argument(format!(
                "\"{text}\" is not a scheme: use unsigned, signed, sign-magnitude or sign-magnitude:0"
            )));
        };
        check_shift(weight_shift)?;
        Ok(Scheme::SignMagnitude { weight_shift })
    }
}

impl Serialize for Scheme {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scheme {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_come_back_as_they_were() {
        let schemes = [Scheme::Unsigned, Scheme::Signed, Scheme::default()];
        for scheme in schemes.into_iter().chain([Scheme::SignMagnitude { weight_shift: 0 }]) {
            assert_eq!(scheme.to_string().parse::<Scheme>().unwrap(), scheme);
            let json = serde_json::to_string(&scheme).unwrap();
            assert_eq!(serde_json::from_str::<Scheme>(&json).unwrap(), scheme);
        }
        assert_eq!(Scheme::default().to_string(), "sign-magnitude");
    }

    #[test]
    fn unknown_schemes_and_shifts_are_refused_with_the_way_out() {
        let message = "sm".parse::<Scheme>().unwrap_err().to_string();
        assert!(message.contains("\"sm\"") && message.contains("sign-magnitude"), "{message}");
        let message = "sign-magnitude:2".parse::<Scheme>().unwrap_err().to_string();
        assert!(message.contains("shift of 2"), "{message}");
        assert!(serde_json::from_str::<Scheme>("\"sign-magnitude:x\"").is_err());
    }

    #[test]
    fn only_fitting_tables_and_zero_points_pass() {
        let (unsigned, signed) = (TruthTable::exact(false), TruthTable::exact(true));
        assert!(Scheme::Unsigned.check(&unsigned, 77).is_ok());
        assert!(Scheme::Signed.check(&signed, 77).is_ok());
        assert!(Scheme::default().check(&unsigned, 0).is_ok());
        assert!(Scheme::default().check(&unsigned, 128).is_ok());
        for (scheme, table, zero_point) in [
            (Scheme::Unsigned, &signed, 0),
            (Scheme::Signed, &unsigned, 0),
            (Scheme::default(), &signed, 0),
            (Scheme::default(), &unsigned, 127),
            (Scheme::SignMagnitude { weight_shift: 2 }, &unsigned, 0),
        ] {
            assert!(scheme.check(table, zero_point).is_err(), "{scheme} {zero_point}");
        }
    }
}
