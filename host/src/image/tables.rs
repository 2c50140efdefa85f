//! The products of one multiplier in the smallest form the runtime can look up, or the fastest.
//!
//! Reductions, each proved on the values and never assumed from a multiplier's name: only rows that some
//! weight of the network names are kept, equal rows are kept once, and where negative weights give exactly
//! the negated products of positive ones, only magnitudes are kept. Rows whose values do not fit 16 bits but
//! lie close enough together lose a constant, which goes into the bias of the layers that use them. Rows near a
//! line lose its product and are left with a byte an entry.

use super::lines::Line;
use crate::multiplier::ProductTable;
use skimp_runtime::image::{EntryKind, WeightCoding};
use std::collections::HashMap;

/// What matters more about a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableForm {
    /// Its size: where negative weights give negated products, one row for both, and where products are near
    /// lines, a byte for each.
    #[default]
    Smallest,
    /// Its size, but not at the price of a multiplication for each lookup: whole products.
    Compact,
    /// The time of a lookup: a row for each weight, so that there are no signs to look at, and whole products; where
    /// it pays, a row for each activation code.
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
    /// The rows: products over all activation codes, less their constants and what their slopes give.
    pub rows: Vec<[i32; 256]>,
    /// For each row, what is added for each step of the activation code: 0 but for entries of 8 bits.
    pub slopes: Vec<i16>,
    /// What a weight code's product is more than what is looked up.
    pub constants: [i32; 256],
}

impl StoredTable {
    /// The table with the rows for the weight codes that `occurs` marks, in the given form.
    pub fn new(products: &ProductTable, occurs: &[bool; 256], form: TableForm) -> StoredTable {
        let signed = match form {
            TableForm::Smallest | TableForm::Compact => Self::signed(products, occurs, form),
            TableForm::Fastest => None,
        };
        signed.unwrap_or_else(|| Self::plain(products, occurs, form))
    }

    /// One row a code.
    fn plain(products: &ProductTable, occurs: &[bool; 256], form: TableForm) -> StoredTable {
        let mut rows = Rows::default();
        let mut weight_bytes = [0; 256];
        for code in codes(occurs) {
            weight_bytes[usize::from(code)] = rows.index(products.row(code)) as u8;
        }
        rows.finish(WeightCoding::Row, weight_bytes, occurs, form)
    }

    /// One row a magnitude, if negated weights give negated products.
    fn signed(products: &ProductTable, occurs: &[bool; 256], form: TableForm) -> Option<StoredTable> {
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
        Some(rows.finish(WeightCoding::SignedRow, weight_bytes, occurs, form))
    }

    /// The rows as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        row_bytes(self.entry, &self.rows, &self.slopes)
    }

    /// Length of [`StoredTable::bytes`].
    pub fn len_bytes(&self) -> usize {
        self.rows.len() * self.entry.row_bytes()
    }
}

/// Rows as they are stored; `slopes` matter for entries of 8 bits only.
pub(super) fn row_bytes(entry: EntryKind, rows: &[[i32; 256]], slopes: &[i16]) -> Vec<u8> {
    let entries = rows.iter().flatten();
    match entry {
        EntryKind::U16 => entries.flat_map(|&p| (p as u16).to_le_bytes()).collect(),
        EntryKind::I32 => entries.flat_map(|&p| p.to_le_bytes()).collect(),
        EntryKind::U8 => {
            let row = |(slope, row): (&i16, &[i32; 256])| {
                slope.to_le_bytes().into_iter().chain(row.map(|entry| entry as u8))
            };
            slopes.iter().zip(rows).flat_map(row).collect()
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

    /// The table of these rows. Of the kinds of entries that hold all of them it has the smallest, but entries
    /// that have to be added to a product only in the smallest form.
    fn finish(
        mut self,
        coding: WeightCoding,
        weight_bytes: [u8; 256],
        occurs: &[bool; 256],
        form: TableForm,
    ) -> StoredTable {
        let (entry, lines) = match (form, self.near_lines()) {
            (TableForm::Smallest, Some(lines)) => (EntryKind::U8, lines),
            _ => self.levels(),
        };
        for (row, line) in self.rows.iter_mut().zip(&lines) {
            line.take_from(row);
        }
        let mut constants = [0; 256];
        for code in codes(occurs) {
            let byte = weight_bytes[usize::from(code)];
            let constant = lines[usize::from(byte & coding.row_mask())].constant;
            constants[usize::from(code)] = if byte & !coding.row_mask() == 0 { constant } else { -constant };
        }
        let slopes = lines.iter().map(|line| line.slope).collect();
        StoredTable { coding, weight_bytes, entry, rows: self.rows, slopes, constants }
    }

    /// The line below each row, if all rows are within a byte of theirs.
    fn near_lines(&self) -> Option<Vec<Line>> {
        self.rows.iter().map(Line::below).collect()
    }

    /// The kind of entries for whole products, and the constant that each row loses for them.
    fn levels(&self) -> (EntryKind, Vec<Line>) {
        let fits = |low: i32, high: i32| low >= 0 && high <= u16::MAX.into();
        let bounds: Vec<(i32, i32)> = self
            .rows
            .iter()
            .map(|row| row.iter().fold((i32::MAX, i32::MIN), |(l, h), &p| (l.min(p), h.max(p))))
            .collect();
        let level = |constant: i32| Line { slope: 0, constant };
        if bounds.iter().all(|&(low, high)| fits(low, high)) {
            (EntryKind::U16, bounds.iter().map(|_| level(0)).collect())
        } else if bounds.iter().all(|&(low, high)| fits(0, high - low)) {
            (EntryKind::U16, bounds.iter().map(|&(low, _)| level(low)).collect())
        } else {
            (EntryKind::I32, bounds.iter().map(|_| level(0)).collect())
        }
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
        let product =
            |row: usize| i32::from(table.slopes[row]) * i32::from(x) + table.rows[row][usize::from(x)];
        constant
            + match table.coding {
                WeightCoding::Row => product(usize::from(byte)),
                WeightCoding::SignedRow => {
                    let product = product(usize::from(byte & 127));
                    if byte < 128 { product } else { -product }
                }
            }
    }

    fn check(table: &TruthTable, scheme: Scheme, zero_point: u8) -> StoredTable {
        let products = ProductTable::new(table, scheme, false, zero_point).unwrap();
        let mut occurs = [true; 256];
        occurs[128] = scheme == Scheme::Unsigned;
        let forms = [TableForm::Fastest, TableForm::Compact, TableForm::Smallest];
        let [fastest, compact, smallest] = forms.map(|form| StoredTable::new(&products, &occurs, form));
        assert_eq!(fastest.coding, WeightCoding::Row);
        assert!(fastest.entry != EntryKind::U8 && compact.entry == fastest.entry);
        assert_eq!(compact.coding, smallest.coding);
        for stored in [&fastest, &compact, &smallest] {
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
    fn tables_near_lines_have_a_byte_an_entry_and_those_just_beyond_two() {
        let sign_magnitude = Scheme::SignMagnitude { weight_shift: 1 };
        // One row goes up by so much and down again, twice: no line takes that.
        let steps =
            |height: i32| move |a: i32, w: i32| a * w + height * i32::from(w == 6 && [85, 170].contains(&a));
        for scheme in [Scheme::Unsigned, sign_magnitude] {
            let form = |height: i32| check(&TruthTable::from_fn(false, steps(height)).unwrap(), scheme, 0);
            assert_eq!(form(0).entry, EntryKind::U8);
            assert_eq!(form(255).entry, EntryKind::U8);
            let stored = form(256);
            assert_eq!(stored.entry, EntryKind::U16);
            assert_eq!(stored.bytes().len(), stored.len_bytes());
            assert!(stored.slopes.iter().all(|&slope| slope == 0));
        }
        let stored = check(&TruthTable::exact(true), Scheme::Signed, 0);
        assert_eq!((stored.entry, stored.coding), (EntryKind::U8, WeightCoding::SignedRow));
        assert_eq!(stored.bytes().len(), stored.len_bytes());
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
