//! A multiplier together with the order of its operands.

use super::{Library, ProductTable, Scheme, signed_or_unsigned};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// One multiplier of a library in one of its two operand orders. The two orders of a table that is not
/// commutative are different multipliers of the same cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Choice {
    /// Position in the library.
    pub multiplier: usize,
    /// Whether the weight is the first operand.
    pub swapped: bool,
}

impl Choice {
    /// Every choice `library` offers, in the library's order; commutative tables once.
    pub fn all(library: &Library) -> Vec<Choice> {
        let orders = |(multiplier, m): (usize, &super::Multiplier)| {
            let plain = Choice { multiplier, swapped: false };
            let swapped = Choice { multiplier, swapped: true };
            [Some(plain), (!m.statistics.commutative).then_some(swapped)].into_iter().flatten()
        };
        library.multipliers().iter().enumerate().flat_map(orders).collect()
    }

    /// The exact multiplier of `library`.
    pub fn exact(library: &Library) -> Choice {
        let name = &library.exact().name;
        let multiplier = library.position(name).expect("the exact multiplier is in its library");
        Choice { multiplier, swapped: false }
    }

    /// The choice a name such as `17KS` or, with operands exchanged, `17KS~` means.
    pub fn parse(library: &Library, text: &str) -> Result<Choice> {
        let (name, swapped) = match text.strip_suffix('~') {
            Some(name) => (name, true),
            None => (text, false),
        };
        Ok(Choice { multiplier: library.position(name)?, swapped })
    }

    /// The multiplier's name, with `~` behind it if its operands are exchanged.
    pub fn name(&self, library: &Library) -> String {
        let order = if self.swapped { "~" } else { "" };
        format!("{}{order}", library.multipliers()[self.multiplier].name)
    }
}

/// The product tables of a library under one scheme, each made when first asked for.
pub struct ProductCache<'l> {
    library: &'l Library,
    scheme: Scheme,
    tables: Mutex<HashMap<(Choice, u8), Arc<ProductTable>>>,
}

impl<'l> ProductCache<'l> {
    /// An empty cache. Fails if the library's signedness does not suit the scheme.
    pub fn new(library: &'l Library, scheme: Scheme) -> Result<Self> {
        if library.is_signed() != scheme.wants_signed_table() {
            return Err(Error::Argument(format!(
                "the {scheme} scheme needs {} multipliers, this library has {} ones",
                signed_or_unsigned(scheme.wants_signed_table()),
                signed_or_unsigned(library.is_signed())
            )));
        }
        Ok(ProductCache { library, scheme, tables: Mutex::default() })
    }

    /// The library behind the cache.
    pub fn library(&self) -> &'l Library {
        self.library
    }

    /// The scheme of every table.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The zero point as far as tables depend on it: only under sign-magnitude, under other schemes 0.
    pub(crate) fn relevant(&self, zero_point: u8) -> u8 {
        match self.scheme {
            Scheme::SignMagnitude { .. } => zero_point,
            Scheme::Unsigned | Scheme::Signed => 0,
        }
    }

    /// The products of `choice` in a layer whose input has `zero_point`.
    pub fn get(&self, choice: Choice, zero_point: u8) -> Result<Arc<ProductTable>> {
        let key = self.relevant(zero_point);
        let mut tables = self.tables.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(table) = tables.get(&(choice, key)) {
            return Ok(table.clone());
        }
        let multiplier = &self.library.multipliers()[choice.multiplier];
        let table = Arc::new(ProductTable::new(&multiplier.table, self.scheme, choice.swapped, zero_point)?);
        tables.insert((choice, key), table.clone());
        Ok(table)
    }
}
