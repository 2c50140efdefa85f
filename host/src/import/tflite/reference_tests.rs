//! Whole models from elsewhere, which are not part of the repository.

use super::tflite;
use crate::data::{self, Count, Preprocess, Request};
use crate::network::{FloatNetwork, argmax};
use std::path::{Path, PathBuf};

/// `$SKIMP_REFERENCE`, else `shared/reference` beside the repository.
fn reference(name: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference");
    let folder = std::env::var_os("SKIMP_REFERENCE").map_or_else(beside, PathBuf::from);
    folder.join("models").join(name)
}

#[test]
#[ignore = "needs the reference models; see .ci/run"]
fn resnet8_in_floats_is_as_accurate_as_published() {
    let network = tflite(&reference("resnet8_mlperf_tiny_float.tflite")).unwrap();
    assert_eq!(network.multiplications().iter().sum::<u64>(), 12_501_632);
    assert!(network.own_codes.is_none());
    let request = Request { test: Count::exactly(10_000), ..Request::default() };
    let test = data::open("cifar10", request, &|_| {}).unwrap().test;
    // Trained on pixels as they are, 0 to 255.
    let preprocess = Preprocess::new(&[], &[1.0 / 255.0], 3).unwrap();
    let float = FloatNetwork::new(&network).unwrap();
    let logits = float.run_each(10_000, |i, values| preprocess.fill(test.image(i), values)).unwrap();
    let right = logits.chunks(10).zip(&test.labels).filter(|(x, label)| argmax(x) == usize::from(**label));
    assert_eq!(right.count(), 8719);
}

#[test]
#[ignore = "needs the reference models; see .ci/run"]
fn models_in_8_bits_keep_their_codes() {
    for (name, multiplications) in
        [("resnet8_mlperf_tiny_int8.tflite", 12_501_632), ("dscnn_kws_mlperf_tiny_int8.tflite", 2_656_768)]
    {
        let network = tflite(&reference(name)).unwrap();
        assert_eq!(network.multiplications().iter().sum::<u64>(), multiplications, "{name}");
        assert!(network.own_codes.is_some(), "{name}");
    }
}

#[test]
#[ignore = "needs the reference models; see .ci/run"]
fn no_cut_of_a_real_model_makes_it_panic() {
    let file = std::fs::read(reference("dscnn_kws_mlperf_tiny_int8.tflite")).unwrap();
    for end in (0..file.len()).step_by(97).chain(file.len() - 64..file.len()) {
        let _ = super::from_bytes(&file[..end], "cut");
    }
    // Every byte of the tables is among the last ones, where converters put them.
    for at in (0..file.len()).step_by(11) {
        for value in [0, 0x80, 0xff] {
            let mut file = file.clone();
            file[at] = value;
            let _ = super::from_bytes(&file, "mutated");
        }
    }
}
