//! The tables of all layers of all operating points, each stored once.

use super::sections::Sections;
use super::tables::{StoredTable, TableForm};
use crate::multiplier::ProductTable;
use skimp_runtime::image::{EntryKind, Section, Table};
use std::sync::Arc;

/// One stored table for each distinct product table, with the rows all its layers need together.
pub(super) struct SharedTables {
    stored: Vec<(String, StoredTable)>,
    of_layer: Vec<Option<usize>>,
}

impl SharedTables {
    /// The tables for layers with the given multipliers (by name, products and weights), `None` for those
    /// that need no table.
    pub fn new<'a>(
        layers: impl Iterator<Item = Option<(&'a str, &'a Arc<ProductTable>, &'a [u8])>>,
        form: TableForm,
    ) -> Self {
        let mut distinct: Vec<(&str, &Arc<ProductTable>, [bool; 256])> = Vec::new();
        let mut of_layer = Vec::new();
        for layer in layers {
            let Some((name, products, weights)) = layer else {
                of_layer.push(None);
                continue;
            };
            let same = |other: &Arc<ProductTable>| {
                Arc::ptr_eq(other, products) || other.entries() == products.entries()
            };
            let index = distinct.iter().position(|(_, products, _)| same(products)).unwrap_or_else(|| {
                distinct.push((name, products, [false; 256]));
                distinct.len() - 1
            });
            weights.iter().for_each(|&w| distinct[index].2[usize::from(w)] = true);
            of_layer.push(Some(index));
        }
        let stored = distinct
            .into_iter()
            .map(|(name, products, occurs)| (name.to_owned(), StoredTable::new(products, &occurs, form)))
            .collect();
        SharedTables { stored, of_layer }
    }

    /// Index and content of a layer's table.
    pub fn of(&self, layer: usize) -> Option<(u16, &StoredTable)> {
        // At most as many tables as layers, whose number is checked.
        self.of_layer[layer].map(|index| (index as u16, &self.stored[index].1))
    }

    /// Number of tables.
    pub fn len(&self) -> usize {
        self.stored.len()
    }

    /// Bytes of table `index`.
    pub fn bytes(&self, index: usize) -> usize {
        self.stored[index].1.len_bytes()
    }

    /// Stores the tables and returns their records.
    pub fn records(&self, sections: &mut Sections) -> Vec<Table<'_>> {
        let record = |(_, table): &(String, StoredTable)| {
            (table.entry, table.rows.len() as u16, sections.add(table.bytes()))
        };
        let stored: Vec<(EntryKind, u16, Section)> = self.stored.iter().map(record).collect();
        let named = self.stored.iter().zip(stored);
        named.map(|((name, _), (entry, rows, entries))| Table { name, entry, rows, entries }).collect()
    }
}
