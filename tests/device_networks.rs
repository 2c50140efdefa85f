//! The zoo's Fashion-MNIST network on two boards: 200 test images, three assignments, and every logit
//! equal on the host's emulation, the runtime on the host, and the board.

use skimp::board::{self, Board, Install};
use skimp::compensate::{Compensator, Steps};
use skimp::data::{Count, Request};
use skimp::emulate::Emulator;
use skimp::emulate::metrics::Score;
use skimp::execute::{self, AlignedImage};
use skimp::image;
use skimp::multiplier::{Choice, Library, ProductCache, Scheme};
use skimp::optimize::names;
use skimp::prepare::{Recipe, prepare};
use skimp::quantize::RangeMethod;

const IMAGES: usize = 200;

/// What all multipliers, or those of each layer, are called.
const ASSIGNMENTS: [(&str, &[&str]); 3] = [
    ("all exact", &["mul8u_exact"]),
    // Both operand orders, exact layers among approximate ones, and more tables than one.
    (
        "mixed",
        &[
            "mul8u_exact",
            "mul8u_trunc6",
            "mul8u_bam_h2_v5~",
            "mul8u_exact",
            "mul8u_w4~",
            "mul8u_trunc8",
            "mul8u_bam_h2_v5",
            "mul8u_a6w6",
        ],
    ),
    // What the demo chooses, or close to it.
    ("frugal", &["mul8u_bam_h4_v8"]),
];

fn host_runtime_and_board_agree(board: &str) {
    let board = Board::find(board).unwrap();
    let recipe = Recipe {
        model: "fashion-cnn".into(),
        data: None,
        mean: vec![],
        std: vec![],
        images: Request {
            test: Count::exactly(IMAGES),
            calibration: Count::exactly(128),
            ..Request::default()
        },
        range_method: Some(RangeMethod::MinMax),
        scheme: Scheme::default(),
    };
    let prepared = prepare(&recipe, &|_| {}).unwrap();
    let network = &prepared.quantized;
    let library = Library::builtin(false);
    let products = ProductCache::new(&library, network.scheme).unwrap();
    let calibration = &prepared.calibration.codes;
    let compensator = Compensator::new(network, &products, Steps::ALL, calibration).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (what, chosen) in ASSIGNMENTS {
        let choices: Vec<Choice> = chosen.iter().map(|name| Choice::parse(&library, name).unwrap()).collect();
        let assignment: Vec<Choice> = choices.iter().copied().cycle().take(network.convs().count()).collect();
        let convs = compensator.compensate(&assignment).unwrap();
        let emulated = Emulator::new(network, &convs).unwrap().run(&prepared.test.codes);
        let accuracy = Score::new(&emulated, &prepared.test.labels).accuracy_pct();
        assert!(accuracy > 88.0, "{what}: {accuracy} %");

        let built = image::build(network, &convs, &names(&library, &assignment)).unwrap();
        let image = AlignedImage::new(&built.bytes);
        let on_host = execute::on_host(&image, &prepared.test.codes).unwrap();
        assert_eq!(execute::images_differing(&emulated, &on_host, 10), 0, "{what} on the host");

        let path = folder.path().join("network.skimp");
        std::fs::write(&path, &built.bytes).unwrap();
        let say = &mut |line: &str| println!("{line}");
        let mut device = board::emulate(board, Some(&path), Install::Allowed, say, |_| {})
            .unwrap_or_else(|e| panic!("{}: {e}", board.name));
        let run = execute::on_board(&mut device, &image, &prepared.test.codes, |_| {}).unwrap();
        assert_eq!(run.logits.len(), IMAGES * 10);
        assert_eq!(execute::images_differing(&emulated, &run.logits, 10), 0, "{what} on {}", board.name);
        let insns = device.insns(run.ticks_per_inference).unwrap();
        println!("{}, {what}: {accuracy} %, {} bytes, {insns} instructions", board.name, built.bytes.len());
    }
}

#[test]
fn mps2_an386() {
    host_runtime_and_board_agree("mps2-an386");
}

#[test]
fn netduinoplus2() {
    host_runtime_and_board_agree("netduinoplus2");
}
