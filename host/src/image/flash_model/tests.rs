use super::*;
use crate::image::TableForm;
use crate::image::tables::StoredTable;
use crate::multiplier::{Scheme, TruthTable};

#[test]
fn tables_have_the_size_of_the_stored_ones() {
    let clamp = |signed: bool, product: i32| match signed {
        true => product.clamp(i16::MIN.into(), i16::MAX.into()),
        false => product.clamp(0, u16::MAX.into()),
    };
    let mut entries = std::collections::HashSet::new();
    for scheme in [Scheme::Unsigned, Scheme::Signed, Scheme::SignMagnitude { weight_shift: 1 }] {
        for kind in 0..4 {
            let signed = scheme.wants_signed_table();
            let product = |a: i32, w: i32| match kind {
                0 => a * w,
                1 => (a * w) & !0x3ff,
                2 => a * w + i32::from(!(0..=200).contains(&w)),
                _ => 300 * ((a * 37) ^ (w * 11)) % 40_000,
            };
            let table = TruthTable::from_fn(signed, |a, w| clamp(signed, product(a, w))).unwrap();
            for zero_point in [0, 128] {
                let products = ProductTable::new(&table, scheme, false, zero_point).unwrap();
                let size = TableSize::new(&products);
                for step in 1..40 {
                    let occurs: [bool; 256] = std::array::from_fn(|code| {
                        (code * code / 7 + code) % step == 0 && (code != 128 || step % 2 == 0)
                    });
                    let stored = StoredTable::new(&products, &occurs, TableForm::Smallest);
                    let bytes = stored.len_bytes();
                    assert_eq!(size.bytes(&occurs), bytes, "{scheme}, {kind}, {zero_point}, {step}");
                    entries.insert((stored.entry.row_bytes(), format!("{:?}", stored.coding)));
                }
            }
        }
    }
    assert_eq!(entries.len(), 6, "{entries:?}");
}
