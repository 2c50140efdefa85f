//! Gate-level Verilog of 8x8-bit multipliers: reading, writing and test benches.
//!
//! What is read is structure alone, the subset of Verilog-2001 (IEEE 1364-2001, clauses 4, 6, 7 and 12) in which
//! netlists are published or come out of synthesis: see `models/multipliers/VERILOG.md`. The first input of the
//! header is the activation, the second the weight.

mod cells;
mod elaborate;
mod expression;
mod items;
mod keywords;
mod lexer;
mod module;
mod parser;
mod resolve;
mod shape;
mod test_bench;
#[cfg(test)]
mod tests;
mod writer;

pub use cells::CellLibrary;
pub use test_bench::write_test_bench;
pub use writer::write_module;

use super::Netlist;
use super::netlist::{Builder, OUTPUTS, Wire};
use crate::error::{Error, Result};
use elaborate::{Design, Flat, Signal};
use std::collections::HashMap;
use std::path::Path;

/// The multiplier that `text` describes, its operands and product two's complement if `signed`; `path` is for
/// messages alone.
///
/// It is the module with two inputs of 8 bits and one output of 16, or, if there are several, the one that no
/// other holds. Operands may also be scalars named like `a0` to `a7`. Cells of [`CellLibrary::builtin`] are
/// known. Gates of many inputs become balanced trees, and whatever adds three bits a full adder of five gates.
///
/// # Errors
/// With the line, for what is no netlist (behaviour, arithmetic, parameters), wires that are driven twice or not
/// at all, loops, unknown cells, widths that do not match, and texts too large for a multiplier.
pub fn read(path: &Path, text: &str, signed: bool) -> Result<Netlist> {
    read_with(path, text, signed, &CellLibrary::builtin()).map(|circuit| circuit.netlist)
}

/// A multiplier as its module has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Circuit {
    /// Its gates.
    pub netlist: Netlist,
    /// What the module calls its operands, the activation first: `A`, or `a0 to a7` if they are scalars.
    pub operands: [String; 2],
    /// Whether it declares both of them `signed`. If it does not, that says nothing.
    pub signed_inputs: bool,
}

/// As [`read`], with the cells of `cells`, and with what the operands are called.
pub fn read_with(path: &Path, text: &str, signed: bool, cells: &CellLibrary) -> Result<Circuit> {
    let modules = parser::modules(path, text)?;
    let (module, shape) = shape::multiplier(path, &modules)?;
    let mut inputs: HashMap<usize, Vec<Wire>> = HashMap::new();
    let activation = shape.activation.iter().enumerate().map(|(bit, port)| (*port, Wire::a(bit)));
    let weight = shape.weight.iter().enumerate().map(|(bit, port)| (*port, Wire::w(bit)));
    // Bits come from the lowest on, so pushing them keeps their order.
    for ((net, _), wire) in activation.chain(weight) {
        inputs.entry(net).or_default().push(wire);
    }
    let design = Design { path, modules: &modules, cells };
    let (flat, nets) = Flat::new(&design, module, &inputs)?;
    let outputs: Vec<Signal> = shape.product.iter().map(|&(net, bit)| nets[net][bit]).collect();
    let mut builder = Builder::new();
    let wires = resolve::gates(path, &flat, &outputs, &mut builder)?;
    let outputs: [Wire; OUTPUTS] = wires.try_into().expect("a product has sixteen bits");
    let name = |bits: &[(usize, usize)]| match *bits {
        [(first, _), .., (last, _)] if first != last => {
            format!("{} to {}", module.nets[first].name, module.nets[last].name)
        }
        [(net, _), ..] => module.nets[net].name.clone(),
        [] => String::new(),
    };
    let operands = [name(&shape.activation), name(&shape.weight)];
    let netlist = builder.finish(signed, outputs);
    if netlist.gates().len() > Netlist::MOST_GATES {
        let (found, most) = (netlist.gates().len(), Netlist::MOST_GATES);
        return Err(Error::file(path, format!("has {found} gates; a multiplier may have at most {most}")));
    }
    let signed_inputs = shape.activation.iter().chain(&shape.weight).all(|&(net, _)| module.nets[net].signed);
    Ok(Circuit { netlist, operands, signed_inputs })
}

/// Whether `text` has a multiplier, or cannot be read but mentions ports of its widths.
pub(crate) fn may_hold_multiplier(path: &Path, text: &str) -> bool {
    match parser::modules(path, text) {
        Ok(modules) => shape::is_there_one(&modules),
        Err(_) => {
            let dense: String = text.split_whitespace().collect();
            ["input", "output", "[7:0]", "[15:0]"].iter().all(|word| dense.contains(word))
        }
    }
}
