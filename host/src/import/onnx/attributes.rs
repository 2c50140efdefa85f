//! A node of the file with its inputs resolved: what the operators read.

use super::constant::Array;
use super::graph::{Image, Value};
use rten_onnx::onnx::{AttributeProto, AttributeType, NodeProto, TensorProto};

/// A node to import. Errors are reasons; the caller adds the model, the node and the operator.
pub(super) struct Call<'a> {
    pub(super) node: &'a NodeProto,
    /// `None` where an optional input is left out.
    pub(super) inputs: Vec<Option<Value>>,
    /// Name of the first output.
    pub(super) output: &'a str,
    /// Whether the first output is the network's output, or becomes it by nothing but coding or decoding.
    pub(super) is_last: bool,
    /// The batch dimension as the model gives it, 1 where symbolic.
    pub(super) batch: i64,
}

impl<'a> Call<'a> {
    /// The operator as the model spells it.
    pub(super) fn operator(&self) -> &'a str {
        self.node.op_type.as_deref().unwrap_or("")
    }

    /// The node's name, or its output's where it has none.
    pub(super) fn name(&self) -> &'a str {
        match self.node.name.as_deref() {
            Some(name) if !name.is_empty() => name,
            _ => self.output,
        }
    }

    fn attribute(&self, name: &str, kind: AttributeType) -> Result<Option<&'a AttributeProto>, String> {
        let found = self.node.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name));
        match found.map(|attribute| attribute.r#type.unwrap_or(kind)) {
            Some(other) if other != kind => Err(format!("attribute {name} has the wrong type")),
            _ => Ok(found),
        }
    }

    /// An integer attribute.
    pub(super) fn int(&self, name: &str, default: i64) -> Result<i64, String> {
        Ok(self.attribute(name, AttributeType::INT)?.map_or(default, |a| a.i.unwrap_or(0)))
    }

    /// A float attribute.
    pub(super) fn float(&self, name: &str) -> Result<Option<f32>, String> {
        Ok(self.attribute(name, AttributeType::FLOAT)?.map(|a| a.f.unwrap_or(0.0)))
    }

    /// A list of integers.
    pub(super) fn ints(&self, name: &str) -> Result<Option<&'a [i64]>, String> {
        Ok(self.attribute(name, AttributeType::INTS)?.map(|a| a.ints.as_slice()))
    }

    /// A string attribute.
    pub(super) fn string(&self, name: &str, default: &'a str) -> Result<&'a str, String> {
        let found = self.attribute(name, AttributeType::STRING)?;
        Ok(found.map_or(default, |a| a.s.as_deref().unwrap_or("")))
    }

    /// A tensor attribute.
    pub(super) fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>, String> {
        Ok(self.attribute(name, AttributeType::TENSOR)?.and_then(|a| a.t.as_ref()))
    }

    /// Input `i` as a value computed from the image.
    pub(super) fn image(&self, i: usize) -> Result<Image, String> {
        match self.inputs.get(i) {
            Some(Some(Value::Image(image))) => Ok(*image),
            Some(Some(Value::Constant(_))) => Err(format!("input {i} is constant, which is not supported")),
            _ => Err(format!("input {i} is missing")),
        }
    }

    /// Input `i` as a constant; `None` if it is left out.
    pub(super) fn constant(&self, i: usize) -> Result<Option<&Array>, String> {
        match self.inputs.get(i) {
            Some(Some(Value::Constant(array))) => Ok(Some(array)),
            Some(Some(Value::Image(_))) => Err(format!("input {i} must be constant")),
            _ => Ok(None),
        }
    }

    /// Input `i` as a constant that must be there.
    pub(super) fn required(&self, i: usize) -> Result<&Array, String> {
        self.constant(i)?.ok_or_else(|| format!("input {i} is missing"))
    }

    /// Integers that older models give as attribute `name` and newer ones as constant input `i`.
    pub(super) fn ints_or_input(&self, name: &str, i: usize) -> Result<Option<Vec<i64>>, String> {
        if let Some(list) = self.ints(name)? {
            return Ok(Some(list.to_vec()));
        }
        self.constant(i)?.map(|array| array.ints().map(<[i64]>::to_vec)).transpose()
    }
}

/// Axis `axis` of a tensor of `rank` dimensions, counted from the end where negative.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let resolved = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    match usize::try_from(resolved) {
        Ok(resolved) if resolved < rank => Ok(resolved),
        _ => Err(format!("axis {axis} is not one of {rank} dimensions")),
    }
}
