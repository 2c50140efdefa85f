//! Goals as users type them.

use super::Args;
use crate::error::{Error, Result};
use crate::evolve::{Bounds, Goal, Metric, builtin, ladder};

/// Bounds in percent.
#[derive(Debug, Clone)]
pub(super) struct BoundList(Vec<f64>);

/// The bounds that `text` names: a list, or a range with a count.
pub(super) fn parse_bounds(text: &str) -> std::result::Result<BoundList, String> {
    let number = |text: &str| {
        let figure = text.trim().parse::<f64>().ok().filter(|figure| figure.is_finite() && *figure >= 0.0);
        figure.ok_or_else(|| format!("{text:?} is no bound; give percent of 65,536, such as 0.5"))
    };
    if let Some((tightest, rest)) = text.split_once("..") {
        let (loosest, count) = rest.split_once(':').ok_or("a range ends with a count: 0.01..5:20")?;
        let (tightest, loosest) = (number(tightest)?, number(loosest)?);
        let count: usize = count.trim().parse().map_err(|_| format!("{count:?} is no count"))?;
        if !(tightest > 0.0 && tightest <= loosest && (1..=1000).contains(&count)) {
            return Err("a range goes up from more than 0, in 1 to 1000 bounds".into());
        }
        return Ok(BoundList(ladder(tightest, loosest, count)));
    }
    text.split(',').map(number).collect::<std::result::Result<_, _>>().map(BoundList)
}

/// The goals asked for; the built-in library's if none are.
pub(super) fn goals(args: &Args) -> Result<Vec<Goal>> {
    if let Some(bias) = args.max_bias.filter(|bias| !(bias.is_finite() && *bias >= 0.0)) {
        let reason = format!("--max-bias {bias}: a bound on the mean error either way is 0 or more");
        return Err(Error::Argument(reason));
    }
    let (Some(metric), Some(BoundList(bounds))) = (args.metric, &args.bounds) else { return Ok(builtin()) };
    let common = Bounds { bias: args.max_bias, zero_preserving: args.zero_preserving, ..Bounds::default() };
    Ok(bounds.iter().map(|&pct| Goal { metric, bounds: metric.at_most(pct, common) }).collect())
}

/// The options that name the goals; nothing for the built-in library's.
pub(super) fn options(args: &Args) -> String {
    let mut options = String::new();
    if let (Some(metric), Some(BoundList(bounds))) = (args.metric, &args.bounds) {
        let bounds: Vec<String> = bounds.iter().map(f64::to_string).collect();
        options += &format!(" --metric {} --bounds {}", name(metric), bounds.join(","));
    }
    if let Some(bias) = args.max_bias {
        options += &format!(" --max-bias {bias}");
    }
    if args.zero_preserving {
        options += " --zero-preserving";
    }
    options
}

/// An error as it is typed.
pub(super) fn name(metric: Metric) -> String {
    clap::ValueEnum::to_possible_value(&metric).map_or_else(String::new, |value| value.get_name().to_owned())
}
