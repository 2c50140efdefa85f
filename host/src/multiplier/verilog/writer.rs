//! Netlists as structural Verilog.

use super::keywords::KEYWORDS;
use crate::multiplier::Netlist;
use crate::multiplier::netlist::{Gate, GateKind, Wire};
use std::collections::HashSet;
use std::fmt::Write;

/// A module called `name` of `netlist`: ports `a` (activation), `w` (weight) and `p` (product), one primitive a
/// gate, each after those it reads.
///
/// Wires `pp_I_J` are the partial products of activation bit I and weight bit J, `npp_I_J` their complements.
/// A `name` that is no Verilog identifier is written escaped.
pub fn write_module(name: &str, netlist: &Netlist) -> String {
    let signed = if netlist.is_signed() { " signed" } else { "" };
    let kind = if netlist.is_signed() { "two's complement" } else { "unsigned" };
    let gates = netlist.gates();
    let names = names(gates);
    let wire = |wire: Wire| match wire {
        Wire::ZERO => "1'b0".to_owned(),
        Wire::ONE => "1'b1".to_owned(),
        _ => match wire.gate() {
            Some(gate) => names[gate].clone(),
            None => wire.input().map_or_else(String::new, |(operand, bit)| format!("{operand}[{bit}]")),
        },
    };
    let mut text = format!(
        "// {}: 8x8-bit multiplier, {kind}, {} gates.\n\
         // The first operand, a, is the activation; the second, w, the weight; p is the product.\n\
         module {} (\n    input{signed} [7:0] a,\n    input{signed} [7:0] w,\n    output{signed} [15:0] p\n);\n",
        printable(name),
        gates.len(),
        identifier(name)
    );
    for line in names.chunks(12) {
        writeln!(text, "    wire {};", line.join(", ")).expect("strings take everything");
    }
    for (gate, name) in gates.iter().zip(&names) {
        let [x, y] = gate.inputs.map(wire);
        let line = match gate.kind {
            GateKind::Not => format!("    not  g_{name} ({name}, {x});"),
            kind => format!("    {:<4} g_{name} ({name}, {x}, {y});", kind.name()),
        };
        writeln!(text, "{line}").expect("strings take everything");
    }
    for (bit, output) in netlist.outputs().iter().enumerate() {
        writeln!(text, "    assign p[{bit}] = {};", wire(*output)).expect("strings take everything");
    }
    text.push_str("endmodule\n");
    text
}

/// Distinct names of all gates' wires.
fn names(gates: &[Gate]) -> Vec<String> {
    let mut taken = HashSet::new();
    let name = |(index, gate): (usize, &Gate)| {
        let prefix = match gate.kind {
            GateKind::And => Some("pp"),
            GateKind::Nand => Some("npp"),
            _ => None,
        };
        let partial = prefix.and_then(|prefix| match gate.inputs.map(Wire::input) {
            [Some(('a', i)), Some(('w', j))] | [Some(('w', j)), Some(('a', i))] => {
                Some(format!("{prefix}_{i}_{j}"))
            }
            _ => None,
        });
        // The same partial product may be there twice.
        partial.filter(|name| taken.insert(name.clone())).unwrap_or_else(|| format!("n{index}"))
    };
    gates.iter().enumerate().map(name).collect()
}

/// `name` as Verilog takes it.
pub(super) fn identifier(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if plain && !KEYWORDS.contains(&name) { name.to_owned() } else { format!("\\{} ", printable(name)) }
}

/// `name` with nothing that would end a comment, a string or an escaped identifier.
pub(super) fn printable(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') { c } else { '_' };
    if name.is_empty() { "_".into() } else { name.chars().map(kept).collect() }
}
