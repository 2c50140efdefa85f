//! `costs.json`: the lines of a `costs.csv` as an array of objects, or as an object by name.

use super::distinct_json::Distinct;
use crate::error::{Error, Result};
use crate::multiplier::Costs;
use crate::multiplier::costs_csv::{COLUMNS, figure};
use crate::multiplier::library::CostSource;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::Path;

/// The costs by multiplier; `path` is for messages.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<HashMap<String, Costs>> {
    let wrong = |e: serde_json::Error| {
        let what = if e.is_data() { "" } else { "not JSON: " };
        Error::file(path, format!("{what}{e}"))
    };
    serde_json::from_slice::<Distinct>(bytes).map_err(wrong)?;
    let value: Value = serde_json::from_slice(bytes).map_err(wrong)?;
    let objects: Vec<(String, &Map<String, Value>)> = match &value {
        Value::Array(values) => {
            let named = values.iter().enumerate().map(|(i, value)| {
                let object = value.as_object();
                let name = object.and_then(|object| object.get("name")?.as_str());
                let reason = || Error::file(path, format!("entry {i} is no object with a \"name\""));
                Ok((name.ok_or_else(reason)?.to_owned(), object.ok_or_else(reason)?))
            });
            named.collect::<Result<_>>()?
        }
        Value::Object(values) => {
            let named = values.iter().map(|(name, value)| {
                let reason = || Error::file(path, format!("{name} is no object with a \"power_mw\""));
                Ok((name.clone(), value.as_object().ok_or_else(reason)?))
            });
            named.collect::<Result<_>>()?
        }
        _ => return Err(Error::file(path, "neither an array of objects nor an object of them")),
    };
    let mut costs = HashMap::new();
    for (name, object) in objects {
        let found = of(object).map_err(|reason| Error::file(path, format!("{name}: {reason}")))?;
        if costs.insert(name.clone(), found).is_some() {
            return Err(Error::file(path, format!("{name} is there twice")));
        }
    }
    Ok(costs)
}

fn of(object: &Map<String, Value>) -> Result<Costs, String> {
    let number = |column: &str| match object.get(column) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
            _ => Err(format!("{column} is {value}, not a number >= 0")),
        },
    };
    let figure = |which: usize| {
        let [absolute, relative] = COLUMNS[which];
        figure(which, number(absolute)?, number(relative)?)
    };
    let source = match object.get("cost_source") {
        None | Some(Value::Null) => CostSource::Published,
        Some(Value::String(text)) => text.parse().map_err(|e: Error| e.to_string())?,
        Some(other) => return Err(format!("cost_source is {other}, not \"published\" or \"gate-model\"")),
    };
    let power = figure(0)?.ok_or("no power_mw and no power_rel")?;
    Ok(Costs { power, area: figure(1)?, delay: figure(2)?, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::Figure;

    fn parsed(text: &str) -> Result<HashMap<String, Costs>> {
        parse(Path::new("costs.json"), text.as_bytes())
    }

    #[test]
    fn arrays_and_objects_say_the_same() {
        let array = r#"[{"name": "a", "power_mw": 0.5, "area_um2": 7, "note": "x"},
                        {"name": "b", "power_rel": 0.25, "delay_rel": null, "cost_source": "gate-model"}]"#;
        let object = r#"{"a": {"power_mw": 0.5, "area_um2": 7.0}, "b": {"power_rel": 0.25, "cost_source": "gate-model"}}"#;
        let costs = parsed(array).unwrap();
        assert_eq!(costs, parsed(object).unwrap());
        assert_eq!((costs["a"].power, costs["a"].area), (Figure::Absolute(0.5), Some(Figure::Absolute(7.0))));
        assert_eq!((costs["b"].power, costs["b"].source), (Figure::Relative(0.25), CostSource::GateModel));
    }

    #[test]
    fn faults_are_named() {
        for (text, expected) in [
            ("", "not JSON"),
            ("3", "neither an array"),
            ("[3]", "entry 0 is no object with a \"name\""),
            (r#"{"a": 3}"#, "a is no object"),
            (r#"{"a": {"power_mw": 1}, "a": {"power_mw": 2}}"#, "costs.json: \"a\" is there twice"),
            (r#"{"a": {"power_mw": 1, "power_mw": 2}}"#, "costs.json: \"power_mw\" is there twice"),
            (r#"{"a": {}}"#, "a: no power_mw and no power_rel"),
            (r#"{"a": {"power_mw": -1}}"#, "a: power_mw is -1"),
            (r#"{"a": {"power_mw": "1"}}"#, "a: power_mw is \"1\""),
            (r#"{"a": {"power_mw": 1, "power_rel": 1}}"#, "a: both power_mw and power_rel"),
            (r#"{"a": {"power_mw": 1, "cost_source": "guess"}}"#, "a: a cost source is"),
            (r#"[{"name": "a", "power_mw": 1}, {"name": "a", "power_mw": 1}]"#, "a is there twice"),
        ] {
            let message = parsed(text).unwrap_err().to_string();
            assert!(message.starts_with("costs.json: ") && message.contains(expected), "{text}: {message}");
        }
        // Nesting is bounded by the parser.
        assert!(parsed(&"[".repeat(100_000)).is_err());
    }
}
