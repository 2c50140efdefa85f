//! Which multipliers have a row in the table of each scheme.

use super::distinct;
use crate::cli::common::SourceArgs;
use crate::error::{Error, Result};
use crate::multiplier::{Choice, Library, Scheme, signed_by_name, signed_or_unsigned};
use clap::Args;

/// Rows unless multipliers are named.
const ROWS: usize = 8;
/// Relative power of the first of them and of the last: from where most multipliers do no harm to where most
/// networks are lost without compensation.
const POWER_REL: [f64; 2] = [0.7, 0.04];

/// Which multipliers.
#[derive(Debug, Args)]
pub struct RowArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// The multipliers of the signed scheme, likewise; needed where those of --multipliers are folders or files,
    /// which are of one signedness.
    #[arg(long, value_name = "SOURCE,...")]
    signed_multipliers: Option<String>,
    /// The multipliers that are compared, such as trunc6, or 17KS~ for exchanged operands; names that begin with
    /// mul8u_ or mul8s_ in the tables of that signedness alone. Eight of the library, from .7 to .04 of the exact
    /// one's power, unless given.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    multiplier: Vec<String>,
    /// Multiplier for the first layer, if it is to be the same in every row.
    #[arg(long, value_name = "NAME")]
    first: Option<String>,
}

/// The rows of one scheme's table.
pub(super) struct Rows {
    pub library: Library,
    /// What every layer has, row by row.
    pub choices: Vec<Choice>,
    /// What the first layer has instead.
    pub first: Option<Choice>,
}

impl RowArgs {
    /// The rows for each of `schemes`.
    pub(super) fn of_each(&self, schemes: &[Scheme]) -> Result<Vec<Rows>> {
        for name in &self.multiplier {
            if !schemes.iter().any(|&scheme| suits(name, scheme)) {
                let kind = signed_or_unsigned(signed_by_name(name) == Some(true));
                let reason = format!("--multiplier {name}: none of --schemes takes {kind} multipliers");
                return Err(Error::Argument(reason));
            }
        }
        // A missing flag before whatever else is wrong.
        let sources = schemes.iter().map(|&scheme| self.source(scheme)).collect::<Result<Vec<_>>>()?;
        schemes.iter().zip(sources).map(|(&scheme, source)| self.of(scheme, source)).collect()
    }

    /// The flag that says where a scheme's multipliers are, and its value.
    fn source(&self, scheme: Scheme) -> Result<(&'static str, &str)> {
        let multipliers = &self.source.multipliers;
        match &self.signed_multipliers {
            _ if !scheme.wants_signed_table() => {}
            Some(signed) => return Ok(("--signed-multipliers", signed)),
            None if Library::sources_have_both_signs(multipliers) => {}
            None => {
                return Err(Error::Argument(format!(
                    "--schemes {scheme} needs signed multipliers beside those of --multipliers {multipliers}: say where \
                     they are with --signed-multipliers, or leave {scheme} out of --schemes"
                )));
            }
        }
        Ok(("--multipliers", multipliers))
    }

    fn of(&self, scheme: Scheme, (flag, source): (&str, &str)) -> Result<Rows> {
        let signed = scheme.wants_signed_table();
        let library = Library::from_sources(source, signed)?;
        let refused = |reason: String| Err(Error::Argument(reason));
        let [wanted, given] = [signed, library.is_signed()].map(signed_or_unsigned);
        if given != wanted {
            return refused(format!(
                "{flag} {source}: the {scheme} scheme needs {wanted} multipliers, these are {given}"
            ));
        }
        let choose = |flag: &str, name: &str| {
            let named = |e| Error::Argument(format!("{flag} {name}, {scheme} scheme: {e}"));
            Choice::parse(&library, name).map_err(named)
        };
        let first = self.first.as_deref().map(|name| choose("--first", name)).transpose()?;
        if self.multiplier.is_empty() {
            let choices = spread(&library);
            if choices.is_empty() {
                return refused(format!(
                    "{flag} {source}: no multiplier is approximate; name exact ones with --multiplier"
                ));
            }
            return Ok(Rows { library, choices, first });
        }
        let names = self.multiplier.iter().filter(|name| suits(name, scheme));
        let choices = names.map(|name| choose("--multiplier", name)).collect::<Result<Vec<_>>>()?;
        if choices.is_empty() {
            return refused(format!(
                "--multiplier {}: the {scheme} scheme needs {wanted} multipliers; name one, or leave {scheme} out of \
                 --schemes",
                self.multiplier.join(",")
            ));
        }
        Ok(Rows { choices: distinct(choices, |&choice| choice), library, first })
    }
}

/// Whether a multiplier of this name may be one for `scheme`.
fn suits(name: &str, scheme: Scheme) -> bool {
    signed_by_name(name).is_none_or(|signed| signed == scheme.wants_signed_table())
}

/// Multipliers whose powers are nearest to a geometric series, each once, by falling power; all that are not exact
/// if there are no more.
fn spread(library: &Library) -> Vec<Choice> {
    let multipliers = library.multipliers();
    let mut left: Vec<usize> = (0..multipliers.len()).collect();
    left.retain(|&m| !multipliers[m].statistics.is_exact());
    let [most, least] = POWER_REL;
    let mut chosen = Vec::new();
    for step in 0..ROWS {
        let power = most * (least / most).powf(step as f64 / (ROWS - 1) as f64);
        let distance = |m: usize| (multipliers[m].power_rel / power).ln().abs();
        let nearest = (0..left.len()).min_by(|&x, &y| distance(left[x]).total_cmp(&distance(left[y])));
        chosen.extend(nearest.map(|place| left.remove(place)));
    }
    // As the library has them.
    chosen.sort_unstable();
    chosen.into_iter().map(|multiplier| Choice { multiplier, swapped: false }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;
    use crate::multiplier::testing::multiplier;

    #[test]
    fn rows_spread_over_the_powers() {
        for signed in [false, true] {
            let library = Library::builtin(signed);
            let rows = spread(&library);
            let powers: Vec<f64> =
                rows.iter().map(|c| library.multipliers()[c.multiplier].power_rel).collect();
            assert_eq!(powers.len(), ROWS);
            assert!(
                powers.is_sorted_by(|x, y| x >= y) && distinct(rows.clone(), |&c| c) == rows,
                "{powers:?}"
            );
            assert!((0.65..0.75).contains(&powers[0]) && (0.02..0.06).contains(&powers[7]), "{powers:?}");
        }
    }

    #[test]
    fn small_libraries_give_what_they_have() {
        let zero = || TruthTable::from_fn(false, |_, _| 0).unwrap();
        let exact = multiplier("exact", 1.0, TruthTable::exact(false));
        let few = vec![exact.clone(), multiplier("free", 0.0, zero()), multiplier("dear", 3.0, zero())];
        let library = Library::new(few).unwrap();
        let names: Vec<String> = spread(&library).iter().map(|choice| choice.name(&library)).collect();
        assert_eq!(names, ["dear", "free"]);
        assert_eq!(spread(&Library::new(vec![exact]).unwrap()), []);
    }
}
