//! Oracle = emulator = runtime, on random networks with random multipliers, and images that were tampered
//! with are refused or at least never panic.

mod common;

use common::random::{Case, case, case_near_lines};
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::emulate::{ApproximateConv, Emulator, oracle};
use skimp::execute::AlignedImage;
use skimp::image::{self, ByActivation, OperatingPoint, Options, TableForm, contents};
use skimp::multiplier::{ProductTable, TruthTable};
use skimp_runtime::image::{HEADER_BYTES, Kernel, Op, checksum};
use skimp_runtime::{Error, Network, Silent};
use std::sync::Arc;

fn run_on_runtime(image: &[u8], input: &[u8]) -> Result<Vec<i32>, Error> {
    let image = AlignedImage::new(image);
    let network = Network::load(image.bytes())?;
    let mut arena = vec![0xa5a5_a5a5_u32; network.arena_bytes().div_ceil(4)];
    let mut logits = vec![0; network.output_len()];
    // A tampered image may ask for another input size.
    let mut input = input.to_vec();
    input.resize(network.input_bytes(), 0);
    network.infer(bytemuck::cast_slice_mut(&mut arena), &input, &mut logits, &mut Silent)?;
    Ok(logits)
}

fn build(case: &Case) -> Vec<u8> {
    image::build(&case.network, &case.convs, &case.names).unwrap().bytes
}

/// Images of a case in all the ways there are to build one.
fn all_builds(case: &Case) -> Vec<Vec<u8>> {
    let point = OperatingPoint { name: "only", convs: &case.convs, multipliers: &case.names };
    let mut images = Vec::new();
    for (table_form, by_activation) in [
        (TableForm::Smallest, ByActivation::WhereItPays),
        (TableForm::Compact, ByActivation::WhereItPays),
        (TableForm::Fastest, ByActivation::WhereItPays),
        (TableForm::Fastest, ByActivation::Everywhere),
    ] {
        for tables_only in [false, true] {
            for copy_tables_within_bytes in [None, Some(70_000), Some(usize::MAX)] {
                let options = Options { table_form, by_activation, tables_only, copy_tables_within_bytes };
                images.push(image::build_points(&case.network, &[point], &options).unwrap().bytes);
            }
        }
    }
    images
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn oracle_emulator_and_runtime_agree(seed in any::<u64>(), near_lines in any::<bool>()) {
        let case = if near_lines { case_near_lines(seed) } else { case(seed) };
        let uses: Vec<oracle::Use> = case.uses();
        let want = oracle::run(&case.network, &uses, &case.convs, &case.input);
        let emulator = Emulator::new(&case.network, &case.convs).unwrap();
        prop_assert_eq!(&emulator.run(&case.input), &want);
        for image in all_builds(&case) {
            prop_assert_eq!(run_on_runtime(&image, &case.input), Ok(want.clone()));
        }
    }
}

#[test]
fn every_kind_of_table_and_kernel_occurs_in_the_random_networks() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        for image in all_builds(&case(seed)) {
            let image = AlignedImage::new(&image);
            let network = image.load().unwrap();
            seen.extend(network.tables().map(|t| format!("{:?}", t.entry)));
            for layer in contents::layers(&network) {
                seen.insert(layer.kernel);
            }
            for layer in network.layers() {
                if let Op::Conv2d(conv) = layer.op {
                    seen.insert(if conv.groups > 1 { "groups" } else { "no groups" }.into());
                    if let Kernel::Table { coding, .. } | Kernel::DepthwiseTable { coding, .. } = conv.kernel
                    {
                        seen.insert(format!("{coding:?}"));
                        let table = conv.kernel.rows().unwrap().table;
                        let entry = network.tables().nth(table.into()).unwrap().entry;
                        seen.insert(format!("{coding:?} {entry:?}"));
                    }
                }
            }
        }
    }
    let wanted = [
        "I32",
        "Row",
        "Row U8",
        "SignedRow",
        "SignedRow U8",
        "U16",
        "U8",
        "add",
        "average pool",
        "depthwise product",
        "depthwise product, 16-bit weights",
        "depthwise product, mapped",
        "depthwise product, masked",
        "depthwise product, masked, 16-bit weights",
        "depthwise table",
        "depthwise table in RAM",
        "groups",
        "max pool",
        "pad",
        "product",
        "product, mapped",
        "product, mapped, 16-bit weights",
        "product, masked",
        "product, masked, 16-bit weights",
        "slice",
        "table",
        "table by activation",
        "table by activation in RAM",
        "table copy",
        "table in RAM",
    ];
    for kind in wanted {
        assert!(seen.contains(kind), "{kind} is missing among {seen:?}");
    }
}

/// Points share what they can, and each gives what an image of its own gives.
#[test]
fn operating_points_are_switched_between_inferences() {
    for seed in 0..60 {
        let case = case(seed);
        let exact: Vec<ApproximateConv> = case
            .network
            .convs()
            .map(|(_, conv)| {
                let table = TruthTable::exact(case.network.scheme.wants_signed_table());
                let products =
                    ProductTable::new(&table, case.network.scheme, false, conv.input_zero_point).unwrap();
                ApproximateConv::uncompensated(conv, case.network.scheme, Arc::new(products))
            })
            .collect();
        let assignments = [("frugal", &case.convs), ("exact", &exact), ("again", &case.convs)];
        let points =
            assignments.map(|(name, convs)| OperatingPoint { name, convs, multipliers: &case.names });
        for (copy_tables_within_bytes, table_form) in [
            (None, TableForm::Smallest),
            (Some(usize::MAX), TableForm::Smallest),
            (None, TableForm::Fastest),
            (Some(usize::MAX), TableForm::Fastest),
        ] {
            let by_activation = ByActivation::Everywhere;
            let options =
                Options { table_form, by_activation, tables_only: seed % 2 == 0, copy_tables_within_bytes };
            let build = |points: &[OperatingPoint]| {
                image::build_points(&case.network, points, &options).unwrap().bytes
            };
            let together = build(&points);
            let alone: Vec<Vec<u8>> = points.iter().map(|&point| build(&[point])).collect();
            // A point that is there already costs its records only.
            let description = |image: &[u8]| u32::from_le_bytes(image[16..20].try_into().unwrap()) as usize;
            let sections = |image: &[u8]| image.len() - description(image).next_multiple_of(4);
            assert!(sections(&together) <= sections(&alone[0]) + sections(&alone[1]), "seed {seed}");

            let image = AlignedImage::new(&together);
            let network = image.load().unwrap();
            let mut arena = vec![0u32; network.arena_bytes().div_ceil(4)];
            assert_eq!(network.point_count(), 3);
            assert!(network.at_point(3).is_err());
            for index in [2, 0, 1, 0] {
                let network = network.at_point(index).unwrap();
                assert_eq!(network.point_name(), points[index].name);
                let mut logits = vec![0; network.output_len()];
                let arena = bytemuck::cast_slice_mut(&mut arena);
                network.infer(arena, &case.input, &mut logits, &mut Silent).unwrap();
                assert_eq!(run_on_runtime(&alone[index], &case.input), Ok(logits), "seed {seed}");
            }
        }
    }
}

fn corrupt(image: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = image.to_vec();
    match rng.random_range(0..4) {
        0 => {
            let at = rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << rng.random_range(0..8);
        }
        1 => bytes.truncate(rng.random_range(0..bytes.len())),
        2 => {
            let at = rng.random_range(0..bytes.len());
            let end = (at + rng.random_range(1..64)).min(bytes.len());
            rng.fill_bytes(&mut bytes[at..end]);
        }
        _ => {
            bytes = vec![0; rng.random_range(0..200)];
            rng.fill_bytes(&mut bytes);
        }
    }
    bytes
}

#[test]
fn ten_thousand_corruptions_are_all_refused() {
    let image = build(&case(1));
    let mut rng = ChaCha8Rng::seed_from_u64(10_000);
    let mut refused = 0;
    while refused < 10_000 {
        let bytes = corrupt(&image, &mut rng);
        if bytes == image {
            continue;
        }
        let corrupted = AlignedImage::new(&bytes);
        assert!(Network::load(corrupted.bytes()).is_err(), "a corrupted image was accepted");
        refused += 1;
    }
}

/// Behind a right checksum, the checks of the records themselves are on their own.
#[test]
fn corruptions_with_a_repaired_checksum_never_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(20_000);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..10_000u64 {
        let case = case(round % 50);
        let mut bytes = build(&case);
        let description = u32::from_le_bytes(bytes[16..20].try_into().unwrap()) as usize;
        // Mostly the description, where the structure is.
        let end = if round % 4 == 0 { bytes.len() } else { HEADER_BYTES + description };
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(16..end);
            bytes[at] = if rng.random() { rng.random() } else { bytes[at] ^ (1 << rng.random_range(0..8)) };
        }
        let sum = checksum(&bytes);
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
        match run_on_runtime(&bytes, &case.input) {
            Ok(_) => accepted += 1,
            Err(_) => refused += 1,
        }
    }
    // Weights and biases may change without making an image invalid; shapes may not.
    assert!(accepted > 100 && refused > 1000, "{accepted} accepted, {refused} refused");
}

#[test]
fn an_image_that_is_not_aligned_is_refused() {
    let image = build(&case(1));
    let mut words = vec![0u32; image.len() / 4 + 1];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    bytes[1..=image.len()].copy_from_slice(&image);
    assert_eq!(Network::load(&bytes[1..]).err(), Some(Error::Misaligned));
}
