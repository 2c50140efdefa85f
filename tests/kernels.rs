//! Every emulation kernel, with every instruction set of this machine, against the oracle: random shapes,
//! zero points and compensation, and tables made to force every width of the sums.

use proptest::prelude::*;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::emulate::{ApproximateConv, ConvPlan, Kernel, oracle};
use skimp::kernels::Isa;
use skimp::multiplier::{ProductTable, Scheme, TruthTable};
use skimp::quantize::QuantizedConv;
use skimp_runtime::arithmetic::{CodeRange, requantize};
use skimp_runtime::image::{OutputKind, Tensor, Window};
use std::collections::BTreeMap;
use std::sync::Arc;

struct Case {
    conv: QuantizedConv,
    scheme: Scheme,
    table: TruthTable,
    swapped: bool,
    approximate: ApproximateConv,
    /// Codes of some images.
    inputs: Vec<u8>,
    images: usize,
}

const CHANNELS: [u16; 14] = [1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65];

fn case(seed: u64) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let scheme = match rng.random_range(0..4) {
        0 => Scheme::Unsigned,
        1 => Scheme::Signed,
        2 => Scheme::SignMagnitude { weight_shift: 0 },
        _ => Scheme::SignMagnitude { weight_shift: 1 },
    };
    let zero_point = match scheme {
        Scheme::Unsigned => rng.random(),
        Scheme::Signed => 128,
        Scheme::SignMagnitude { .. } => *[0, 128].choose(&mut rng).unwrap(),
    };
    let conv = conv(scheme, zero_point, &mut rng);
    let table = table(scheme.wants_signed_table(), &mut rng);
    let swapped = rng.random();
    let products = Arc::new(ProductTable::new(&table, scheme, swapped, zero_point).unwrap());
    let mut approximate = ApproximateConv::uncompensated(&conv, scheme, products);
    for o in 0..conv.outputs() {
        if rng.random_ratio(1, 4) {
            approximate.operand_sum[o] += rng.random_range(-3..=3);
        }
        approximate.bias[o] += rng.random_range(-100_000..100_000);
        approximate.requantization[o] = match rng.random_range(0..8) {
            0 => (rng.random_range(0..i32::MAX), rng.random_range(1..=62)),
            1 => (0, 1),
            _ => (rng.random_range(1 << 30..i32::MAX), rng.random_range(36..48)),
        };
    }
    let images = rng.random_range(1..4);
    let size =
        usize::from(conv.input.height) * usize::from(conv.input.width) * usize::from(conv.input.channels);
    // All codes, half of them zero as behind a ReLU, or only a few.
    let kind = rng.random_range(0..3);
    let code = |rng: &mut ChaCha8Rng| match kind {
        0 => rng.random(),
        1 if rng.random() => zero_point,
        1 => rng.random(),
        _ => zero_point.saturating_add(rng.random_range(0..20)),
    };
    let inputs = (0..images * size).map(|_| code(&mut rng)).collect();
    Case { conv, scheme, table, swapped, approximate, inputs, images }
}

fn conv(scheme: Scheme, zero_point: u8, rng: &mut ChaCha8Rng) -> QuantizedConv {
    let [kernel_height, kernel_width] = [0; 2].map(|_| rng.random_range(1..=3u16));
    let stride = [0; 2].map(|_| rng.random_range(1..=2u16));
    let padding = [rng.random_range(0..kernel_height), rng.random_range(0..kernel_width)];
    let (mut groups, mut channels) = (1, *CHANNELS.choose(rng).unwrap());
    let mut outputs = *CHANNELS.choose(rng).unwrap();
    if rng.random_ratio(1, 4) {
        groups = rng.random_range(2..5);
        channels = groups * rng.random_range(1..6);
        outputs = groups * rng.random_range(1..6);
    }
    let side = |kernel: u16, stride: u16, padding: u16, rng: &mut ChaCha8Rng| {
        let out = rng.random_range(1..8u16);
        // Padding behind the image, before it or both; or rows no window reaches.
        let needed = (out - 1) * stride + kernel;
        let input = needed.saturating_sub(padding + rng.random_range(0..2)).max(1);
        (input + rng.random_range(0..2), out)
    };
    let (height, out_height) = side(kernel_height, stride[0], padding[0], rng);
    let (width, out_width) = side(kernel_width, stride[1], padding[1], rng);
    let taps = usize::from(kernel_height) * usize::from(kernel_width) * usize::from(channels / groups);
    let weight = |rng: &mut ChaCha8Rng| match scheme {
        Scheme::Unsigned => rng.random(),
        // -128 is no weight of these.
        _ => rng.random_range(-127..=127i8) as u8,
    };
    let weights = (0..taps * usize::from(outputs)).map(|_| weight(rng)).collect();
    let outputs_count = usize::from(outputs);
    QuantizedConv {
        input: Tensor { offset: 0, height, width, channels },
        output: Tensor { offset: 0, height: out_height, width: out_width, channels: outputs },
        window: Window { kernel: [kernel_height, kernel_width], stride, padding },
        groups: groups.into(),
        input_scale: 0.01,
        input_zero_point: zero_point,
        weights,
        weight_scales: vec![0.01; outputs_count],
        weight_zero_point: if scheme == Scheme::Unsigned { rng.random() } else { 0 },
        bias: vec![0.0; outputs_count],
        output_scale: 0.1,
        output_kind: OutputKind::Codes(CodeRange { zero_point: rng.random(), min: 3, max: 250 }),
    }
}

fn table(signed: bool, rng: &mut ChaCha8Rng) -> TruthTable {
    let kind = rng.random_range(0..9);
    let seed: i32 = rng.random_range(0..1 << 20);
    let mask: i32 = rng.random_range(0..256);
    let (low, high) = if signed { (i16::MIN.into(), i16::MAX.into()) } else { (0, u16::MAX.into()) };
    let product = |a: i32, w: i32| {
        let hash =
            (a.wrapping_mul(7919) ^ w.wrapping_mul(104_729) ^ seed).wrapping_mul(0x9e37_79b1_u32 as i32);
        match kind {
            0 => a * w,
            1 => (a & mask) * (w & !3),
            2 => (a & 3) * (w & mask) + (a & !3) * w,
            // Everything at one end, or rows that alternate between both: the widest there are.
            3 => high,
            4 if (a + w) & 1 == 0 => low,
            4 => high,
            // Rows of widths that allow two, four and eight additions in 16 bits.
            5 => a * w / 2 + (hash >> 8) % 100,
            6 => a * w / 4 + (hash >> 8) % 100,
            7 => a * w / 16 + (hash >> 8) % 100,
            _ => hash >> 12,
        }
    };
    TruthTable::from_fn(signed, |a, w| product(a, w).clamp(low, high)).unwrap()
}

/// What the oracle makes of a case: accumulators, and codes by the formula.
fn expected(case: &Case) -> (Vec<i32>, Vec<u8>) {
    let multiplier = oracle::Use { table: &case.table, swapped: case.swapped };
    let images = case.inputs.chunks_exact(case.inputs.len() / case.images);
    let acc: Vec<i64> = images
        .flat_map(|image| oracle::accumulate(&case.conv, case.scheme, multiplier, &case.approximate, image))
        .collect();
    let acc: Vec<i32> = acc.into_iter().map(|acc| i32::try_from(acc).unwrap()).collect();
    let OutputKind::Codes(range) = case.conv.output_kind else { unreachable!() };
    let factors = case.approximate.requantization.iter().cycle();
    let codes = acc.iter().zip(factors).map(|(&acc, &(m, r))| range.code(requantize(acc, m, r))).collect();
    (acc, codes)
}

fn describe(conv: &QuantizedConv) -> String {
    format!("{:?} -> {:?}, {:?}, {} groups", conv.input, conv.output, conv.window, conv.groups)
}

/// Runs a case with every kernel that can compute it; counts them in `seen`.
fn check(case: &Case, seen: &mut BTreeMap<String, usize>) -> Result<(), TestCaseError> {
    let (acc, codes) = expected(case);
    for isa in Isa::available() {
        for kernel in Kernel::ALL {
            let plan = ConvPlan::with_kernel(&case.conv, case.scheme, &case.approximate, kernel, isa);
            let plan = match plan {
                Ok(plan) => plan,
                Err(e) => {
                    prop_assert!(
                        kernel == Kernel::Matrix && e.to_string().contains("matrix kernel"),
                        "{}",
                        e
                    );
                    continue;
                }
            };
            *seen.entry(format!("{isa} {}", kernel.name())).or_default() += 1;
            for (width, blocks) in plan.table_widths() {
                *seen.entry(format!("{isa} {width}")).or_default() += blocks;
            }
            let mut got = vec![i32::MIN; acc.len()];
            plan.accumulate(&case.inputs, &mut got);
            prop_assert!(got == acc, "{} {isa}: {}", kernel.name(), describe(&case.conv));
            let mut got = vec![0; codes.len()];
            plan.codes(&case.inputs, &mut got);
            prop_assert!(got == codes, "{} {isa}, codes: {}", kernel.name(), describe(&case.conv));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_kernel_gives_the_oracle_s_integers(seed in any::<u64>()) {
        check(&case(seed), &mut BTreeMap::new())?;
    }
}

#[test]
fn every_kernel_and_every_width_of_table_occurs() {
    let mut seen = BTreeMap::new();
    for seed in 0..150 {
        check(&case(seed), &mut seen).unwrap();
    }
    for isa in Isa::available() {
        let kernels = Kernel::ALL.map(|kernel| kernel.name().to_owned());
        let widths = ["1 addition", "2 additions", "4 additions", "8 additions", "32 bits"];
        for what in kernels.iter().map(String::as_str).chain(widths) {
            let key = format!("{isa} {what}");
            assert!(seen.get(&key).is_some_and(|&count| count > 2), "{key} is missing among {seen:#?}");
        }
    }
}

/// More images than share one set of tables, on any number of threads.
#[test]
fn neither_the_number_of_images_nor_of_threads_changes_anything() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let scheme = Scheme::Unsigned;
    for outputs in [16, 17, 65] {
        let mut conv = conv(scheme, 7, &mut rng);
        conv.groups = 1;
        conv.input = Tensor { offset: 0, height: 31, width: 31, channels: 3 };
        conv.output = Tensor { channels: outputs, ..conv.input };
        conv.window = Window { kernel: [1, 1], stride: [1, 1], padding: [0, 0] };
        conv.weights = (0..3 * outputs).map(|_| rng.random()).collect();
        conv.weight_scales = vec![0.01; outputs.into()];
        conv.bias = vec![0.5; outputs.into()];
        let table = TruthTable::from_fn(false, |a, w| a * w - (a * w) % 7).unwrap();
        let products = Arc::new(ProductTable::new(&table, scheme, false, 7).unwrap());
        let approximate = ApproximateConv::uncompensated(&conv, scheme, products);
        let images = 40;
        let inputs: Vec<u8> = (0..images * 31 * 31 * 3).map(|_| rng.random()).collect();
        let each = 31 * 31 * usize::from(outputs);
        let run = |kernel| {
            let plan = ConvPlan::with_kernel(&conv, scheme, &approximate, kernel, Isa::best()).unwrap();
            let (mut acc, mut codes) = (vec![0; images * each], vec![0; images * each]);
            plan.accumulate(&inputs, &mut acc);
            plan.codes(&inputs, &mut codes);
            (acc, codes)
        };
        let rows = run(Kernel::Rows);
        for image in [0, images - 1] {
            let input = &inputs[image * 31 * 31 * 3..][..31 * 31 * 3];
            let multiplier = oracle::Use { table: &table, swapped: false };
            let acc = oracle::accumulate(&conv, scheme, multiplier, &approximate, input);
            let got = rows.0[image * each..][..each].iter().map(|&acc| i64::from(acc));
            assert!(got.eq(acc), "image {image}, {outputs} outputs");
        }
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let tables = pool.install(|| run(Kernel::VectorTables));
            assert!(tables == rows, "{threads} threads, {outputs} outputs");
        }
    }
}
