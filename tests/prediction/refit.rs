//! Measures random networks and writes the costs of kernels' steps.

use super::common::random;
use super::fit::{Measured, fit};
use super::measure::Device;
use super::networks::{self, Limits};
use skimp::board::prediction::costs::Costs;
use skimp::board::prediction::works;
use skimp::board::timing::Core;
use skimp::board::{Board, toolchain};
use skimp::execute::AlignedImage;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A board for each way that kernels are compiled and each core.
const BOARDS: [&str; 7] =
    ["microbit", "lm3s6965evb", "mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps2-armv6m"];
/// Wide networks, and the small ones of other tests.
const WIDE: u64 = 128;
const SMALL: u64 = 24;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/board/prediction/costs.txt")
}

fn images(board: &Board) -> Vec<AlignedImage> {
    let limits = match board.memory_bytes {
        ..=0x4000 => Limits { elements: 3 << 10, multiplications: 300_000 },
        0x4001..=0x10000 => Limits { elements: 8 << 10, multiplications: 1_000_000 },
        _ => Limits { elements: 16 << 10, multiplications: 2_500_000 },
    };
    // Of the smallest boards' networks, many do not fit.
    let count = if board.memory_bytes <= 0x4000 { WIDE * 2 } else { WIDE };
    let wide = (0..count).filter_map(|seed| networks::image(seed, limits));
    let small = (0..SMALL).filter_map(|seed| {
        let case = random::case(seed);
        let built = skimp::image::build(&case.network, &case.convs, &case.names).ok()?;
        Some(AlignedImage::new(&built.bytes))
    });
    wide.chain(small).collect()
}

/// Every layer of every network that fits, by network.
fn measure(board: &'static Board) -> Vec<Vec<Measured>> {
    let device = Device::new(board);
    let images = images(board);
    let fitting = images.iter().filter(|image| device.fits(image));
    fitting
        .map(|image| {
            let costs = device.measure(image);
            let works = works(&image.load().unwrap()).into_iter();
            works.zip(costs).map(|(work, cost)| (work, [cost.insns, cost.cycles.unwrap_or(0)])).collect()
        })
        .collect()
}

/// How far the costs are off for the networks that they were fitted to.
fn report(costs: &Costs, networks: &[Vec<Measured>]) {
    let of = |(work, _): &Measured, figure: usize| -> f64 {
        work.steps.iter().map(|(step, &n)| costs.steps[work.kind][*step][figure] * n as f64).sum()
    };
    for (figure, what) in ["instructions", "cycles"].into_iter().enumerate() {
        let mut off: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for layers in networks {
            let total: u64 = layers.iter().map(|layer| layer.1[figure]).sum();
            let predicted: f64 = layers.iter().map(|layer| of(layer, figure)).sum();
            off.entry("total").or_default().push(predicted / total as f64 - 1.0);
            for layer in layers.iter().filter(|layer| layer.1[figure] * 20 >= total) {
                let part = of(layer, figure) / layer.1[figure] as f64 - 1.0;
                off.entry(layer.0.kind).or_default().push(part);
            }
        }
        println!("{} {} {}, {what}:", costs.target, costs.profile, costs.core);
        for (kind, off) in off {
            let mut sizes: Vec<f64> = off.iter().map(|off| off.abs() * 100.0).collect();
            sizes.sort_by(f64::total_cmp);
            let (n, worst) = (sizes.len(), sizes[sizes.len() - 1]);
            println!("  {kind:18} {n:>4}, off by {:5.1} %, at most {worst:5.1} %", sizes[n / 2]);
        }
    }
}

/// `SKIMP_REFIT_BOARDS` may name those to measure, separated by commas; the others keep their costs.
#[test]
#[ignore = "writes a file of the source tree"]
fn refit() {
    let chosen = std::env::var("SKIMP_REFIT_BOARDS").unwrap_or_else(|_| BOARDS.join(","));
    let left: Mutex<Vec<&'static Board>> =
        Mutex::new(chosen.split(',').map(|name| Board::find(name).unwrap()).collect());
    let done: Mutex<Vec<(Costs, Vec<Vec<Measured>>)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(board) = { left.lock().unwrap().pop() } {
                    let networks = measure(board);
                    let costs = Costs {
                        target: board.target.to_owned(),
                        profile: board.profile.name().to_owned(),
                        core: Core::of(board).unwrap().argument().to_owned(),
                        steps: fit(&networks.concat()),
                    };
                    done.lock().unwrap().push((costs, networks));
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    let written = std::fs::read_to_string(file()).unwrap();
    let name = |costs: &Costs| (costs.target.clone(), costs.profile.clone(), costs.core.clone());
    let mut all: BTreeMap<_, Costs> =
        Costs::parse(&written).unwrap().into_iter().map(|costs| (name(&costs), costs)).collect();
    for (costs, networks) in done {
        report(&costs, &networks);
        all.insert(name(&costs), costs);
    }
    let all = completed(all.into_values().collect());
    std::fs::write(file(), header() + &Costs::to_text(&all)).unwrap();
}

/// Steps that networks seldom make, each with one that costs about as much.
const LIKE: [(&str, &str, &str); 29] = [
    ("add", "onto-second", "onto-first"),
    ("add", "fours-onto-second", "fours-onto-first"),
    ("add", "rest-onto-second", "rest-onto-first"),
    ("add", "rest-apart", "rest-onto-first"),
    ("depthwise-product", "mapped-i16-taps", "mapped-i8-taps"),
    ("depthwise-product", "mapped-i8-taps", "mapped-i16-taps"),
    ("depthwise-product", "plain-i16-taps", "plain-i8-taps"),
    ("depthwise-product", "plain-i8-taps", "plain-i16-taps"),
    ("depthwise-table", "plain-taps", "plain-signed-taps"),
    ("depthwise-table", "plain-signed-taps", "plain-taps"),
    ("depthwise-product", "mapped-i16-products", "mapped-i8-products"),
    ("depthwise-product", "mapped-i8-products", "mapped-i16-products"),
    ("depthwise-product", "plain-i16-products", "plain-i8-products"),
    ("depthwise-product", "plain-i8-products", "plain-i16-products"),
    ("depthwise-table", "plain-products", "plain-signed-products"),
    ("depthwise-table", "plain-signed-products", "plain-products"),
    ("depthwise-product", "clamped-codes", "requantized-rest"),
    ("depthwise-product", "slow-codes", "range-codes"),
    ("depthwise-product", "slow-stores", "range-stores"),
    ("depthwise-product", "range-codes", "codes"),
    ("depthwise-product", "range-stores", "stores"),
    ("depthwise-table", "clamped-codes", "requantized-rest"),
    ("depthwise-table", "slow-codes", "range-codes"),
    ("depthwise-table", "slow-stores", "range-stores"),
    ("depthwise-table", "range-codes", "codes"),
    ("depthwise-table", "range-stores", "stores"),
    ("depthwise-product", "logit-stores", "slow-stores"),
    ("depthwise-product", "logits", "slow-codes"),
    ("max-pool", "filled-ends", "short-filled-rest"),
];

/// The same, with costs for steps that were never measured on a board: of the same step in another kernel, of
/// one that is much like it, or of the same on another board.
fn completed(mut all: Vec<Costs>) -> Vec<Costs> {
    let mut every: BTreeSet<(String, String)> =
        LIKE.iter().map(|(kind, step, _)| (kind.to_string(), step.to_string())).collect();
    for costs in &all {
        for (kind, steps) in &costs.steps {
            every.extend(steps.keys().map(|step| (kind.clone(), step.clone())));
        }
    }
    let measured = all.clone();
    for costs in &mut all {
        let known = costs.steps.clone();
        for (kind, step) in &every {
            if known.get(kind).is_some_and(|steps| steps.contains_key(step)) {
                continue;
            }
            let same = known.values().find_map(|steps| steps.get(step));
            let like = LIKE.iter().find(|like| (like.0, like.1) == (kind, step));
            let like = like.and_then(|like| known.get(kind)?.get(like.2));
            let elsewhere = || measured.iter().find_map(|costs| costs.steps.get(kind)?.get(step));
            let cost = *same.or(like).or_else(elsewhere).expect("something like it was measured");
            println!("{} {} {} never made the step {kind} {step}", costs.target, costs.profile, costs.core);
            costs.steps.entry(kind.clone()).or_default().insert(step.clone(), cost);
        }
    }
    all
}

fn header() -> String {
    let compiler = toolchain::Toolchain::find_or_install(
        "thumbv7em-none-eabihf",
        skimp::board::Install::Forbidden,
        &mut |_| {},
    );
    format!(
        "# What steps of kernels cost: kernel, step, instructions, cycles without wait states. Fitted to {} random\n\
         # networks measured in QEMU on boards of each target, profile and core ({}) by\n\
         #   cargo test --release -p skimp --test prediction -- --ignored refit --nocapture\n",
        WIDE + SMALL,
        compiler.map(|found| found.description()).unwrap_or_default(),
    )
}
