use super::from_bytes;
use super::testing::Attr::{Float, Int, Ints, Str, Tensor};
use super::testing::{Model, int_tensor};
use crate::network::{Activation, FloatNetwork, Network, Op, Shape};
use proptest::prelude::*;

fn import(model: Model, output: &str) -> Network {
    from_bytes(&model.bytes(output), "test").unwrap()
}

fn reason(model: Model, output: &str) -> String {
    from_bytes(&model.bytes(output), "test").unwrap_err().to_string()
}

fn run(network: &Network, image: &[f32]) -> Vec<f32> {
    FloatNetwork::new(network).unwrap().run(image).unwrap()
}

fn ops(network: &Network) -> Vec<&'static str> {
    network.nodes.iter().map(|node| node.op.name()).collect()
}

/// Whole numbers, so that sums are exact.
fn counting(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i % 7) as f32 - 3.0).collect()
}

/// `[batch, 2, 3, 3]` through a 2x2 convolution to 2 channels.
fn convolution(attrs: &[(&str, super::testing::Attr)]) -> Model {
    Model::new(&[-1, 2, 3, 3]).floats("w", &[2, 2, 2, 2], &counting(16)).node("Conv", &["x", "w"], "y", attrs)
}

#[test]
fn convolution_weights_and_images_change_axis_order() {
    let network = import(convolution(&[]), "y");
    let Op::Conv2d(conv) = &network.nodes[0].op else { panic!("{:?}", network.nodes[0]) };
    // [o][i][kh][kw] = w[8 o + 4 i + 2 kh + kw] becomes [o][kh][kw][i].
    let at = |o: usize, ky: usize, kx: usize, i: usize| counting(16)[8 * o + 4 * i + 2 * ky + kx];
    assert_eq!(&conv.weights[..4], &[at(0, 0, 0, 0), at(0, 0, 0, 1), at(0, 0, 1, 0), at(0, 0, 1, 1)]);
    assert_eq!(network.tensors[network.output].shape, Shape::new(2, 2, 2));
    assert_eq!(network.nodes[0].name, "y/node");
}

#[test]
fn auto_pad_puts_the_odd_pixel_where_it_says() {
    for (mode, before, after) in
        [("SAME_UPPER", [0, 0], [1, 1]), ("SAME_LOWER", [1, 1], [0, 0]), ("VALID", [0, 0], [0, 0])]
    {
        let network = import(convolution(&[("auto_pad", Str(mode))]), "y");
        let Op::Conv2d(conv) = &network.nodes[0].op else { panic!() };
        assert_eq!((conv.window.padding_before, conv.window.padding_after), (before, after), "{mode}");
    }
}

#[test]
fn batch_normalization_and_relu_melt_into_the_convolution() {
    let plain = import(convolution(&[]), "y");
    let model = convolution(&[])
        .floats("scale", &[2], &[2.0, -1.0])
        .floats("shift", &[2], &[0.5, 3.0])
        .floats("mean", &[2], &[1.0, -2.0])
        .floats("var", &[2], &[4.0, 0.25])
        .node("BatchNormalization", &["y", "scale", "shift", "mean", "var"], "z", &[("epsilon", Float(0.0))])
        .node("Relu", &["z"], "out", &[]);
    let network = import(model, "out");
    assert_eq!(ops(&network), ["Conv2d"]);
    assert_eq!(network.tensors[1].name, "out");
    let image = counting(18);
    let expected: Vec<f32> = run(&plain, &image)
        .chunks(2)
        .flat_map(|y| [(y[0] - 1.0) + 0.5, -(y[1] + 2.0) / 0.5 + 3.0])
        .map(|y| y.max(0.0))
        .collect();
    assert_eq!(run(&network, &image), expected);
}

#[test]
fn batch_normalization_needs_a_convolution_of_its_own() {
    let one = |model: Model| model.floats("one", &[2], &[1.0, 1.0]);
    let inputs = |x| [x, "one", "one", "one", "one"];
    let shared = one(convolution(&[])).node("BatchNormalization", &inputs("y"), "z", &[]).node(
        "Add",
        &["y", "z"],
        "out",
        &[],
    );
    assert!(reason(shared, "out").contains("nothing else reads"));
    let first = one(Model::new(&[1, 2, 3, 3])).node("BatchNormalization", &inputs("x"), "z", &[]);
    assert!(reason(first, "z").contains("right before it"));
}

#[test]
fn an_activation_is_fused_only_into_a_tensor_nobody_else_reads() {
    let model = convolution(&[])
        .node("Identity", &["y"], "same", &[])
        .node("Clip", &["same"], "clip", &[("min", Float(0.0)), ("max", Float(6.0))])
        .node("Add", &["y", "clip"], "sum", &[])
        .floats("low", &[], &[-1.0])
        .node("Clip", &["sum", "low", ""], "out", &[]);
    let network = import(model, "out");
    assert_eq!(ops(&network), ["Conv2d", "Activation", "Add"]);
    let clip = Activation::Clip { min: -1.0, max: f32::INFINITY };
    assert!(matches!(network.nodes[2].op, Op::Add(activation) if activation == clip));
}

#[test]
fn a_dense_layer_after_flatten_reads_the_right_pixels() {
    // Weights pick one feature: channel 1, row 0, column 2 of [2, 2, 3] in the file's order.
    let mut weights = [0.0; 12];
    weights[6 + 2] = 1.0;
    let image: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let pixel = image[2 * 2 + 1];
    let flatten = |op: &str, inputs: &[&str]| {
        Model::new(&[-1, 2, 2, 3])
            .ints("target", &[0, -1])
            .node(op, inputs, "flat", &[])
            .floats("w", &[12, 1], &weights)
            .floats("row", &[1, 12], &weights)
            .floats("b", &[1], &[0.5])
    };
    let models = [
        flatten("Flatten", &["x"]).node("MatMul", &["flat", "w"], "y", &[]).node(
            "Add",
            &["b", "y"],
            "z",
            &[],
        ),
        flatten("Reshape", &["x", "target"]).node("Gemm", &["flat", "w", "b"], "z", &[]),
        flatten("Flatten", &["x"]).node(
            "Gemm",
            &["flat", "row", "b"],
            "z",
            &[("transB", Int(1)), ("alpha", Float(2.0)), ("beta", Float(3.0))],
        ),
    ];
    let results = [pixel + 0.5, pixel + 0.5, 2.0 * pixel + 1.5];
    for (model, expected) in models.into_iter().zip(results) {
        let network = import(model, "z");
        assert_eq!(ops(&network), ["Flatten", "Conv2d"]);
        assert_eq!(run(&network, &image), [expected]);
    }
}

#[test]
fn tensorflow_order_needs_no_permutation() {
    let model = Model::new(&[1, 2, 3, 2])
        .node("Transpose", &["x"], "nchw", &[("perm", Ints(&[0, 3, 1, 2]))])
        .node("Relu", &["nchw"], "y", &[])
        .node("Transpose", &["y"], "nhwc", &[("perm", Ints(&[0, 2, 3, 1]))])
        .ints("target", &[1, 12])
        .node("Reshape", &["nhwc", "target"], "flat", &[])
        .floats("w", &[12, 1], &(0..12).map(|i| i as f32).collect::<Vec<_>>())
        .node("MatMul", &["flat", "w"], "out", &[]);
    let network = import(model, "out");
    assert_eq!(network.tensors[network.input].shape, Shape::new(2, 3, 2));
    assert_eq!(run(&network, &[1.0; 12]), [66.0]);
    let Op::Conv2d(dense) = &network.nodes[2].op else { panic!() };
    assert_eq!(dense.weights[5], 5.0);
}

#[test]
fn pooling_means_and_squeezing_give_channels() {
    let pooled = |model: Model| {
        model.floats("w", &[2, 1], &[1.0, 10.0]).node("MatMul", &["flat", "w"], "out", &[]).node(
            "Softmax",
            &["out"],
            "p",
            &[("axis", Int(1))],
        )
    };
    let input = || Model::new(&[1, 2, 4, 4]);
    let models = [
        input().node("GlobalAveragePool", &["x"], "y", &[]).node(
            "Squeeze",
            &["y"],
            "flat",
            &[("axes", Ints(&[2, 3]))],
        ),
        input().node("ReduceMean", &["x"], "flat", &[("axes", Ints(&[-1, 2])), ("keepdims", Int(0))]),
        input()
            .node(
                "AveragePool",
                &["x"],
                "y",
                &[("kernel_shape", Ints(&[2, 2])), ("strides", Ints(&[2, 2])), ("ceil_mode", Int(1))],
            )
            .node("Dropout", &["y"], "z", &[])
            .node("GlobalAveragePool", &["z"], "g", &[])
            .node("Flatten", &["g"], "flat", &[]),
    ];
    for model in models {
        let network = import(pooled(model), "p");
        let image: Vec<f32> = (0..32).map(|i| if i % 2 == 0 { 3.0 } else { (i / 2) as f32 }).collect();
        assert_eq!(run(&network, &image), [3.0 + 75.0]);
        assert_eq!(network.tensors[network.output].name, "out");
    }
}

#[test]
fn option_a_shortcuts_become_slice_and_pad() {
    // As torch writes them: the pads come out of a chain of constant operators.
    let model = Model::new(&[-1, 2, 4, 4])
        .node("Constant", &[], "zeros2", &[("value", Tensor(&int_tensor(&[2, 2])))])
        .node("Slice", &["x", "from", "to", "axes", "step"], "small", &[])
        .ints("from", &[0, 1])
        .ints("to", &[i64::MAX, 4])
        .ints("axes", &[2, -1])
        .ints("step", &[2, 2])
        // Torch order: pairs from the last axis on, [0, 0, 0, 0, 1, 1] and zeros for the batch.
        .ints("given", &[0, 0, 0, 0, 1, 1])
        .ints("two", &[2])
        .node("ConstantOfShape", &["two"], "rest", &[("value", Tensor(&int_tensor(&[0])))])
        .node("Concat", &["given", "rest"], "all", &[("axis", Int(0))])
        .ints("pairs", &[-1, 2])
        .node("Reshape", &["all", "pairs"], "table", &[])
        .ints("last", &[-1])
        .ints("lowest", &[i64::MIN])
        .ints("zero", &[0])
        .node("Slice", &["table", "last", "lowest", "zero", "last"], "turned", &[])
        .node("Transpose", &["turned"], "columns", &[("perm", Ints(&[1, 0]))])
        .node("Reshape", &["columns", "last"], "flat", &[])
        .node("Cast", &["flat"], "pads", &[("to", Int(7))])
        .node("Pad", &["small", "pads"], "out", &[("mode", Str("constant"))]);
    let network = import(model, "out");
    assert_eq!(ops(&network), ["Slice", "Pad"]);
    assert_eq!(network.tensors[network.output].shape, Shape::new(2, 2, 4));
    let image: Vec<f32> = (1..33).map(|i| i as f32).collect();
    let corner = 2.0 * (2.0 * 4.0 + 3.0) + 1.0;
    assert_eq!(run(&network, &image)[12..], [0.0, corner, corner + 1.0, 0.0]);
}

#[test]
fn view_through_shape_gather_and_concat() {
    let model = Model::new(&[8, 3, 1, 1])
        .node("Shape", &["x"], "shape", &[])
        .node("Constant", &[], "first", &[("value_int", Int(0))])
        .node("Gather", &["shape", "first"], "batch", &[])
        .ints("zero", &[0])
        .node("Unsqueeze", &["batch", "zero"], "batch1", &[])
        .ints("open", &[-1])
        .node("Concat", &["batch1", "open"], "target", &[("axis", Int(0))])
        .node("Reshape", &["x", "target"], "flat", &[])
        .floats("w", &[3, 1], &[1.0, 2.0, 3.0])
        .node("MatMul", &["flat", "w"], "y", &[]);
    let network = import(model, "y");
    assert_eq!(run(&network, &[1.0, 1.0, 1.0]), [6.0]);
}

#[test]
fn errors_name_the_node_and_what_is_supported() {
    let message = reason(Model::new(&[1, 1, 2, 2]).node("Elu", &["x"], "y", &[]), "y");
    assert!(message.starts_with("test: node \"y/node\" (Elu): is not supported"), "{message}");
    assert!(message.contains("GlobalAveragePool"), "{message}");

    let input = || Model::new(&[1, 2, 3, 3]);
    let two = Ints(&[2, 2]);
    let cases = [
        (convolution(&[("dilations", Ints(&[2, 2]))]), "dilations"),
        (convolution(&[("group", Int(2))]), "groups"),
        (convolution(&[("group", Int(-1))]), "groups"),
        (convolution(&[("strides", Ints(&[0, 1]))]), "at least 1"),
        (convolution(&[("pads", Ints(&[0, 0, 0]))]), "not four"),
        (convolution(&[("pads", Ints(&[0, 0, 0, i64::MAX]))]), "not supported"),
        (convolution(&[("pads", Ints(&[65536, 65536, 0, 0]))]), "too large"),
        (convolution(&[("auto_pad", Int(1))]), "wrong type"),
        (input().node("Conv", &["x", "w"], "y", &[]), "reads \"w\", which nothing"),
        (input().node("Conv", &["x"], "y", &[]), "input 1 is missing"),
        (input().floats("w", &[1, 2, 4, 4], &[0.0; 32]).node("Conv", &["x", "w"], "y", &[]), "does not fit"),
        (input().floats("w", &[2, 3, 1, 1], &[0.0; 5]).node("Conv", &["x", "w"], "y", &[]), "5 elements"),
        (input().node("MaxPool", &["x"], "y", &[]), "kernel_shape"),
        (
            input().node("MaxPool", &["x"], "y", &[("kernel_shape", two), ("pads", Ints(&[2, 2, 2, 2]))]),
            "smaller than the kernel",
        ),
        (
            input().node(
                "AveragePool",
                &["x"],
                "y",
                &[("kernel_shape", Ints(&[3, 3])), ("pads", Ints(&[1, 1, 1, 1]))],
            ),
            "count_include_pad",
        ),
        (input().ints("r", &[1, 7]).node("Reshape", &["x", "r"], "y", &[]), "can't reshape"),
        (input().ints("r", &[1, 9, 2]).node("Reshape", &["x", "r"], "y", &[]), "[batch, features]"),
        (input().node("Softmax", &["x"], "y", &[]), "one pixel"),
        (input().node("Flatten", &["x"], "y", &[]), "flattened image"),
        (input().node("Relu", &["x"], "x", &[]), "exists already"),
        (input().floats("c", &[2, 2], &[0.0; 4]).node("Add", &["x", "c"], "y", &[]), "per channel"),
        (
            input().ints("p", &[0, 0, -1, 0, 0, 0, 0, 0]).node("Pad", &["x", "p"], "y", &[]),
            "a pad of -1 is not supported",
        ),
    ];
    for (model, expected) in cases {
        let output = model.0.node[0].output[0].clone();
        let message = reason(model, &output);
        assert!(message.contains(expected), "\"{message}\" lacks \"{expected}\"");
    }
}

#[test]
fn models_must_be_of_one_image_and_one_output() {
    assert!(reason(Model::new(&[1, -1, 2, 2]).node("Relu", &["x"], "y", &[]), "y").contains("must be fixed"));
    assert!(reason(Model::new(&[1, 2, 2]).node("Relu", &["x"], "y", &[]), "y").contains("3 dimensions"));
    assert!(reason(Model::new(&[1, 1, 2, 2]), "x").contains("no layer computes"));
    assert!(reason(Model::new(&[1, 1, 2, 2]), "z").contains("no layer computes"));
    let huge = Model::new(&[1, i64::MAX, i64::MAX, 2]).node("Relu", &["x"], "y", &[]);
    assert!(reason(huge, "y").contains("too large"));
    let mut two = Model::new(&[1, 1, 2, 2]).node("Relu", &["x"], "y", &[]);
    two.0.input.push(Default::default());
    assert!(reason(two, "y").contains("2 inputs"));
}

#[test]
fn constants_can_not_be_blown_up() {
    let mut model = Model::new(&[1, 1, 2, 2]).ints("c0", &[0; 4]);
    for i in 0..40 {
        let part = format!("c{i}");
        model = model.node("Concat", &[&part, &part], &format!("c{}", i + 1), &[("axis", Int(0))]);
    }
    assert!(reason(model.node("Pad", &["x", "c40"], "y", &[]), "y").contains("too large"));
    let shape = Model::new(&[1, 1, 2, 2]).ints("s", &[1 << 40, 1 << 40]);
    let model = shape.node("ConstantOfShape", &["s"], "c", &[]).node("Pad", &["x", "c"], "y", &[]);
    assert!(reason(model, "y").contains("too large"));
}

/// A file that uses many operators.
fn rich() -> Vec<u8> {
    convolution(&[("pads", Ints(&[1, 1, 0, 0])), ("strides", Ints(&[1, 1]))])
        .node("Relu", &["y"], "a", &[])
        .ints("pads", &[0, 1, 0, 0, 0, 1, 0, 0])
        .node("Pad", &["a", "pads"], "b", &[])
        .node("GlobalAveragePool", &["b"], "c", &[])
        .ints("target", &[0, -1])
        .node("Reshape", &["c", "target"], "d", &[])
        .floats("w2", &[4, 2], &counting(8))
        .node("MatMul", &["d", "w2"], "e", &[])
        .bytes("e")
}

#[test]
fn every_cut_of_a_file_is_an_error() {
    let bytes = rich();
    from_bytes(&bytes, "test").unwrap();
    for end in 0..bytes.len() {
        let message = from_bytes(&bytes[..end], "cut.onnx").unwrap_err().to_string();
        assert!(message.starts_with("cut.onnx: "), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = from_bytes(&bytes, "test");
    }

    #[test]
    fn damaged_files_never_panic(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = rich();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        // A damaged side may make a network that is valid but large.
        let is_small = |network: &Network| {
            network.tensors.iter().all(|tensor| tensor.shape.elements() < 10_000)
                && network.multiplications().iter().sum::<u64>() < 1_000_000
        };
        if let Some(network) = from_bytes(&bytes, "test").ok().filter(is_small) {
            let float = FloatNetwork::new(&network).unwrap();
            let _ = float.run(&vec![1.0; float.input().elements()]).unwrap();
        }
    }
}
