//! The tables of a TensorFlow Lite file, as far as they are read.
//!
//! Field numbers are those of `schema.fbs`, version 3
//! (github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs).

use super::flatbuffer::{Table, Vector};

/// Most operators and tensors a model may have. Networks for microcontrollers have a few hundred.
const MAX_PARTS: usize = 1 << 14;

/// The first subgraph of a model.
pub(super) struct Model<'a> {
    operator_codes: Vector<'a, 4>,
    buffers: Vector<'a, 4>,
    tensors: Vector<'a, 4>,
    operators: Vector<'a, 4>,
    /// The tensors that the graph takes.
    pub(super) inputs: Vec<usize>,
    /// The tensors that the graph gives.
    pub(super) outputs: Vec<usize>,
}

/// The types of elements that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float32,
    Int8,
    Int32,
    /// Any other, by its number.
    Other(u8),
}

/// A tensor of the file.
pub(super) struct Tensor<'a> {
    pub(super) name: String,
    /// The batch first, then ours in our order.
    pub(super) dims: Vec<usize>,
    pub(super) kind: Kind,
    /// Its elements if it is constant, else empty.
    pub(super) data: &'a [u8],
    /// One for all, one a channel, or none.
    pub(super) scales: Vec<f32>,
    /// As many as scales.
    pub(super) zero_points: Vec<i64>,
    /// The dimension that has a scale for each element, if there are several scales.
    pub(super) channel_dimension: i32,
}

/// An operator of the file.
pub(super) struct Operator<'a> {
    /// Number in the list of builtin operators.
    pub(super) builtin: i32,
    /// Name of an operator that is no builtin one.
    pub(super) custom: String,
    /// Tensors read; `None` where an optional one is left out.
    pub(super) inputs: Vec<Option<usize>>,
    /// Tensors written.
    pub(super) outputs: Vec<usize>,
    /// Which table the options are.
    options_kind: u8,
    options: Option<Table<'a>>,
}

impl<'a> Model<'a> {
    /// The model in `file`.
    pub(super) fn read(file: &'a [u8]) -> Result<Model<'a>, String> {
        let root = Table::root(file, b"TFL3")?;
        let subgraphs = root.vector::<4>(2)?;
        if subgraphs.len() != 1 {
            return Err(format!("it has {} graphs instead of one", subgraphs.len()));
        }
        let graph = subgraphs.table(0)?;
        let model = Model {
            operator_codes: root.vector(1)?,
            buffers: root.vector(4)?,
            tensors: graph.vector(0)?,
            operators: graph.vector(3)?,
            inputs: indices(graph.vector(1)?)?,
            outputs: indices(graph.vector(2)?)?,
        };
        for (what, count) in [("tensors", model.tensors.len()), ("operators", model.operators.len())] {
            if count > MAX_PARTS {
                return Err(format!("it has {count} {what}; up to {MAX_PARTS} are read"));
            }
        }
        Ok(model)
    }

    /// Number of operators.
    pub(super) fn operators(&self) -> usize {
        self.operators.len()
    }

    /// Operator `i`.
    pub(super) fn operator(&self, i: usize) -> Result<Operator<'a>, String> {
        let table = self.operators.table(i)?;
        let code = self.operator_codes.table(table.u32(0, 0)? as usize)?;
        // Numbers beyond 127 have a field of their own; writers fill both, old ones only the first.
        let builtin = i32::from(code.u8(0, 0)?).max(code.i32(3, 0)?);
        let inputs = table.vector::<4>(1)?;
        Ok(Operator {
            builtin,
            custom: code.string(1)?,
            inputs: few(inputs)?.map(|id| usize::try_from(id).ok()).collect(),
            outputs: indices(table.vector(2)?)?,
            options_kind: table.u8(3, 0)?,
            options: table.table(4)?,
        })
    }

    /// Tensor `id`.
    pub(super) fn tensor(&self, id: usize) -> Result<Tensor<'a>, String> {
        let table = self.tensors.table(id)?;
        let name = table.string(3)?;
        let dims: Result<Vec<usize>, String> = few(table.vector(0)?)?
            .map(|side| usize::try_from(side).map_err(|_| format!("tensor \"{name}\" has a side of {side}")))
            .collect();
        let mut tensor = Tensor {
            dims: dims?,
            kind: match table.u8(1, 0)? {
                0 => Kind::Float32,
                2 => Kind::Int32,
                9 => Kind::Int8,
                other => Kind::Other(other),
            },
            data: &[],
            scales: Vec::new(),
            zero_points: Vec::new(),
            channel_dimension: 0,
            name,
        };
        let buffer = self.buffers.table(table.u32(2, 0)? as usize)?;
        if buffer.u64(1, 0)? > 1 {
            return Err(format!("tensor \"{}\" has its data behind the model's tables", tensor.name));
        }
        tensor.data = buffer.vector::<1>(0)?.elements().as_flattened();
        if table.table(6)?.is_some() {
            return Err(format!(
                "tensor \"{}\" is stored as a sparse one, which is not supported",
                tensor.name
            ));
        }
        if let Some(quantization) = table.table(4)? {
            let (scales, zero_points) = (quantization.vector::<4>(2)?, quantization.vector::<8>(3)?);
            if scales.len().max(zero_points.len()) > MAX_PARTS {
                return Err(format!("tensor \"{}\" has {} scales", tensor.name, scales.len()));
            }
            tensor.scales = scales.f32s().collect();
            tensor.zero_points = zero_points.elements().iter().map(|&z| i64::from_le_bytes(z)).collect();
            tensor.channel_dimension = quantization.i32(6, 0)?;
        }
        Ok(tensor)
    }
}

impl<'a> Operator<'a> {
    /// The options, which have to be those of number `kind`; `None` if all are left out.
    pub(super) fn options(&self, kind: u8) -> Result<Option<Table<'a>>, String> {
        match self.options {
            Some(_) if self.options_kind != kind => Err("has the options of another operator".into()),
            options => Ok(options),
        }
    }
}

/// A list that only damage makes long.
fn few<'a>(list: Vector<'a, 4>) -> Result<impl Iterator<Item = i32> + use<'a>, String> {
    if list.len() <= 64 {
        Ok(list.i32s())
    } else {
        Err(format!("a list of {} elements is too long", list.len()))
    }
}

fn indices(list: Vector<4>) -> Result<Vec<usize>, String> {
    few(list)?.map(|id| usize::try_from(id).map_err(|_| format!("there is no tensor {id}"))).collect()
}

/// Names of the builtin operators that come up in networks for images, by number.
pub(super) fn builtin_name(number: i32) -> String {
    let name = match number {
        0 => "ADD",
        1 => "AVERAGE_POOL_2D",
        2 => "CONCATENATION",
        3 => "CONV_2D",
        4 => "DEPTHWISE_CONV_2D",
        6 => "DEQUANTIZE",
        9 => "FULLY_CONNECTED",
        14 => "LOGISTIC",
        17 => "MAX_POOL_2D",
        18 => "MUL",
        19 => "RELU",
        20 => "RELU_N1_TO_1",
        21 => "RELU6",
        22 => "RESHAPE",
        23 => "RESIZE_BILINEAR",
        25 => "SOFTMAX",
        28 => "TANH",
        34 => "PAD",
        36 => "GATHER",
        39 => "TRANSPOSE",
        40 => "MEAN",
        41 => "SUB",
        42 => "DIV",
        43 => "SQUEEZE",
        45 => "STRIDED_SLICE",
        49 => "SPLIT",
        54 => "PRELU",
        60 => "PADV2",
        65 => "SLICE",
        67 => "TRANSPOSE_CONV",
        77 => "SHAPE",
        83 => "PACK",
        97 => "RESIZE_NEAREST_NEIGHBOR",
        98 => "LEAKY_RELU",
        114 => "QUANTIZE",
        117 => "HARD_SWISH",
        _ => return format!("builtin operator {number}"),
    };
    name.into()
}
