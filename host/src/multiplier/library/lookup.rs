//! Multipliers by their names as users type them.

use super::{Library, Multiplier};
use crate::error::{Error, Result};
use crate::multiplier::{name_prefix, signed_or_unsigned};

impl Library {
    /// Where the multiplier called `name` is in [`multipliers`](Self::multipliers).
    ///
    /// `mul8u_` or `mul8s_` may be left out and case does not matter where that is unambiguous: `185q` finds
    /// `mul8u_185Q`.
    pub fn position(&self, name: &str) -> Result<usize> {
        let long = format!("{}{name}", name_prefix(self.is_signed()));
        let same = |wanted: &str| self.multipliers.iter().position(|m| m.name == wanted);
        if let Some(index) = same(name).or_else(|| same(&long)) {
            return Ok(index);
        }
        let alike = |m: &Multiplier| m.name.eq_ignore_ascii_case(name) || m.name.eq_ignore_ascii_case(&long);
        let mut alike = self.multipliers.iter().enumerate().filter(|(_, m)| alike(m));
        match (alike.next(), alike.next()) {
            (Some((index, _)), None) => Ok(index),
            _ => Err(self.unknown(name)),
        }
    }

    /// The multiplier called `name`, which may be shortened as in [`position`](Self::position).
    pub fn get(&self, name: &str) -> Result<&Multiplier> {
        Ok(&self.multipliers[self.position(name)?])
    }

    fn unknown(&self, name: &str) -> Error {
        let kind = signed_or_unsigned(self.is_signed());
        let prefix = name_prefix(self.is_signed());
        let short = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_lowercase();
        let mut near: Vec<(usize, &str)> =
            self.multipliers.iter().map(|m| (distance(&short(name), &short(&m.name)), &*m.name)).collect();
        near.sort();
        let near: Vec<&str> = near.into_iter().take(3).map(|(_, name)| name).collect();
        Error::Argument(format!(
            "no multiplier \"{name}\" among the {} of the {kind} library; near it: {}. `skimp \
             multipliers list` lists all",
            self.multipliers.len(),
            near.join(", ")
        ))
    }
}

/// How many characters to insert, delete or replace to turn `x` into `y`.
fn distance(x: &str, y: &str) -> usize {
    let y: Vec<char> = y.chars().collect();
    let mut row: Vec<usize> = (0..=y.len()).collect();
    for (i, p) in x.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &q) in y.iter().enumerate() {
            let replaced = diagonal + usize::from(p != q);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[y.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;
    use crate::multiplier::testing::multiplier;

    #[test]
    fn names_may_be_shortened() {
        let library = Library::builtin(false);
        for name in ["mul8u_trunc4", "trunc4", "TRUNC4", "MUL8U_Trunc4"] {
            assert_eq!(library.get(name).unwrap().name, "mul8u_trunc4");
        }
        assert_eq!(library.multipliers()[library.position("w5").unwrap()].name, "mul8u_w5");
    }

    #[test]
    fn case_decides_where_it_has_to() {
        let exact = TruthTable::exact(false);
        let pair = ["mul8u_ab", "mul8u_AB"].map(|name| multiplier(name, 1.0, exact.clone()));
        let library = Library::new(pair.into()).unwrap();
        assert_eq!(library.get("AB").unwrap().name, "mul8u_AB");
        assert!(library.get("Ab").is_err());
    }

    #[test]
    fn unknown_names_are_answered_with_near_ones() {
        let message = Library::builtin(true).get("trnc4").unwrap_err().to_string();
        assert!(message.contains("\"trnc4\"") && message.contains("near it: mul8s_trunc4"), "{message}");
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
