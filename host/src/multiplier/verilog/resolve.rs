//! From operations in any order to gates in topological order.

use super::elaborate::{Design, Flat, Function, Operation, Signal};
use super::lexer::at;
use super::module::{Direction, Item, Module};
use crate::error::{Error, Result};
use crate::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};
use std::collections::HashMap;
use std::path::Path;

/// Most inputs of operations, before anything is folded: a bound on the work. What is left has a bound of its own,
/// [`Netlist::MOST_GATES`](crate::multiplier::Netlist::MOST_GATES).
const MAX_GATES: usize = 1 << 18;

/// The wires of `outputs` once every operation has become gates.
pub(super) fn gates(
    path: &Path,
    flat: &Flat,
    outputs: &[Signal],
    builder: &mut Builder,
) -> Result<Vec<Wire>> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut values: Vec<Option<Wire>> = vec![None; flat.drivers.len()];
    let mut states = vec![State::New; flat.operations.len()];
    let mut made = 0;
    let mut stack = Vec::new();
    for first in 0..flat.operations.len() {
        stack.push(first);
        while let Some(&index) = stack.last() {
            let operation = &flat.operations[index];
            if states[index] == State::New {
                states[index] = State::Open;
                // All of its inputs' drivers go on top; when it is seen again they are done.
                let ready = stack.len();
                for &input in &operation.inputs {
                    let Signal::Bit(bit) = input else { continue };
                    let Some(driver) = flat.drivers[bit] else {
                        return Err(undriven(path, flat, bit, operation.line));
                    };
                    match states[driver] {
                        State::Done => {}
                        State::New => stack.push(driver),
                        State::Open => return Err(feedback(path, flat, bit, operation.line)),
                    }
                }
                if stack.len() > ready {
                    continue;
                }
            }
            stack.pop();
            if states[index] == State::Done {
                continue;
            }
            states[index] = State::Done;
            made += operation.inputs.len();
            if made > MAX_GATES {
                let reason = format!("has more than {MAX_GATES} gates; too large for a multiplier");
                return Err(Error::file(path, reason));
            }
            let value = |signal: &Signal| match *signal {
                Signal::Known(wire) => wire,
                Signal::Bit(bit) => values[bit].expect("its driver is done"),
            };
            let inputs = operation.inputs.iter().map(value).collect();
            let results = operate(builder, operation, inputs);
            for (output, result) in operation.outputs.iter().zip(results) {
                if let Some(bit) = *output {
                    values[bit] = Some(result);
                }
            }
        }
    }
    let output = |signal: &Signal| match *signal {
        Signal::Known(wire) => Ok(wire),
        Signal::Bit(bit) => values[bit].ok_or_else(|| {
            let name = flat.name(bit).unwrap_or_default();
            Error::file(path, format!("output `{name}` is driven by nothing"))
        }),
    };
    outputs.iter().map(output).collect()
}

fn undriven(path: &Path, flat: &Flat, bit: usize, line: u32) -> Error {
    let name = flat.name(bit).unwrap_or_default();
    at(path, line, format!("`{name}` is read here, but nothing drives it"))
}

fn feedback(path: &Path, flat: &Flat, bit: usize, line: u32) -> Error {
    let through = flat.name(bit).map_or(String::new(), |name| format!(" through `{name}`"));
    at(path, line, format!("a loop{through}: its value depends on itself; multipliers have no memory"))
}

/// The wires of an operation's outputs; the second is meant for full adders alone.
fn operate(builder: &mut Builder, operation: &Operation, mut inputs: Vec<Wire>) -> [Wire; 2] {
    let only = |wire| [wire, wire];
    match operation.function {
        Function::Copy => only(inputs[0]),
        Function::FullAdder => builder.full_adder(inputs[0], inputs[1], inputs[2]).into(),
        Function::Choice => only(choice(builder, inputs[0], inputs[1], inputs[2])),
        Function::Gate(GateKind::Not) => only(builder.not(inputs[0])),
        Function::Gate(kind) => {
            let (plain, complement) = match kind {
                GateKind::Nand => (GateKind::And, true),
                GateKind::Nor => (GateKind::Or, true),
                GateKind::Xnor => (GateKind::Xor, true),
                _ => (kind, false),
            };
            // Pairs, pairs of pairs and so on; the last gate complements.
            while inputs.len() > 2 {
                let pair = |pair: &[Wire]| match *pair {
                    [x, y] => builder.gate(plain, x, y),
                    _ => pair[0],
                };
                inputs = inputs.chunks(2).map(pair).collect();
            }
            only(match inputs[..] {
                [x, y] => builder.gate(kind, x, y),
                [x] if complement => builder.not(x),
                _ => inputs[0],
            })
        }
    }
}

/// `condition ? yes : no` in NANDs, or a gate less where a value is known.
fn choice(builder: &mut Builder, condition: Wire, yes: Wire, no: Wire) -> Wire {
    use GateKind::*;
    if yes == no {
        return yes;
    }
    match (condition, yes, no) {
        (Wire::ZERO, ..) => no,
        (Wire::ONE, ..) => yes,
        (_, Wire::ONE, _) => builder.gate(Or, condition, no),
        (_, _, Wire::ZERO) => builder.gate(And, condition, yes),
        _ => {
            let otherwise = builder.not(condition);
            match (yes, no) {
                (Wire::ZERO, _) => builder.gate(And, otherwise, no),
                (_, Wire::ONE) => builder.gate(Or, otherwise, yes),
                _ => {
                    let (left, right) =
                        (builder.gate(Nand, condition, yes), builder.gate(Nand, otherwise, no));
                    builder.gate(Nand, left, right)
                }
            }
        }
    }
}

/// The ports of sum and carry if `module` is a full adder without anything else in it.
pub(super) fn full_adder(design: &Design, module: &Module) -> Option<[usize; 2]> {
    let of = |direction| {
        let ports = module.ports.iter().copied();
        ports.filter(|&port| module.nets[port].direction == Some(direction)).collect::<Vec<_>>()
    };
    let (inputs, outputs) = (of(Direction::Input), of(Direction::Output));
    let bits = module.ports.iter().all(|&port| module.nets[port].width() == 1);
    let small =
        module.items.len() <= 16 && !module.items.iter().any(|(i, _)| matches!(i, Item::Instance { .. }));
    if !(inputs.len() == 3 && outputs.len() == 2 && bits && small) {
        return None;
    }
    let tied: HashMap<usize, Vec<Wire>> = (0..3).map(|bit| (inputs[bit], vec![Wire::a(bit)])).collect();
    // A module that can't be built is no adder; why it can't will be said when it is built for good.
    let (flat, nets) = Flat::new(design, module, &tied).ok()?;
    let signals = [nets[outputs[0]][0], nets[outputs[1]][0]];
    let mut builder = Builder::new();
    let wires = gates(design.path, &flat, &signals, &mut builder).ok()?;
    let mut bits = [Wire::ZERO; OUTPUTS];
    bits[..2].copy_from_slice(&wires);
    let netlist = builder.finish(false, bits);
    // All eight values of the three inputs at once.
    let mut values = vec![0u64; 2];
    values[Wire::ONE.index()] = 0xff;
    values.resize(Wire::of_gate(0).index(), 0);
    for (bit, lanes) in [0xaa, 0xcc, 0xf0].into_iter().enumerate() {
        values[Wire::a(bit).index()] = lanes;
    }
    for gate in netlist.gates() {
        let [x, y] = gate.inputs.map(|wire| values[wire.index()]);
        values.push(gate.kind.apply(x, y) & 0xff);
    }
    const SUM: u64 = 0x96;
    const CARRY: u64 = 0xe8;
    match [0, 1].map(|bit| values[netlist.outputs()[bit].index()]) {
        [SUM, CARRY] => Some([outputs[0], outputs[1]]),
        [CARRY, SUM] => Some([outputs[1], outputs[0]]),
        _ => None,
    }
}
