//! Checks against published EvoApproxLib multipliers, which are not part of this repository.
//!
//! The tables are looked for in `multipliers/*/` of the folder that `SKIMP_REFERENCE` names (a relative path
//! starts at the repository's root), by default `../shared/reference`. Without them the tests fail.

use super::{Library, Multiplier, Statistics, Structure};
use std::path::{Path, PathBuf};

pub(super) fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let reference = std::env::var_os("SKIMP_REFERENCE").unwrap_or_else(|| "../shared/reference".into());
    let folder = root.join(reference).join("multipliers");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.join("costs.csv").exists());
    folders.sort();
    assert!(!folders.is_empty(), "{}: no folder with a costs.csv", folder.display());
    folders
}

/// Published figures that differ: the MAE of these tables, 1.25 and 4.25, was evidently rounded to 1.2 and 4.2
/// before it was made a percentage (0.0019 and 0.0065 by the definition, 0.0018 and 0.0064 published).
const EXCEPTIONS: [(&str, &str); 2] = [("mul8s_1KVA", "mae_pct"), ("mul8s_1KV9", "mae_pct")];

/// Whether `figure`, rounded as `printed` is, gives `printed`.
fn agrees(figure: f64, printed: &str) -> bool {
    let decimals = printed.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let half = 0.5 * 10f64.powi(-(decimals as i32));
    (figure - printed.parse::<f64>().unwrap()).abs() <= half * (1.0 + 1e-6)
}

#[test]
#[ignore = "needs the reference tables; see .ci/run"]
fn statistics_equal_the_published_ones() {
    let mut differences = Vec::new();
    for folder in folders() {
        let library = Library::load_folder(&folder).unwrap();
        let csv = std::fs::read_to_string(folder.join("costs.csv")).unwrap();
        let mut lines = csv.lines().map(|line| line.split(',').map(str::trim).collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let mut compared = 0;
        for row in lines {
            let field = |column: &str| row[header.iter().position(|&name| name == column).unwrap()];
            let Ok(multiplier) = library.get(field("name")) else { continue };
            compared += 1;
            let Statistics { mae_pct, wce_pct, mre_pct, ep_pct, .. } = multiplier.statistics;
            for (column, figure) in
                [("mae_pct", mae_pct), ("wce_pct", wce_pct), ("mre_pct", mre_pct), ("ep_pct", ep_pct)]
            {
                let name = &*multiplier.name;
                if !agrees(figure, field(column)) && !EXCEPTIONS.contains(&(name, column)) {
                    differences.push(format!("{name} {column}: {figure}, published {}", field(column)));
                }
            }
        }
        assert_eq!(compared, library.multipliers().len(), "{}", folder.display());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// WCRE in percent and MSE as the library's C files print them in their headings.
const PUBLISHED_WCRE_AND_MSE: [(&str, &str, &str); 8] = [
    ("mul8s_1KR3", "6300.00", "7282910.2"),
    ("mul8s_1KRC", "3300.00", "2872"),
    ("mul8s_1KVL", "6500.00", "19690"),
    ("mul8u_17C8", "300.00", "37660750"),
    // 200 % if wrong products with zero counted too.
    ("mul8u_2P7", "100.00", "1.9"),
    ("mul8u_KEM", "100.00", "17"),
    ("mul8u_QJD", "200.00", "241"),
    ("mul8u_QKX", "100.00", "34405106"),
];

#[test]
#[ignore = "needs the reference tables; see .ci/run"]
fn worst_relative_and_squared_errors_equal_the_published_ones() {
    let libraries: Vec<Library> = folders().iter().map(|f| Library::load_folder(f).unwrap()).collect();
    for (name, wcre, mse) in PUBLISHED_WCRE_AND_MSE {
        let found = libraries.iter().flat_map(Library::multipliers).find(|m| m.name == name);
        let s = found.unwrap_or_else(|| panic!("no table of {name}")).statistics;
        assert!(agrees(s.wcre_pct, wcre) && agrees(s.mse, mse), "{name}: {s:?}");
    }
}

#[test]
#[ignore = "needs the reference tables; see .ci/run"]
fn structures_are_those_known_of_the_library() {
    for folder in folders() {
        let library = Library::load_folder(&folder).unwrap();
        let all: Vec<(&Multiplier, Structure)> =
            library.multipliers().iter().map(|m| (m, Structure::of(&m.table))).collect();
        let names = |what: &str, chosen: &dyn Fn(&Structure) -> bool| {
            let names = all.iter().filter(|(_, s)| chosen(s)).map(|(m, _)| &*m.name);
            let names: Vec<&str> = names.collect();
            println!("{what}: {} of {}: {}", names.len(), all.len(), names.join(" "));
            names
        };
        let masked = names("masked products", &|s| s.masked_product.is_some());
        let bilinear = names("bilinear", &|s| s.bilinear.is_some());
        let separable = names("separable by nibbles", &|s| s.separable_activation || s.separable_weight);
        names("sums of few terms", &|s| s.terms.is_some());
        // The signed ones are arrays without some of their partial products, the unsigned ones were evolved.
        if library.is_signed() {
            assert_eq!(bilinear.len(), all.len());
        } else {
            assert!((2..all.len() / 2).contains(&bilinear.len()), "{bilinear:?}");
            assert!(separable.len() < all.len());
        }
        assert!(masked.contains(&&*library.exact().name) && masked.len() < all.len());
        for (m, s) in &all {
            let name = &m.name;
            assert!(s.masked_product.is_none() || (s.bilinear.is_some() && s.rank <= 1), "{name}: {s:?}");
            assert!(s.bilinear.is_none() || (s.separable_activation && s.separable_weight), "{name}: {s:?}");
            assert!(s.bilinear.is_none() || m.statistics.zero_preserving, "{name}: {s:?}");
            assert!(s.terms.is_none_or(|terms| terms >= s.rank), "{name}: {s:?}");
            assert!(s.rank <= s.rows_by_weight.min(s.rows_by_activation), "{name}: {s:?}");
        }
    }
}

#[test]
#[ignore = "needs the reference tables; see .ci/run"]
fn modelled_costs_are_near_those_published_for_the_same_tables() {
    let mut compared = 0;
    for folder in folders() {
        let published = Library::load_folder(&folder).unwrap();
        for model in Library::builtin(published.is_signed()).multipliers() {
            let swapped = model.table.swapped();
            let same = published.multipliers().iter().find(|m| m.table == model.table || m.table == swapped);
            let Some(same) = same else { continue };
            compared += 1;
            let (power, area) =
                (model.power_rel - same.power_rel, model.area_rel.unwrap() - same.area_rel.unwrap());
            let names = (&model.name, &same.name);
            assert!(area.abs() < 0.065 && (-0.04..0.11).contains(&power), "{names:?}: {power} {area}");
        }
    }
    // Both exact ones and ten signed ones in EvoApproxLib's selection.
    assert!(compared >= 12, "only {compared} tables are also built in");
}

#[test]
fn printed_digits_decide_whether_figures_agree() {
    assert!(agrees(0.00190735, "0.0019") && agrees(12.345, "12.35") && agrees(98.4, "98"));
    assert!(!agrees(0.00196, "0.0019") && !agrees(0.0105, "0.00"));
}
