use super::from_bytes;
use super::testing::{FLOAT32, INT8, INT32, Model, Table};
use crate::network::{Activation, FloatNetwork, Network, Op, Shape, TensorCoding};

/// Options of a convolution, a depthwise one or pooling: padding and strides.
fn window(padding: u8, stride: i32) -> Table {
    Table::default().u8(0, padding).i32(1, stride).i32(2, stride)
}

/// Two convolutions, one depthwise, a sum, a mean and a dense layer, all in 8 bits.
fn coded() -> Model {
    let mut m = Model::default();
    let x = m.coded(&[1, 4, 4, 2], 0.5, -128);
    let weights: Vec<u8> = (0..3 * 9 * 2).map(|i| (i * 37 % 255) as u8 ^ 0x80).collect();
    let w = m.tensor(&[3, 3, 3, 2], INT8, &weights, Some((&[0.25, 0.5, 1.0], 0, 0)));
    let b = m.tensor(
        &[3],
        INT32,
        &[1, 0, 0, 0, 254, 255, 255, 255, 7, 0, 0, 1],
        Some((&[0.125, 0.25, 0.5], 0, 0)),
    );
    let y = m.coded(&[1, 2, 2, 3], 0.75, 3);
    m.operator(3, &[x, w, b], y, Some((1, window(0, 2).u8(3, 1))));
    let depthwise: Vec<u8> = (0..12).collect();
    let d = m.tensor(&[1, 2, 2, 3], INT8, &depthwise, Some((&[0.25, 0.5, 1.0], 0, 3)));
    let z = m.coded(&[1, 2, 2, 3], 0.125, 0);
    m.operator(4, &[y, d, -1], z, Some((2, window(0, 1).i32(3, 1).u8(4, 3))));
    let s = m.coded(&[1, 2, 2, 3], 1.5, -5);
    m.operator(0, &[y, z], s, Some((11, Table::default())));
    let axes = m.ints(&[2], &[1, -2]);
    let mean = m.coded(&[1, 3], 1.5, -5);
    m.operator(40, &[s, axes], mean, None);
    let f = m.tensor(&[2, 3], INT8, &[1, 2, 3, 255, 0, 128], Some((&[0.5], 0, 0)));
    let logits = m.coded(&[1, 2], 2.0, 1);
    m.operator(9, &[mean, f], logits, Some((8, Table::default())));
    let soft = m.coded(&[1, 2], 1.0 / 256.0, -128);
    m.operator(25, &[logits], soft, None);
    (m.inputs, m.outputs) = (vec![x], vec![soft]);
    m
}

fn import(model: &Model) -> Network {
    from_bytes(&model.bytes(), "net.tflite").unwrap()
}

fn message(model: &Model) -> String {
    from_bytes(&model.bytes(), "net.tflite").unwrap_err().to_string()
}

#[test]
fn a_model_in_8_bits_keeps_its_codes() {
    let network = import(&coded());
    let own = network.own_codes.as_ref().unwrap();
    assert_eq!(own.tensors[network.input], TensorCoding { scale: 0.5, zero_point: -128 });
    assert_eq!(own.tensors[network.output], TensorCoding { scale: 2.0, zero_point: 1 });
    let Op::Conv2d(first) = &network.nodes[0].op else { panic!() };
    let codes = own.convs[0].as_ref().unwrap();
    assert_eq!(codes.bias, [1, -2, 0x0100_0007]);
    assert_eq!((codes.weight_scales.as_slice(), first.activation), (&[0.25, 0.5, 1.0][..], Activation::Relu));
    assert_eq!(first.weights[18], f32::from(codes.weights[18]) * 0.5);
    // 4 pixels by strides of 2 and a kernel of 3: one pixel of padding, at the end.
    assert_eq!((first.window.padding_before, first.window.padding_after), ([0, 0], [1, 1]));
    let Op::Conv2d(second) = &network.nodes[1].op else { panic!() };
    assert_eq!((second.groups, second.activation), (3, Activation::Clip { min: 0.0, max: 6.0 }));
    assert_eq!(own.convs[1].as_ref().unwrap().weights, [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
    assert_eq!(second.weights[4..6], [0.5, 2.0]);
    assert_eq!(own.convs[4].as_ref().unwrap().weights, [1, 2, 3, -1, 0, -128]);
    assert_eq!(network.tensors[network.output].shape, Shape::new(1, 1, 2));
    assert_eq!(network.nodes[0].name, "t3");
}

#[test]
fn floats_come_in_without_codes_and_may_have_weights_in_8_bits() {
    for kind in [FLOAT32, INT8] {
        let mut m = Model::default();
        let x = m.tensor(&[1, 2, 2, 1], FLOAT32, &[], None);
        let w = match kind {
            FLOAT32 => m.floats(&[1, 4], &[1.0, 0.0, -1.0, 2.0]),
            _ => m.tensor(&[1, 4], INT8, &[2, 0, 254, 4], Some((&[0.5], 0, 0))),
        };
        let b = m.floats(&[1], &[0.5]);
        let y = m.tensor(&[1, 1], FLOAT32, &[], None);
        m.operator(9, &[x, w, b], y, None);
        (m.inputs, m.outputs) = (vec![x], vec![y]);
        let network = import(&m);
        assert!(network.own_codes.is_none());
        assert_eq!(FloatNetwork::new(&network).unwrap().run(&[1.0, 2.0, 3.0, 4.0]).unwrap(), [6.5]);
    }
}

#[test]
fn floats_at_the_ends_of_a_model_in_8_bits_do_not_matter() {
    let mut m = Model::default();
    let pixels = m.tensor(&[1, 4], FLOAT32, &[], None);
    let x = m.coded(&[1, 4], 0.5, -3);
    m.operator(114, &[pixels], x, None);
    let square = m.coded(&[1, 2, 2, 1], 0.5, -3);
    m.operator(22, &[x], square, None);
    let y = m.coded(&[1, 1, 1, 1], 0.5, -3);
    m.operator(17, &[square], y, Some((5, window(1, 1).i32(3, 2).i32(4, 2))));
    let coarser = m.coded(&[1, 1, 1, 1], 1.0, -3);
    m.operator(114, &[y], coarser, None);
    let soft = m.coded(&[1, 1, 1, 1], 0.1, 0);
    m.operator(25, &[coarser], soft, None);
    let softer = m.coded(&[1, 1, 1, 1], 0.2, 0);
    m.operator(114, &[soft], softer, None);
    let out = m.tensor(&[1, 1, 1, 1], FLOAT32, &[], None);
    m.operator(6, &[softer], out, None);
    (m.inputs, m.outputs) = (vec![pixels], vec![out]);
    let network = import(&m);
    let names: Vec<&str> = network.nodes.iter().map(|node| node.op.name()).collect();
    assert_eq!(names, ["MaxPool", "Activation"]);
    assert_eq!(network.tensors[network.input].shape, Shape::new(2, 2, 1));
    assert_eq!(network.own_codes.unwrap().tensors[2], TensorCoding { scale: 1.0, zero_point: -3 });
}

#[test]
fn what_is_not_supported_is_named_with_the_operator() {
    let mut m = Model::default();
    let x = m.coded(&[1, 2, 2, 1], 1.0, 0);
    let y = m.coded(&[1, 2, 2, 1], 1.0, 0);
    (m.inputs, m.outputs) = (vec![x], vec![y]);
    let with = |builtin: i32, inputs: &[i32], options: Option<(u8, Table)>| {
        let mut m = m.clone();
        m.operator(builtin, inputs, y, options);
        message(&m)
    };
    let logistic = with(14, &[x], None);
    assert!(
        logistic.starts_with("net.tflite: node \"operator 0, t1\" (LOGISTIC): is not supported; the supp"),
        "{logistic}"
    );
    assert!(with(0, &[x, 7], None).contains("7"));
    assert!(with(0, &[x, -1], None).contains("input 1 is missing"));
    assert!(with(0, &[x, y], None).contains("nothing before it computes"));
    assert!(with(0, &[x, x], Some((1, Table::default()))).contains("options of another"));
    assert!(with(0, &[x, x], Some((11, Table::default().u8(0, 4)))).contains("activation 4"));
    assert!(with(17, &[x], None).contains("no options"));
    assert!(with(17, &[x], Some((5, window(1, 1)))).contains("kernel of [0, 0]"));
    assert!(with(17, &[x], Some((5, window(1, 0)))).contains("stride of 0"));
    assert!(with(1, &[x], Some((5, window(0, 1).i32(3, 2).i32(4, 2)))).contains("VALID"));
    assert!(with(17, &[x], Some((5, window(1, 1).i32(3, 2).i32(4, 2)))).contains("file says"));
    assert!(message(&m).contains("no operator computes"));
    m.inputs = vec![x, x];
    assert!(message(&m).contains("2 inputs"));
}

#[test]
fn kinds_and_scales_that_do_not_fit_are_refused() {
    let layer = |input: (u8, f32), zero_point: i64, bias_scale: f32, weights: (u8, i64, &[f32])| {
        let mut m = Model::default();
        let x = m.tensor(&[1, 2], input.0, &[], Some((&[input.1], zero_point, 0)));
        let w = m.tensor(&[2, 2], weights.0, &[1, 2, 3, 4], Some((weights.2, weights.1, 0)));
        let b = m.tensor(&[2], INT32, &[0; 8], Some((&[bias_scale], 0, 0)));
        let y = m.coded(&[1, 2], 1.0, 0);
        m.operator(9, &[x, w, b], y, None);
        (m.inputs, m.outputs) = (vec![x], vec![y]);
        from_bytes(&m.bytes(), "net.tflite").map_or_else(|error| error.to_string(), |_| "fine".into())
    };
    assert_eq!(layer((INT8, 0.5), 127, 0.25, (INT8, 0, &[0.5])), "fine");
    for (message, expected) in [
        (layer((3, 0.5), 0, 0.25, (INT8, 0, &[0.5])), "elements of uint8; convert"),
        (layer((INT8, f32::NAN), 0, 0.25, (INT8, 0, &[0.5])), "scale of NaN"),
        (layer((INT8, 0.5), 128, 0.25, (INT8, 0, &[0.5])), "zero point of 128"),
        (layer((INT8, 0.5), 0, 0.3, (INT8, 0, &[0.5])), "biases have a scale of 0.3"),
        (layer((INT8, 0.5), 0, 0.25, (INT8, 1, &[0.5])), "zero point other than 0"),
        (layer((INT8, 0.5), 0, 0.25, (INT8, 0, &[0.0])), "scale of 0"),
        (layer((INT8, 0.5), 0, 0.25, (INT8, 0, &[0.5; 3])), "3 scales"),
        (layer((INT8, 0.5), 0, 0.25, (1, 0, &[0.5])), "float16"),
        (layer((INT8, 0.5), 0, 0.25, (FLOAT32, 0, &[])), "not 4 for each"),
    ] {
        assert!(message.contains(expected), "\"{message}\" lacks \"{expected}\"");
    }
}

#[test]
fn no_cut_and_no_changed_byte_makes_it_panic() {
    let file = coded().bytes();
    for end in 0..file.len() {
        // Where only data at the end is cut, or none that is read, a network is as good as an error.
        let _ = from_bytes(&file[..end], "cut");
    }
    for at in 0..file.len() {
        for value in [0, 1, 2, 0x7f, 0x80, 0xff, file[at].wrapping_add(1), file[at] ^ 0x10] {
            let mut file = file.clone();
            file[at] = value;
            let _ = from_bytes(&file, "mutated");
        }
    }
    assert!(from_bytes(b"", "x").unwrap_err().to_string().starts_with("x: not a TensorFlow Lite model"));
}
