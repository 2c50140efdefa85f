//! Small ONNX files for tests.

use rten_onnx::onnx::*;
use std::cell::RefCell;

/// A model being put together.
#[derive(Default)]
pub(super) struct Model(pub(super) GraphProto);

/// An attribute's value.
pub(super) enum Attr<'a> {
    Int(i64),
    Float(f32),
    Ints(&'a [i64]),
    Str(&'a str),
    Tensor(&'a TensorProto),
}

impl Model {
    /// A model with one float input `x`; -1 is a symbolic side.
    pub(super) fn new(input: &[i64]) -> Self {
        let dim = input
            .iter()
            .map(|&side| match side {
                -1 => Dimension { dim_value: None, dim_param: Some("batch".into()) },
                side => Dimension { dim_value: Some(side), dim_param: None },
            })
            .collect();
        let shape = Some(TensorShapeProto { dim });
        let tensor_type = Some(TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape });
        let kind = Some(TypeProto { tensor_type, sequence: None });
        let input = vec![ValueInfoProto { name: Some("x".into()), r#type: kind }];
        Model(GraphProto { input, ..Default::default() })
    }

    /// Adds a node that writes `output`; its name is the output's with "/node" behind it.
    pub(super) fn node(mut self, op: &str, inputs: &[&str], output: &str, attrs: &[(&str, Attr)]) -> Self {
        let attribute = attrs.iter().map(|(name, value)| attribute(name, value)).collect();
        self.0.node.push(NodeProto {
            name: Some(format!("{output}/node")),
            input: inputs.iter().map(|&name| name.into()).collect(),
            output: vec![output.into()],
            op_type: Some(op.into()),
            attribute,
            ..Default::default()
        });
        self
    }

    /// Adds float weights as raw data.
    pub(super) fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        let raw = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.0.initializer.push(TensorProto {
            name: Some(name.into()),
            dims: dims.to_vec(),
            data_type: Some(DataType::FLOAT),
            raw_data: Some(RefCell::new(raw)),
            ..Default::default()
        });
        self
    }

    /// Adds bytes, `UINT8` or `INT8`, as raw data.
    pub(super) fn codes(mut self, name: &str, kind: DataType, dims: &[i64], values: &[i8]) -> Self {
        self.0.initializer.push(TensorProto {
            name: Some(name.into()),
            dims: dims.to_vec(),
            data_type: Some(kind),
            raw_data: Some(RefCell::new(values.iter().map(|&x| x as u8).collect())),
            ..Default::default()
        });
        self
    }

    /// Makes the input one of bytes.
    pub(super) fn taking(mut self, kind: DataType) -> Self {
        let input = self.0.input[0].r#type.as_mut().and_then(|kind| kind.tensor_type.as_mut());
        input.unwrap().elem_type = Some(kind);
        self
    }

    /// Adds a list of integers.
    pub(super) fn ints(mut self, name: &str, values: &[i64]) -> Self {
        self.0.initializer.push(TensorProto { name: Some(name.into()), ..int_tensor(values) });
        self
    }

    /// The file's bytes, with `output` as the model's output.
    pub(super) fn bytes(mut self, output: &str) -> Vec<u8> {
        self.0.output.push(ValueInfoProto { name: Some(output.into()), r#type: None });
        let model = ModelProto { ir_version: Some(8), graph: Some(self.0), ..Default::default() };
        model.write_buf().unwrap()
    }
}

/// A list of integers as a tensor.
pub(super) fn int_tensor(values: &[i64]) -> TensorProto {
    TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(DataType::INT64),
        int64_data: values.to_vec(),
        ..Default::default()
    }
}

fn attribute(name: &str, value: &Attr) -> AttributeProto {
    let named = AttributeProto { name: Some(name.into()), ..Default::default() };
    match value {
        Attr::Int(i) => AttributeProto { i: Some(*i), r#type: Some(AttributeType::INT), ..named },
        Attr::Float(f) => AttributeProto { f: Some(*f), r#type: Some(AttributeType::FLOAT), ..named },
        Attr::Ints(list) => {
            AttributeProto { ints: list.to_vec(), r#type: Some(AttributeType::INTS), ..named }
        }
        Attr::Str(s) => AttributeProto { s: Some((*s).into()), r#type: Some(AttributeType::STRING), ..named },
        Attr::Tensor(t) => {
            AttributeProto { t: Some((*t).clone()), r#type: Some(AttributeType::TENSOR), ..named }
        }
    }
}
