//! What an imported multiplier costs where its own file does not say.

use crate::error::{Error, Result};
use crate::multiplier::cost::Cost;
use crate::multiplier::formats::{costs_json, read_bounded};
use crate::multiplier::library::CostSource;
use crate::multiplier::{Costs, Figure, Netlist, builtin, folder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Costs written in folders that files were imported from.
pub(super) type Beside = HashMap<PathBuf, HashMap<String, Costs>>;

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The costs that `costs.csv` or `costs.json` in the file's folder give one of `names`.
pub(super) fn costs_beside(path: &Path, names: [&str; 2], beside: &mut Beside) -> Result<Option<Costs>> {
    let folder = folder_of(path);
    if !beside.contains_key(folder) {
        let (csv, json) = (folder.join(folder::COSTS), folder.join("costs.json"));
        let costs = match (csv.exists(), json.exists()) {
            (true, true) => return Err(Error::file(&json, "and costs.csv are both there; keep one of them")),
            (true, false) => {
                folder::costs(folder)?.into_iter().map(|(name, row)| (name, row.costs)).collect()
            }
            (false, true) => costs_json::parse(&json, &read_bounded(&json)?)?,
            (false, false) => HashMap::new(),
        };
        beside.insert(folder.to_owned(), costs);
    }
    Ok(names.iter().find_map(|name| beside[folder].get(*name)).copied())
}

pub(super) fn no_costs(path: &Path, name: &str) -> Error {
    let reason = format!(
        "no costs for {name}: give --power-mw or --power-rel, or a line in a costs.csv (columns \
         name,power_mw or name,power_rel) or costs.json beside the file"
    );
    Error::file(path, reason)
}

/// Costs by the gate model, relative to the built-in exact multiplier's by the same model.
pub(crate) fn gate_model(netlist: &Netlist) -> Costs {
    let cost = Cost::of(netlist, &netlist.simulate().activity);
    let exact = builtin::exact_cost(netlist.is_signed());
    Costs {
        power: Figure::Relative(cost.power_uw / exact.power_uw),
        area: Some(Figure::Relative(cost.area_um2 / exact.area_um2)),
        delay: Some(Figure::Relative(cost.delay_ps / exact.delay_ps)),
        source: CostSource::GateModel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::{Design, Library};

    #[test]
    fn the_gate_model_charges_the_exact_multiplier_one() {
        for signed in [false, true] {
            let exact = Library::builtin(signed).exact().netlist.clone().unwrap();
            let exact = gate_model(&exact);
            assert_eq!((exact.power, exact.delay), (Figure::Relative(1.0), Some(Figure::Relative(1.0))));
            assert_eq!(exact.source, CostSource::GateModel);
            let Figure::Relative(power) = gate_model(&Design::Truncated { columns: 6 }.netlist(signed)).power
            else {
                panic!("the gate model gives no milliwatts")
            };
            assert!(power < 0.9, "{power}");
        }
    }
}
