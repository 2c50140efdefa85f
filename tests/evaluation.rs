//! Measuring many assignments at once = measuring each alone = the definition of compensation, on random
//! networks, whatever the memory and the number of threads.

// A random case has more than its network, for other tests.
#[allow(dead_code)]
mod common;

use common::random::case;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::accelerator::AcceleratorModel;
use skimp::compensate::{Compensator, Steps, scale_shift, weight_map};
use skimp::emulate::{ApproximateConv, ConvPlan, run_fixed};
use skimp::multiplier::{Choice, Library, ProductCache};
use skimp::optimize::{Evaluator, Options, Selection, search};
use skimp::quantize::{LabelledCodes, QuantizedConv, QuantizedNetwork, QuantizedOp};
use skimp_runtime::arithmetic::requantize;
use skimp_runtime::image::OutputKind;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::LazyLock;

const ALL_STEPS: [Steps; 4] =
    [Steps::NONE, Steps::ALWANN, Steps { weight_map: false, scale_shift: true }, Steps::ALL];
/// Of most random networks this keeps a few states and lets others go.
const LITTLE_BYTES: usize = 8 << 10;
const PLENTY_BYTES: usize = 1 << 30;

static LIBRARIES: LazyLock<[Library; 2]> = LazyLock::new(|| [false, true].map(Library::builtin));

/// A random network with images and assignments that often begin alike.
struct Setting {
    network: QuantizedNetwork,
    calibration: Vec<u8>,
    images: LabelledCodes,
    assignments: Vec<Vec<Choice>>,
}

impl Setting {
    fn new(seed: u64) -> Setting {
        let network = case(seed).network;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let each = network.tensors[network.input].shape.elements();
        let mut codes = |images: usize| (0..images * each).map(|_| rng.random()).collect::<Vec<u8>>();
        let (calibration, codes) = (codes(5), codes(9));
        let classes = network.tensors[network.output].shape.elements().min(256);
        let labels = (0..9).map(|_| rng.random_range(0..classes) as u8).collect();
        let library = &LIBRARIES[usize::from(network.scheme.wants_signed_table())];
        let all = Choice::all(library);
        let few: [Choice; 3] = [
            Choice::exact(library),
            all[rng.random_range(0..all.len())],
            all[rng.random_range(0..all.len())],
        ];
        let layers = network.convs().count();
        let mut assignment = || (0..layers).map(|_| few[rng.random_range(0..3)]).collect::<Vec<Choice>>();
        let mut assignments: Vec<Vec<Choice>> = (0..10).map(|_| assignment()).collect();
        assignments.push(vec![few[0]; layers]);
        assignments.push(assignments[0].clone());
        Setting { network, calibration, images: LabelledCodes { codes, labels }, assignments }
    }

    fn products(&self) -> ProductCache<'static> {
        let library = &LIBRARIES[usize::from(self.network.scheme.wants_signed_table())];
        ProductCache::new(library, self.network.scheme).unwrap()
    }
}

/// The beginnings of assignments up to a number of layers, each once.
fn beginnings(assignments: &[Vec<Choice>], layers: std::ops::RangeInclusive<usize>) -> usize {
    let all = assignments.iter().flat_map(|a| layers.clone().map(|length| &a[..length]));
    all.collect::<HashSet<_>>().len()
}

/// Compensation as it is defined: every image alone through every layer, first exactly, then fitted.
fn compensate(
    network: &QuantizedNetwork,
    products: &ProductCache,
    steps: Steps,
    images: &[u8],
    assignment: &[Choice],
) -> Vec<ApproximateConv> {
    let exact_choice = Choice::exact(products.library());
    let targets = run_layers(network, images, |_, conv, _| {
        let products = products.get(exact_choice, conv.input_zero_point).unwrap();
        ApproximateConv::uncompensated(conv, network.scheme, products)
    });
    let mut all_exact = true;
    let fitted = run_layers(network, images, |i, conv, acc| {
        let of = |choice| products.get(choice, conv.input_zero_point).unwrap();
        let table = of(assignment[i]);
        let mut approximate = ApproximateConv::uncompensated(conv, network.scheme, table.clone());
        if steps.weight_map {
            let map = weight_map::alwann(&of(exact_choice), &table, network.scheme);
            approximate.weights.iter_mut().for_each(|w| *w = map[usize::from(*w)]);
        }
        all_exact &= assignment[i] == exact_choice;
        if steps.scale_shift && !all_exact {
            let acc = acc(&approximate);
            scale_shift::fit(conv, network.scheme, &mut approximate, &acc, &targets[i].1);
        }
        approximate
    });
    fitted.into_iter().map(|(conv, _)| conv).collect()
}

/// Runs all images layer by layer with the convolutions that `make` answers, which is given a function from a
/// convolution to its accumulators. Returns each convolution with its accumulators on all images.
fn run_layers(
    network: &QuantizedNetwork,
    images: &[u8],
    mut make: impl FnMut(usize, &QuantizedConv, &dyn Fn(&ApproximateConv) -> Vec<i32>) -> ApproximateConv,
) -> Vec<(ApproximateConv, Vec<i32>)> {
    let size = |id: usize| network.tensors[id].shape.elements();
    let mut tensors: Vec<Vec<Vec<u8>>> = vec![Vec::new(); network.tensors.len()];
    tensors[network.input] = images.chunks_exact(size(network.input)).map(<[u8]>::to_vec).collect();
    let mut convs = Vec::new();
    for layer in &network.layers {
        let inputs = &tensors[layer.inputs[0]];
        tensors[layer.output] = match &layer.op {
            QuantizedOp::Conv2d(conv) => {
                let outputs = conv.pixels() * conv.outputs();
                let accumulators = |approximate: &ApproximateConv| {
                    let plan = ConvPlan::new(conv, network.scheme, approximate).unwrap();
                    let each = inputs.iter().flat_map(|input| {
                        let mut acc = vec![0; outputs];
                        plan.accumulate(input, &mut acc);
                        acc
                    });
                    each.collect::<Vec<i32>>()
                };
                let approximate = make(convs.len(), conv, &accumulators);
                let acc = accumulators(&approximate);
                let code = |(i, &acc): (usize, &i32)| {
                    let (m, r) = approximate.requantization[i % conv.outputs()];
                    match conv.output_kind {
                        OutputKind::Codes(range) => range.code(requantize(acc, m, r)),
                        OutputKind::Logits => 0,
                    }
                };
                let codes = acc.chunks_exact(outputs).map(|acc| acc.iter().enumerate().map(code).collect());
                let codes = codes.collect();
                convs.push((approximate, acc));
                codes
            }
            QuantizedOp::Fixed(op) => {
                let run = |(image, input): (usize, &Vec<u8>)| {
                    let second = layer.inputs.get(1).map_or(&[][..], |&id| &tensors[id][image]);
                    let mut output = vec![0; size(layer.output)];
                    run_fixed(op, input, second, &mut output);
                    output
                };
                inputs.iter().enumerate().map(run).collect()
            }
        };
    }
    convs
}

#[test]
fn compensation_layer_by_layer_is_that_of_the_definition() {
    for seed in 0..40 {
        let setting = Setting::new(seed);
        let (network, products) = (&setting.network, setting.products());
        for steps in ALL_STEPS {
            let compensator = Compensator::new(network, &products, steps, &setting.calibration).unwrap();
            for assignment in &setting.assignments[..3] {
                let got = compensator.compensate(assignment).unwrap();
                let want = compensate(network, &products, steps, &setting.calibration, assignment);
                assert_eq!(got.len(), want.len());
                for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                    let place = format!("seed {seed}, {steps:?}, layer {i}");
                    assert_eq!(got.weights, want.weights, "{place}");
                    assert_eq!(got.bias, want.bias, "{place}");
                    assert_eq!(got.requantization, want.requantization, "{place}");
                    assert_eq!(got.products, want.products, "{place}");
                }
            }
        }
    }
}

#[test]
fn batches_measure_what_single_assignments_do_with_any_memory() {
    let (mut additions, mut runs_by_memory) = (0, [0; 3]);
    for seed in 0..40 {
        let setting = Setting::new(seed);
        let (network, products) = (&setting.network, setting.products());
        let layers = network.convs().count();
        let is_addition = |op: &QuantizedOp| {
            matches!(op, QuantizedOp::Fixed(skimp_runtime::image::Op::Add(_))) && layers > 2
        };
        additions += network.layers.iter().filter(|layer| is_addition(&layer.op)).count();
        for steps in ALL_STEPS {
            let compensator = Compensator::new(network, &products, steps, &setting.calibration).unwrap();
            let alone = Evaluator::new(&compensator, &setting.images).unwrap();
            let want: Vec<_> = setting.assignments.iter().map(|a| alone.measure(a).unwrap()).collect();
            for (memory_bytes, all_runs) in
                [0, LITTLE_BYTES, PLENTY_BYTES].into_iter().zip(&mut runs_by_memory)
            {
                let place = format!("seed {seed}, {steps:?}, {memory_bytes} bytes");
                let evaluator =
                    Evaluator::new(&compensator, &setting.images).unwrap().with_memory(memory_bytes);
                let (first, second) = setting.assignments.split_at(7);
                assert_eq!(evaluator.measure_all(first).unwrap(), want[..7], "{place}");
                assert_eq!(evaluator.measure_all(second).unwrap(), want[7..], "{place}");
                let runs = evaluator.layer_runs();
                let whole = [first, second].map(|batch| beginnings(batch, layers..=layers));
                let both = layers * whole.iter().sum::<usize>();
                assert_eq!(runs.layer_runs + runs.layer_runs_saved, both, "{place}");
                assert!(runs.peak_cache_bytes <= memory_bytes, "{place}");
                match memory_bytes {
                    0 => assert_eq!(runs.layer_runs_saved, 0, "{place}"),
                    PLENTY_BYTES => {
                        let once = beginnings(&setting.assignments, 1..=layers - 1);
                        assert_eq!(runs.layer_runs, once + whole.iter().sum::<usize>(), "{place}");
                    }
                    _ => {}
                }
                *all_runs += runs.layer_runs;
            }
        }
    }
    assert!(additions > 10, "{additions} additions prove little");
    let [none, little, plenty] = runs_by_memory;
    assert!(plenty < little && little < none, "{runs_by_memory:?}");
}

#[test]
fn batches_at_the_same_time_are_right_too() {
    use rayon::prelude::*;
    let setting = Setting::new(3);
    let products = setting.products();
    let compensator =
        Compensator::new(&setting.network, &products, Steps::ALL, &setting.calibration).unwrap();
    let evaluator = Evaluator::new(&compensator, &setting.images).unwrap().with_memory(PLENTY_BYTES);
    let want = evaluator.measure_all(&setting.assignments).unwrap();
    (0..16).into_par_iter().for_each(|_| {
        assert_eq!(evaluator.measure_all(&setting.assignments).unwrap(), want);
    });
}

#[test]
fn assignments_of_another_length_are_refused() {
    let setting = Setting::new(3);
    let products = setting.products();
    let compensator = Compensator::new(&setting.network, &products, Steps::NONE, &[]).unwrap();
    let evaluator = Evaluator::new(&compensator, &setting.images).unwrap();
    let exact = compensator.exact_assignment();
    let longer = [&exact[..], &exact[..1]].concat();
    for wrong in [Vec::new(), exact[1..].to_vec(), longer] {
        assert!(compensator.compensate(&wrong).is_err());
        assert!(evaluator.measure(&wrong).is_err());
        assert!(evaluator.measure_all(&[exact.clone(), wrong]).is_err());
    }
    assert!(evaluator.measure_all(&[]).unwrap().is_empty());
}

/// Searches on a network of several layers.
fn search_with(seed: u64, memory_bytes: usize, threads: usize, accelerator: AcceleratorModel) -> Selection {
    let setting = Setting::new(seed);
    let options = Options {
        tiles: 3,
        population: 8,
        generations: 6,
        seed,
        accelerator,
        array_size: 16,
        max_loss_pp: 50.0,
        search_images: 9,
        every_choice: false,
        memory_bytes,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let products = setting.products();
        let network = &setting.network;
        let compensator = Compensator::new(network, &products, Steps::ALL, &setting.calibration).unwrap();
        let evaluator = Evaluator::new(&compensator, &setting.images).unwrap().with_memory(memory_bytes);
        let multiplications = network.multiplications();
        let go = |_| ControlFlow::Continue(());
        search(&evaluator, products.library(), &multiplications, &options, go).unwrap()
    })
}

/// A front as text: points, multipliers, losses to the last digit.
fn front(selection: &Selection) -> String {
    format!("{:?} {:?} {:?}", selection.front, selection.uniform, selection.evaluated)
}

#[test]
fn neither_memory_nor_threads_change_a_search() {
    let several_layers = |&seed: &u64| case(seed).network.convs().count() >= 3;
    for seed in (0..).filter(several_layers).take(3) {
        for accelerator in [AcceleratorModel::PowerGated, AcceleratorModel::Pipelined { idle_fraction: 0.1 }]
        {
            let want = search_with(seed, 0, 1, accelerator);
            assert_eq!((want.layer_runs.layer_runs_saved, want.layer_runs.peak_cache_bytes), (0, 0));
            let mut with_plenty = None;
            for (memory_bytes, threads) in [
                (0, 3),
                (LITTLE_BYTES, 2),
                (PLENTY_BYTES, 1),
                (PLENTY_BYTES, 2),
                (PLENTY_BYTES, 3),
                (PLENTY_BYTES, 8),
            ] {
                let got = search_with(seed, memory_bytes, threads, accelerator);
                let place = format!("seed {seed}, {memory_bytes} bytes, {threads} threads");
                assert_eq!(front(&got), front(&want), "{place}");
                assert_eq!((got.evaluations, got.memo_hits), (want.evaluations, want.memo_hits), "{place}");
                assert!(got.layer_runs.peak_cache_bytes <= memory_bytes, "{place}");
                if memory_bytes == PLENTY_BYTES {
                    let runs = *with_plenty.get_or_insert(got.layer_runs);
                    assert_eq!(got.layer_runs, runs, "{place}");
                    assert!(runs.layer_runs < want.layer_runs.layer_runs, "{place}");
                }
            }
        }
    }
}

#[test]
fn genomes_with_the_same_assignment_are_measured_once() {
    let several_layers = |&seed: &u64| case(seed).network.convs().count() >= 3;
    let (mut genomes, mut evaluations) = (0, 0);
    for seed in (0..).filter(several_layers).take(3) {
        // Pipelined tiles with the same multiplier stay two tiles: another genome, the same assignment.
        let selection = search_with(seed, 0, 2, AcceleratorModel::Pipelined { idle_fraction: 0.1 });
        let layers = case(seed).network.convs().count();
        assert_eq!(selection.layer_runs.layer_runs, selection.evaluations * layers);
        let of_genomes = selection.evaluations - selection.probes;
        assert!(selection.memo_hits >= selection.evaluated.len() - of_genomes);
        genomes += selection.evaluated.len();
        evaluations += of_genomes;
    }
    assert!(evaluations < genomes, "{evaluations} evaluations of {genomes} genomes");
}
