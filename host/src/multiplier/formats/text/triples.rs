//! Lines `a,w,product`: both operands and their product.

use super::Row;
use crate::error::{Error, Result};
use crate::multiplier::TruthTable;
use crate::multiplier::formats::numbers::Numbers;
use std::path::Path;

/// Reads lines of three numbers; `header` are the names of their columns.
pub(super) fn read(path: &Path, header: Option<&[&str]>, rows: &[Row]) -> Result<Numbers> {
    let columns = columns(path, header)?;
    let entry = |row: &Row| columns.order.map(|column| row.numbers[column]);
    let by_value = rows.iter().map(entry).any(|[a, w, _]| a < 0 || w < 0);
    let range = if by_value { -128..=127 } else { 0..=255 };
    let mut products = vec![None; TruthTable::ENTRIES];
    for row in rows {
        let (line, [a, w, product]) = (row.line, entry(row));
        if !range.contains(&a) || !range.contains(&w) {
            let (least, most) = (range.start(), range.end());
            let reason = format!("line {line}: operands {a} and {w}; both should be in {least}..={most}");
            return Err(Error::file(path, reason));
        }
        let entry = &mut products[usize::from(a as u8) << 8 | usize::from(w as u8)];
        if entry.replace(product).is_some() {
            return Err(Error::file(path, format!("line {line}: a second product of {a} and {w}")));
        }
    }
    if let Some(i) = products.iter().position(Option::is_none) {
        let of = |code: usize| if by_value { i64::from(code as u8 as i8) } else { code as i64 };
        let (a, w) = (of(i >> 8), of(i & 255));
        let reason = format!("{} lines a,w,product, none for a = {a} and w = {w}", rows.len());
        return Err(Error::file(path, reason));
    }
    let numbers = Numbers::of_any_type(products.into_iter().flatten().collect());
    Ok(Numbers {
        signed: if by_value { Some(true) } else { numbers.signed },
        by_value,
        named: columns.named,
        notes: columns.notes,
        ..numbers
    })
}

/// What the three columns are.
struct Columns {
    /// Where activation, weight and product are.
    order: [usize; 3],
    /// The header, if it tells the operands apart.
    named: Option<String>,
    notes: Vec<String>,
}

/// What columns are called, in small letters: activations, weights, products.
const NAMES: [&[&str]; 3] = [
    &["a", "act", "activation", "activations", "input"],
    &["w", "wt", "weight", "weights", "filter"],
    &["p", "prod", "product", "products", "result"],
];

/// The columns that `header` names. A name that is known is obeyed, and what is left over stands in the usual order.
fn columns(path: &Path, header: Option<&[&str]>) -> Result<Columns> {
    let Some(header) = header else {
        return Ok(Columns { order: [0, 1, 2], named: None, notes: Vec::new() });
    };
    let text = super::shortened(&header.join(","));
    let wrong = |reason: String| Error::file(path, format!("its header is {text}: {reason}"));
    if header.len() != 3 {
        return Err(wrong(format!("{} names for lines of three", header.len())));
    }
    let role = |name: &str| NAMES.iter().position(|names| names.contains(&&*name.to_lowercase()));
    let mut order: [Option<usize>; 3] = [None; 3];
    for (column, name) in header.iter().enumerate() {
        let Some(role) = role(name) else { continue };
        if let Some(other) = order[role].replace(column) {
            let reason = format!("{} and {name} name the same; call them a, w and product", header[other]);
            return Err(wrong(reason));
        }
    }
    let known = order;
    // Two known columns leave one place for the third; else the product is the last one.
    if known.iter().flatten().count() < 2 && known[2].is_none() {
        if known.contains(&Some(2)) {
            return Err(wrong("which is the product? Call them a, w and product".into()));
        }
        order[2] = Some(2);
    }
    for role in 0..3 {
        if order[role].is_none() {
            order[role] = (0..3).find(|&column| !order.contains(&Some(column)));
        }
    }
    let order = order.map(|column| column.unwrap_or_default());
    let [activation, weight, _] = order.map(|column| header[column]);
    let told = known[0].is_some() || known[1].is_some();
    let notes = if known[0].is_some() && known[1].is_some() {
        Vec::new()
    } else {
        let taken = if told { "is" } else { "was taken as" };
        vec![format!("column {activation} {taken} the activation, {weight} the weight")]
    };
    Ok(Columns { order, named: told.then_some(text), notes })
}

#[cfg(test)]
mod tests {
    use crate::error::Result;
    use crate::multiplier::TruthTable;
    use crate::multiplier::formats::numbers::Numbers;
    use std::path::Path;

    fn parsed(text: impl AsRef<[u8]>) -> Result<Numbers> {
        super::super::read(Path::new("x.csv"), text.as_ref())
    }

    fn table() -> TruthTable {
        TruthTable::from_fn(true, |a, w| (a & !7) * w).unwrap()
    }

    fn products(table: &TruthTable) -> Vec<i64> {
        table.products().iter().map(|&product| product.into()).collect()
    }

    fn triples(header: &str, order: impl Fn(i32, i32) -> String) -> String {
        let mut text = format!("{header}\n");
        for i in (0..65536).rev() {
            text += &order(i >> 8, i & 255);
            text.push('\n');
        }
        text
    }

    fn value(code: i32) -> i32 {
        i32::from(code as u8 as i8)
    }

    #[test]
    fn triples_are_read_in_any_order() {
        let table = table();
        let of = |a: i32, w: i32| table.product(a as u8, w as u8);
        for text in [
            triples("a,w,product", |a, w| format!("{},{},{}", value(a), value(w), of(a, w))),
            triples("", |a, w| format!("{} {}\t{}", value(a), value(w), of(a, w))),
            triples("w;a;p", |w, a| format!("{};{};{}", value(w), value(a), of(a, w))),
        ] {
            let numbers = parsed(&text).unwrap();
            assert_eq!((numbers.products, numbers.by_value), (products(&table), true));
        }
        let codes = parsed(triples("x,y,z", |a, w| format!("{a},{w},{}", of(a, w)))).unwrap();
        assert_eq!((codes.products, codes.by_value), (products(&table), false));
    }

    #[test]
    fn known_names_are_obeyed_and_unknown_ones_reported() {
        let table = table();
        let of = |a: i32, w: i32| table.product(a as u8, w as u8);
        let read = |header: &str, order: [usize; 3]| {
            let line = |a, w| {
                let fields = [value(a), value(w), of(a, w)];
                order.map(|field| fields[field].to_string()).join(",")
            };
            parsed(triples(header, line))
        };
        for (header, order, named, note) in [
            ("a,w,p", [0, 1, 2], true, None),
            ("Weight,Activation,product", [1, 0, 2], true, None),
            ("product,w,a", [2, 1, 0], true, None),
            ("q,a,w", [2, 0, 1], true, None),
            ("b,a,p", [1, 0, 2], true, Some("column a is the activation, b the weight")),
            ("w,x,y", [1, 0, 2], true, Some("column x is the activation, w the weight")),
            ("x,w,y", [0, 1, 2], true, Some("column x is the activation, w the weight")),
            ("x,y,z", [0, 1, 2], false, Some("column x was taken as the activation, y the weight")),
            ("prod,x,y", [2, 0, 1], false, Some("column x was taken as the activation, y the weight")),
        ] {
            let numbers = read(header, order).unwrap();
            assert_eq!(numbers.products, products(&table), "{header}");
            assert_eq!(numbers.named.is_some(), named, "{header}");
            assert_eq!(numbers.notes.first().map(String::as_str), note, "{header}");
        }
        for (header, expected) in [
            ("a,activation,p", "a and activation name the same"),
            ("W,w,p", "W and w name the same"),
            ("x,y,a", "which is the product?"),
            ("a,w", "2 names for lines of three"),
        ] {
            let message = read(header, [0, 1, 2]).unwrap_err().to_string();
            assert!(
                message.contains(&format!("its header is {header}: ")) && message.contains(expected),
                "{message}"
            );
        }
    }

    #[test]
    fn faults_are_named_by_line() {
        let good = triples("a,w,p", |a, w| format!("{a},{w},{}", a * w));
        for (text, expected) in [
            (good.replacen("255,255,", "255,254,", 1), "line 3: a second product of 255 and 254"),
            (good.replacen("255,255,", "256,255,", 1), "line 2: operands 256 and 255"),
            (good.replacen("7,9,63\n", "", 1), "none for a = 7 and w = 9"),
        ] {
            let message = parsed(&text).map(|_| ()).unwrap_err().to_string();
            assert!(message.starts_with("x.csv: ") && message.contains(expected), "{expected}: {message}");
        }
    }
}
