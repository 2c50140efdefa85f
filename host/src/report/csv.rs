//! The front as a CSV file (RFC 4180, with newlines alone).

use super::FrontPoint;
use std::borrow::Cow;

/// What every point has, whatever the network.
const COLUMNS: [&str; 12] = [
    "point",
    "chosen",
    "energy_saved_pct",
    "mac_energy_saved_pct",
    "loss_search_pp",
    "loss_choice_pp",
    "loss_choice_se_pp",
    "loss_test_pp",
    "loss_test_se_pp",
    "kl_test_nats",
    "scheme",
    "range",
];

/// What points have if it was asked for.
type Further = (&'static str, fn(&FrontPoint) -> Option<String>);

const FURTHER: [Further; 5] = [
    ("operating_points", |point| {
        (!point.operating_points.is_empty()).then(|| point.operating_points.join(" "))
    }),
    ("flash_bytes", |point| Some(point.flash_bytes?.to_string())),
    ("insns", |point| Some(point.insns?.to_string())),
    ("cycles_modelled", |point| Some(point.cycles_modelled?.to_string())),
    ("ms_modelled", |point| Some(point.ms_modelled?.to_string())),
];

/// The front with a heading line and one line a point. Names of columns end in their unit; what was asked for of images
/// and boards has columns if it is known of any point, and each layer has one with the name of its multiplier. Fields are
/// quoted where they need it. A layer without a multiplier is an empty field.
pub fn front_csv(layers: &[String], points: &[FrontPoint]) -> String {
    let mut heading = COLUMNS.map(Cow::from).to_vec();
    let is_known = |(_, of): &&Further| points.iter().any(|point| of(point).is_some());
    let further: Vec<&Further> = FURTHER.iter().filter(is_known).collect();
    heading.extend(further.iter().map(|(name, _)| Cow::from(*name)));
    heading.extend(layers.iter().map(|layer| Cow::from(format!("multiplier of {layer}"))));
    let mut csv = line(&heading);
    for point in points {
        let mut fields = vec![Cow::from(&point.label), if point.chosen { "yes" } else { "no" }.into()];
        let figures = [
            point.energy_saved_pct,
            point.mac_energy_saved_pct,
            point.loss_search_pp,
            point.loss_choice_pp,
            point.loss_choice_se_pp,
            point.loss_test_pp,
            point.loss_test_se_pp,
            point.kl_test,
        ];
        fields.extend(figures.map(|figure| Cow::from(figure.to_string())));
        fields.extend([&point.scheme, &point.range].map(Cow::from));
        fields.extend(further.iter().map(|(_, of)| of(point).unwrap_or_default().into()));
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
        let heading = COLUMNS.join(",") + ",\"multiplier of conv, 1\",\"multiplier of say \"\"fc\"\"\"\n";
        let csv = front_csv(&layers, &points);
        let rest = csv.strip_prefix(&heading).unwrap();
        assert_eq!(rest.lines().next().unwrap().split(',').count(), COLUMNS.len() + 2);
        assert!(
            rest.starts_with("0,no,8.1,") && rest.contains(",sign-magnitude,percentile:99.9,exact,17KS\n"),
            "{csv}"
        );
        assert!(rest.contains("\n\"two\nlines\",no,22.4,"), "{csv}");
        assert!(rest.ends_with(",sign-magnitude,percentile:99.9,exact,\n"), "{csv}");
        (points[0].flash_bytes, points[0].ms_modelled) = (Some(4096), Some(12.5));
        points[1].operating_points = vec!["frugal".to_owned(), "quick".to_owned()];
        let csv = front_csv(&layers, &points);
        assert!(
            csv.contains(",range,operating_points,flash_bytes,ms_modelled,\"multiplier of conv, 1\""),
            "{csv}"
        );
        assert!(csv.contains(",percentile:99.9,,4096,12.5,exact,17KS\n"), "{csv}");
        assert!(csv.ends_with(",percentile:99.9,frugal quick,,,exact,\n"), "{csv}");
    }
}
