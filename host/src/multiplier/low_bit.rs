//! The exact multipliers of fewer bits as a library: plain low precision, what approximate ones have to beat.

use super::netlist_file::modelled;
use super::{Design, Library, builtin};
use rayon::prelude::*;
use std::sync::LazyLock;

static LIBRARIES: [LazyLock<Library>; 2] = [LazyLock::new(|| build(false)), LazyLock::new(|| build(true))];

/// Those for `signed`. Costs are relative to the built-in library's exact multiplier, which is one of them.
pub(super) fn library(signed: bool) -> Library {
    LIBRARIES[usize::from(signed)].clone()
}

fn build(signed: bool) -> Library {
    let exact = builtin::exact_cost(signed);
    let low_bit = Design::low_bit().into_par_iter().map(|design| {
        let netlist = design.netlist(signed);
        modelled(design.name(signed), design.family(), design.provenance(), netlist, &exact)
    });
    let mut multipliers: Vec<_> = low_bit.collect();
    multipliers.push(builtin::library(signed).exact().clone());
    Library::new(multipliers).expect("designs have distinct names and one is exact")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Family, Multiplier, TruthTable, name_prefix};

    /// The multiplier of so many bits of the activation and of the weight.
    fn of_bits(library: &Library, activation: usize, weight: usize) -> &Multiplier {
        library.get(&Design::LowBit { activation, weight }.name(library.is_signed())).unwrap()
    }

    fn all_bits() -> impl Iterator<Item = (usize, usize)> {
        let bits = (2..=8).flat_map(|activation| (1..=8).map(move |weight| (activation, weight)));
        bits.filter(|&bits| bits != (8, 8))
    }

    #[test]
    fn all_combinations_of_bits_and_the_exact_one_are_there() {
        for signed in [false, true] {
            let library = library(signed);
            assert_eq!(library.is_signed(), signed);
            assert_eq!(library.multipliers().len(), 7 * 8);
            let is = |m: &&Multiplier| m.family == Family::LowBit && !m.statistics.is_exact();
            assert_eq!(library.multipliers().iter().filter(is).count(), 7 * 8 - 1);
            assert_eq!(library.exact(), Library::builtin(signed).exact());
            for name in ["w7", "w1", "a4w4", "a7w8", "a2w1"] {
                let name = format!("{}{name}", name_prefix(signed));
                assert_eq!(library.get(&name).unwrap().name, name);
            }
        }
    }

    #[test]
    fn products_are_those_of_masked_operands() {
        for signed in [false, true] {
            let library = library(signed);
            for (activation, weight) in all_bits() {
                let highest = |operand: i32, bits: usize| operand >> (8 - bits) << (8 - bits);
                let product = |a: i32, w: i32| highest(a, activation) * highest(w, weight);
                let table = TruthTable::from_fn(signed, product).unwrap();
                let multiplier = of_bits(&library, activation, weight);
                assert!(multiplier.table == table, "{}", multiplier.name);
            }
        }
    }

    #[test]
    fn a_bit_less_of_either_operand_costs_less() {
        for signed in [false, true] {
            let library = library(signed);
            for (activation, weight) in all_bits() {
                let less = of_bits(&library, activation, weight);
                let more = [(activation + 1, weight), (activation, weight + 1)];
                for (a, w) in more.into_iter().filter(|&(a, w)| a <= 8 && w <= 8 && (a, w) != (8, 8)) {
                    let more = of_bits(&library, a, w);
                    assert!(less.power_rel < more.power_rel, "{} and {}", less.name, more.name);
                    assert!(less.area_rel < more.area_rel, "{} and {}", less.name, more.name);
                }
            }
        }
    }

    #[test]
    fn it_can_be_joined_with_the_others() {
        for signed in [false, true] {
            let low_bit = Library::from_sources("low-bit", signed).unwrap();
            assert_eq!(low_bit, library(signed));
            let joined = Library::from_sources("builtin,classical,low-bit", signed).unwrap();
            let all_there = low_bit.multipliers().iter().all(|m| joined.get(&m.name).is_ok());
            assert!(all_there && joined.exact() == low_bit.exact());
        }
    }
}
