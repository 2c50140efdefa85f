//! Layers' costs on an emulated board.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::board::latency::{self, LayerCost};
use skimp::board::prediction::Fit;
use skimp::board::{Board, Install, QemuOptions, Timing, firmware, toolchain};
use skimp::execute::{self, AlignedImage};
use std::path::PathBuf;

/// A board to measure on.
pub struct Device {
    pub board: &'static Board,
    timing: Timing,
    program: PathBuf,
    firmware: PathBuf,
}

impl Device {
    pub fn new(board: &'static Board) -> Device {
        let say = &mut |line: &str| println!("{line}");
        Device {
            board,
            timing: Timing::find(board, None).unwrap(),
            program: toolchain::qemu(Install::Allowed, say).unwrap_or_else(|e| panic!("{e}")),
            firmware: firmware::build(board, Install::Allowed, say).unwrap_or_else(|e| panic!("{e}")),
        }
    }

    pub fn fits(&self, image: &AlignedImage) -> bool {
        Fit::new(&image.load().unwrap(), image.bytes().len(), self.board).fits
    }

    /// What each layer takes with random codes as input.
    pub fn measure(&self, image: &AlignedImage) -> Vec<LayerCost> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let input: Vec<u8> = (0..image.load().unwrap().input_bytes()).map(|_| rng.random()).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.skimp");
        std::fs::write(&path, image.bytes()).unwrap();
        let mut options = QemuOptions::new(&self.program, self.board, &self.firmware);
        options.image = Some(&path);
        let (mut device, meter) = latency::start(&self.timing, options, &mut |_| {}, |_| {})
            .unwrap_or_else(|e| panic!("{}: {e:?}", self.board.name));
        let run = execute::on_board(&mut device, image, &input, |_| {})
            .unwrap_or_else(|e| panic!("{}: {e}", self.board.name));
        meter.read(run.layer_ticks.len()).unwrap()
    }
}

/// How far a prediction is off, in parts of what was measured.
pub fn relative(predicted: u64, measured: u64) -> f64 {
    predicted as f64 / measured.max(1) as f64 - 1.0
}
