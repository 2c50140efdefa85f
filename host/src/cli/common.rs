//! Arguments and output that several subcommands share.

use crate::compensate::Steps;
use crate::data::{Count, Request};
use crate::error::{Error, Result};
use crate::multiplier::{Library, Scheme};
use crate::prepare::{Prepared, Recipe, prepare};
use crate::quantize::RangeMethod;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::time::Duration;

/// Calibration images, if there are so many, unless another number is asked for.
const CALIBRATION_IMAGES: Count = Count { least: 1, most: 1024 };

/// Test images, likewise.
const TEST_IMAGES: Count = Count { least: 1, most: 1000 };

/// Which network, on which images, in which integers.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    /// A network of the zoo (fashion-cnn, digits-cnn, resnet8), or an ONNX or TensorFlow Lite file.
    #[arg(value_name = "MODEL")]
    pub model: String,
    #[command(flatten)]
    pub how: HowArgs,
}

/// How a network is prepared.
#[derive(Debug, Args)]
pub struct HowArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// How products are formed: sign-magnitude, unsigned or signed.
    #[arg(long, default_value = "sign-magnitude")]
    pub scheme: Scheme,
    #[command(flatten)]
    pub activations: RangeArgs,
    #[command(flatten)]
    pub fit: FitArgs,
}

/// How activations are coded.
#[derive(Debug, Clone, Args)]
pub struct RangeArgs {
    /// How activation ranges are chosen: minmax, mse or percentile:P, or model to keep a model's own scales and codes,
    /// if it came in 8 bits [default: model where the model and the scheme allow it, else minmax].
    #[arg(long, value_name = "RANGE")]
    pub range: Option<RangeMethod>,
}

/// Which images a network was trained on.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Data set of the zoo (fashion-mnist, digits, cifar10; that one is fetched at first use) or a folder with IDX or
    /// CIFAR-10 files. A network of the zoo knows its own.
    #[arg(long, value_name = "NAME|PATH")]
    pub data: Option<String>,
    /// Mean of each channel, taken from pixel/255 before the network sees it. A model that came in 8 bits is given pixels
    /// as codes (int8 + 128) where neither this nor --std is there.
    #[arg(long, value_delimiter = ',', value_name = "M,M,M", allow_negative_numbers = true)]
    pub mean: Vec<f32>,
    /// Standard deviation of each channel, by which pixel/255 - mean is divided.
    #[arg(long, value_delimiter = ',', value_name = "S,S,S", allow_negative_numbers = true)]
    pub std: Vec<f32>,
}

/// What integers are fitted to, and judged by.
#[derive(Debug, Clone, Args)]
pub struct FitArgs {
    /// Training images that ranges and compensation are fitted to [default: 1024, or all there are].
    #[arg(long, value_name = "N")]
    pub calibration_images: Option<usize>,
    /// Test images that results are reported on [default: 1000, or all there are].
    #[arg(long, value_name = "N")]
    pub test_images: Option<usize>,
}

impl HowArgs {
    /// Prepares `model`, with `selection` images to score candidates on.
    pub fn prepare(&self, model: &str, selection: Count) -> Result<Prepared> {
        if let Some(count) = self.fit.test_images {
            at_least("--test-images", count, 1)?;
        }
        if let Some(count) = self.fit.calibration_images {
            at_least("--calibration-images", count, 1)?;
        }
        let recipe = Recipe {
            model: model.to_owned(),
            data: self.data.data.clone(),
            mean: self.data.mean.clone(),
            std: self.data.std.clone(),
            images: Request {
                test: self.fit.test_images.map_or(TEST_IMAGES, Count::exactly),
                calibration: self.fit.calibration_images.map_or(CALIBRATION_IMAGES, Count::exactly),
                selection,
            },
            range_method: self.activations.range,
            scheme: self.scheme,
        };
        let spinner = Spinner::start("preparing");
        prepare(&recipe, &|step| spinner.say(step))
    }

    /// The options that decide which codes a network computes with, as they would be typed: the scheme, and
    /// the others where they are not at their defaults.
    pub fn options(&self) -> String {
        let mut options = format!("--scheme {}", self.scheme);
        if let Some(data) = &self.data.data {
            options += &format!(" --data {}", quoted(data));
        }
        for (flag, values) in [("--mean", &self.data.mean), ("--std", &self.data.std)] {
            if !values.is_empty() {
                let values: Vec<String> = values.iter().map(f32::to_string).collect();
                // Joined by =, as a list may begin with a minus.
                options += &format!(" {flag}={}", values.join(","));
            }
        }
        if let Some(range) = self.activations.range {
            options += &format!(" --range {range}");
        }
        if let Some(count) = self.fit.calibration_images {
            options += &format!(" --calibration-images {count}");
        }
        options
    }
}

/// `text` as a shell takes it for one word.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_./,:@%+=-~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Which multipliers.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// The multipliers to choose from: builtin, classical (all textbook designs), low-bit (exact ones of
    /// fewer bits), a folder of tables with a costs.csv, a file of netlists (*.jsonl), or several of them with
    /// commas between.
    #[arg(long, default_value = "builtin", value_name = "SOURCE,...")]
    pub multipliers: String,
}

impl SourceArgs {
    /// Their library; `signed` picks the half of the built-in one.
    pub fn library(&self, signed: bool) -> Result<Library> {
        Library::from_sources(&self.multipliers, signed)
    }
}

/// Which multipliers, and what is done about their errors.
#[derive(Debug, Args)]
pub struct MultiplierArgs {
    /// The multipliers to choose from: builtin, classical (all textbook designs), low-bit (exact ones of
    /// fewer bits), a folder of tables with a costs.csv, a file of netlists (*.jsonl), or several of them with
    /// commas between.
    #[arg(long = "multipliers", default_value = "builtin,low-bit", value_name = "SOURCE,...")]
    pub sources: String,
    /// Compensation: all, none, or steps with + between them: alwann, squared or variance (weight maps), descent
    /// (over weight codes), activation-sum, bias or scale-shift, branches.
    #[arg(long, default_value = "all")]
    compensation: Steps,
    /// Let weights take so few codes that no table has more than N rows (2 to 256), to save flash: for layers whose
    /// products are looked up. A code and its negative count as one where negated weights give negated products
    /// (images with `--tables fastest` have a row for each).
    #[arg(long, value_name = "N")]
    max_weight_codes: Option<usize>,
}

impl MultiplierArgs {
    /// The steps of compensation.
    pub fn steps(&self) -> Result<Steps> {
        let Some(count) = self.max_weight_codes else { return Ok(self.compensation) };
        let steps = self.compensation.with_max_codes(count);
        steps.map_err(|reason| Error::Argument(format!("--max-weight-codes: {reason}")))
    }

    /// The library, for a scheme.
    pub fn library(&self, scheme: Scheme) -> Result<Library> {
        Library::from_sources(&self.sources, scheme.wants_signed_table())
    }
}

/// A line on standard error that shows the step at hand and that time passes.
pub struct Spinner {
    bar: ProgressBar,
}

impl Spinner {
    /// A spinner with a first message.
    pub fn start(message: &str) -> Spinner {
        let bar = ProgressBar::new_spinner().with_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Spinner { bar }
    }

    /// Shows `message` from now on, and prints it where standard error is no terminal.
    pub fn say(&self, message: &str) {
        if self.bar.is_hidden() {
            eprintln!("  {message}");
        } else {
            self.bar.set_message(message.to_owned());
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A progress bar on standard error for `total` steps.
pub fn progress_bar(total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template = "{msg} [{bar:30}] {pos}/{len} {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what.to_owned());
    bar
}

/// The first of all `items` with the same `key`.
pub fn distinct<T, K: PartialEq>(items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        if !kept.iter().any(|other| key(other) == key(&item)) {
            kept.push(item);
        }
    }
    kept
}

/// Refuses a count that is too small, naming its flag.
pub fn at_least(flag: &str, count: usize, least: usize) -> Result<()> {
    if count < least {
        return Err(Error::Argument(format!("{flag} must be at least {least}, not {count}")));
    }
    Ok(())
}

/// Prints on standard output. A reader that has gone away, such as `head`, is no error.
pub fn print(text: std::fmt::Arguments) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_fmt(text).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Io { path: "standard output".into(), source: e })
        }
        _ => Ok(()),
    }
}

/// Prints a value as JSON on standard output.
pub fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::Mismatch(format!("the result can't be written as JSON: {e}")))?;
    print(format_args!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        how: HowArgs,
    }

    fn options(line: &str) -> String {
        Line::parse_from(std::iter::once("skimp").chain(line.split_whitespace())).how.options()
    }

    #[test]
    fn options_are_written_as_they_are_typed_and_defaults_left_out() {
        assert_eq!(options(""), "--scheme sign-magnitude");
        assert_eq!(options("--test-images 7"), options(""));
        let all = "--scheme signed --data mine/images --mean=-0.1,0.25 --std=0.5 --range percentile:99.97 \
                   --calibration-images 16";
        assert_eq!(options(all), all);
        assert_eq!(options(&options(all)), all);
        assert_eq!(options("--range mse"), "--scheme sign-magnitude --range mse");
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("a/b-1.onnx"), "a/b-1.onnx");
        assert_eq!(quoted("my net"), "'my net'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
