//! Whole models from elsewhere, which are not part of the repository.

use super::onnx;
use crate::data::{self, Count, Preprocess, Request};
use crate::network::{FloatNetwork, Op, argmax};
use std::path::{Path, PathBuf};

/// `$SKIMP_REFERENCE`, else `shared/reference` beside the repository.
fn reference(name: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference");
    let folder = std::env::var_os("SKIMP_REFERENCE").map_or_else(beside, PathBuf::from);
    folder.join("models").join(name)
}

#[test]
#[ignore = "needs the reference models; see .ci/run"]
fn resnet20_with_and_without_batch_normalization() {
    let request = Request { test: Count::exactly(1000), ..Request::default() };
    let test = data::open("cifar10", request, &|_| {}).unwrap().test;
    let preprocess = Preprocess::new(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225], 3).unwrap();
    let logits = ["resnet20_cifar10.onnx", "resnet20_cifar10_bn.onnx"].map(|name| {
        let network = onnx(&reference(name)).unwrap();
        assert_eq!(network.multiplications().iter().sum::<u64>(), 40_551_040);
        // Nothing is left to fuse.
        assert!(network.nodes.iter().all(|node| !matches!(node.op, Op::Activation(_))));
        assert_eq!(network.nodes.iter().filter(|node| matches!(node.op, Op::Pad { .. })).count(), 2);
        let float = FloatNetwork::new(&network).unwrap();
        float.run_each(1000, |i, values| preprocess.fill(test.image(i), values)).unwrap()
    });
    for logits in &logits {
        let right =
            logits.chunks(10).zip(&test.labels).filter(|(x, label)| argmax(x) == usize::from(**label));
        assert_eq!(right.count(), 915);
        // What the rten runtime gives for the first test image.
        for (x, expected) in logits.iter().zip([-5.309681, -0.4957694, 0.8772497]) {
            assert!((x - expected).abs() < 1e-4, "{x} instead of {expected}");
        }
    }
    assert!(logits[0].iter().zip(&logits[1]).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
#[ignore = "needs the reference models; see .ci/run"]
fn resnet8_in_8_bits_has_the_same_codes_as_the_file_it_was_made_of() {
    let network = onnx(&reference("resnet8_mlperf_tiny_int8_qdq.onnx")).unwrap();
    let original = crate::import::tflite(&reference("resnet8_mlperf_tiny_int8.tflite")).unwrap();
    let sorted = |network: &crate::network::Network| {
        let own = network.own_codes.as_ref().unwrap();
        let mut convs: Vec<_> =
            own.convs.iter().flatten().map(|c| (c.bias.clone(), c.weights.clone())).collect();
        convs.sort();
        convs
    };
    assert_eq!(sorted(&network), sorted(&original));
}
