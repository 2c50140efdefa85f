//! The plugin that counts instructions and cycles inside QEMU, against the board's own counter.

#[allow(dead_code, reason = "shared with tests that use more of it")]
mod common;

use common::random::case;
use skimp::board::latency::{self, LayerCost, Measured, Unmetered};
use skimp::board::timing::Timing;
use skimp::board::{Board, Install, QemuOptions, firmware, toolchain};
use skimp::execute::{self, AlignedImage};
use skimp::image;
use std::path::PathBuf;

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

#[test]
fn layers_are_counted_as_the_board_counts_them() {
    let random = Random::new(1);
    let timing = Timing::find(board(), None).unwrap();
    let measured = random.measure(&timing);
    assert_eq!(measured.without_cycles, None);
    assert_eq!(measured.run.logits, execute::on_host(&random.image, &random.input).unwrap());
    assert_eq!(measured.layers.len(), measured.run.layer_ticks.len());
    let tick = u64::from(board().qemu_tick_insns);
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
fn an_emulator_that_refuses_the_plugin_is_told_apart_from_one_that_fails() {
    let say = &mut |line: &str| println!("{line}");
    let firmware = firmware::build(board(), Install::Allowed, say).unwrap_or_else(|e| panic!("{e}"));
    let program = toolchain::qemu(Install::Allowed, say).unwrap_or_else(|e| panic!("{e}"));
    let timing = Timing::find(board(), None).unwrap();
    let mut start = |timing: &Timing, arguments: &[&str]| {
        let mut options = QemuOptions::new(&program, board(), &firmware);
        options.arguments = arguments.iter().map(Into::into).collect();
        latency::start(timing, options, say, |_| {}).map(drop).unwrap_err()
    };
    // A cache of no lines is refused by the plugin itself.
    let mut broken = timing;
    broken.data_cache.lines = 0;
    match start(&broken, &[]) {
        Unmetered::Plugin(error) => {
            let message = error.to_string();
            assert!(message.contains("needs a QEMU that loads plugins"), "{message}");
            assert!(message.contains("argument dcache=0x4: a cache has 1 to 65536 lines"), "{message}");
        }
        Unmetered::Board(error) => panic!("{error}"),
    }
    match start(&timing, &["-no-such-option"]) {
        Unmetered::Board(error) => assert!(error.to_string().contains("no-such-option"), "{error}"),
        Unmetered::Plugin(error) => panic!("{error}"),
    }
}
