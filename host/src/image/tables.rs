//! The products of one multiplier in the smallest form the runtime can look up, or the fastest.
//!
//! Reductions, each proved on the values and never assumed from a multiplier's name: only rows that some
//! weight of the network names are kept, equal rows are kept once, and where negative weights give exactly
//! the negated products of positive ones, only magnitudes are kept. Rows whose values do not fit 16 bits but
//! lie close enough together lose a constant, which goes into the bias of the layers that use them.

use crate::multiplier::ProductTable;
use skimp_runtime::image::{EntryKind, WeightCoding};
use std::collections::HashMap;

/// What matters more about a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableForm {
    /// Its size: where negative weights give negated products, one row for both.
    #[default]
    Smallest,
    /// That weights have no sign to look at: a row for each.
    Fastest,
}

/// A table as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTable {
    /// How a weight byte names a row.
    pub coding: WeightCoding,
    /// The byte that stands for each weight code; 0 for codes that do not occur.
    pub weight_bytes: [u8; 256],
    /// Width of an entry.
    pub entry: EntryKind,
    /// The rows: products over all activation codes, less their constants.
    pub rows: Vec<[i32; 256]>,
    /// What a weight code's product is more than what is looked up.
    pub constants: [i32; 256],
}

impl StoredTable {
    /// The table with the rows for the weight codes that `occurs` marks, in the given form.
    pub fn new(products: &ProductTable, occurs: &[bool; 256], form: TableForm) -> StoredTable {
        let signed = match form {
            TableForm::Smallest => Self::signed(products, occurs),
            TableForm::Fastest => None,
        };
        signed.unwrap_or_else(|| Self::plain(products, occurs))
    }

    /// One row a code.
    fn plain(products: &ProductTable, occurs: &[bool; 256]) -> StoredTable {
        let mut rows = Rows::default();
        let mut weight_bytes = [0; 256];
        for code in codes(occurs) {
            weight_bytes[usize::from(code)] = rows.index(products.row(code)) as u8;
        }
        rows.finish(WeightCoding::Row, weight_bytes, occurs)
    }

    /// One row a magnitude, if negated weights give negated products.
    fn signed(products: &ProductTable, occurs: &[bool; 256]) -> Option<StoredTable> {
        let mut rows = Rows::default();
        let mut weight_bytes = [0; 256];
        for code in codes(occurs) {
            let weight = code as i8;
            let row = products.row(code);
            let magnitude = weight.checked_abs()?;
            let positive = products.row(magnitude as u8);
            if weight < 0 && row.iter().zip(positive).any(|(&n, &p)| n != -p) {
                return None;
            }
            // Seven bits name a row.
            let index = u8::try_from(rows.index(positive)).ok().filter(|&index| index < 128)?;
            weight_bytes[usize::from(code)] = index | u8::from(weight < 0) << 7;
        }
        Some(rows.finish(WeightCoding::SignedRow, weight_bytes, occurs))
    }

    /// The entries as bytes, row by row.
    pub fn bytes(&self) -> Vec<u8> {
        let entries = self.rows.iter().flatten();
        match self.entry {
            EntryKind::U16 => entries.flat_map(|&p| (p as u16).to_le_bytes()).collect(),
            EntryKind::I32 => entries.flat_map(|&p| p.to_le_bytes()).collect(),
        }
    }
}

fn codes(occurs: &[bool; 256]) -> impl Iterator<Item = u8> + '_ {
    (0..=255u8).filter(|&code| occurs[usize::from(code)])
}

/// Distinct rows in the order they were first named.
#[derive(Default)]
struct Rows {
    rows: Vec<[i32; 256]>,
    found: HashMap<[i32; 256], usize>,
}

impl Rows {
    fn index(&mut self, row: &[i32; 256]) -> usize {
        *self.found.entry(*row).or_insert_with(|| {
            self.rows.push(*row);
            self.rows.len() - 1
        })
    }

    fn finish(mut self, coding: WeightCoding, weight_bytes: [u8; 256], occurs: &[bool; 256]) -> StoredTable {
        let fits = |low: i32, high: i32| low >= 0 && high <= u16::MAX.into();
        let bounds =
            |row: &[i32; 256]| row.iter().fold((i32::MAX, i32::MIN), |(l, h), &p| (l.min(p), h.max(p)));
        let mut row_constants = vec![0; self.rows.len()];
        if !self.rows.iter().map(bounds).all(|(low, high)| fits(low, high))
            && self.rows.iter().map(bounds).all(|(low, high)| fits(0, high - low))
        {
            for (row, constant) in self.rows.iter_mut().zip(&mut row_constants) {
                *constant = bounds(row).0;
                row.iter_mut().for_each(|p| *p -= *constant);
            }
        }
        let narrow = self.rows.iter().map(bounds).all(|(low, high)| fits(low, high));
        let entry = if narrow { EntryKind::U16 } else { EntryKind::I32 };
        let mut constants = [0; 256];
        for code in codes(occurs) {
            let byte = weight_bytes[usize::from(code)];
            let constant = row_constants[usize::from(byte & coding.row_mask())];
            constants[usize::from(code)] = if byte & !coding.row_mask() == 0 { constant } else { -constant };
        }
        StoredTable { coding, weight_bytes, entry, rows: self.rows, constants }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Scheme, TruthTable};

    /// What the runtime would add for a weight.
    fn looked_up(table: &StoredTable, code: u8, x: u8) -> i32 {
        let byte = table.weight_bytes[usize::from(code)];
        let constant = table.constants[usize::from(code)];
        constant
            + match table.coding {
                WeightCoding::Row => table.rows[usize::from(byte)][usize::from(x)],
                WeightCoding::SignedRow => {
                    let product = table.rows[usize::from(byte & 127)][usize::from(x)];
                    if byte < 128 { product } else { -product }
                }
            }
    }

    fn check(table: &TruthTable, scheme: Scheme, zero_point: u8) -> StoredTable {
        let products = ProductTable::new(table, scheme, false, zero_point).unwrap();
        let mut occurs = [true; 256];
        occurs[128] = scheme == Scheme::Unsigned;
        let forms = [TableForm::Fastest, TableForm::Smallest];
        let [fastest, smallest] = forms.map(|form| StoredTable::new(&products, &occurs, form));
        assert_eq!(fastest.coding, WeightCoding::Row);
        for stored in [&fastest, &smallest] {
            for code in codes(&occurs) {
                for x in 0..=255 {
                    assert_eq!(looked_up(stored, code, x), products.row(code)[usize::from(x)], "{code} {x}");
                }
            }
        }
        smallest
    }

    #[test]
    fn stored_tables_hold_the_same_products() {
        let crude = TruthTable::from_fn(false, |a, w| ((a & 0xf8) * (w & 0xe0) + 9).min(65535)).unwrap();
        let sign_magnitude = Scheme::SignMagnitude { weight_shift: 1 };
        for (scheme, zero_point, coding, entry) in [
            (Scheme::Unsigned, 3, WeightCoding::Row, EntryKind::U16),
            (sign_magnitude, 0, WeightCoding::SignedRow, EntryKind::U16),
            (sign_magnitude, 128, WeightCoding::SignedRow, EntryKind::U16),
        ] {
            let stored = check(&crude, scheme, zero_point);
            assert_eq!((stored.coding, stored.entry), (coding, entry));
            assert!(stored.rows.len() <= 9, "equal rows are kept once: {}", stored.rows.len());
        }
        let large = TruthTable::from_fn(false, |a, _| if a == 0 { 0 } else { 65535 }).unwrap();
        assert_eq!(check(&large, sign_magnitude, 128).entry, EntryKind::I32);
        let signed = TruthTable::exact(true);
        assert_eq!(check(&signed, Scheme::Signed, 128).coding, WeightCoding::SignedRow);
        let lopsided = TruthTable::from_fn(true, |a, w| a * w + i32::from(w < 0)).unwrap();
        assert_eq!(check(&lopsided, Scheme::Signed, 128).coding, WeightCoding::Row);
    }

    #[test]
    fn rows_that_do_not_occur_are_left_out() {
        let products = ProductTable::new(&TruthTable::exact(false), Scheme::Unsigned, false, 0).unwrap();
        let mut occurs = [false; 256];
        occurs[7] = true;
        occurs[200] = true;
        assert_eq!(StoredTable::new(&products, &occurs, TableForm::Smallest).rows.len(), 2);
    }
}
