//! From the file's graph to a network: runs the operators in the file's order.

use super::graph::{self, Graph};
use super::schema::{Model, Operator, Tensor, builtin_name};
use super::{SUPPORTED, conv, shape, simple};
use crate::error::{Error, Result};
use crate::network::{Network, TensorId};

/// An operator to import. Errors are reasons; the importer adds the model and the operator.
pub(super) struct Call<'m, 'a> {
    model: &'m Model<'a>,
    pub(super) operator: Operator<'a>,
    name: String,
}

/// Turns `model` into a network called `name`.
pub(super) fn import(model: &Model, name: &str) -> Result<Network> {
    let mut graph = Graph::default();
    let input = read_input(model, &mut graph).map_err(|reason| Error::file(name, reason))?;
    let &[output] = model.outputs.as_slice() else {
        return Err(Error::file(
            name,
            format!("the model has {} outputs instead of one", model.outputs.len()),
        ));
    };
    for i in 0..model.operators() {
        let fail = |node: &str, operator: String, reason| Error::Node {
            model: name.to_owned(),
            node: if node.is_empty() { format!("operator {i}") } else { format!("operator {i}, {node}") },
            operator,
            reason,
        };
        let operator = model.operator(i).map_err(|reason| fail("", "damaged".into(), reason))?;
        let called = match operator.builtin {
            32 => operator.custom.clone(),
            builtin => builtin_name(builtin),
        };
        let call = Call::new(model, operator).map_err(|reason| fail("", called.clone(), reason))?;
        run(&mut graph, &call).map_err(|reason| fail(call.name(), called, reason))?;
    }
    let output = match graph.image(output) {
        Some(output) if !graph.nodes.is_empty() => output,
        _ => return Err(Error::file(name, "no operator computes the output from the input")),
    };
    let network = graph.finish(name, input, output);
    network.check()?;
    Ok(network)
}

/// Imports one operator, or says why not.
fn run(graph: &mut Graph, call: &Call) -> Result<(), String> {
    match builtin_name(call.operator.builtin).as_str() {
        "CONV_2D" => conv::conv(graph, call),
        "DEPTHWISE_CONV_2D" => conv::depthwise(graph, call),
        "FULLY_CONNECTED" => conv::dense(graph, call),
        "ADD" => simple::add(graph, call),
        "RELU" | "RELU6" | "RELU_N1_TO_1" => simple::activation(graph, call),
        "MAX_POOL_2D" | "AVERAGE_POOL_2D" => simple::pool(graph, call),
        "MEAN" => simple::mean(graph, call),
        "QUANTIZE" => simple::quantize(graph, call),
        "DEQUANTIZE" => simple::dequantize(graph, call),
        "SOFTMAX" => simple::softmax(graph, call),
        "PAD" => shape::pad(graph, call),
        "RESHAPE" | "SQUEEZE" => shape::reshape(graph, call),
        // A reshape's target worked out while the model runs: its result has fixed sides in the file all the same.
        "SHAPE" | "STRIDED_SLICE" | "PACK" if !call.gives_image()? => Ok(()),
        _ => Err(format!("is not supported; the supported operators are {}", SUPPORTED.join(", "))),
    }
}

/// Adds the model's image input to `graph`.
fn read_input(model: &Model, graph: &mut Graph) -> Result<TensorId, String> {
    let &[input] = model.inputs.as_slice() else {
        return Err(format!("the model has {} inputs instead of one image", model.inputs.len()));
    };
    let tensor = model.tensor(input)?;
    let shape =
        graph::shape(&tensor.dims).map_err(|reason| format!("input \"{}\": {reason}", tensor.name))?;
    graph.add(input, &tensor, shape)
}

impl<'m, 'a> Call<'m, 'a> {
    fn new(model: &'m Model<'a>, operator: Operator<'a>) -> Result<Self, String> {
        let &[output] = operator.outputs.as_slice() else {
            return Err(format!("has {} outputs instead of one", operator.outputs.len()));
        };
        let name = graph::short(&model.tensor(output)?.name).to_owned();
        Ok(Call { model, operator, name })
    }

    /// The name of the operator's result, as operators have none of their own.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number and the tensor of the result.
    pub(super) fn output(&self) -> Result<(usize, Tensor<'a>), String> {
        let id = self.operator.outputs[0];
        Ok((id, self.model.tensor(id)?))
    }

    /// Whether the result is of a kind that images have.
    fn gives_image(&self) -> Result<bool, String> {
        Ok(graph::coding(&self.output()?.1).is_ok())
    }

    /// Input `i` as the file has it.
    pub(super) fn stored(&self, i: usize) -> Result<Tensor<'a>, String> {
        self.optional(i)?.ok_or_else(|| format!("input {i} is missing"))
    }

    /// Input `i` as the file has it, if it is not left out.
    pub(super) fn optional(&self, i: usize) -> Result<Option<Tensor<'a>>, String> {
        self.operator.inputs.get(i).copied().flatten().map(|id| self.model.tensor(id)).transpose()
    }

    /// Input `i` as a tensor computed from the image.
    pub(super) fn image(&self, graph: &Graph, i: usize) -> Result<TensorId, String> {
        let id = self.operator.inputs.get(i).copied().flatten();
        let id = id.ok_or_else(|| format!("input {i} is missing"))?;
        graph.image(id).ok_or_else(|| match self.model.tensor(id) {
            Ok(tensor) if tensor.data.is_empty() => {
                format!("reads \"{}\", which nothing before it computes", tensor.name)
            }
            Ok(_) => format!("input {i} is constant, which is not supported"),
            Err(reason) => reason,
        })
    }
}
