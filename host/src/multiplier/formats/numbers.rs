//! From the numbers of a file to a truth table.

use crate::error::{Error, Result};
use crate::multiplier::{TruthTable, signed_or_unsigned};
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Which operand values the rows and columns of a signed table stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IndexOrder {
    /// Row `a as u8`: 0, 1, ... 127, -128, ... -1.
    TwosComplement,
    /// Row `a + 128`: -128, ... -1, 0, ... 127.
    Offset,
}

impl fmt::Display for IndexOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            IndexOrder::TwosComplement => "twos-complement",
            IndexOrder::Offset => "offset",
        })
    }
}

impl FromStr for IndexOrder {
    type Err = Error;

    fn from_str(text: &str) -> Result<IndexOrder> {
        match text {
            "twos-complement" => Ok(IndexOrder::TwosComplement),
            "offset" => Ok(IndexOrder::Offset),
            _ => Err(Error::Argument(format!("an index order is twos-complement or offset, not \"{text}\""))),
        }
    }
}

/// What a file says, before it is known what its rows and columns stand for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    /// 65,536 products, the first operand's index times 256 plus the second's.
    pub products: Vec<i64>,
    /// Whether the file's type of numbers tells signed from unsigned, and which it is.
    pub signed: Option<bool>,
    /// Whether the operands were given by value, so that [`products`](Self::products) are in two's complement
    /// order.
    pub by_value: bool,
    /// The names that the file gives its operands, if they tell the activation from the weight.
    pub named: Option<String>,
    /// What a user should know about how the file was read.
    pub notes: Vec<String>,
}

impl Numbers {
    /// Numbers whose type tells their signedness, or of which nothing does.
    pub fn of_type(products: Vec<i64>, signed: Option<bool>) -> Numbers {
        Numbers { products, signed, by_value: false, named: None, notes: Vec::new() }
    }

    /// Numbers whose type holds both signednesses: only values tell.
    pub fn of_any_type(products: Vec<i64>) -> Numbers {
        let signed = if products.iter().any(|&product| product < 0) {
            Some(true)
        } else if products.iter().any(|&product| product > i16::MAX.into()) {
            Some(false)
        } else {
            None
        };
        Numbers::of_type(products, signed)
    }
}

/// How [`table`] reads numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub signed: bool,
    /// The order to read a signed table in; recognised if not given.
    pub index: Option<IndexOrder>,
    /// Whether the first operand of the file is the weight.
    pub swap: bool,
}

/// The table that the numbers of `path` are, and in which order its operands were (`None` if unsigned, whose
/// rows have one meaning only).
pub(super) fn table(
    path: &Path,
    numbers: Numbers,
    reading: Reading,
) -> Result<(TruthTable, Option<IndexOrder>)> {
    let Reading { signed, index, swap } = reading;
    let mut products = numbers.products;
    if products.len() != TruthTable::ENTRIES {
        let reason = format!("{} products, not the 65536 of 256 x 256 operand pairs", products.len());
        return Err(Error::file(path, reason));
    }
    if let Some(names) = numbers.named.filter(|_| swap) {
        let reason = format!(
            "its columns are named {names}, which says what is what; leave out --swap-operands, or the header line"
        );
        return Err(Error::file(path, reason));
    }
    // The C functions of EvoApproxLib return signed products as uint16_t.
    let patterns = i64::from(i16::MAX) + 1..=i64::from(u16::MAX);
    let (least, most) = (products.iter().min(), products.iter().max());
    if signed && least.is_some_and(|&p| p >= 0) && most.is_some_and(|p| patterns.contains(p)) {
        products.iter_mut().for_each(|p| *p = i64::from(*p as u16 as i16));
    }
    if swap {
        products = (0..TruthTable::ENTRIES).map(|i| products[(i & 255) << 8 | i >> 8]).collect();
    }
    let index = match (signed, numbers.by_value, index) {
        (false, _, None) => None,
        (false, _, Some(_)) => {
            return Err(Error::file(path, "--index is for signed tables; this one is unsigned"));
        }
        (true, true, Some(_)) => {
            return Err(Error::file(path, "gives operands by value, so --index does not apply"));
        }
        (true, true, None) => Some(IndexOrder::TwosComplement),
        (true, false, Some(index)) => Some(index),
        (true, false, None) => Some(nearest_order(&products)),
    };
    if index == Some(IndexOrder::Offset) {
        // a + 128 and `a as u8` differ in the highest bit.
        products = (0..TruthTable::ENTRIES).map(|i| products[i ^ 0x8080]).collect();
    }
    let range = if signed { i16::MIN.into()..=i16::MAX.into() } else { 0..=i64::from(u16::MAX) };
    if let Some(i) = products.iter().position(|product| !range.contains(product)) {
        let [a, w] = operands(i, signed);
        let kind = signed_or_unsigned(signed);
        let reason = format!(
            "the product of a = {a} and w = {w} is {}, outside the {}..={} of {kind} products",
            products[i],
            range.start(),
            range.end()
        );
        return Err(Error::file(path, reason));
    }
    let products = products.into_iter().map(|product| product as i32).collect();
    TruthTable::new(signed, products)
        .map(|table| (table, index))
        .map_err(|e| Error::file(path, e.to_string()))
}

/// The operands of entry `i` in two's complement order.
fn operands(i: usize, signed: bool) -> [i64; 2] {
    [i >> 8, i & 255].map(|code| if signed { i64::from(code as u8 as i8) } else { code as i64 })
}

/// The order under which the products of a signed table are nearer to the exact ones.
fn nearest_order(products: &[i64]) -> IndexOrder {
    let error = |flipped: usize| -> f64 {
        let of = |(i, &product): (usize, &i64)| {
            let [a, w] = operands(i ^ flipped, true);
            (product as f64 - (a * w) as f64).abs()
        };
        products.iter().enumerate().map(of).sum()
    };
    if error(0x8080) < error(0) { IndexOrder::Offset } else { IndexOrder::TwosComplement }
}

/// The whole number that a float is.
pub(super) fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.fract() == 0.0 && number.abs() < 2f64.powi(53)).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(table: &TruthTable) -> Numbers {
        let products = table.products().iter().map(|&product| i64::from(product)).collect();
        Numbers::of_type(products, None)
    }

    fn read(
        numbers: Numbers,
        signed: bool,
        index: Option<IndexOrder>,
        swap: bool,
    ) -> Result<(TruthTable, Option<IndexOrder>)> {
        table(Path::new("x"), numbers, Reading { signed, index, swap })
    }

    fn lopsided(signed: bool) -> TruthTable {
        TruthTable::from_fn(signed, |a, w| (a & !7) * w).unwrap()
    }

    #[test]
    fn both_index_orders_are_recognised() {
        let table = lopsided(true);
        let mut offset = numbers(&table);
        offset.products = (0..65536).map(|i| i64::from(table.products()[i ^ 0x8080])).collect();
        assert_eq!(
            read(numbers(&table), true, None, false).unwrap(),
            (table.clone(), Some(IndexOrder::TwosComplement))
        );
        assert_eq!(
            read(offset.clone(), true, None, false).unwrap(),
            (table.clone(), Some(IndexOrder::Offset))
        );
        let forced = read(offset, true, Some(IndexOrder::TwosComplement), false).unwrap().0;
        assert_eq!(forced.product(0, 0), table.product(0x80, 0x80));
    }

    #[test]
    fn operands_are_swapped_on_request() {
        let table = lopsided(false);
        assert_eq!(read(numbers(&table), false, None, true).unwrap(), (table.swapped(), None));
    }

    #[test]
    fn unsigned_patterns_of_signed_products_are_understood() {
        let table = lopsided(true);
        let mut patterns = numbers(&table);
        patterns.products.iter_mut().for_each(|p| *p = i64::from(*p as u16));
        assert_eq!(read(patterns, true, None, false).unwrap().0, table);
    }

    #[test]
    fn products_out_of_range_are_named_by_their_operands() {
        let refused = |i: usize, product: i64, signed: bool| {
            let mut numbers = numbers(&TruthTable::exact(signed));
            numbers.products[i] = product;
            read(numbers, signed, None, false).unwrap_err().to_string()
        };
        let message = refused(2 * 256 + 3, -1, false);
        assert!(message.contains("a = 2 and w = 3 is -1"), "{message}");
        let message = refused(0xff_80, 1 << 40, true);
        assert!(message.contains("a = -1 and w = -128 is 1099511627776"), "{message}");
        assert!(refused(7, 65536, false).contains("w = 7 is 65536"));
    }

    #[test]
    fn values_tell_signedness_where_they_can() {
        let of = |product| Numbers::of_any_type(vec![0, product]).signed;
        assert_eq!([of(-1), of(65025), of(16384)], [Some(true), Some(false), None]);
    }
}
