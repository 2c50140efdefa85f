//! The front as a CSV file (RFC 4180, with newlines alone).

use super::FrontPoint;
use std::borrow::Cow;

/// The front with a heading line and one line a point. Names of columns end in their unit; each layer has a
/// column with the name of its multiplier. Fields are quoted where they need it. An unknown KL, or a layer
/// without a multiplier, is an empty field.
pub fn front_csv(layers: &[String], points: &[FrontPoint]) -> String {
    let mut heading =
        ["point", "energy_saved_percent", "accuracy_loss_percentage_points", "kl_nats", "chosen"]
            .map(Cow::from)
            .to_vec();
    heading.extend(layers.iter().map(|layer| Cow::from(format!("multiplier of {layer}"))));
    let mut csv = line(&heading);
    for point in points {
        let mut fields = vec![
            Cow::from(&point.label),
            point.energy_saved_pct.to_string().into(),
            point.loss_pp.to_string().into(),
            point.kl.map_or(String::new(), |kl| kl.to_string()).into(),
            if point.chosen { "yes" } else { "no" }.into(),
        ];
        fields.extend((0..layers.len()).map(|l| point.assignment.get(l).map_or("", String::as_str).into()));
        csv.push_str(&line(&fields));
    }
    csv
}

/// A line of fields, quoted where they need it.
pub(crate) fn line(fields: &[Cow<str>]) -> String {
    fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(",") + "\n"
}

fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\"")).into()
    } else {
        field.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_pads() {
        let layers = ["conv, 1", "say \"fc\""].map(str::to_owned);
        let mut points = super::super::sample()[..2].to_vec();
        points[1].assignment.truncate(1);
        points[1].label = "two\nlines".to_owned();
        let expected = "\
point,energy_saved_percent,accuracy_loss_percentage_points,kl_nats,chosen,\"multiplier of conv, 1\",\"multiplier of say \"\"fc\"\"\"
0,8.1,-0.15,,no,exact,17KS
\"two
lines\",22.4,-0.1,0.004333333333333333,no,exact,
";
        assert_eq!(front_csv(&layers, &points), expected);
    }
}
