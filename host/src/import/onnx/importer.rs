//! From the file's graph to a network: finds what is needed, resolves names, runs the operators.

use super::attributes::Call;
use super::graph::{Graph, Image, Layout, Value};
use super::{SUPPORTED, constant, conv, dense, elementwise, fold, pool, quantized, reshape, slice};
use crate::error::{Error, Result};
use crate::network::{Network, Shape};
use rten_onnx::onnx::{DataType, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The file's names and how often each is read.
struct Names<'a> {
    initializers: HashMap<&'a str, &'a TensorProto>,
    /// Nodes that the output depends on, in order.
    live: Vec<&'a NodeProto>,
    /// How many live inputs (and the network's output) read a name.
    uses: HashMap<&'a str, usize>,
    output: &'a str,
    /// Names that become the output by nothing but coding or decoding, itself among them.
    last: HashSet<&'a str>,
}

/// Turns `graph` into a network called `model`.
pub(super) fn import(graph: &GraphProto, model: &str) -> Result<Network> {
    let names = Names::new(graph).map_err(|reason| Error::file(model, reason))?;
    let mut built = Graph::default();
    let (input_name, input, batch) =
        read_input(graph, &names, &mut built).map_err(|reason| Error::file(model, reason))?;
    let mut values = HashMap::from([(input_name, Value::Image(input))]);
    for &node in &names.live {
        let output = node.output.first().map_or("", String::as_str);
        let mut call = Call { node, inputs: Vec::new(), output, is_last: names.last.contains(output), batch };
        let value = names
            .resolve(node, &mut values)
            .and_then(|inputs| {
                call.inputs = inputs;
                run(&mut built, &call)
            })
            .and_then(|value| match values.contains_key(output) || names.initializers.contains_key(output) {
                true => Err(format!("computes \"{output}\", which exists already")),
                false => Ok(value),
            })
            .map_err(|reason| Error::Node {
                model: model.to_owned(),
                node: call.name().to_owned(),
                operator: call.operator().to_owned(),
                reason,
            })?;
        values.insert(output, value);
    }
    let output = match values.get(names.output) {
        Some(Value::Image(image)) if !built.nodes.is_empty() => *image,
        _ => {
            let reason = format!("no layer computes the output \"{}\" from the input", names.output);
            return Err(Error::file(model, reason));
        }
    };
    output.layout.axes().map_err(|reason| Error::file(model, format!("output: {reason}")))?;
    if takes_codes(graph, input_name) && built.codings[input.id].is_none() {
        let reason = format!("input \"{input_name}\" has integers that no DequantizeLinear gives a scale");
        return Err(Error::file(model, reason));
    }
    let own_codes = quantized::own_codes(&built);
    let Graph { tensors, nodes, .. } = built;
    let network =
        Network { name: model.to_owned(), tensors, nodes, input: input.id, output: output.id, own_codes };
    network.check()?;
    Ok(network)
}

/// Imports one node, or says why not.
fn run(graph: &mut Graph, call: &Call) -> Result<Value, String> {
    if !matches!(call.node.domain.as_deref(), None | Some("" | "ai.onnx")) {
        return Err(unsupported());
    }
    let constant = |input: &Option<Value>| !matches!(input, Some(Value::Image(_)));
    if call.inputs.iter().all(constant)
        && let Some(array) = fold::fold(call)?
    {
        graph.spend(array.len())?;
        return Ok(Value::Constant(Rc::new(array)));
    }
    match call.operator() {
        "Conv" => conv::conv(graph, call),
        "BatchNormalization" => conv::batch_normalization(graph, call),
        "Gemm" => dense::gemm(graph, call),
        "MatMul" => dense::mat_mul(graph, call),
        "Add" => elementwise::add(graph, call),
        "Relu" => elementwise::relu(graph, call),
        "Clip" => elementwise::clip(graph, call),
        "Identity" => call.inputs.first().cloned().flatten().ok_or_else(|| "input 0 is missing".into()),
        "Cast" => elementwise::cast(call),
        "Dropout" => elementwise::dropout(call),
        "Softmax" => elementwise::softmax(graph, call),
        "QuantizeLinear" => quantized::quantize(graph, call),
        "DequantizeLinear" => quantized::dequantize(graph, call),
        "MaxPool" => pool::max_pool(graph, call),
        "AveragePool" => pool::average_pool(graph, call),
        "GlobalAveragePool" => pool::global_average_pool(graph, call),
        "ReduceMean" => pool::reduce_mean(graph, call),
        "Flatten" => reshape::flatten(graph, call),
        "Reshape" => reshape::reshape(graph, call),
        "Squeeze" => reshape::squeeze(graph, call),
        "Unsqueeze" => reshape::unsqueeze(graph, call),
        "Transpose" => reshape::transpose(graph, call),
        "Shape" => reshape::shape(graph, call),
        "Slice" => slice::slice(graph, call),
        "Pad" => slice::pad(graph, call),
        "Concat" | "ConstantOfShape" | "Gather" => Err("is supported on constants only".into()),
        _ => Err(unsupported()),
    }
}

fn unsupported() -> String {
    format!("is not supported; the supported operators are {}", SUPPORTED.join(", "))
}

impl<'a> Names<'a> {
    fn new(graph: &'a GraphProto) -> Result<Self, String> {
        let output = match graph.output.as_slice() {
            [output] => output.name.as_deref().unwrap_or(""),
            outputs => return Err(format!("the model has {} outputs instead of one", outputs.len())),
        };
        let initializers = graph.initializer.iter();
        let initializers =
            initializers.map(|tensor| (tensor.name.as_deref().unwrap_or(""), tensor)).collect();
        // Nodes come in an order in which they can run, so one pass backwards finds all that is needed.
        let mut needed = HashSet::from([output]);
        let mut last = HashSet::from([output]);
        let mut live = Vec::new();
        let mut uses = HashMap::from([(output, 1)]);
        for node in graph.node.iter().rev() {
            if node.output.iter().any(|name| !name.is_empty() && needed.contains(name.as_str())) {
                for name in node.input.iter().filter(|name| !name.is_empty()) {
                    needed.insert(name);
                    *uses.entry(name).or_insert(0) += 1;
                }
                if let (Some("QuantizeLinear" | "DequantizeLinear"), [input, ..]) =
                    (node.op_type.as_deref(), node.input.as_slice())
                    && node.output.iter().any(|name| last.contains(name.as_str()))
                {
                    last.insert(input);
                }
                live.push(node);
            }
        }
        live.reverse();
        Ok(Names { initializers, live, uses, output, last })
    }

    /// The values that `node` reads.
    fn resolve(
        &self,
        node: &'a NodeProto,
        values: &mut HashMap<&'a str, Value>,
    ) -> Result<Vec<Option<Value>>, String> {
        let mut inputs = Vec::new();
        for name in &node.input {
            if name.is_empty() {
                inputs.push(None);
                continue;
            }
            let value = match (values.get(name.as_str()), self.initializers.get(name.as_str())) {
                (Some(value), _) => value.clone(),
                (None, Some(tensor)) => {
                    let array = constant::decode(tensor).map_err(|e| format!("constant \"{name}\" {e}"))?;
                    let value = Value::Constant(Rc::new(array));
                    values.insert(name, value.clone());
                    value
                }
                (None, None) => return Err(format!("reads \"{name}\", which nothing before it computes")),
            };
            inputs.push(Some(match value {
                Value::Image(image) => {
                    let uses = self.uses.get(name.as_str()).copied().unwrap_or(0);
                    Value::Image(Image { shared: image.shared || uses > 1, ..image })
                }
                constant @ Value::Constant(_) => constant,
            }));
        }
        Ok(inputs)
    }

    /// Whether all that `name` goes into is a transposition from TensorFlow's axis order.
    fn is_transposed(&self, name: &str) -> bool {
        let mut readers =
            self.live.iter().filter(|node| node.input.iter().any(|input| input == name)).peekable();
        let to_nchw = |node: &&NodeProto| {
            let permutation = node.attribute.iter().find(|a| a.name.as_deref() == Some("perm"));
            node.op_type.as_deref() == Some("Transpose")
                && permutation.is_some_and(|attribute| attribute.ints == [0, 3, 1, 2])
        };
        readers.peek().is_some() && readers.all(to_nchw)
    }
}

fn is_byte(kind: DataType) -> bool {
    kind == DataType::INT8 || kind == DataType::UINT8
}

/// Whether the input called `name` has codes instead of real values.
fn takes_codes(graph: &GraphProto, name: &str) -> bool {
    let input = graph.input.iter().find(|info| info.name.as_deref() == Some(name));
    let tensor = input.and_then(|info| info.r#type.as_ref()?.tensor_type.as_ref());
    tensor.and_then(|tensor| tensor.elem_type).is_some_and(is_byte)
}

/// Adds the model's image input to `built`; also gives its name and fixed batch size.
fn read_input<'a>(
    graph: &'a GraphProto,
    names: &Names<'a>,
    built: &mut Graph,
) -> Result<(&'a str, Image, i64), String> {
    let name = |info: &'a ValueInfoProto| info.name.as_deref().unwrap_or("");
    // Old files list their initializers as inputs too.
    let inputs: Vec<_> =
        graph.input.iter().filter(|info| !names.initializers.contains_key(name(info))).collect();
    let &[input] = inputs.as_slice() else {
        return Err(format!("the model has {} inputs instead of one image", inputs.len()));
    };
    let name = name(input);
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| format!("input \"{name}\" is no tensor"))?;
    let supported = |kind| kind == DataType::FLOAT || is_byte(kind);
    if let Some(kind) = tensor.elem_type.filter(|&kind| !supported(kind)) {
        return Err(format!("input \"{name}\" has elements of type {kind} instead of FLOAT, INT8 or UINT8"));
    }
    let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let side = |i: usize| match dims[i].dim_value {
        Some(side @ 1..) => Ok(usize::try_from(side).unwrap_or(usize::MAX)),
        _ => Err(format!("dimension {i} of input \"{name}\" must be fixed when the model is exported")),
    };
    let (shape, layout) = match dims.len() {
        2 => (Shape::new(1, 1, side(1)?), Layout::flat(side(1)?)),
        4 if names.is_transposed(name) => (Shape::new(side(1)?, side(2)?, side(3)?), Layout::Nhwc),
        4 => (Shape::new(side(2)?, side(3)?, side(1)?), Layout::Nchw),
        rank => return Err(format!("input \"{name}\" has {rank} dimensions instead of 4 (or 2)")),
    };
    if !shape.is_sensible() {
        return Err(format!("input \"{name}\" of {shape} is too large"));
    }
    let batch = dims[0].dim_value.filter(|&batch| batch > 0).unwrap_or(1);
    Ok((name, built.input(name, shape, layout), batch))
}
