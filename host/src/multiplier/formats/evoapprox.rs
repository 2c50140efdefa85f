//! The comments in which EvoApproxLib's files give their circuit's published figures.
//!
//! Since 2019 every file begins with lines such as
//!
//! ```text
//! // WCE = 518
//! // PDK45_PWR = 0.206 mW
//! // PDK45_AREA = 427.5 um2
//! // PDK45_DELAY = 1.41 ns
//! ```
//!
//! and the Verilog of the older evoapprox8b with `// Power  (45) = 0.428700`, `// Area   (45) = 662.000000`
//! and `// Delay  (45) = 1.190000`, without units: mW, um2 and ns as well. As evoapprox8b was first published, under
//! `// Library = EvoApprox8b`, the same circuit has `// Power  (45) = 428.70`: that is uW.

use crate::error::{Error, Result};
use crate::multiplier::library::CostSource;
use crate::multiplier::{Costs, Figure};
use std::path::Path;

/// Lines looked at: the comments are at the beginning.
const LINES: usize = 60;

/// What a file's comments say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Published {
    pub power_mw: Option<f64>,
    pub area_um2: Option<f64>,
    pub delay_ns: Option<f64>,
    /// The worst-case error, in units of the product.
    pub worst: Option<f64>,
    /// Whether it is one of evoapprox8b, whose multipliers are all unsigned.
    pub evoapprox8b: bool,
    /// Where the file says it is from, and under which licence.
    pub source: Option<&'static str>,
}

impl Published {
    /// Reads the comments at the beginning of `text`; `path` is for messages.
    pub fn read(path: &Path, text: &str) -> Result<Published> {
        let mut published = Published::default();
        let mut in_microwatts = false;
        for (index, line) in text.lines().take(LINES).enumerate() {
            if line.contains("EvoApproxLib") && line.contains("MIT License") {
                published.source = Some("EvoApproxLib, MIT License");
            }
            published.evoapprox8b |= line.contains("evoapprox8b dataset");
            let Some(comment) = line.trim_start().strip_prefix("//") else { continue };
            let Some((name, value)) = comment.split_once('=') else { continue };
            let name: String = name.split_whitespace().collect();
            let value = value.trim();
            let (figure, unit) = match &*name {
                "Library" => {
                    in_microwatts = value == "EvoApprox8b";
                    published.evoapprox8b |= in_microwatts;
                    continue;
                }
                "PDK45_PWR" | "Power(45)" => (&mut published.power_mw, "mW"),
                "PDK45_AREA" | "Area(45)" => (&mut published.area_um2, "um2"),
                "PDK45_DELAY" | "Delay(45)" => (&mut published.delay_ns, "ns"),
                "WCE" => (&mut published.worst, ""),
                _ => continue,
            };
            // A unit that is written counts more than what the library is called.
            let microwatts = value.strip_suffix("uW").filter(|_| unit == "mW");
            let plain = value.parse::<f64>().is_ok();
            let divisor =
                if microwatts.is_some() || in_microwatts && unit == "mW" && plain { 1000.0 } else { 1.0 };
            let number = microwatts.or(value.strip_suffix(unit)).unwrap_or(value).trim_end().parse::<f64>();
            let number = number.map(|number| number / divisor);
            match number {
                Ok(number) if number.is_finite() && number >= 0.0 => *figure = Some(number),
                _ => {
                    let reason = format!(
                        "line {}: {name} is \"{}\", not a number >= 0 in {unit}",
                        index + 1,
                        super::text::shortened(value)
                    );
                    return Err(Error::file(path, reason));
                }
            }
        }
        Ok(published)
    }

    /// The costs, if there is a power among them.
    pub fn costs(&self) -> Option<Costs> {
        Some(Costs {
            power: Figure::Absolute(self.power_mw?),
            area: self.area_um2.map(Figure::Absolute),
            delay: self.delay_ns.map(Figure::Absolute),
            source: CostSource::Published,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(text: &str) -> Result<Published> {
        Published::read(Path::new("x.v"), text)
    }

    #[test]
    fn both_generations_of_comments_are_read() {
        let text = "/***\n* words = 3\n***/\n// MAE% = 0.18 %\n// WCE% = 0.79 %\n// WCE = 518 \n// EP% = 98.05 %\n\
                    // PDK45_PWR = 0.206 mW\n// PDK45_AREA = 427.5 um2\r\n// PDK45_DELAY = 1.41 ns\n\nmodule x (\n";
        let wanted = Published {
            power_mw: Some(0.206),
            area_um2: Some(427.5),
            delay_ns: Some(1.41),
            worst: Some(518.0),
            ..Published::default()
        };
        assert_eq!(published(text).unwrap(), wanted);
        let old = "// Circuit = x.v\n// Area   (45) = 662.000000\n// Delay  (45) = 1.190000\n\
                   // Power  (45) = 0.428700\n// WCE = 820\n";
        let costs = published(old).unwrap().costs().unwrap();
        assert_eq!((costs.power, costs.area), (Figure::Absolute(0.4287), Some(Figure::Absolute(662.0))));
        // The same circuit in evoapprox8b's first release, and as EvoApproxLib has it.
        let first = "// Library = EvoApprox8b\n// Circuit = mul8_003\n// Power  (180) = 1529.60\n\
                     // Power  (45) = 130.10\n";
        let later = "* This code is a part of EvoApproxLib library (..) distributed under The MIT License.\n\
                     * This file contains a circuit from evoapprox8b dataset\n// Library = cgp-evoapproxlib\n\
                     // Power  (45) = 0.130100\n";
        let [first, later] = [first, later].map(|text| published(text).unwrap());
        assert!((first.power_mw.unwrap() - 0.1301).abs() < 1e-9, "{first:?}");
        assert_eq!((later.power_mw, later.source), (Some(0.1301), Some("EvoApproxLib, MIT License")));
        assert!(first.evoapprox8b && later.evoapprox8b);
        assert_eq!(published("// PDK45_PWR = 206 uW\n").unwrap().power_mw, Some(0.206));
        assert_eq!(published("module x;\nassign y = 1;\n").unwrap(), Published::default());
        assert_eq!(published("// PDK45_AREA = 1 um2").unwrap().costs(), None);
    }

    #[test]
    fn figures_that_are_none_are_named() {
        for text in [
            "\n// PDK45_PWR = 206 kW\n",
            "\n// PDK45_PWR = -1 mW",
            "\n// PDK45_PWR = nan mW",
            "\n//PDK45_PWR=",
        ] {
            let message = published(text).unwrap_err().to_string();
            assert!(message.starts_with("x.v: line 2: PDK45_PWR is \""), "{message}");
        }
    }
}
