//! Doubts that a user should hear about: tables whose errors suggest that they were read the wrong way, and powers
//! that suggest another unit.

use super::Imported;
use crate::multiplier::formats::{Format, IndexOrder};
use crate::multiplier::{Figure, TruthTable, builtin, signed_or_unsigned};

/// Mean absolute errors above this, in percent, are worth a doubt: those of four tenths of the mean magnitude of the
/// products, which signed operands have a quarter of.
fn doubtful_mae_pct(signed: bool) -> f64 {
    if signed { 2.5 } else { 10.0 }
}

/// Powers above this many times the exact multiplier's are worth a doubt.
const DOUBTFUL_POWER: f64 = 20.0;

/// What is doubtful about the errors of `table`, which was read in the order `index`.
pub(super) fn doubt_of_errors(
    table: &TruthTable,
    mae_pct: f64,
    format: Format,
    index: Option<IndexOrder>,
) -> Option<String> {
    if mae_pct <= doubtful_mae_pct(table.is_signed()) {
        return None;
    }
    let best = Reading::others(table.is_signed(), format)
        .map(|reading| (reading.mae_pct(table), reading))
        .min_by(|(x, _), (y, _)| x.total_cmp(y));
    let doubt = format!("a mean error of {mae_pct:.1} % is much");
    Some(match best {
        Some((mae, reading)) if mae < doubtful_mae_pct(reading.signed) && mae < mae_pct / 4.0 => {
            format!("{doubt}; {} it would be {mae:.2} %", reading.told(table.is_signed(), index))
        }
        _ => format!("{doubt}: check byte order, signedness and how operands are coded"),
    })
}

/// Another way to read the words of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reading {
    big_endian: bool,
    signed: bool,
    /// Whether rows and columns are in the other order of signed ones.
    flipped: bool,
}

impl Reading {
    /// All but the one that was chosen. Only raw tables leave their byte order open.
    fn others(signed: bool, format: Format) -> impl Iterator<Item = Reading> {
        let of =
            |bits: u8| Reading { big_endian: bits & 1 != 0, signed: bits & 2 != 0, flipped: bits & 4 != 0 };
        (0..8).map(of).filter(move |reading| {
            let chosen = *reading == Reading { big_endian: false, signed, flipped: false };
            !chosen && (reading.signed || !reading.flipped) && (format == Format::Bin || !reading.big_endian)
        })
    }

    /// The mean absolute error under this reading, in percent.
    fn mae_pct(self, table: &TruthTable) -> f64 {
        let flip = if self.flipped { 0x8080 } else { 0 };
        let operand = |code: usize| if self.signed { i32::from(code as u8 as i8) } else { code as i32 };
        let error = |i: usize| {
            let word = table.products()[i ^ flip] as u16;
            let word = if self.big_endian { word.swap_bytes() } else { word };
            let product = if self.signed { i32::from(word as i16) } else { i32::from(word) };
            i64::from((product - operand(i >> 8) * operand(i & 255)).abs())
        };
        let sum: i64 = (0..TruthTable::ENTRIES).map(error).sum();
        sum as f64 / TruthTable::ENTRIES as f64 / 65536.0 * 100.0
    }

    /// How to get this reading instead of the chosen one.
    fn told(self, signed: bool, index: Option<IndexOrder>) -> String {
        let mut ways = Vec::new();
        if self.big_endian {
            ways.push("with its bytes exchanged (it looks big endian)".to_owned());
        }
        if self.signed != signed {
            ways.push(format!(
                "as {0} (--{0}, under a name that does not say otherwise)",
                signed_or_unsigned(self.signed)
            ));
        } else if self.flipped {
            let other = match index {
                Some(IndexOrder::Offset) => IndexOrder::TwosComplement,
                _ => IndexOrder::Offset,
            };
            ways.push(format!("with --index {other}"));
        }
        ways.join(" and ")
    }
}

/// Adds a note to those whose power is out of all proportion to the cheapest exact multiplier among them, or to
/// what the gate model estimates for one.
pub(super) fn doubt_powers(all: &mut [Imported]) {
    let milliwatts = |one: &Imported| match one.costs.power {
        Figure::Absolute(power) if power > 0.0 => Some(power),
        _ => None,
    };
    let exact = all.iter().filter(|one| one.statistics.is_exact());
    let exact = exact.filter_map(|one| Some((milliwatts(one)?, one.name.clone())));
    let cheapest = exact.min_by(|(x, _), (y, _)| x.total_cmp(y));
    for one in all {
        let model = builtin::exact_cost(one.table.is_signed()).power_uw / 1000.0;
        let mut doubt = |ratio: f64, of: &str| {
            if ratio > DOUBTFUL_POWER {
                one.notes
                    .push(format!("its power is {ratio:.0} times that of {of}: check the unit, which is mW"));
            }
        };
        match (one.costs.power, &cheapest) {
            (Figure::Relative(ratio), _) => doubt(ratio, "the exact multiplier"),
            (Figure::Absolute(power), Some((exact, name))) if *exact < power => doubt(power / exact, name),
            (Figure::Absolute(power), _) => {
                doubt(power / model, &format!("an exact multiplier by the gate model, {model:.2} mW"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt(table: &TruthTable, format: Format, index: Option<IndexOrder>) -> Option<String> {
        let mae_pct = crate::multiplier::Statistics::of(table).mae_pct;
        doubt_of_errors(table, mae_pct, format, index)
    }

    fn words(signed: bool, word: impl Fn(usize) -> u16) -> TruthTable {
        let value = |i| if signed { i32::from(word(i) as i16) } else { i32::from(word(i)) };
        TruthTable::new(signed, (0..65536).map(value).collect()).unwrap()
    }

    #[test]
    fn the_reading_that_errs_little_is_proposed() {
        let [unsigned, signed] = [false, true].map(TruthTable::exact);
        let swapped = words(false, |i| (unsigned.products()[i] as u16).swap_bytes());
        let told = doubt(&swapped, Format::Bin, None).unwrap();
        assert!(told.contains("with its bytes exchanged (it looks big endian) it would be 0.00 %"), "{told}");
        let told = doubt(&swapped, Format::Csv, None).unwrap();
        assert!(told.ends_with("check byte order, signedness and how operands are coded"), "{told}");
        let told = doubt(&words(true, |i| unsigned.products()[i] as u16), Format::Bin, None).unwrap();
        assert!(told.contains("as unsigned (--unsigned"), "{told}");
        let told = doubt(&words(false, |i| signed.products()[i ^ 0x8080] as u16), Format::Npy, None).unwrap();
        assert!(told.contains("as signed (--signed"), "{told}");
        let flipped = words(true, |i| signed.products()[i ^ 0x8080] as u16);
        let told = doubt(&flipped, Format::Npy, Some(IndexOrder::TwosComplement)).unwrap();
        assert!(told.contains("with --index offset"), "{told}");
        let told = doubt(&words(false, |_| 0), Format::Bin, None).unwrap();
        assert!(told.starts_with("a mean error of 24.8 % is much: check"), "{told}");
        assert_eq!(doubt(&unsigned, Format::Bin, None), None);
    }
}
