//! Signed and unsigned multipliers in names and in words.

/// What the names of multipliers of a signedness begin with, as in the EvoApprox library.
pub(crate) fn name_prefix(signed: bool) -> &'static str {
    if signed { "mul8s_" } else { "mul8u_" }
}

/// Whether the multiplier called `name` is signed, if its name says so.
pub(crate) fn signed_by_name(name: &str) -> Option<bool> {
    [false, true].into_iter().find(|&signed| name.starts_with(name_prefix(signed)))
}

/// Whether the multipliers in a folder called `name` are signed, if one of the words in its name says so.
pub(crate) fn signed_by_folder(name: &str) -> Option<bool> {
    let name = name.to_lowercase();
    name.split(|c: char| !c.is_alphabetic()).find_map(|word| match word {
        "unsigned" => Some(false),
        "signed" => Some(true),
        _ => None,
    })
}

/// The word for a signedness, for messages.
pub(crate) fn signed_or_unsigned(signed: bool) -> &'static str {
    if signed { "signed" } else { "unsigned" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_say_it_in_words() {
        for (name, signed) in [
            ("8x8_unsigned", Some(false)),
            ("Int8-Signed", Some(true)),
            ("signed", Some(true)),
            ("redesigned", None),
            ("assigned tables", None),
        ] {
            assert_eq!(signed_by_folder(name), signed, "{name}");
        }
    }
}
