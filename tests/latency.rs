//! The plugin that counts instructions and cycles inside QEMU, against the board's own counter.

#[allow(dead_code, reason = "shared with tests that use more of it")]
mod common;

use common::random::case;
use serde_json::{Value, json};
use skimp::board::latency::{self, LayerCost, Measured, Unmetered};
use skimp::board::timing::Timing;
use skimp::board::{Board, Install, QemuOptions, firmware, toolchain};
use skimp::execute::{self, AlignedImage};
use skimp::image;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What reading the counter and the calls around a layer may take, beyond what the plugin counts.
const AROUND_A_LAYER: u64 = 60;

fn board() -> &'static Board {
    Board::find("mps2-an386").unwrap()
}

/// A random network's image, in a file too, and an input.
struct Random {
    folder: tempfile::TempDir,
    image: AlignedImage,
    input: Vec<u8>,
}

impl Random {
    fn new(seed: u64) -> Random {
        let case = case(seed);
        let bytes = image::build(&case.network, &case.convs, &case.names).unwrap().bytes;
        let random = Random {
            folder: tempfile::tempdir().unwrap(),
            image: AlignedImage::new(&bytes),
            input: case.input,
        };
        std::fs::write(random.path(), &bytes).unwrap();
        random
    }

    /// With a comma, which QEMU takes for a separator.
    fn path(&self) -> PathBuf {
        self.folder.path().join("an, image.skimp")
    }

    fn measure(&self, timing: &Timing) -> Measured {
        let say = &mut |line: &str| println!("{line}");
        let path = self.path();
        let image = (path.as_path(), &self.image);
        latency::measure(timing, board(), image, &self.input, Install::Allowed, say)
            .unwrap_or_else(|e| panic!("{e}"))
    }
}

fn cycles(measured: &Measured) -> Vec<u64> {
    measured.layers.iter().map(|layer| layer.cycles.unwrap()).collect()
}

/// Instructions in a tick of the board's counter.
fn tick_insns() -> u64 {
    1_000_000_000 / u64::from(board().qemu.expect("an emulated board").counter_hz)
}

#[test]
fn layers_are_counted_as_the_board_counts_them() {
    let random = Random::new(1);
    let timing = Timing::find(board(), None).unwrap();
    let measured = random.measure(&timing);
    assert_eq!(measured.without_cycles, None);
    assert_eq!(measured.run.logits, execute::on_host(&random.image, &random.input).unwrap());
    assert_eq!(measured.layers.len(), measured.run.layer_ticks.len());
    let tick = tick_insns();
    for (layer, &ticks) in measured.layers.iter().zip(&measured.run.layer_ticks) {
        let &LayerCost { insns, cycles: Some(cycles) } = layer else { panic!("no cycles") };
        let by_ticks = u64::from(ticks) * tick;
        assert!(insns < by_ticks + tick && by_ticks < insns + tick + AROUND_A_LAYER, "{insns}, {by_ticks}");
        assert!(cycles * 2 >= insns && cycles < insns * 4, "{cycles} cycles for {insns} instructions");
    }

    // Once more: the same. With wait states: no fewer cycles anywhere, and the same instructions.
    let again = random.measure(&timing);
    assert_eq!(again.layers, measured.layers);
    let slow = random.measure(&Timing { wait_states: 2, ..timing });
    let slower = random.measure(&Timing { wait_states: 5, ..timing });
    let insns = |measured: &Measured| measured.layers.iter().map(|layer| layer.insns).collect::<Vec<u64>>();
    assert_eq!(insns(&slower), insns(&measured));
    for ((none, two), five) in cycles(&measured).into_iter().zip(cycles(&slow)).zip(cycles(&slower)) {
        assert!(none < two && two < five, "{none}, {two}, {five}");
    }
    // Without a cache, wait states add up line by line.
    let by_state = |slow: &Measured, states: u64| {
        (cycles(slow).iter().sum::<u64>() - cycles(&measured).iter().sum::<u64>()) / states
    };
    assert_eq!(by_state(&slow, 2), by_state(&slower, 5));
}

#[test]
fn without_the_plugin_the_board_s_counter_gives_instructions() {
    let random = Random::new(2);
    let mut refused = Timing::find(board(), None).unwrap();
    refused.data_cache.bytes = 3;
    let measured = random.measure(&refused);
    let reason = measured.without_cycles.unwrap();
    assert!(reason.contains("argument dcache=1x3: a line's bytes are a power of two"), "{reason}");
    for (layer, &ticks) in measured.layers.iter().zip(&measured.run.layer_ticks) {
        let insns = u64::from(ticks) * tick_insns();
        assert_eq!(layer, &LayerCost { insns, cycles: None });
    }
}

/// What `skimp bench device` prints as JSON.
fn bench(arguments: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skimp"));
    let output =
        command.args(["bench", "device", "--json"]).args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The sum of a figure over all layers.
fn sum(report: &Value, key: &str) -> u64 {
    report["layers"].as_array().unwrap().iter().map(|layer| layer[key].as_u64().unwrap()).sum()
}

#[test]
fn the_command_measures_a_network_and_an_image() {
    let quick = "--model fashion-cnn --calibration-images 16 --test-images 1 --compensation none";
    let report = bench(&format!("--board netduinoplus2 --preset 168MHz {quick}"));
    assert_eq!((&report["board"], &report["preset"]), (&json!("netduinoplus2"), &json!("168MHz")));
    assert_eq!(report["input"], "first test image of fashion-mnist");
    assert_eq!(report["logits_differing"], false);
    assert!(report["cycles_model_error"].as_str().unwrap().contains("estimate"));
    let total = &report["total"];
    for key in ["multiplications", "insns", "cycles_modelled"] {
        assert_eq!(total[key], sum(&report, key), "{key}");
    }
    let cycles = total["cycles_modelled"].as_f64().unwrap();
    assert!((total["ms_modelled"].as_f64().unwrap() - cycles / 168e3).abs() < 1e-6);
    for layer in report["layers"].as_array().unwrap() {
        let multiplies = layer["multiplications"].as_u64().unwrap() > 0;
        assert_eq!(layer["operator"] == "conv2d", multiplies, "{layer}");
        assert!(layer["kernel"].is_string(), "{layer}");
        assert_eq!(layer["cycles_per_mul"].is_number(), multiplies, "{layer}");
    }

    let random = Random::new(3);
    let image = random.folder.path().join("image.skimp");
    std::fs::copy(random.path(), &image).unwrap();
    let line = format!("--board mps2-an386 --image {}", image.display());
    let report = bench(&line);
    assert_eq!(report["input"], "random codes, seed 1");
    assert_eq!(report["logits_differing"], false);
    let slow = bench(&format!("{line} --wait-states 3"));
    assert_eq!(slow["wait_states"], 3);
    assert!(sum(&slow, "cycles_modelled") > sum(&report, "cycles_modelled"));
}

/// Why QEMU, or the program in its place, does not start with the plugin.
fn refusal(program: Option<&Path>, arguments: &[&str]) -> Unmetered {
    let say = &mut |line: &str| println!("{line}");
    let firmware = firmware::build(board(), Install::Allowed, say).unwrap_or_else(|e| panic!("{e}"));
    let qemu = toolchain::qemu(Install::Allowed, say).unwrap_or_else(|e| panic!("{e}"));
    let mut options = QemuOptions::new(program.unwrap_or(&qemu), board(), &firmware);
    options.arguments = arguments.iter().map(Into::into).collect();
    let timing = Timing::find(board(), None).unwrap();
    latency::start(&timing, options, say, |_| {}).map(drop).unwrap_err()
}

#[test]
fn an_emulator_that_fails_by_itself_is_no_fault_of_the_plugin() {
    match refusal(None, &["-no-such-option"]) {
        Unmetered::Board(error) => assert!(error.to_string().contains("no-such-option"), "{error}"),
        Unmetered::Plugin(error) => panic!("{error}"),
    }
}

#[cfg(unix)]
#[test]
fn an_emulator_without_plugins_is_answered_with_one_that_has_them() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/common/qemu-without-plugins");
    let Unmetered::Plugin(error) = refusal(Some(&program), &[]) else { panic!("not the plugin's fault") };
    let message = error.to_string();
    assert!(message.contains("needs a QEMU that loads plugins"), "{message}");
    assert!(message.contains("Debian 12") && message.contains("-plugin: invalid option"), "{message}");
}
