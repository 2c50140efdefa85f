//! What the designs' tests share, and the tests that concern all designs.

use super::*;
use crate::multiplier::{Statistics, TruthTable};
use std::collections::HashSet;

/// Checks that the circuit computes `model` modulo 2^16 for all operand pairs.
pub fn equals(design: Design, signed: bool, model: impl Fn(i32, i32) -> i32) {
    let wrapped = |product: i32| if signed { i32::from(product as i16) } else { i32::from(product as u16) };
    let expected = TruthTable::from_fn(signed, |a, w| wrapped(model(a, w))).unwrap();
    let table = design.netlist(signed).simulate().table;
    let differs = |(got, expected): (&i32, &i32)| got != expected;
    let first = table.products().iter().zip(expected.products()).position(differs);
    if let Some(i) = first {
        let (got, expected) = (table.products()[i], expected.products()[i]);
        panic!("{}: {} and {}: {got}, not {expected}", design.name(signed), i >> 8, i & 255);
    }
}

/// What the partial product of bits `i` and `j` counts.
pub fn partial(signed: bool, a: i32, w: i32, i: usize, j: usize) -> i32 {
    let product = (a >> i & w >> j & 1) << (i + j);
    if signed && (i == 7) != (j == 7) { -product } else { product }
}

/// The function that adds what the partial products for which `keeps` holds count, row by row.
pub fn sum_of_partial_products(
    signed: bool,
    keeps: impl Fn(usize, usize) -> bool,
) -> impl Fn(i32, i32) -> i32 {
    // Operands are extended by their sign: what is kept of the sign bit is kept of all above it.
    let of_bit = |i: usize| if signed && i == 7 { !0 << 7 } else { 1 << i };
    let row = |j: usize| (0..8).filter(|&i| keeps(i, j)).map(of_bit).fold(0, |mask, bit| mask | bit);
    let rows: [i32; 8] = std::array::from_fn(row);
    move |a, w| {
        let row = |j: usize| (a & rows[j]) << j;
        let positive: i32 = (0..7).filter(|j| w >> j & 1 == 1).map(row).sum();
        let last = if w >> 7 & 1 == 1 { row(7) } else { 0 };
        if signed { positive - last } else { positive + last }
    }
}

/// A product of magnitudes with the sign put back.
pub fn on_magnitudes(a: i32, w: i32, product: impl Fn(i32, i32) -> i32) -> i32 {
    a.signum() * w.signum() * product(a.abs(), w.abs())
}

/// `(M(a, w) - a * w) / (a * w)` of an unsigned table for all pairs without a zero.
pub fn relative_errors(table: &TruthTable) -> impl Iterator<Item = f64> {
    let pairs = (1..=255u8).flat_map(|a| (1..=255u8).map(move |w| (a, w)));
    pairs.map(|(a, w)| {
        let exact = f64::from(a) * f64::from(w);
        (f64::from(table.product(a, w)) - exact) / exact
    })
}

#[test]
fn exact_designs_multiply_all_pairs() {
    for signed in [false, true] {
        let exact: Vec<Design> =
            Design::classical().into_iter().filter(|design| design.family() == Family::Exact).collect();
        assert_eq!(exact.len(), 7);
        for design in exact {
            equals(design, signed, |a, w| a * w);
        }
    }
}

#[test]
fn designs_of_kept_partial_products_add_them_exactly() {
    for signed in [false, true] {
        for design in Design::classical() {
            let keeps = |i: usize, j: usize| match design {
                Design::Truncated { columns } => i + j >= columns,
                Design::BrokenArray { horizontal, vertical } => j >= horizontal && i + j >= vertical,
                Design::LowBit { activation, weight } => i >= 8 - activation && j >= 8 - weight,
                _ => true,
            };
            if matches!(design.family(), Family::Truncated | Family::BrokenArray | Family::LowBit) {
                equals(design, signed, sum_of_partial_products(signed, keeps));
            }
        }
    }
}

#[test]
fn low_bit_designs_multiply_masked_operands() {
    for signed in [false, true] {
        equals(Design::LowBit { activation: 5, weight: 3 }, signed, |a, w| (a & !7) * (w & !31));
    }
}

#[test]
fn the_exact_unsigned_circuits_have_the_textbook_sizes() {
    // 64 ANDs, 8 half adders of 2 gates, 48 full adders of 5.
    assert_eq!(Design::Exact.netlist(false).gates().len(), 64 + 8 * 2 + 48 * 5);
    // Dadda: 35 full and 7 half adders, then 14 columns of carry-propagate addition, the first without carry.
    let dadda = Design::Tree { reduction: Reduction::Dadda, adder: FinalAdder::Ripple };
    assert_eq!(dadda.netlist(false).gates().len(), 64 + 35 * 5 + 7 * 2 + 13 * 5 + 2);
}

#[test]
fn designs_out_of_range_are_degenerate_not_fatal() {
    let exact = |design: Design| {
        for signed in [false, true] {
            equals(design, signed, |a, w| a * w);
        }
    };
    for signed in [false, true] {
        for columns in [16, 31, 99] {
            assert!(Design::Truncated { columns }.netlist(signed).gates().is_empty());
            assert!(Design::ConstantCorrected { columns }.netlist(signed).gates().is_empty());
            let edge = Design::VariableCorrected { columns }.netlist(signed);
            assert!(edge.gates().is_empty());
        }
        let all_or = Design::LowerOr { columns: 99, carries: true }.netlist(signed);
        assert_eq!(all_or, Design::LowerOr { columns: 16, carries: true }.netlist(signed));
    }
    assert_eq!(Design::LowBit { activation: 99, weight: 9 }.netlist(false), Design::Exact.netlist(false));
    exact(Design::LeadingBits { activation: 99, bits: 99 });
    exact(Design::DynamicRange { bits: 99 });
    exact(Design::Underdesigned { diagonals: 0 });
    exact(Design::LowerOr { columns: 0, carries: true });
    let zero_bits = Design::DynamicRange { bits: 0 }.netlist(true);
    assert_eq!(zero_bits, Design::DynamicRange { bits: 1 }.netlist(true));
    let fraction = Design::Logarithmic { fraction: 99 }.netlist(false);
    assert_eq!(fraction, Design::Logarithmic { fraction: 7 }.netlist(false));
}

#[test]
fn names_are_distinct_and_landmarks_are_classical() {
    for signed in [false, true] {
        let names = |designs: &[Design]| designs.iter().map(|d| d.name(signed)).collect::<HashSet<_>>();
        let (classical, landmarks) = (Design::classical(), Design::landmarks());
        assert_eq!(names(&classical).len(), classical.len());
        assert!(names(&landmarks).is_subset(&names(&classical)));
    }
    assert_eq!(Design::ConstantCorrected { columns: 5 }.name(false), "mul8u_trunc5c");
    assert_eq!(Design::DynamicRange { bits: 4 }.name(true), "mul8s_drum4");
}

#[test]
fn landmarks_have_distinct_tables() {
    for signed in [false, true] {
        let designs = Design::landmarks();
        let tables: HashSet<Vec<i32>> =
            designs.iter().map(|d| d.netlist(signed).simulate().table.products().to_vec()).collect();
        assert_eq!(tables.len(), designs.len());
    }
}

#[test]
fn zero_operands_give_zero_where_documented() {
    for signed in [false, true] {
        for design in Design::classical() {
            let promised = match design {
                Design::ConstantCorrected { .. } | Design::Compressors { .. } => false,
                Design::VariableCorrected { .. } | Design::LowerOr { .. } => !signed,
                _ => true,
            };
            let table = design.netlist(signed).simulate().table;
            assert!(!promised || Statistics::of(&table).zero_preserving, "{}", design.name(signed));
        }
    }
}

#[test]
fn families_have_one_spelling_and_earlier_ones_can_be_read() {
    for &family in Family::ALL {
        assert_eq!(serde_json::to_value(family).unwrap(), family.to_string());
        assert_eq!(serde_json::from_value::<Family>(family.word().into()).unwrap(), family);
        assert!(family.word().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{family}");
    }
    for (earlier, family) in [("lower-or", Family::LowerOr), ("corrected-truncation", Family::ErrorBalanced)]
    {
        assert_eq!(serde_json::from_value::<Family>(earlier.into()).unwrap(), family);
    }
}

#[test]
fn every_design_says_which_paper_it_is_from_and_its_family_says_so_too() {
    for design in Design::classical() {
        let family = design.family().source().unwrap();
        let name = design.name(false);
        for paper in design.source().split("; ") {
            assert!(family.contains(paper), "{name}: {paper}");
        }
        assert!(design.provenance().contains(design.source()), "{name}");
    }
    let wallace = Design::Tree { reduction: Reduction::Wallace, adder: FinalAdder::Prefix };
    for part in ["Wallace tree", "\"A Suggestion for a Fast Multiplier\"", "Kogge and Stone", "1973"] {
        assert!(wallace.provenance().contains(part), "{}", wallace.provenance());
    }
}

#[test]
fn the_document_cites_every_family() {
    let document = include_str!("../../../../models/multipliers/README.md");
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let document = plain(document);
    for &family in Family::ALL {
        if let Some(source) = family.source() {
            let row = format!("| `{family}` |");
            assert!(document.contains(&row), "no row of {family}");
            assert!(document.contains(&plain(source)), "{family}: {source}");
        }
    }
}

#[test]
fn looking_at_less_takes_fewer_gates() {
    let chains: [Vec<Design>; 5] = [
        (1..=14).map(|columns| Design::LowerOr { columns, carries: false }).collect(),
        (1..=12).map(|columns| Design::VariableCorrected { columns }).collect(),
        (0..=7).rev().map(|fraction| Design::Logarithmic { fraction }).collect(),
        (1..=7).rev().map(|bits| Design::DynamicRange { bits }).collect(),
        (1..=8).rev().map(|activation| Design::LeadingBits { activation, bits: 2 }).collect(),
    ];
    for signed in [false, true] {
        for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
            let [more, less] = [pair[0], pair[1]].map(|design| design.netlist(signed).gates().len());
            assert!(less < more, "{} {more}, {} {less}", pair[0].name(signed), pair[1].name(signed));
        }
    }
}
