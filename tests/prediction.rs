//! What layers are predicted to take on boards, against what QEMU counts. The costs behind it are measured and
//! written anew by
//!
//!     cargo test --release -p skimp --test prediction -- --ignored refit --nocapture

#[allow(dead_code, reason = "shared with tests that use more of it")]
mod common;

#[path = "common/keyword_spotter.rs"]
mod keyword_spotter;

#[path = "prediction/fit.rs"]
mod fit;
#[path = "prediction/measure.rs"]
mod measure;
#[path = "prediction/networks.rs"]
mod networks;
#[path = "prediction/refit.rs"]
mod refit;

use measure::{Device, relative};
use skimp::board::Board;
use skimp::board::description::BOARDS;
use skimp::board::latency::LayerCost;
use skimp::board::prediction::{AssignmentCosts, Fit, Prediction, predict};
use skimp::emulate::ApproximateConv;
use skimp::execute::AlignedImage;
use skimp::image::{self, OperatingPoint, Options, TableForm};
use skimp::multiplier::{ProductTable, TruthTable};
use skimp::quantize::{QuantizedConv, QuantizedNetwork};
use skimp::zoo;
use skimp_runtime::Network;
use skimp_runtime::image::Op;
use std::sync::Arc;

/// How far predictions may be off.
const WITHIN: f64 = 0.10;
/// Layers that take less of the total may be off further.
const SHARE: f64 = 0.05;

/// A network's convolutions with exact products.
fn exact(network: &QuantizedNetwork) -> Vec<ApproximateConv> {
    let exact = TruthTable::exact(network.scheme.wants_signed_table());
    let of = |conv: &QuantizedConv| {
        let products = ProductTable::new(&exact, network.scheme, false, conv.input_zero_point).unwrap();
        ApproximateConv::uncompensated(conv, network.scheme, Arc::new(products))
    };
    network.convs().map(|(_, conv)| of(conv)).collect()
}

/// The image of a network with exact products, multiplied or looked up in a form of table.
fn image(network: &QuantizedNetwork, tables: Option<TableForm>) -> AlignedImage {
    let convs = exact(network);
    let names = vec!["exact".to_owned(); convs.len()];
    let point = OperatingPoint { name: "", convs: &convs, multipliers: &names };
    let (table_form, tables_only) = (tables.unwrap_or_default(), tables.is_some());
    let options = Options { table_form, tables_only, ..Options::default() };
    AlignedImage::new(&image::build_points(network, &[point], &options).unwrap().bytes)
}

fn zoo_is_predicted(board: &str, models: &[&str]) {
    let board = Board::find(board).unwrap();
    let device = Device::new(board);
    for model in models {
        let float = skimp::import::open(&zoo::resolve(model).unwrap().0).unwrap();
        is_predicted(&device, model, &networks::quantized(&float, Default::default(), 1));
    }
}

/// Products multiplied and looked up.
fn is_predicted(device: &Device, model: &str, network: &QuantizedNetwork) {
    let board = device.board;
    for tables in [None, Some(TableForm::Compact), Some(TableForm::Smallest)] {
        let image = image(network, tables);
        let loaded = image.load().unwrap();
        let fit = Fit::new(&loaded, image.bytes().len(), board);
        assert!(fit.check(board).is_ok(), "{model}: {fit:?}");
        let predicted = predict(&loaded, board);
        let measured = device.measure(&image);
        let total: u64 = measured.iter().map(|layer| layer.insns).sum();
        println!("{model}, tables: {tables:?}, on {}: {total} instructions", board.name);
        print_layers(&loaded, predicted.as_ref().ok(), &measured);
        let predicted = predicted.unwrap();
        let off = relative(predicted.total().insns, total);
        println!("  {:+6.1} %", off * 100.0);
        for ((layer, predicted), measured) in loaded.layers().zip(&predicted.layers).zip(&measured) {
            let off = relative(predicted.insns, measured.insns);
            let counts = measured.insns as f64 >= SHARE * total as f64;
            assert!(!counts || off.abs() <= WITHIN, "{}: {predicted:?}, {measured:?}", layer.name);
            if let Some(cycles) = predicted.cycles {
                let off = relative(cycles, measured.cycles.unwrap());
                assert!(!counts || off.abs() <= WITHIN, "{}: {predicted:?}, {measured:?}", layer.name);
            }
        }
        assert!(off.abs() <= WITHIN, "{model} on {}: {predicted:?} for {total}", board.name);
    }
}

/// Of each layer: how far the prediction is off, instructions and cycles, and instructions and cycles a
/// multiplication.
fn print_layers(network: &Network, predicted: Option<&Prediction>, measured: &[LayerCost]) {
    for (index, (layer, measured)) in network.layers().zip(measured).enumerate() {
        let predicted = predicted.map_or(0, |predicted| predicted.layers[index].insns);
        let off = relative(predicted, measured.insns) * 100.0;
        let cycles = measured.cycles.unwrap_or(0);
        let each = match layer.op {
            Op::Conv2d(op) => {
                let [height, width] = op.window.kernel.map(f64::from);
                let taps = height * width * f64::from(op.input.channels / op.groups);
                let multiplications = op.output.elements().unwrap_or(0) as f64 * taps;
                let each = [measured.insns, cycles].map(|figure| figure as f64 / multiplications);
                format!("{:6.2} {:6.2}", each[0], each[1])
            }
            _ => " ".repeat(13),
        };
        println!("  {off:+6.1} %  {:>9} {cycles:>9}  {each}  {}", measured.insns, layer.name);
    }
}

/// `cargo test --release -p skimp --test prediction depthwise -- --nocapture` tells what depthwise layers take.
fn depthwise_layers_are_predicted(board: &str) {
    is_predicted(&Device::new(Board::find(board).unwrap()), "ds-cnn", &keyword_spotter::ds_cnn());
}

#[test]
fn depthwise_layers_on_mps2_an385() {
    depthwise_layers_are_predicted("mps2-an385");
}

#[test]
fn depthwise_layers_on_mps2_an386() {
    depthwise_layers_are_predicted("mps2-an386");
}

#[test]
fn depthwise_layers_on_mps2_armv6m() {
    depthwise_layers_are_predicted("mps2-armv6m");
}

#[test]
fn on_mps2_an385() {
    zoo_is_predicted("mps2-an385", &["fashion-cnn", "digits-cnn"]);
}

#[test]
fn on_mps2_an386() {
    zoo_is_predicted("mps2-an386", &["fashion-cnn", "digits-cnn", "resnet8"]);
}

#[test]
fn on_mps2_an500() {
    zoo_is_predicted("mps2-an500", &["fashion-cnn", "digits-cnn"]);
}

#[test]
fn on_mps2_an505() {
    zoo_is_predicted("mps2-an505", &["fashion-cnn", "digits-cnn"]);
}

#[test]
fn on_lm3s6965evb() {
    zoo_is_predicted("lm3s6965evb", &["fashion-cnn", "digits-cnn"]);
}

#[test]
fn on_mps2_armv6m() {
    zoo_is_predicted("mps2-armv6m", &["digits-cnn", "fashion-cnn"]);
}

#[test]
fn on_microbit() {
    zoo_is_predicted("microbit", &["digits-cnn"]);
}

#[test]
fn nothing_that_a_network_does_is_without_a_cost() {
    for seed in 100..130 {
        let case = common::random::case(seed);
        let built = image::build(&case.network, &case.convs, &case.names).unwrap();
        let image = AlignedImage::new(&built.bytes);
        for board in BOARDS {
            let predicted = predict(&image.load().unwrap(), board).unwrap().total();
            assert!(predicted.insns > 0 && predicted.cycles.is_some(), "{seed}");
        }
    }
}

/// All but where tensors lie, and what layers share, is known.
#[test]
fn searches_count_on_nearly_what_an_image_is_predicted_to_take() {
    let board = Board::find("mps2-an386").unwrap();
    let of_search = |network: &QuantizedNetwork, convs: &[ApproximateConv]| {
        let of = |layer: usize, _| Ok(convs[layer].clone());
        let costs = AssignmentCosts::new(network, (board, &Options::default()), 1, &of).unwrap();
        costs.total(&vec![0; convs.len()])
    };
    let check = |what: &str, image: &[u8], searched: LayerCost, within: f64| {
        let predicted = predict(&AlignedImage::new(image).load().unwrap(), board).unwrap().total();
        let off = relative(searched.cycles.unwrap(), predicted.cycles.unwrap());
        assert!(off.abs() < within, "{what}: {searched:?}, {predicted:?}");
    };
    for model in ["fashion-cnn", "resnet8"] {
        let float = skimp::import::open(&zoo::resolve(model).unwrap().0).unwrap();
        let network = networks::quantized(&float, Default::default(), 1);
        check(model, image(&network, None).bytes(), of_search(&network, &exact(&network)), 0.02);
    }
    for seed in 100..160 {
        let case = common::random::case(seed);
        let built = image::build(&case.network, &case.convs, &case.names).unwrap();
        check(&seed.to_string(), &built.bytes, of_search(&case.network, &case.convs), 0.1);
    }
}

#[test]
fn boards_without_an_emulation_are_predicted_like_those_with_the_same_kernels() {
    let float = skimp::import::open(&zoo::resolve("digits-cnn").unwrap().0).unwrap();
    let image = image(&networks::quantized(&float, Default::default(), 1), None);
    let network = image.load().unwrap();
    let on = |name: &str| predict(&network, Board::find(name).unwrap());
    assert_eq!(on("stm32f4discovery").unwrap(), on("mps2-an386").unwrap());
    assert_eq!(on("pico2").unwrap(), on("mps2-an505").unwrap());
    assert_eq!(on("pico").unwrap(), on("mps2-armv6m").unwrap());
}

#[test]
fn what_does_not_fit_is_told() {
    let float = skimp::import::open(&zoo::resolve("fashion-cnn").unwrap().0).unwrap();
    let image = image(&networks::quantized(&float, Default::default(), 1), None);
    let network = image.load().unwrap();
    let small = Board::find("stm32vldiscovery").unwrap();
    let message = Fit::new(&network, image.bytes().len(), small).check(small).unwrap_err().to_string();
    assert!(message.contains("of 4608 bytes of RAM"), "{message}");
}
