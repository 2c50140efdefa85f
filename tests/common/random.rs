//! Random networks that use every operator, quantized, with random multipliers and random compensation.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::emulate::{ApproximateConv, oracle};
use skimp::multiplier::{ProductTable, Scheme, TruthTable};
use skimp::network::{Activation, Conv2d, FloatNetwork, Network, Node, Op, Shape, Tensor, Window};
use skimp::quantize::{Calibration, QuantizedNetwork, RangeMethod, quantize};
use std::sync::Arc;

/// A network with everything needed to run it.
pub struct Case {
    pub network: QuantizedNetwork,
    pub tables: Vec<(TruthTable, bool)>,
    pub convs: Vec<ApproximateConv>,
    pub names: Vec<String>,
    /// One image's codes.
    pub input: Vec<u8>,
}

impl Case {
    /// The multipliers as the oracle takes them.
    pub fn uses(&self) -> Vec<oracle::Use<'_>> {
        self.tables.iter().map(|(table, swapped)| oracle::Use { table, swapped: *swapped }).collect()
    }
}

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    case_with(seed, table)
}

/// One whose multipliers' errors are so small that a byte holds them.
pub fn case_near_lines(seed: u64) -> Case {
    case_with(seed, |rng, signed| {
        let seed: i32 = rng.random_range(0..1 << 20);
        let error = |a: i32, w: i32| (a.wrapping_mul(7919) ^ w.wrapping_mul(104_729) ^ seed) & 0x7f;
        let highest = if signed { i16::MAX.into() } else { u16::MAX.into() };
        TruthTable::from_fn(signed, |a, w| (a * w + error(a, w)).min(highest)).unwrap()
    })
}

fn case_with(seed: u64, mut table: impl FnMut(&mut ChaCha8Rng, bool) -> TruthTable) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let float = network(&mut rng);
    let scheme = match rng.random_range(0..4) {
        0 => Scheme::Unsigned,
        1 => Scheme::Signed,
        2 => Scheme::SignMagnitude { weight_shift: 0 },
        _ => Scheme::SignMagnitude { weight_shift: 1 },
    };
    let signed_input = rng.random();
    let size = float.tensors[float.input].shape.elements();
    let images: Vec<Vec<f32>> = (0..4)
        .map(|_| (0..size).map(|_| rng.random::<f32>() - if signed_input { 0.4 } else { 0.0 }).collect())
        .collect();
    let runner = FloatNetwork::new(&float).unwrap();
    let fill = |i: usize, image: &mut [f32]| image.copy_from_slice(&images[i]);
    let calibration = Calibration::measure(&runner, images.len(), fill).unwrap();
    let network = quantize(&float, &calibration, RangeMethod::MinMax, scheme).unwrap();
    let shared: Vec<(TruthTable, bool)> =
        (0..2).map(|_| (table(&mut rng, scheme.wants_signed_table()), rng.random())).collect();
    let tables: Vec<(TruthTable, bool)> =
        network.convs().map(|_| shared[rng.random_range(0..2)].clone()).collect();
    let convs = network.convs().zip(&tables).map(|((_, conv), (table, swapped))| {
        let products = ProductTable::new(table, scheme, *swapped, conv.input_zero_point).unwrap();
        let mut approximate = ApproximateConv::uncompensated(conv, scheme, Arc::new(products));
        compensate_at_random(&mut approximate, scheme, &mut rng);
        approximate
    });
    let convs: Vec<ApproximateConv> = convs.collect();
    let names = (0..convs.len()).map(|i| format!("m{i}")).collect();
    let input = (0..size).map(|_| rng.random()).collect();
    Case { network, tables, convs, names, input }
}

/// Changes everything that compensation may change.
fn compensate_at_random(approximate: &mut ApproximateConv, scheme: Scheme, rng: &mut ChaCha8Rng) {
    for w in &mut approximate.weights {
        if rng.random_ratio(1, 4) {
            *w = rng.random();
        }
        if scheme != Scheme::Unsigned && *w == 128 {
            *w = 0;
        }
    }
    for o in 0..approximate.bias.len() {
        approximate.bias[o] += rng.random_range(-1000..1000);
        approximate.operand_sum[o] += rng.random_range(-2..=2) * i32::from(rng.random_ratio(1, 3));
        let (m, r) = approximate.requantization[o];
        approximate.requantization[o] = (m - rng.random_range(0..m / 4 + 1), r);
    }
}

fn table(rng: &mut ChaCha8Rng, signed: bool) -> TruthTable {
    let mask: i32 = rng.random_range(0..256);
    // With little noise, rows are near lines.
    let noise = if rng.random() { rng.random_range(1..300) } else { rng.random_range(300..2000) };
    let seed: i32 = rng.random_range(0..1 << 20);
    let kind = rng.random_range(0..8);
    let product = move |a: i32, w: i32| {
        let hash =
            (a.wrapping_mul(7919) ^ w.wrapping_mul(104_729) ^ seed).wrapping_mul(0x9e37_79b1u32 as i32);
        match kind {
            0 => a * w,
            1 => (a & mask) * (w & mask),
            2 => a * w + (hash >> 8) % noise,
            // Weights of 16 bits.
            5 => (a & mask & 0x1f) * (8 * w + 1),
            // Codes that are mapped.
            6 => ((a * a) >> 8) * (w >> 2),
            // The extremes, all of one sign or alternating.
            3 => i32::MAX,
            4 if hash < 0 => i32::MIN,
            4 => i32::MAX,
            _ => hash >> 12,
        }
    };
    let (low, high) = if signed { (i16::MIN.into(), i16::MAX.into()) } else { (0, u16::MAX.into()) };
    TruthTable::from_fn(signed, |a, w| product(a, w).clamp(low, high)).unwrap()
}

/// A small network of a random chain of operators with a dense layer, or not, at the end.
fn network(rng: &mut ChaCha8Rng) -> Network {
    let side = |rng: &mut ChaCha8Rng| rng.random_range(1..9);
    let channels = [1, 2, 3, 4, 8, 15, 16, 17];
    let input = Shape::new(side(rng), side(rng), channels[rng.random_range(0..4)]);
    let mut build = Build { tensors: vec![Tensor { name: "image".into(), shape: input }], nodes: Vec::new() };
    build.conv(0, channels[rng.random_range(0..channels.len())], rng);
    for _ in 0..rng.random_range(1..5) {
        let last = build.tensors.len() - 1;
        let shape = build.tensors[last].shape;
        match rng.random_range(0..9) {
            0 => build.conv(last, channels[rng.random_range(0..channels.len())], rng),
            1 => {
                build.conv_with(last, shape.channels, Window { stride: [1; 2], ..same(shape, rng) }, rng);
                build.push(Op::Add(activation(rng)), vec![build.tensors.len() - 1, last], shape);
            }
            2 => build.pool(last, false, rng),
            3 => build.pool(last, true, rng),
            4 => {
                let step = [rng.random_range(1..3), rng.random_range(1..3), 1];
                let start = [0, 0, rng.random_range(0..shape.channels)];
                let to = Shape::new(
                    shape.height.div_ceil(step[0]),
                    shape.width.div_ceil(step[1]),
                    shape.channels - start[2],
                );
                build.push(Op::Slice { start, step }, vec![last], to);
            }
            5 => {
                let before = [rng.random_range(0..2), 0, rng.random_range(0..4)];
                let to =
                    Shape::new(shape.height + before[0], shape.width + 1, shape.channels + 2 * before[2]);
                build.push(Op::Pad { before }, vec![last], to);
            }
            6 => build.push(Op::Activation(Activation::Clip { min: -0.2, max: 0.5 }), vec![last], shape),
            7 => build.push(Op::Add(activation(rng)), vec![last, last], shape),
            _ => build.conv_in_groups(last, shape.channels, shape.channels, window(shape, rng), rng),
        }
    }
    if rng.random_ratio(3, 4) {
        let last = build.tensors.len() - 1;
        let flat = Shape::new(1, 1, build.tensors[last].shape.elements());
        build.push(Op::Flatten, vec![last], flat);
        let window = Window { kernel: [1; 2], stride: [1; 2], padding_before: [0; 2], padding_after: [0; 2] };
        let outputs = [1, 2, 5, 7, 8, 9, 10, 11, 16, 17][rng.random_range(0..10)];
        build.conv_with(last + 1, outputs, window, rng);
        if let Op::Conv2d(conv) = &mut build.nodes.last_mut().unwrap().op {
            conv.activation = Activation::Identity;
        }
    }
    let output = build.tensors.len() - 1;
    let network = Network {
        name: "random".into(),
        tensors: build.tensors,
        nodes: build.nodes,
        input: 0,
        output,
        own_codes: None,
    };
    network.check().unwrap();
    network
}

struct Build {
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
}

impl Build {
    fn push(&mut self, op: Op, inputs: Vec<usize>, shape: Shape) {
        let output = self.tensors.len();
        self.tensors.push(Tensor { name: format!("t{output}"), shape });
        self.nodes.push(Node { name: format!("n{output}"), op, inputs, output });
    }

    fn conv(&mut self, from: usize, outputs: usize, rng: &mut ChaCha8Rng) {
        let shape = self.tensors[from].shape;
        self.conv_with(from, outputs, window(shape, rng), rng);
    }

    fn conv_with(&mut self, from: usize, outputs: usize, window: Window, rng: &mut ChaCha8Rng) {
        let shape = self.tensors[from].shape;
        let depthwise = outputs == shape.channels && rng.random_ratio(1, 3);
        let groups = if depthwise { outputs } else { 1 };
        self.conv_in_groups(from, outputs, groups, window, rng);
    }

    fn conv_in_groups(
        &mut self,
        from: usize,
        outputs: usize,
        groups: usize,
        window: Window,
        rng: &mut ChaCha8Rng,
    ) {
        let shape = self.tensors[from].shape;
        let taps = window.kernel[0] * window.kernel[1] * shape.channels / groups;
        let value = |rng: &mut ChaCha8Rng| rng.random::<f32>() - 0.45;
        let conv = Conv2d {
            window,
            groups,
            weights: (0..taps * outputs).map(|_| value(rng)).collect(),
            bias: (0..outputs).map(|_| value(rng)).collect(),
            activation: activation(rng),
        };
        let [height, width] = window.output(shape.height, shape.width).unwrap();
        self.push(Op::Conv2d(conv), vec![from], Shape::new(height, width, outputs));
    }

    fn pool(&mut self, from: usize, average: bool, rng: &mut ChaCha8Rng) {
        let shape = self.tensors[from].shape;
        let window = window(shape, rng);
        let [height, width] = window.output(shape.height, shape.width).unwrap();
        let op = if average { Op::AveragePool(window) } else { Op::MaxPool(window) };
        self.push(op, vec![from], Shape::new(height, width, shape.channels));
    }
}

fn activation(rng: &mut ChaCha8Rng) -> Activation {
    match rng.random_range(0..3) {
        0 => Activation::Identity,
        1 => Activation::Relu,
        _ => Activation::Clip { min: 0.0, max: 0.8 },
    }
}

/// Any window that fits.
fn window(shape: Shape, rng: &mut ChaCha8Rng) -> Window {
    let mut side = |size: usize| {
        let kernel = rng.random_range(1..=size.min(4));
        let pad = || 0..kernel.min(3);
        (kernel, rng.random_range(1..4), rng.random_range(pad()), rng.random_range(pad()))
    };
    let (y, x) = (side(shape.height), side(shape.width));
    Window { kernel: [y.0, x.0], stride: [y.1, x.1], padding_before: [y.2, x.2], padding_after: [y.3, x.3] }
}

/// A window that keeps the input's size at stride 1.
fn same(shape: Shape, rng: &mut ChaCha8Rng) -> Window {
    let mut side = |size: usize| if size >= 3 && rng.random() { 3 } else { 1 };
    let kernel = [side(shape.height), side(shape.width)];
    let padding = kernel.map(|k| k / 2);
    Window { kernel, stride: [1; 2], padding_before: padding, padding_after: padding }
}
