//! Oracle = emulator = runtime, on random networks with random multipliers, and images that were tampered
//! with are refused or at least never panic.

mod common;

use common::random::{Case, case};
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skimp::emulate::{Emulator, oracle};
use skimp::execute::AlignedImage;
use skimp::image;
use skimp_runtime::image::{HEADER_BYTES, checksum};
use skimp_runtime::{Error, Network, Silent};

fn run_on_runtime(image: &[u8], input: &[u8]) -> Result<Vec<i32>, Error> {
    let image = AlignedImage::new(image);
    let network = Network::load(image.bytes())?;
    let mut arena = vec![0xa5; network.arena_bytes()];
    let mut logits = vec![0; network.output_len()];
    // A tampered image may ask for another input size.
    let mut input = input.to_vec();
    input.resize(network.input_bytes(), 0);
    network.infer(&mut arena, &input, &mut logits, &mut Silent)?;
    Ok(logits)
}

fn build(case: &Case) -> Vec<u8> {
    image::build(&case.network, &case.convs, &case.names).unwrap().bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn oracle_emulator_and_runtime_agree(seed in any::<u64>()) {
        let case = case(seed);
        let uses: Vec<oracle::Use> = case.uses();
        let want = oracle::run(&case.network, &uses, &case.convs, &case.input);
        let emulator = Emulator::new(&case.network, &case.convs).unwrap();
        prop_assert_eq!(&emulator.run(&case.input), &want);
        prop_assert_eq!(run_on_runtime(&build(&case), &case.input), Ok(want));
    }
}

#[test]
fn every_kind_of_table_and_layer_occurs_in_the_random_networks() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let image = AlignedImage::new(&build(&case(seed)));
        let network = image.load().unwrap();
        seen.extend(network.tables().map(|t| format!("{:?}", t.entry)));
        for layer in network.layers() {
            let op = format!("{:?}", layer.op);
            seen.insert(op[..op.find(['(', ' ']).unwrap()].to_owned());
            if let skimp_runtime::image::Op::Conv2d(conv) = layer.op {
                seen.insert(format!("{:?}", conv.weight_coding));
                seen.insert(if conv.groups > 1 { "groups" } else { "no groups" }.into());
            }
        }
    }
    let wanted = [
        "Add",
        "AveragePool",
        "Conv2d",
        "I16",
        "I32",
        "MaxPool",
        "Pad",
        "Row",
        "SignedRow",
        "Slice",
        "U16",
        "groups",
    ];
    for kind in wanted {
        assert!(seen.contains(kind), "{kind} is missing among {seen:?}");
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
