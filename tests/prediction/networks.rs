//! Networks to measure: random chains of layers as real networks have them, wider than those of `common`.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::emulate::ApproximateConv;
use skimp::execute::AlignedImage;
use skimp::image::{self, ByActivation, OperatingPoint, Options, TableForm};
use skimp::multiplier::{ProductTable, Scheme, TruthTable};
use skimp::network::{Activation, Conv2d, FloatNetwork, Network, Node, Op, Shape, Tensor, Window};
use skimp::quantize::{Calibration, QuantizedNetwork, RangeMethod, quantize};
use std::sync::Arc;

/// What a board has room and time for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Elements of a tensor.
    pub elements: usize,
    /// Multiplications of a layer.
    pub multiplications: usize,
}

/// A network in 8 bits, with ranges from random images, negative in part if the seed is even.
pub fn quantized(float: &Network, scheme: Scheme, seed: u64) -> QuantizedNetwork {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let size = float.tensors[float.input].shape.elements();
    let offset = if seed.is_multiple_of(2) { 0.4 } else { 0.0 };
    let images: Vec<Vec<f32>> =
        (0..2).map(|_| (0..size).map(|_| rng.random::<f32>() - offset).collect()).collect();
    let runner = FloatNetwork::new(float).unwrap();
    let fill = |i: usize, image: &mut [f32]| image.copy_from_slice(&images[i]);
    let calibration = Calibration::measure(&runner, images.len(), fill).unwrap();
    quantize(float, &calibration, RangeMethod::MinMax, scheme).unwrap()
}

/// The image of a random network; `None` if its sums could leave 32 bits.
pub fn image(seed: u64, limits: Limits) -> Option<AlignedImage> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Some are mostly depthwise, with each kind of table in turn; others have one at random, too.
    let depthwise = seed.is_multiple_of(4);
    let kind = seed / 4 % TABLE_KINDS;
    let kinds = [kind, if depthwise { kind } else { rng.random_range(0..TABLE_KINDS) }];
    let scheme = match rng.random_range(0..4) {
        // The only one whose products may differ by more than 16 bits.
        _ if kinds[0] == WIDEST => Scheme::SignMagnitude { weight_shift: 1 },
        0 => Scheme::Unsigned,
        1 => Scheme::Signed,
        _ => Scheme::SignMagnitude { weight_shift: 1 },
    };
    let operators = if depthwise { 3..10 } else { 0..14 };
    let network = quantized(&network(operators, &mut rng, limits), scheme, seed / 2);
    let tables = kinds.map(|kind| table(kind, &mut rng, scheme.wants_signed_table()));
    let (sums, slow) = (rng.random_ratio(1, 3), rng.random_ratio(1, 5));
    let convs = network.convs().map(|(_, conv)| {
        let table = &tables[rng.random_range(0..2)];
        let products = ProductTable::new(table, scheme, false, conv.input_zero_point).ok()?;
        let mut approximate = ApproximateConv::uncompensated(conv, scheme, Arc::new(products));
        if sums {
            approximate.operand_sum.iter_mut().for_each(|sum| *sum += rng.random_range(-1..=1));
        }
        if slow {
            // The same factors, nearly, with shifts that take 64 bits.
            for (m, r) in approximate.requantization.iter_mut().filter(|(_, r)| *r > 32) {
                if rng.random() {
                    (*m, *r) = (m.unbounded_shr(u32::from(*r) - 32), 32);
                }
            }
        }
        Some(approximate)
    });
    let convs: Vec<ApproximateConv> = convs.collect::<Option<_>>()?;
    let multipliers = vec!["random".to_owned(); convs.len()];
    let point = OperatingPoint { name: "", convs: &convs, multipliers: &multipliers };
    let options = Options {
        table_form: [TableForm::Smallest, TableForm::Compact, TableForm::Fastest][rng.random_range(0..3)],
        by_activation: if rng.random() { ByActivation::Everywhere } else { ByActivation::WhereItPays },
        tables_only: rng.random_ratio(1, 3),
        copy_tables_within_bytes: rng.random_ratio(1, 6).then_some(1 << 18),
    };
    let built = image::build_points(&network, &[point], &options).ok()?;
    Some(AlignedImage::new(&built.bytes))
}

/// Kinds of tables.
const TABLE_KINDS: u64 = 10;
/// That of the widest products.
const WIDEST: u64 = 7;

/// Tables that lead to each kernel, many with few rows so that they fit small boards.
fn table(kind: u64, rng: &mut ChaCha8Rng, signed: bool) -> TruthTable {
    let seed: i32 = rng.random_range(0..1 << 20);
    let product = move |a: i32, w: i32| {
        let rough = w & !0x1f;
        let hash =
            (a.wrapping_mul(7919) ^ rough.wrapping_mul(104_729) ^ seed).wrapping_mul(0x9e37_79b1u32 as i32);
        match kind {
            0 | 1 => a * w,
            2 => (a & 0xf8) * (w & 0xf0),
            // Weights of 16 bits.
            3 => (a & 0x0f) * (16 * w + 1),
            // Codes that are mapped.
            4 => ((a * a) >> 8) * w,
            5 => ((a * a) >> 10) * (8 * w + 1),
            6 => a * rough + (hash >> 8) % 900,
            // Products of more than 16 bits.
            WIDEST => hash >> 12,
            // Entries of 8 bits beside products.
            _ => a * rough + (hash >> 8) % 100,
        }
    };
    let (low, high) = if signed { (i16::MIN.into(), i16::MAX.into()) } else { (0, u16::MAX.into()) };
    TruthTable::from_fn(signed, |a, w| product(a, w).clamp(low, high)).unwrap()
}

fn network(operators: std::ops::Range<u32>, rng: &mut ChaCha8Rng, limits: Limits) -> Network {
    let sides = [6, 8, 10, 12, 14, 16, 20, 28, 32];
    let channels = [1, 1, 3, 4, 8, 16];
    let input = loop {
        let [height, width] = [0; 2].map(|_| sides[rng.random_range(0..sides.len())]);
        let shape = Shape::new(height, width, channels[rng.random_range(0..channels.len())]);
        if shape.elements() <= limits.elements {
            break shape;
        }
    };
    let mut build =
        Build { limits, tensors: vec![Tensor { name: "image".into(), shape: input }], nodes: Vec::new() };
    build.conv(0, rng);
    for _ in 0..rng.random_range(3..8) {
        let last = build.tensors.len() - 1;
        let shape = build.tensors[last].shape;
        match rng.random_range(operators.clone()) {
            0..=3 => build.conv(last, rng),
            4..=6 => build.depthwise(last, rng),
            7 => {
                build.same(last, rng);
                let same = build.tensors.len() - 1;
                build.push(Op::Add(activation(rng)), vec![same, last], shape);
                if rng.random() {
                    // Both are needed once more, so that the sum above has a place of its own.
                    build.push(Op::Add(activation(rng)), vec![same + 1, same], shape);
                    build.push(Op::Add(activation(rng)), vec![last, same + 2], shape);
                }
            }
            8 => build.push(Op::Add(activation(rng)), vec![last, last], shape),
            9 => build.pool(last, false, rng),
            10 => build.pool(last, true, rng),
            11 => {
                let step = [rng.random_range(1..3), rng.random_range(1..3), 1];
                let start = [0, 0, rng.random_range(0..shape.channels)];
                let (height, width) = (shape.height.div_ceil(step[0]), shape.width.div_ceil(step[1]));
                let to = Shape::new(height, width, shape.channels - start[2]);
                build.push(Op::Slice { start, step }, vec![last], to);
            }
            12 => {
                let more = rng.random_range(0..9);
                let before = [rng.random_range(0..2), rng.random_range(0..2), more / 2];
                let to = Shape::new(shape.height + before[0], shape.width + before[1], shape.channels + more);
                if to.elements() <= limits.elements {
                    build.push(Op::Pad { before }, vec![last], to);
                }
            }
            _ => build.push(Op::Activation(Activation::Clip { min: -0.2, max: 0.5 }), vec![last], shape),
        }
    }
    build.dense(rng);
    let output = build.tensors.len() - 1;
    let (tensors, nodes) = (build.tensors, build.nodes);
    let network = Network { name: "random".into(), tensors, nodes, input: 0, output, own_codes: None };
    network.check().unwrap();
    network
}

struct Build {
    limits: Limits,
    tensors: Vec<Tensor>,
    nodes: Vec<Node>,
}

impl Build {
    fn push(&mut self, op: Op, inputs: Vec<usize>, shape: Shape) {
        let output = self.tensors.len();
        self.tensors.push(Tensor { name: format!("t{output}"), shape });
        self.nodes.push(Node { name: format!("n{output}"), op, inputs, output });
    }

    /// Adds a convolution if there is room for it.
    fn add_conv(&mut self, from: usize, outputs: usize, groups: usize, window: Window, rng: &mut ChaCha8Rng) {
        let shape = self.tensors[from].shape;
        let Some([height, width]) = window.output(shape.height, shape.width) else { return };
        let taps = window.kernel[0] * window.kernel[1] * shape.channels / groups;
        let elements = height * width * outputs;
        if elements > self.limits.elements || elements * taps > self.limits.multiplications {
            return;
        }
        let value = |rng: &mut ChaCha8Rng| (rng.random::<f32>() - 0.47) / (taps as f32).sqrt();
        let conv = Conv2d {
            window,
            groups,
            weights: (0..taps * outputs).map(|_| value(rng)).collect(),
            bias: (0..outputs).map(|_| value(rng)).collect(),
            activation: activation(rng),
        };
        self.push(Op::Conv2d(conv), vec![from], Shape::new(height, width, outputs));
    }

    fn conv(&mut self, from: usize, rng: &mut ChaCha8Rng) {
        let channels = [2usize, 3, 4, 6, 8, 8, 10, 12, 16, 16, 16, 24, 32, 32, 64];
        let mut outputs = channels[rng.random_range(0..channels.len())];
        let mut groups = 1;
        if rng.random_ratio(1, 12) && self.tensors[from].shape.channels.is_multiple_of(2) {
            (outputs, groups) = (outputs.next_multiple_of(2), 2);
        }
        let window = window(rng);
        self.add_conv(from, outputs, groups, window, rng);
    }

    fn depthwise(&mut self, from: usize, rng: &mut ChaCha8Rng) {
        let channels = self.tensors[from].shape.channels;
        let window = window(rng);
        self.add_conv(from, channels, channels, window, rng);
    }

    fn same(&mut self, from: usize, rng: &mut ChaCha8Rng) {
        let side = if rng.random_ratio(2, 3) { 3 } else { 1 };
        let channels = self.tensors[from].shape.channels;
        let padding = [side / 2; 2];
        let window =
            Window { kernel: [side; 2], stride: [1; 2], padding_before: padding, padding_after: padding };
        self.add_conv(from, channels, 1, window, rng);
        if self.tensors.last().map(|tensor| tensor.shape) != Some(self.tensors[from].shape) {
            let shape = self.tensors[from].shape;
            self.push(Op::Activation(Activation::Relu), vec![from], shape);
        }
    }

    fn pool(&mut self, from: usize, average: bool, rng: &mut ChaCha8Rng) {
        let shape = self.tensors[from].shape;
        let whole = average && rng.random();
        let side = rng.random_range(2..4);
        let (kernel, padding) =
            if whole { ([shape.height, shape.width], 0) } else { ([side; 2], rng.random_range(0..2)) };
        let stride = [if whole { 1 } else { 2 }; 2];
        let window = Window { kernel, stride, padding_before: [padding; 2], padding_after: [padding; 2] };
        let Some([height, width]) = window.output(shape.height, shape.width) else { return };
        let op = if average { Op::AveragePool(window) } else { Op::MaxPool(window) };
        self.push(op, vec![from], Shape::new(height, width, shape.channels));
    }

    fn dense(&mut self, rng: &mut ChaCha8Rng) {
        let from = self.tensors.len() - 1;
        let flat = Shape::new(1, 1, self.tensors[from].shape.elements());
        let outputs = [2, 5, 10, 10, 16, 40][rng.random_range(0..6)];
        if flat.channels * outputs > self.limits.multiplications / 10 {
            return;
        }
        self.push(Op::Flatten, vec![from], flat);
        let window = Window { kernel: [1; 2], stride: [1; 2], padding_before: [0; 2], padding_after: [0; 2] };
        self.add_conv(from + 1, outputs, 1, window, rng);
        if let Some(Node { op: Op::Conv2d(conv), .. }) = self.nodes.last_mut() {
            conv.activation = Activation::Identity;
        }
    }
}

fn activation(rng: &mut ChaCha8Rng) -> Activation {
    match rng.random_range(0..5) {
        0 => Activation::Identity,
        1 => Activation::Clip { min: 0.0, max: 0.8 },
        _ => Activation::Relu,
    }
}

fn window(rng: &mut ChaCha8Rng) -> Window {
    let side = [1, 2, 3, 3, 3, 3, 5, 5][rng.random_range(0..8)];
    let stride = [1, 1, 2][rng.random_range(0..3)];
    let padding = if rng.random_ratio(2, 3) { side / 2 } else { 0 };
    Window {
        kernel: [side; 2],
        stride: [stride; 2],
        padding_before: [padding; 2],
        padding_after: [padding; 2],
    }
}
