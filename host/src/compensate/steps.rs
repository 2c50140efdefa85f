//! Which steps of compensation to take, and how they are written.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How weight codes are replaced, all of a layer by one rule ([`weight_map`](super::weight_map)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MapRule {
    /// Not at all.
    None,
    /// By ALWANN's rule.
    Alwann,
    /// By squared error under the layer's activations.
    Squared,
    /// By the error's variance under the layer's activations.
    Variance,
}

/// How weight codes are chosen one by one ([`descent`](super::descent)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Descent {
    /// Not at all.
    None,
    /// On what the exact network gives the layer: the codes depend on the layer and its multiplier alone, and
    /// are kept for the next assignment that has both.
    OnExact,
    /// On what the approximate network gives the layer.
    OnApproximate,
}

/// How each output channel's results are fitted to the exact network's ([`scale_shift`](super::scale_shift)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fit {
    /// Not at all.
    None,
    /// By its bias.
    Bias,
    /// By its scale and bias.
    ScaleShift,
}

/// Which steps to take, in this order. Written as names with `+` between them, such as
/// `variance+descent+scale-shift`, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Steps {
    /// `alwann`, `squared` or `variance`.
    pub map: MapRule,
    /// `descent`, or `descent-on-exact`.
    pub descent: Descent,
    /// `activation-sum`: a coefficient of the sum of the activations for each output channel
    /// ([`activation_sum`](super::activation_sum)).
    pub activation_sum: bool,
    /// `bias` or `scale-shift`.
    pub fit: Fit,
    /// `branches`: a layer whose result is added to another tensor is fitted to the exact sum, so that it makes
    /// up for that tensor's errors as well.
    pub branches: bool,
    /// `max-codes:N`, from 2 to 255: weights take so few codes that a lookup table has at most `N` rows.
    pub max_codes: Option<u8>,
}

impl Steps {
    /// No compensation.
    pub const NONE: Steps = Steps {
        map: MapRule::None,
        descent: Descent::None,
        activation_sum: false,
        fit: Fit::None,
        branches: false,
        max_codes: None,
    };
    /// ALWANN's weight map alone.
    pub const ALWANN: Steps = Steps { map: MapRule::Alwann, ..Steps::NONE };
    /// Everything that pays.
    pub const ALL: Steps = Steps {
        map: MapRule::Variance,
        descent: Descent::OnApproximate,
        activation_sum: false,
        fit: Fit::ScaleShift,
        branches: true,
        max_codes: None,
    };

    /// Whether calibration images are needed.
    pub fn fits(&self) -> bool {
        let map = matches!(self.map, MapRule::Squared | MapRule::Variance);
        map || self.descent == Descent::OnExact || self.fits_outputs()
    }

    /// Whether what depends on the layers before is fitted, so that calibration images have to be run through
    /// the approximate network.
    pub fn fits_outputs(&self) -> bool {
        self.descent == Descent::OnApproximate || self.activation_sum || self.fit != Fit::None
    }

    /// The same with codes of at most `count` rows of a table, from 2 to 256 (which is no restriction).
    pub fn with_max_codes(self, count: usize) -> Result<Steps, String> {
        match count {
            2..=256 => Ok(Steps { max_codes: u8::try_from(count).ok(), ..self }),
            _ => Err(format!("a table can be kept to 2 to 256 rows, not to {count}")),
        }
    }

    /// The same with weight codes that can be kept from one assignment to the next.
    pub fn with_kept_codes(self) -> Steps {
        match self.descent {
            Descent::OnApproximate => Steps { descent: Descent::OnExact, ..self },
            _ => self,
        }
    }
}

/// The names of single steps.
const NAMES: &str = "alwann, squared or variance; descent or descent-on-exact; activation-sum; bias or scale-shift; branches; max-codes:N";

impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => return Ok(Steps::NONE),
            "all" => return Ok(Steps::ALL),
            _ => {}
        }
        let mut steps = Steps::NONE;
        for name in text.split('+').map(str::trim) {
            let twice = || format!("\"{text}\" has two steps of the kind of {name}");
            let mut map = |rule| match std::mem::replace(&mut steps.map, rule) {
                MapRule::None => Ok(()),
                _ => Err(twice()),
            };
            match name {
                "alwann" => map(MapRule::Alwann)?,
                "squared" => map(MapRule::Squared)?,
                "variance" => map(MapRule::Variance)?,
                "descent" | "descent-on-exact" => {
                    let descent = if name == "descent" { Descent::OnApproximate } else { Descent::OnExact };
                    if std::mem::replace(&mut steps.descent, descent) != Descent::None {
                        return Err(twice());
                    }
                }
                "activation-sum" => steps.activation_sum = true,
                "bias" | "scale-shift" => {
                    let fit = if name == "bias" { Fit::Bias } else { Fit::ScaleShift };
                    if std::mem::replace(&mut steps.fit, fit) != Fit::None {
                        return Err(twice());
                    }
                }
                "branches" => steps.branches = true,
                _ if name.starts_with("max-codes:") => {
                    let count = name.trim_start_matches("max-codes:");
                    let count = count.parse().map_err(|_| format!("\"{name}\": {count:?} is no number"))?;
                    if steps.max_codes.is_some() {
                        return Err(twice());
                    }
                    steps = steps.with_max_codes(count)?;
                }
                _ => {
                    return Err(format!(
                        "\"{name}\" is no compensation; use all, none, or steps with + between them: {NAMES}"
                    ));
                }
            }
        }
        Ok(steps)
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let map = match self.map {
            MapRule::None => None,
            MapRule::Alwann => Some("alwann"),
            MapRule::Squared => Some("squared"),
            MapRule::Variance => Some("variance"),
        };
        let descent = match self.descent {
            Descent::None => None,
            Descent::OnExact => Some("descent-on-exact"),
            Descent::OnApproximate => Some("descent"),
        };
        let fit = match self.fit {
            Fit::None => None,
            Fit::Bias => Some("bias"),
            Fit::ScaleShift => Some("scale-shift"),
        };
        let names = [
            map,
            descent,
            self.activation_sum.then_some("activation-sum"),
            fit,
            self.branches.then_some("branches"),
        ];
        let max_codes = self.max_codes.map(|count| format!("max-codes:{count}"));
        let names: Vec<&str> = names.into_iter().flatten().chain(max_codes.as_deref()).collect();
        f.pad(&if names.is_empty() { "none".to_owned() } else { names.join("+") })
    }
}

impl From<Steps> for String {
    fn from(steps: Steps) -> String {
        steps.to_string()
    }
}

impl TryFrom<String> for Steps {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_are_written() {
        for text in [
            "none",
            "alwann",
            "variance+descent+scale-shift+branches",
            "squared+bias",
            "descent-on-exact+activation-sum+scale-shift",
            "max-codes:2",
            "variance+descent+max-codes:255",
        ] {
            let steps: Steps = text.parse().unwrap();
            assert_eq!(steps.to_string(), text);
        }
        assert_eq!("all".parse::<Steps>().unwrap(), Steps::ALL);
        assert_eq!(Steps::ALL.to_string().parse::<Steps>().unwrap(), Steps::ALL);
        assert_eq!("bias+max-codes:256".parse::<Steps>().unwrap().to_string(), "bias");
        assert_eq!("scale-shift + variance".parse::<Steps>().unwrap().to_string(), "variance+scale-shift");
    }

    #[test]
    fn whatever_looks_at_activations_needs_images() {
        for (text, fits, fits_outputs) in [
            ("none", false, false),
            ("alwann", false, false),
            ("branches", false, false),
            ("squared", true, false),
            ("variance", true, false),
            ("descent-on-exact", true, false),
            ("alwann+descent-on-exact", true, false),
            ("descent", true, true),
            ("activation-sum", true, true),
            ("bias", true, true),
            ("alwann+scale-shift", true, true),
        ] {
            let steps: Steps = text.parse().unwrap();
            assert_eq!((steps.fits(), steps.fits_outputs()), (fits, fits_outputs), "{text}");
        }
    }

    #[test]
    fn what_can_not_be_is_refused() {
        let message = "alwann+variance".parse::<Steps>().unwrap_err();
        assert!(message.contains("two steps of the kind of variance"), "{message}");
        for text in ["max-codes:1", "max-codes:257", "max-codes:-3", "max-codes:", "max-codes:2+max-codes:3"]
        {
            assert!(text.parse::<Steps>().is_err(), "{text}");
        }
        for text in ["", "retrain", "all+bias", "bias+scale-shift", "descent+descent-on-exact"] {
            assert!(text.parse::<Steps>().is_err(), "{text}");
        }
    }
}
