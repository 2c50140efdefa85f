//! The arena of whole networks against the least that any placement could need. Weights do not matter for that.

#[path = "common/keyword_spotter.rs"]
mod keyword_spotter;

use keyword_spotter::{Chain, SCHEME, ds_cnn};
use skimp::emulate::ApproximateConv;
use skimp::execute::{self, AlignedImage};
use skimp::image::{self, FlashImage, OperatingPoint, Options, contents};
use skimp::multiplier::{ProductTable, TruthTable};
use skimp::network::{Activation, Op, Shape};
use skimp::quantize::QuantizedNetwork;
use std::sync::Arc;

/// The image with exact multipliers.
fn exact(network: &QuantizedNetwork, options: &Options) -> FlashImage {
    let convs: Vec<ApproximateConv> = network
        .convs()
        .map(|(_, conv)| {
            let products =
                ProductTable::new(&TruthTable::exact(false), SCHEME, false, conv.input_zero_point).unwrap();
            ApproximateConv::uncompensated(conv, SCHEME, Arc::new(products))
        })
        .collect();
    let names = vec!["exact".to_owned(); convs.len()];
    let point = OperatingPoint { name: "", convs: &convs, multipliers: &names };
    image::build_points(network, &[point], options).unwrap()
}

#[test]
fn a_keyword_spotter_needs_no_more_than_its_largest_step() {
    let network = ds_cnn();
    let mut logits = Vec::new();
    for tables_only in [false, true] {
        let image = exact(&network, &Options { tables_only, ..Options::default() });
        println!("ds-cnn: {} of at least {} bytes", image.arena_bytes, image.arena_lower_bound_bytes);
        assert_eq!(image.arena_bytes, image.arena_lower_bound_bytes);
        // Two tensors of 25 x 5 x 64 and what a layer works in.
        assert!(image.arena_bytes < 2 * 8000 + 1024, "{}", image.arena_bytes);
        let image = AlignedImage::new(&image.bytes);
        let loaded = image.load().unwrap();
        let kernels: Vec<String> = contents::layers(&loaded).into_iter().map(|layer| layer.kernel).collect();
        assert!(kernels[1].starts_with("depthwise"), "{kernels:?}");
        logits.push(execute::on_host(&image, &vec![99; loaded.input_bytes()]).unwrap());
    }
    assert_eq!(logits[0], logits[1], "looked up or multiplied");
}

#[test]
fn sums_take_the_place_of_an_operand() {
    let shape = Shape::new(8, 8, 4);
    let mut chain = Chain::new(shape);
    chain.conv(4, [3, 3], 1, false);
    chain.conv(4, [3, 3], 1, false);
    chain.push(Op::Add(Activation::Identity), shape);
    chain.nodes.last_mut().unwrap().inputs = vec![2, 1];
    let image = exact(&chain.quantized("residual"), &Options::default());
    assert_eq!(image.arena_bytes, image.arena_lower_bound_bytes);
    // Never three tensors but while the second layer reads one, writes one and works.
    let scratch = 36 * 8;
    assert_eq!(image.arena_bytes, 2 * shape.elements() + scratch);
}
