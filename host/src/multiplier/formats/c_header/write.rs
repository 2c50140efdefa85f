//! Writes C headers.

use crate::error::{Error, Result};
use crate::multiplier::TruthTable;
use crate::multiplier::formats::Exporting;
use crate::multiplier::formats::origin::Origin;
use std::collections::HashMap;
use std::fmt::Write;

/// `name` as a part of C's identifiers.
fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Refuses names that are one in C: the second header of such a pair would be passed over.
pub(in crate::multiplier::formats) fn check_identifiers<'n>(
    names: impl Iterator<Item = &'n str>,
) -> Result<()> {
    let mut taken = HashMap::new();
    for name in names {
        if let Some(other) = taken.insert(identifier(name), name) {
            let reason =
                format!("{other} and {name} are one name in C; export them into folders of their own");
            return Err(Error::Argument(reason));
        }
    }
    Ok(())
}

/// A header with the array `lut`, or `lut_NAME`, of the products of `table` row by row, rows and columns in two's
/// complement order. A row is an activation unless `how` says that operands were swapped.
pub(in crate::multiplier::formats) fn write(
    name: &str,
    table: &TruthTable,
    how: Exporting,
    origin: Origin,
) -> String {
    let kind = if table.is_signed() { "int16_t" } else { "uint16_t" };
    let id = identifier(name);
    let array = if how.unique_arrays { format!("lut_{id}") } else { "lut".to_owned() };
    let operands = if how.swap_operands { "[w][a]" } else { "[a][w]" };
    let mut text = format!("/* {name}: {array}{operands}, a the activation's byte, w the weight's.");
    for line in origin.lines() {
        write!(text, "\n * {line}").expect("writing to a string does not fail");
    }
    text += &format!(" */\n#ifndef LUT_{id}_H\n#define LUT_{id}_H\n\n");
    text += &format!("#include <stdint.h>\n\nconst {kind} {array} [256][256] = {{\n");
    for row in table.products().chunks(256) {
        text.push('{');
        for (w, product) in row.iter().enumerate() {
            let comma = if w == 0 { "" } else { ", " };
            // -32768 is an int in C, if the int is wider than 16 bits, as it is wherever this is used.
            write!(text, "{comma}{product}").expect("writing to a string does not fail");
        }
        text.push_str("},\n");
    }
    text.push_str("};\n\n#endif\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::formats::Format;

    #[test]
    fn headers_say_what_they_hold_and_from_where() {
        let how = Exporting { swap_operands: true, unique_arrays: true, ..Exporting::new(Format::CHeader) };
        let origin = Origin { provenance: Some("a seed"), licence: Some("MIT") };
        let text = write("mul8u_a-b", &TruthTable::exact(false), how, origin);
        assert!(text.starts_with(
            "/* mul8u_a-b: lut_mul8u_a_b[w][a], a the activation's byte, w the weight's.\n * From: a seed\n \
             * Licence: MIT */\n#ifndef LUT_mul8u_a_b_H\n#define LUT_mul8u_a_b_H\n"
        ));
        assert!(text.contains("const uint16_t lut_mul8u_a_b [256][256]") && text.ends_with("#endif\n"));
        assert!(
            write("x", &TruthTable::exact(true), Exporting::new(Format::CHeader), Origin::default())
                .starts_with("/* x: lut[a][w], ")
        );
        let message = check_identifiers(["a-b", "c", "a.b"].into_iter()).unwrap_err().to_string();
        assert!(message.contains("a-b and a.b are one name"), "{message}");
    }
}
