//! The real binary from end to end: what each subcommand prints and writes, and how it refuses what it can't
//! use.

// Not a module of `common`, so that the other tests do not carry it unused.
#[path = "common/cli.rs"]
mod harness;

#[path = "cli/ablate.rs"]
mod ablate;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/evaluate.rs"]
mod evaluate;
#[path = "cli/evolve.rs"]
mod evolve;
#[path = "cli/flash.rs"]
mod flash;
#[path = "cli/formats.rs"]
mod formats;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/image.rs"]
mod image;
#[path = "cli/multiplier_folder.rs"]
mod multiplier_folder;
#[path = "cli/multipliers.rs"]
mod multipliers;
#[path = "cli/optimize.rs"]
mod optimize;
#[path = "cli/run.rs"]
mod run;

use harness::{Dir, Finished};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Enough images for rough accuracies.
const FEW: &str = "--test-images 200 --calibration-images 32";
/// A search that takes seconds.
const TINY: &str = "--population 6 --generations 2 --finalists 4 --selection-images 60 --choice-images 60 \
                    --calibration-images 16 --test-images 100 --schemes sign-magnitude --ranges minmax --no-baselines";
/// What `optimize` writes.
const OUTPUTS: [&str; 4] = ["front.csv", "front.json", "front.svg", "network.skimp"];
/// Multiplying layers of fashion-cnn, and the multiplications of an inference.
const LAYERS: usize = 8;
const MULTIPLICATIONS: u64 = 1_794_272;
/// Bytes of one input of fashion-cnn.
const INPUT: usize = 28 * 28;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} is no number in {value}"))
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is no list in {value}"))
}

fn texts(values: &[Value]) -> Vec<&str> {
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

#[track_caller]
fn assert_within(value: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&value), "{value} is not from {low} to {high}");
}

/// Pixels of the test images that come with skimp.
fn test_images(count: usize) -> Vec<u8> {
    let file = std::fs::File::open(models().join("data/fashion-mnist/test-images.idx3-ubyte.gz")).unwrap();
    let mut bytes = vec![0; 16 + count * INPUT];
    flate2::read::GzDecoder::new(file).read_exact(&mut bytes).unwrap();
    bytes.split_off(16)
}

/// Builds an image of fashion-cnn.
#[track_caller]
fn build(dir: &Dir, assignment: &str, name: &str) -> Finished {
    let line = format!("image build fashion-cnn {FEW} --assignment {assignment} --out {name}");
    dir.skimp(&line).ok()
}
