//! Signed and unsigned multipliers in names and in words.

/// What the names of multipliers of a signedness begin with, as in the EvoApprox library.
pub(crate) fn name_prefix(signed: bool) -> &'static str {
    if signed { "mul8s_" } else { "mul8u_" }
}

/// Whether the multiplier called `name` is signed, if its name says so.
pub(crate) fn signed_by_name(name: &str) -> Option<bool> {
    [false, true].into_iter().find(|&signed| name.starts_with(name_prefix(signed)))
}

/// The word for a signedness, for messages.
pub(crate) fn signed_or_unsigned(signed: bool) -> &'static str {
    if signed { "signed" } else { "unsigned" }
}
