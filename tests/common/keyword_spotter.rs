//! A network with the shapes of MLPerf Tiny's keyword spotter, DS-CNN (Banbury et al., NeurIPS 2021 Datasets and
//! Benchmarks), in which every other convolution is depthwise. Its weights are random: for memory and speed they do
//! not matter.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::multiplier::Scheme;
use skimp::network::{Activation, Conv2d, FloatNetwork, Network, Node, Op, Shape, Tensor, Window};
use skimp::quantize::{Calibration, QuantizedNetwork, RangeMethod, quantize};

/// Its scheme.
pub const SCHEME: Scheme = Scheme::SignMagnitude { weight_shift: 1 };

/// Builds a chain of layers.
pub struct Chain {
    pub tensors: Vec<Tensor>,
    pub nodes: Vec<Node>,
    rng: ChaCha8Rng,
}

impl Chain {
    pub fn new(input: Shape) -> Chain {
        let tensors = vec![Tensor { name: "input".into(), shape: input }];
        Chain { tensors, nodes: Vec::new(), rng: ChaCha8Rng::seed_from_u64(1) }
    }

    pub fn push(&mut self, op: Op, shape: Shape) {
        let output = self.tensors.len();
        self.tensors.push(Tensor { name: format!("t{output}"), shape });
        self.nodes.push(Node { name: format!("n{output}"), op, inputs: vec![output - 1], output });
    }

    pub fn conv(&mut self, outputs: usize, kernel: [usize; 2], stride: usize, depthwise: bool) {
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

    pub fn quantized(self, name: &str) -> QuantizedNetwork {
        let output = self.tensors.len() - 1;
        let network = Network {
            name: name.into(),
            tensors: self.tensors,
            nodes: self.nodes,
            input: 0,
            output,
            own_codes: None,
        };
        network.check().unwrap();
        let runner = FloatNetwork::new(&network).unwrap();
        let fill = |i: usize, image: &mut [f32]| {
            image.iter_mut().enumerate().for_each(|(j, value)| *value = ((i + 7 * j) % 11) as f32 / 11.0);
        };
        let calibration = Calibration::measure(&runner, 2, fill).unwrap();
        quantize(&network, &calibration, RangeMethod::MinMax, SCHEME).unwrap()
    }
}

/// The network, without its softmax.
pub fn ds_cnn() -> QuantizedNetwork {
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
