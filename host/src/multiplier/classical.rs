//! All classical designs as a library: whether or not another one beats them.

use super::netlist_file::modelled;
use super::{Design, Library, builtin};
use rayon::prelude::*;
use std::sync::LazyLock;

static LIBRARIES: [LazyLock<Library>; 2] = [LazyLock::new(|| build(false)), LazyLock::new(|| build(true))];

/// Those for `signed`. Costs are relative to the built-in library's exact multiplier, as those of all circuits.
pub(super) fn library(signed: bool) -> Library {
    LIBRARIES[usize::from(signed)].clone()
}

fn build(signed: bool) -> Library {
    let exact = builtin::exact_cost(signed);
    let multipliers = Design::classical().into_par_iter().map(|design| {
        let netlist = design.netlist(signed);
        modelled(design.name(signed), design.family(), design.provenance(), netlist, &exact)
    });
    Library::new(multipliers.collect()).expect("designs have distinct names and one is exact")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::Family;

    #[test]
    fn every_design_is_there_and_the_built_in_library_can_be_joined() {
        for signed in [false, true] {
            let library = library(signed);
            assert_eq!(library.multipliers().len(), Design::classical().len());
            assert_eq!(library.is_signed(), signed);
            let exact = library.multipliers().iter().filter(|m| m.family == Family::Exact);
            assert!(exact.clone().count() == 7 && exact.into_iter().all(|m| m.statistics.is_exact()));
            for name in ["array", "wallace", "dadda_ks", "booth4", "udm7", "mitchell3", "drum4", "yang_k8"] {
                let found = library.get(name).unwrap();
                assert!(found.netlist.is_some() && found.power_rel > 0.0, "{name}");
            }
            let joined = Library::from_sources("builtin,classical", signed).unwrap();
            assert!(joined.multipliers().len() > library.multipliers().len());
            assert_eq!(joined.exact().name, Library::builtin(signed).exact().name);
        }
    }
}
