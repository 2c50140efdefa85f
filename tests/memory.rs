//! The arena of whole networks against the least that any placement could need. Weights do not matter for that, so
//! those of the keyword spotter are random; its shapes are those of MLPerf Tiny's DS-CNN (Banbury et al., NeurIPS
//! 2021 Datasets and Benchmarks).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::emulate::ApproximateConv;
use skimp::execute::{self, AlignedImage};
use skimp::image::{self, FlashImage, OperatingPoint, Options, contents};
use skimp::multiplier::{ProductTable, Scheme, TruthTable};
use skimp::network::{Activation, Conv2d, FloatNetwork, Network, Node, Op, Shape, Tensor, Window};
use skimp::quantize::{Calibration, QuantizedNetwork, RangeMethod, quantize};
use std::sync::Arc;

const SCHEME: Scheme = Scheme::SignMagnitude { weight_shift: 1 };

/// Builds a chain of layers.
struct Chain {
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
    rng: ChaCha8Rng,
}

impl Chain {
    fn new(input: Shape) -> Chain {
        let tensors = vec![Tensor { name: "input".into(), shape: input }];
        Chain { tensors, nodes: Vec::new(), rng: ChaCha8Rng::seed_from_u64(1) }
    }

    fn push(&mut self, op: Op, shape: Shape) {
        let output = self.tensors.len();
        self.tensors.push(Tensor { name: format!("t{output}"), shape });
        self.nodes.push(Node { name: format!("n{output}"), op, inputs: vec![output - 1], output });
    }

    fn conv(&mut self, outputs: usize, kernel: [usize; 2], stride: usize, depthwise: bool) {
        let shape = self.tensors.last().unwrap().shape;
        let to = [shape.height.div_ceil(stride), shape.width.div_ceil(stride)];
        // Padding as TensorFlow's "same".
        let total = |i: usize, size: usize| ((to[i] - 1) * stride + kernel[i]).saturating_sub(size);
        let total = [total(0, shape.height), total(1, shape.width)];
        let padding_before = total.map(|padding| padding / 2);
        let padding_after = [total[0] - padding_before[0], total[1] - padding_before[1]];
        let groups = if depthwise { shape.channels } else { 1 };
        let taps = kernel[0] * kernel[1] * shape.channels / groups;
        let weights = (0..taps * outputs).map(|_| self.rng.random::<f32>() - 0.5).collect();
        let window = Window { kernel, stride: [stride; 2], padding_before, padding_after };
        let bias = vec![0.0; outputs];
        let conv = Conv2d { window, groups, weights, bias, activation: Activation::Relu };
        self.push(Op::Conv2d(conv), Shape::new(to[0], to[1], outputs));
    }

    fn quantized(self, name: &str) -> QuantizedNetwork {
        let output = self.tensors.len() - 1;
        let network =
            Network { name: name.into(), tensors: self.tensors, nodes: self.nodes, input: 0, output };
        network.check().unwrap();
        let runner = FloatNetwork::new(&network).unwrap();
        let fill = |i: usize, image: &mut [f32]| {
            image.iter_mut().enumerate().for_each(|(j, value)| *value = ((i + 7 * j) % 11) as f32 / 11.0);
        };
        let calibration = Calibration::measure(&runner, 2, fill).unwrap();
        quantize(&network, &calibration, RangeMethod::MinMax, SCHEME).unwrap()
    }
}

fn ds_cnn() -> QuantizedNetwork {
    let mut chain = Chain::new(Shape::new(49, 10, 1));
    chain.conv(64, [10, 4], 2, false);
    for _ in 0..4 {
        chain.conv(64, [3, 3], 1, true);
        chain.conv(64, [1, 1], 1, false);
    }
    let window = Window { kernel: [25, 5], stride: [1; 2], padding_before: [0; 2], padding_after: [0; 2] };
    chain.push(Op::AveragePool(window), Shape::new(1, 1, 64));
    chain.conv(12, [1, 1], 1, false);
    chain.quantized("ds-cnn")
}

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
