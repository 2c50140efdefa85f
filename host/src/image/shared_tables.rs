//! The tables of all layers of all operating points, each stored once.

use super::build::Options;
use super::by_activation::TransposedTable;
use super::sections::Sections;
use super::tables::{StoredTable, TableForm};
use crate::multiplier::ProductTable;
use crate::quantize::QuantizedConv;
use skimp_runtime::image::{EntryKind, Section, Table};
use std::sync::Arc;

/// A layer that looks products up.
pub(super) struct TableLayer<'a> {
    /// The multiplier's name.
    pub name: &'a str,
    /// Its products.
    pub products: &'a Arc<ProductTable>,
    /// The layer's weight codes.
    pub weights: &'a [u8],
    /// The layer.
    pub conv: &'a QuantizedConv,
}

/// One stored table for each distinct product table, with the rows all its layers need together; row by weight, row by
/// activation, or both.
pub(super) struct SharedTables {
    stored: Vec<Stored>,
    of_layer: Vec<Option<(usize, Order)>>,
    /// What the records are of, in their order.
    records: Vec<(usize, Order)>,
}

struct Stored {
    name: String,
    by_weight: StoredTable,
    by_activation: Option<TransposedTable>,
}

/// Whose codes name a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Weight,
    Activation,
}

/// The table of a layer.
pub(super) struct Found<'a> {
    /// Its record's index.
    pub index: u16,
    /// The products, row by weight.
    pub stored: &'a StoredTable,
    /// How the record has them.
    pub order: Order,
}

impl SharedTables {
    /// The tables for layers that look products up, `None` for those that need no table.
    pub fn new<'a>(layers: impl Iterator<Item = Option<TableLayer<'a>>>, options: &Options) -> Self {
        let Options { table_form: form, by_activation, .. } = *options;
        let mut distinct: Vec<(&str, &Arc<ProductTable>, [bool; 256])> = Vec::new();
        let mut users: Vec<Vec<&QuantizedConv>> = Vec::new();
        let mut of_layer: Vec<Option<(usize, bool)>> = Vec::new();
        for layer in layers {
            let Some(TableLayer { name, products, weights, conv }) = layer else {
                of_layer.push(None);
                continue;
            };
            let same = |other: &Arc<ProductTable>| {
                Arc::ptr_eq(other, products) || other.entries() == products.entries()
            };
            let index = distinct.iter().position(|(_, products, _)| same(products)).unwrap_or_else(|| {
                distinct.push((name, products, [false; 256]));
                users.push(Vec::new());
                distinct.len() - 1
            });
            weights.iter().for_each(|&w| distinct[index].2[usize::from(w)] = true);
            users[index].push(conv);
            of_layer.push(Some((index, by_activation.suits(conv))));
        }
        let stored: Vec<Stored> = distinct
            .into_iter()
            .zip(&users)
            .map(|((name, products, occurs), users)| {
                let by_weight = StoredTable::new(products, &occurs, form);
                let stored = form == TableForm::Fastest && by_activation.stores(users, by_weight.len_bytes());
                let by_activation = stored.then(|| TransposedTable::new(&by_weight));
                Stored { name: name.to_owned(), by_weight, by_activation }
            })
            .collect();
        let of_layer: Vec<Option<(usize, Order)>> = of_layer
            .into_iter()
            .map(|layer| {
                layer.map(|(index, suits)| match suits && stored[index].by_activation.is_some() {
                    true => (index, Order::Activation),
                    false => (index, Order::Weight),
                })
            })
            .collect();
        let orders = (0..stored.len())
            .flat_map(|index| [Order::Weight, Order::Activation].map(|order| (index, order)));
        let records = orders.filter(|&record| of_layer.contains(&Some(record))).collect();
        SharedTables { stored, of_layer, records }
    }

    /// A layer's table.
    pub fn of(&self, layer: usize) -> Option<Found<'_>> {
        let (index, order) = self.of_layer[layer]?;
        let record = self.records.iter().position(|&record| record == (index, order))?;
        // At most as many tables as layers, whose number is checked.
        Some(Found { index: record as u16, stored: &self.stored[index].by_weight, order })
    }

    /// Number of tables.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Bytes of table `index`.
    pub fn bytes(&self, index: usize) -> usize {
        let (index, order) = self.records[index];
        let stored = &self.stored[index];
        match (order, &stored.by_activation) {
            (Order::Activation, Some(table)) => table.len_bytes(),
            _ => stored.by_weight.len_bytes(),
        }
    }

    /// Stores the tables and returns their records.
    pub fn records(&self, sections: &mut Sections) -> Vec<Table<'_>> {
        let mut record = |&(index, order): &(usize, Order)| {
            let Stored { name, by_weight, by_activation } = &self.stored[index];
            let (entry, rows, bytes): (EntryKind, u16, Vec<u8>) = match (order, by_activation) {
                (Order::Activation, Some(table)) => (table.entry, 256, table.bytes()),
                _ => (by_weight.entry, by_weight.rows.len() as u16, by_weight.bytes()),
            };
            let entries: Section = sections.add(bytes);
            Table { name, entry, rows, entries }
        };
        self.records.iter().map(&mut record).collect()
    }
}
