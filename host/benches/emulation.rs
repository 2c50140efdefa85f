//! Criterion benchmarks of the parts of emulation, for comparing two versions of them; `skimp bench emulation`
//! measures the whole.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skimp::bench::workload::{Activations, Shape};
use skimp::emulate::{ApproximateConv, ConvPlan, Kernel, Scratch};
use skimp::kernels::{Factors, Isa, requantize};
use skimp::multiplier::{ProductTable, Scheme, TruthTable};
use skimp::quantize::QuantizedConv;
use skimp_runtime::arithmetic::CodeRange;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// Half the channels of workload W on a quarter of its pixels.
const SHAPE: Shape = Shape { kernel: 3, stride: 1, padding: 1, inputs: 32, outputs: 64, side: 8, groups: 1 };

fn layer(table: &TruthTable) -> (QuantizedConv, ApproximateConv) {
    let conv = SHAPE.convolution();
    let products = ProductTable::new(table, Scheme::Unsigned, false, 0).expect("unsigned tables suit");
    let approximate = ApproximateConv::uncompensated(&conv, Scheme::Unsigned, Arc::new(products));
    (conv, approximate)
}

/// A table without any structure to exploit.
fn arbitrary() -> TruthTable {
    let hash = |a: i32, w: i32| ((a * 7919) ^ (w * 104_729)).wrapping_mul(40_503) >> 8 & 0xff;
    TruthTable::from_fn(false, |a, w| a * w / 2 + hash(a, w)).expect("products fit 16 bits")
}

/// Every kernel with every set of instructions; the matrix kernel with exact products.
fn kernels(c: &mut Criterion) {
    const IMAGES: usize = 16;
    let (conv, arbitrary) = layer(&arbitrary());
    let (_, exact) = layer(&TruthTable::exact(false));
    let inputs = Activations::Relu.codes(SHAPE, IMAGES);
    let mut acc = vec![0; IMAGES * conv.pixels() * conv.outputs()];
    let mut group = c.benchmark_group("kernels");
    group.throughput(Throughput::Elements(conv.multiplications() * IMAGES as u64));
    for kernel in Kernel::ALL {
        let approximate = if kernel == Kernel::Matrix { &exact } else { &arbitrary };
        for isa in Isa::available() {
            let plan = ConvPlan::with_kernel(&conv, Scheme::Unsigned, approximate, kernel, isa);
            let plan = plan.expect("the kernel suits the multiplier");
            let mut scratch = Scratch::default();
            group.bench_function(BenchmarkId::new(kernel.name(), isa), |b| {
                b.iter(|| plan.accumulate_serially(black_box(&inputs), &mut acc, &mut scratch));
            });
        }
    }
    group.finish();
}

/// How building tables is paid back by more images.
fn batches(c: &mut Criterion) {
    let (conv, approximate) = layer(&arbitrary());
    let plan =
        ConvPlan::with_kernel(&conv, Scheme::Unsigned, &approximate, Kernel::VectorTables, Isa::best());
    let plan = plan.expect("vector tables take any multiplier");
    let mut group = c.benchmark_group("vector-tables by batch");
    for images in [1, 4, 16, 64] {
        let inputs = Activations::Relu.codes(SHAPE, images);
        let mut acc = vec![0; images * conv.pixels() * conv.outputs()];
        let mut scratch = Scratch::default();
        group.throughput(Throughput::Elements(conv.multiplications() * images as u64));
        group.bench_function(BenchmarkId::from_parameter(images), |b| {
            b.iter(|| plan.accumulate_serially(black_box(&inputs), &mut acc, &mut scratch));
        });
    }
    group.finish();
}

/// What is done once for a layer and a multiplier.
fn plans(c: &mut Criterion) {
    let (conv, approximate) = layer(&arbitrary());
    c.bench_function("plan", |b| {
        b.iter(|| ConvPlan::new(black_box(&conv), Scheme::Unsigned, &approximate).map(|plan| plan.kernel()));
    });
}

/// Accumulators to codes.
fn requantization(c: &mut Criterion) {
    const CHANNELS: usize = 64;
    const PIXELS: usize = 256;
    let range = CodeRange { zero_point: 3, min: 0, max: 255 };
    let factors: [(i32, u8); CHANNELS] = std::array::from_fn(|o| ((1 << 30) + 1000 * o as i32, 40));
    let factors = Factors::<CHANNELS>::new(&factors, range);
    let acc: Vec<[i32; CHANNELS]> =
        (0..PIXELS).map(|pixel| std::array::from_fn(|o| (pixel * 1500 + o * 700) as i32 - 100_000)).collect();
    let mut codes = vec![[0; CHANNELS]; PIXELS];
    let mut group = c.benchmark_group("requantize");
    group.throughput(Throughput::Elements((CHANNELS * PIXELS) as u64));
    for isa in Isa::available() {
        group.bench_function(BenchmarkId::from_parameter(isa), |b| {
            b.iter(|| requantize(isa, &factors, black_box(&acc), &mut codes));
        });
    }
    group.finish();
}

criterion_group! {
    name = emulation;
    config = Criterion::default().measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_secs(1));
    targets = kernels, batches, plans, requantization
}
criterion_main!(emulation);
