//! What methods reach within loss budgets, as text.

use crate::optimize::{BUDGETS_PP, Method, Within};
use crate::report::{Align, text_table};

/// A row for each method, a column for each budget: energy saved, and the loss on the test images; by the points that
/// were chosen on training images, and by the front as it was measured. Below it, what the methods are, and whether
/// approximation beats plain low precision.
pub fn methods_table(methods: &[Method]) -> String {
    let budgets = BUDGETS_PP.map(|budget| format!("loss <= {budget}"));
    let mut columns = vec![("method", Align::Left)];
    columns.extend(budgets.iter().map(|budget| (budget.as_str(), Align::Left)));
    let cell = |within: &Option<Within>| match within {
        Some(w) => {
            format!("{:.1} % ({:+.2} +- {:.2})", w.energy_saved_pct, w.loss_test_pp, w.loss_test_se_pp)
        }
        None => "-".to_owned(),
    };
    let table = |of: fn(&Method) -> &[Option<Within>]| {
        let row = |method: &Method| {
            let mut row = vec![method.name.to_owned()];
            row.extend(of(method).iter().map(cell));
            row
        };
        text_table(&columns, &methods.iter().map(row).collect::<Vec<_>>())
    };
    let mut text = String::from(
        "multiplication energy saved (and loss on the test images), fronts read at test losses:\n",
    );
    text += &table(|method| &method.front);
    text +=
        "\nthe points that keep each budget on training images, which lose more there than on new ones:\n";
    text += &table(|method| &method.chosen);
    text += "\n";
    for method in methods {
        text += &format!(
            "{}: {}; {} scheme, exact {:.2} %, costs: {}\n",
            method.name, method.what, method.scheme, method.accuracy_8bit, method.cost_source
        );
    }
    text + &verdict(methods).unwrap_or_default()
}

/// How far approximate multipliers get beyond exact ones of fewer bits.
fn verdict(methods: &[Method]) -> Option<String> {
    let own = methods.first()?;
    let low_bit = methods.iter().find(|method| method.name == "low-bit")?;
    let pairs = own.front.iter().zip(&low_bit.front).zip(BUDGETS_PP);
    let differences: Vec<String> = pairs
        .filter_map(|((own, low_bit), budget)| {
            let (own, low_bit) = (own.as_ref()?, low_bit.as_ref()?);
            // What is left counts: from 90 % to 95 % saved is half of the energy.
            let (left, low_bit_left) = (100.0 - own.energy_saved_pct, 100.0 - low_bit.energy_saved_pct);
            let word = if left <= low_bit_left { "less" } else { "more" };
            let share =
                100.0 * (1.0 - left.min(low_bit_left) / left.max(low_bit_left).max(f64::MIN_POSITIVE));
            Some(format!("{share:.0} % {word} at {budget}"))
        })
        .collect();
    let costs = if own.cost_source == low_bit.cost_source {
        String::new()
    } else {
        format!(" ({} costs against {} ones)", own.cost_source, low_bit.cost_source)
    };
    (!differences.is_empty()).then(|| {
        format!(
            "multiplication energy of approximate multipliers against plain low precision: {}{costs}\n",
            differences.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &'static str, saved: [Option<f64>; 4]) -> Method {
        let within = |(saved, budget_pp): (Option<f64>, f64)| {
            saved.map(|energy_saved_pct| Within {
                budget_pp,
                energy_saved_pct,
                mac_energy_saved_pct: energy_saved_pct / 3.0,
                loss_choice_pp: budget_pp,
                loss_test_pp: budget_pp / 2.0,
                loss_test_se_pp: 0.1,
                kl_test: 0.01,
                assignment: Vec::new(),
                scheme: "unsigned".into(),
                range: "minmax".into(),
            })
        };
        Method {
            name,
            what: "something".into(),
            scheme: "unsigned".into(),
            cost_source: "gate-model".into(),
            accuracy_8bit: 91.0,
            evaluations: 7,
            chosen: vec![None; BUDGETS_PP.len()],
            front: saved.into_iter().zip(BUDGETS_PP).map(within).collect(),
        }
    }

    #[test]
    fn methods_are_rows_and_budgets_are_columns() {
        let own = method("skimp", [Some(60.0), Some(90.0), Some(95.0), Some(95.0)]);
        let low_bit = method("low-bit", [None, Some(80.0), Some(90.0), Some(96.0)]);
        let text = methods_table(&[own.clone(), low_bit]);
        assert!(text.contains("loss <= 0.6") && text.contains("90.0 % (+0.30 +- 0.10)"), "{text}");
        let last = text.lines().last().unwrap();
        assert!(last.ends_with("50 % less at 0.6, 50 % less at 1, 20 % more at 2"), "{last}");
        assert!(!methods_table(&[own]).contains("low precision"));
    }
}
