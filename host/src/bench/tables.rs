//! Workload W with every table of a library.

use super::candidate::{Multiplier, expected_acc};
use super::figures::Figures;
use super::measure::Race;
use crate::emulate::{ConvPlan, Kernel};
use crate::error::Result;
use crate::kernels::Isa;
use crate::multiplier::Scheme;
use crate::quantize::QuantizedConv;
use serde::Serialize;
use std::time::Instant;

/// How fast W is with one table.
#[derive(Debug, Serialize)]
pub struct TableFigures {
    /// The multiplier.
    pub multiplier: String,
    /// Billions of multiplications a second by vector tables, which take any table.
    pub vector_tables_gmps: Figures<f64>,
    /// The kernel that [`ConvPlan::new`] chooses.
    pub planned_kernel: Kernel,
    /// Billions of multiplications a second by that kernel.
    pub planned_gmps: Figures<f64>,
    /// Microseconds that [`ConvPlan::new`] takes, once for a layer and a multiplier.
    pub plan_us: f64,
    /// Blocks of vector tables by the additions that 16 bits can take.
    pub table_widths: Vec<(&'static str, usize)>,
}

/// One figure over all tables.
#[derive(Debug, Serialize)]
pub struct Spread {
    /// The least.
    pub worst: f64,
    /// Whose it is.
    pub worst_table: String,
    /// The one in the middle.
    pub median: f64,
    /// The greatest.
    pub best: f64,
    /// Whose it is.
    pub best_table: String,
}

impl Spread {
    /// The spread of figures by the names of their tables; of none, nothing.
    pub fn of(mut figures: Vec<(f64, &str)>) -> Option<Spread> {
        figures.sort_by(|x, y| x.0.total_cmp(&y.0));
        let (&(worst, worst_table), &(best, best_table)) = (figures.first()?, figures.last()?);
        Some(Spread {
            worst,
            worst_table: worst_table.to_owned(),
            median: figures[figures.len() / 2].0,
            best,
            best_table: best_table.to_owned(),
        })
    }
}

/// Measures every one of `multipliers` by vector tables and by the kernel of the plan's choice.
pub fn measure(
    conv: &QuantizedConv,
    multipliers: &[Multiplier],
    race: &Race,
    progress: &dyn Fn(&str),
) -> Result<Vec<TableFigures>> {
    let mut plans = Vec::new();
    for multiplier in multipliers {
        let before = Instant::now();
        let planned = ConvPlan::new(conv, Scheme::Unsigned, &multiplier.approximate)?;
        let plan_us = before.elapsed().as_secs_f64() * 1e6;
        let (kernel, isa) = (Kernel::VectorTables, Isa::best());
        let forced = ConvPlan::with_kernel(conv, Scheme::Unsigned, &multiplier.approximate, kernel, isa)?;
        plans.push((multiplier, planned, forced, plan_us));
    }
    // In one race, so that all of them meet the same machine: first every one by vector tables, then those
    // for which the plan chooses something else.
    let (mut forced, mut chosen) = (Vec::new(), Vec::new());
    let mut place_of_chosen = Vec::new();
    for (multiplier, planned, tables, _) in &plans {
        let expected = expected_acc(conv, multiplier, race.batches)?;
        forced.push(multiplier.contestant(tables, &expected));
        place_of_chosen.push(match planned.kernel() {
            Kernel::VectorTables => forced.len() - 1,
            _ => {
                chosen.push(multiplier.contestant(planned, &expected));
                plans.len() + chosen.len() - 1
            }
        });
    }
    let mut contestants = forced;
    contestants.append(&mut chosen);
    race.run(&mut contestants, progress)?;
    progress("the slowest again");
    race.settle_last_places(&mut contestants[..plans.len()])?;
    let multiplications = conv.multiplications() * race.images as u64;
    let figures = |place: usize| Figures::gmps(multiplications, &contestants[place].seconds);
    let measured = plans.iter().zip(place_of_chosen).enumerate();
    let measured = measured.map(|(place, ((multiplier, planned, tables, plan_us), chosen))| TableFigures {
        multiplier: multiplier.name.clone(),
        vector_tables_gmps: figures(place),
        planned_kernel: planned.kernel(),
        planned_gmps: figures(chosen),
        plan_us: *plan_us,
        table_widths: tables.table_widths(),
    });
    Ok(measured.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_both_ends() {
        let spread = Spread::of(vec![(2.0, "b"), (9.0, "c"), (1.0, "a")]).unwrap();
        assert_eq!((spread.worst, spread.median, spread.best), (1.0, 2.0, 9.0));
        assert_eq!((&*spread.worst_table, &*spread.best_table), ("a", "c"));
        assert!(Spread::of(Vec::new()).is_none());
    }
}
