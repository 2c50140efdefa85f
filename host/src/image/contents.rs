//! What is in an image, layer by layer.

use serde::Serialize;
use skimp_runtime::Network;
use skimp_runtime::image::{Conv2d, Kernel, Op, Operand, Section, Tensor, WeightWidth};

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerContents {
    /// The layer's name.
    pub name: String,
    /// What it computes.
    pub operator: &'static str,
    /// How: the kernel of a convolution, else the operator.
    pub kernel: String,
    /// Shape of its output, as height x width x channels.
    pub output: String,
    /// 8-bit multiplications in one inference.
    pub multiplications: u64,
    /// The multiplier, if it multiplies.
    pub multiplier: Option<String>,
    /// The table, where products are looked up.
    pub table: Option<String>,
    /// Bytes of weights in flash.
    pub weight_bytes: u32,
}

/// The layers of a network at its operating point.
pub fn layers(network: &Network) -> Vec<LayerContents> {
    let tables: Vec<&str> = network.tables().map(|table| table.name).collect();
    let contents = |op: &Op, name: &str, multiplier: &str| {
        let conv = match op {
            Op::Conv2d(conv) => Some(conv),
            _ => None,
        };
        let table = match op {
            Op::Conv2d(conv) => conv.kernel.rows().map(|rows| rows.table),
            Op::CopyTable(copy) => Some(copy.table),
            _ => None,
        };
        LayerContents {
            name: name.to_owned(),
            operator: operator(op),
            kernel: conv.map_or_else(|| operator(op).to_owned(), |conv| kernel(&conv.kernel)),
            output: output(op)
                .map(|t| format!("{}x{}x{}", t.height, t.width, t.channels))
                .unwrap_or_default(),
            multiplications: conv.map_or(0, multiplications),
            multiplier: (!multiplier.is_empty()).then(|| multiplier.to_owned()),
            table: table.and_then(|index| tables.get(usize::from(index))).map(|&name| name.to_owned()),
            weight_bytes: conv.map_or(0, |conv| weights(&conv.kernel).bytes),
        }
    };
    network.layers().map(|layer| contents(&layer.op, layer.name, layer.multiplier)).collect()
}

/// Multiplications in one inference, padded taps included.
pub fn multiplications(conv: &Conv2d) -> u64 {
    let [height, width] = conv.window.kernel.map(u64::from);
    let taps = height * width * u64::from(conv.input.channels) / u64::from(conv.groups.max(1));
    conv.output.elements().unwrap_or(0) as u64 * taps
}

fn operator(op: &Op) -> &'static str {
    match op {
        Op::Conv2d(_) => "conv2d",
        Op::Add(_) => "add",
        Op::MaxPool(_) => "max pool",
        Op::AveragePool(_) => "average pool",
        Op::Slice(_) => "slice",
        Op::Pad(_) => "pad",
        Op::CopyTable(_) => "table copy",
    }
}

/// A kernel in a few words.
fn kernel(kernel: &Kernel) -> String {
    let factors = |operand: &Operand, width: &WeightWidth| {
        let operand = match operand {
            Operand::Masked { mask: 0xff, .. } => "",
            Operand::Masked { .. } => ", masked",
            Operand::Mapped(_) => ", mapped",
        };
        let width = match width {
            WeightWidth::I8 => "",
            WeightWidth::I16 => ", 16-bit weights",
        };
        format!("{operand}{width}")
    };
    let place = |copy: Option<u32>| if copy.is_some() { " in RAM" } else { "" };
    match kernel {
        Kernel::Table { rows, .. } => format!("table{}", place(rows.copy)),
        Kernel::TableByActivation { rows, .. } => format!("table by activation{}", place(rows.copy)),
        Kernel::Product { operand, width, .. } => format!("product{}", factors(operand, width)),
        Kernel::DepthwiseTable { rows, .. } => format!("depthwise table{}", place(rows.copy)),
        Kernel::DepthwiseProduct { operand, width, .. } => {
            format!("depthwise product{}", factors(operand, width))
        }
    }
}

fn weights(kernel: &Kernel) -> Section {
    match kernel {
        Kernel::Table { weights, .. }
        | Kernel::TableByActivation { weights, .. }
        | Kernel::Product { weights, .. }
        | Kernel::DepthwiseTable { weights, .. }
        | Kernel::DepthwiseProduct { weights, .. } => *weights,
    }
}

fn output(op: &Op) -> Option<Tensor> {
    match op {
        Op::Conv2d(op) => Some(op.output),
        Op::Add(op) => Some(op.output),
        Op::MaxPool(op) => Some(op.output),
        Op::AveragePool(op) => Some(op.output),
        Op::Slice(op) => Some(op.output),
        Op::Pad(op) => Some(op.output),
        Op::CopyTable(_) => None,
    }
}
