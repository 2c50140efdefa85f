//! Tables whose rows and columns are labelled with the operands, as spreadsheets and data frames write them.

use super::Row;
use crate::error::{Error, Result};
use crate::multiplier::TruthTable;
use crate::multiplier::formats::numbers::Numbers;
use std::path::Path;

/// What the labels of an axis are, in order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Labels {
    /// 0 to 255: positions, or bytes.
    Bytes,
    /// The values -128 to 127, from the least on.
    Rising,
    /// The same in two's complement order: 0 to 127, then -128 to -1.
    TwosComplement,
}

impl Labels {
    fn of(numbers: &[i64]) -> Option<Labels> {
        let counts = |from: i64| numbers.iter().zip(from..).all(|(&number, wanted)| number == wanted);
        let wrapped = || numbers.iter().zip(0..=255u8).all(|(&number, code)| number == i64::from(code as i8));
        match () {
            () if numbers.len() != 256 => None,
            () if counts(0) => Some(Labels::Bytes),
            () if counts(-128) => Some(Labels::Rising),
            () if wrapped() => Some(Labels::TwosComplement),
            () => None,
        }
    }

    /// The operand's byte at a position, if labels are values.
    fn code(self, position: usize) -> usize {
        if self == Labels::Rising { position ^ 0x80 } else { position }
    }
}

/// Reads 256 lines of 256 numbers with a row of labels above them, a column before them, or both; None if they
/// are not so many or their labels are not in order.
pub(super) fn read(path: &Path, rows: &[Row]) -> Result<Option<Numbers>> {
    let (header, body) = match rows.len() {
        256 => (None, rows),
        257 => (Some(&*rows[0].numbers), &rows[1..]),
        _ => return Ok(None),
    };
    let width = body[0].numbers.len();
    let index = width == 257;
    if body.iter().any(|row| row.numbers.len() != width) || !(index || width == 256 && header.is_some()) {
        return Ok(None);
    }
    // A corner between both may hold a number as well.
    let header =
        header.map(|labels| Labels::of(if labels.len() == 257 && index { &labels[1..] } else { labels }));
    let first: Vec<i64> = body.iter().map(|row| row.numbers[0]).collect();
    let index = index.then(|| Labels::of(&first));
    let (header, index) = match (header, index) {
        (Some(None), _) | (_, Some(None)) => return Ok(None),
        (header, index) => (header.flatten(), index.flatten()),
    };
    // Labels on one side alone are those of the other side too.
    let Some((columns, lines)) = header.or(index).zip(index.or(header)) else { return Ok(None) };
    let by_value = columns != Labels::Bytes;
    if by_value != (lines != Labels::Bytes) {
        let reason = "its rows are labelled 0 to 255 and its columns -128 to 127, or the other way round; label both alike";
        return Err(Error::file(path, reason));
    }
    let mut products = vec![0; TruthTable::ENTRIES];
    for (line, row) in body.iter().enumerate() {
        for (column, &product) in row.numbers[width - 256..].iter().enumerate() {
            products[lines.code(line) << 8 | columns.code(column)] = product;
        }
    }
    let numbers = Numbers::of_any_type(products);
    let signed = if by_value { Some(true) } else { numbers.signed };
    Ok(Some(Numbers { signed, by_value, ..numbers }))
}

#[cfg(test)]
mod tests {
    use crate::multiplier::TruthTable;
    use crate::multiplier::formats::numbers::Numbers;
    use std::path::Path;

    fn parsed(text: &str) -> Result<Numbers, String> {
        super::super::read(Path::new("x.csv"), text.as_bytes()).map_err(|e| e.to_string())
    }

    /// A table as text, positions standing for `code`, with labels above, before, and in the corner.
    fn text(
        code: impl Fn(usize) -> u8,
        label: impl Fn(usize) -> String,
        above: bool,
        before: bool,
        corner: &str,
    ) -> String {
        let table = TruthTable::from_fn(true, |a, w| (a & !7) * w).unwrap();
        let mut text = String::new();
        if above {
            let labels: Vec<String> = (0..256).map(&label).collect();
            text += &format!("{corner}{}\n", labels.join(","));
        }
        for line in 0..256 {
            if before {
                text += &format!("{},", label(line));
            }
            let products = (0..256).map(|column| table.product(code(line), code(column)).to_string());
            text += &(products.collect::<Vec<_>>().join(",") + "\n");
        }
        text
    }

    #[test]
    fn labels_in_order_say_what_rows_and_columns_are() {
        let table = TruthTable::from_fn(true, |a, w| (a & !7) * w).unwrap();
        let products: Vec<i64> = table.products().iter().map(|&product| product.into()).collect();
        let offset = |i: usize| i as u8 ^ 0x80;
        for (above, before, corner) in [
            (true, true, ","),
            (true, true, "a\\w,"),
            (true, true, "a,"),
            (true, true, "\"\","),
            (true, true, "0,"),
            (true, false, ""),
            (false, true, ""),
        ] {
            let bytes = parsed(&text(|i| i as u8, |i| i.to_string(), above, before, corner)).unwrap();
            assert_eq!((&bytes.products, bytes.by_value), (&products, false), "{above} {before} {corner}");
            let rising = text(offset, |i| (i as i32 - 128).to_string(), above, before, corner);
            let values = parsed(&rising).unwrap();
            assert_eq!((&values.products, values.by_value, values.signed), (&products, true, Some(true)));
            let wrapped = parsed(&text(|i| i as u8, |i| (i as u8 as i8).to_string(), above, before, corner));
            assert_eq!(
                (wrapped.clone().unwrap().products, wrapped.unwrap().by_value),
                (products.clone(), true)
            );
        }
    }

    #[test]
    fn other_labels_are_asked_about() {
        for (above, before) in [(true, true), (true, false), (false, true)] {
            let message = parsed(&text(|i| i as u8, |i| (2 * i).to_string(), above, before, "")).unwrap_err();
            assert!(message.contains("are there a header row or an index column?"), "{message}");
        }
        let words = parsed(&text(|i| i as u8, |i| format!("w{i}"), true, false, "")).unwrap_err();
        assert!(words.contains("a header of words (w0,w1,"), "{words}");
        let mixed = text(|i| i as u8, |i| i.to_string(), true, true, ",");
        let (_, body) = mixed.split_once('\n').unwrap();
        let header: Vec<String> = (-128..128).map(|value: i32| value.to_string()).collect();
        let message = parsed(&format!(",{}\n{body}", header.join(","))).unwrap_err();
        assert!(message.contains("label both alike"), "{message}");
    }
}
