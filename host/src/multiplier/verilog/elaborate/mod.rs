//! From modules to a flat list of operations on single bits, in no particular order.

mod instances;
mod values;

use super::cells::CellLibrary;
use super::expression::Expression;
use super::lexer::at;
use super::module::{Item, Module, Net, Primitive};
use crate::error::{Error, Result};
use crate::multiplier::netlist::{GateKind, Wire};
use std::collections::HashMap;
use std::path::Path;

/// Most bits that nets and expressions may have over all instances.
const MAX_BITS: usize = 1 << 21;

/// The value of one bit: known, or that of a bit of some net or operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signal {
    Known(Wire),
    Bit(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    Copy,
    /// Of any number of inputs; one for [`GateKind::Not`].
    Gate(GateKind),
    /// Condition, value where it is 1, value where it is 0.
    Choice,
    /// Three inputs; outputs sum and carry.
    FullAdder,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub function: Function,
    pub inputs: Vec<Signal>,
    /// The bits it drives; a second one for a full adder alone.
    pub outputs: [Option<usize>; 2],
    pub line: u32,
}

/// The modules of a file and the cells it may use.
pub(super) struct Design<'a> {
    pub path: &'a Path,
    pub modules: &'a [Module],
    pub cells: &'a CellLibrary,
}

/// All bits and operations of a module and what is in it.
pub(super) struct Flat<'a> {
    design: &'a Design<'a>,
    pub operations: Vec<Operation>,
    /// For every bit the operation that drives it.
    pub drivers: Vec<Option<usize>>,
    /// The first bits of nets, rising, with the instances they are in.
    named: Vec<(usize, usize, &'a Net)>,
    /// Every instance's name and the one it is in; the outermost module has none.
    instances: Vec<(&'a str, usize)>,
    spent: usize,
    /// For modules that are full adders the ports of sum and carry.
    adders: HashMap<*const Module, Option<[usize; 2]>>,
}

/// The nets of one instance of a module, their lowest bits first.
struct Frame<'a> {
    module: &'a Module,
    nets: Vec<Vec<Signal>>,
    /// Which of [`Flat::instances`] it is.
    instance: usize,
    depth: usize,
}

impl<'a> Flat<'a> {
    /// Flattens `module`, whose input ports take `inputs`; gives the values of all its nets too.
    pub fn new(
        design: &'a Design<'a>,
        module: &'a Module,
        inputs: &HashMap<usize, Vec<Wire>>,
    ) -> Result<(Flat<'a>, Vec<Vec<Signal>>)> {
        let mut flat = Flat {
            design,
            operations: Vec::new(),
            drivers: Vec::new(),
            named: Vec::new(),
            instances: vec![("", 0)],
            spent: 0,
            adders: HashMap::new(),
        };
        let known = |wires: &Vec<Wire>| wires.iter().map(|&wire| Signal::Known(wire)).collect();
        let tied = inputs.iter().map(|(&net, wires)| (net, known(wires))).collect();
        let nets = flat.instance(module, tied, 0, 0)?;
        Ok((flat, nets))
    }

    fn error(&self, line: u32, reason: impl std::fmt::Display) -> Error {
        at(self.design.path, line, reason)
    }

    /// The name of the net that `bit` belongs to, if it is not inside of an expression.
    pub fn name(&self, bit: usize) -> Option<String> {
        let next = self.named.partition_point(|&(first, ..)| first <= bit);
        let &(first, mut instance, net) = self.named.get(next.checked_sub(1)?)?;
        let offset = bit - first;
        if offset >= net.width() {
            return None;
        }
        let mut place = String::new();
        while instance != 0 {
            let (name, outer) = self.instances[instance];
            place.insert_str(0, &format!("{name}."));
            instance = outer;
        }
        Some(match net.range {
            None => format!("{place}{}", net.name),
            Some((left, right)) => {
                let number = if left >= right { right as usize + offset } else { right as usize - offset };
                format!("{place}{}[{number}]", net.name)
            }
        })
    }

    /// New bits that nothing drives yet.
    fn bits(&mut self, count: usize) -> Result<std::ops::Range<usize>> {
        self.spend(count)?;
        let first = self.drivers.len();
        self.drivers.resize(first + count, None);
        Ok(first..first + count)
    }

    fn spend(&mut self, count: usize) -> Result<()> {
        self.spent += count;
        if self.spent > MAX_BITS {
            let reason =
                format!("has more than {MAX_BITS} bits in nets and expressions; too large for a multiplier");
            return Err(Error::file(self.design.path, reason));
        }
        Ok(())
    }

    /// Adds a module's nets and items; `tied` are the values of its connected input ports.
    fn instance(
        &mut self,
        module: &'a Module,
        mut tied: HashMap<usize, Vec<Signal>>,
        instance: usize,
        depth: usize,
    ) -> Result<Vec<Vec<Signal>>> {
        let mut nets = Vec::with_capacity(module.nets.len());
        for (number, net) in module.nets.iter().enumerate() {
            nets.push(match tied.remove(&number) {
                Some(signals) => signals,
                None => {
                    let bits = self.bits(net.width())?;
                    self.named.push((bits.start, instance, net));
                    bits.map(Signal::Bit).collect()
                }
            });
        }
        let frame = Frame { module, nets, instance, depth };
        for (item, line) in &module.items {
            match item {
                Item::Assign { target, value } => {
                    let target = self.target(&frame, target, *line)?;
                    let value = self.value(&frame, value, target.len(), *line)?;
                    self.drive(&target, &value, *line)?;
                }
                Item::Gate { primitive, terminals } => self.gate(&frame, *primitive, terminals, *line)?,
                Item::Instance { module, name, connections } => {
                    self.connect(&frame, module, name, connections, *line)?;
                }
            }
        }
        Ok(frame.nets)
    }

    fn gate(
        &mut self,
        frame: &Frame,
        primitive: Primitive,
        terminals: &[Expression],
        line: u32,
    ) -> Result<()> {
        let (function, outputs, inputs) = match primitive {
            Primitive::Wide(kind) => (Function::Gate(kind), &terminals[..1], &terminals[1..]),
            Primitive::Copy { complement } => {
                let (input, outputs) = terminals.split_last().expect("gates have two terminals at least");
                let function = if complement { Function::Gate(GateKind::Not) } else { Function::Copy };
                (function, outputs, std::slice::from_ref(input))
            }
        };
        let mut values = Vec::with_capacity(inputs.len());
        for input in inputs {
            values.push(self.value(frame, input, 1, line)?[0]);
        }
        for output in outputs {
            let target = self.target(frame, output, line)?;
            let [bit] = target[..] else {
                return Err(
                    self.error(line, "a gate's output has one bit; arrays of gates are not supported")
                );
            };
            self.operate(function, values.clone(), [Some(bit), None], line)?;
        }
        Ok(())
    }

    fn drive(&mut self, target: &[usize], value: &[Signal], line: u32) -> Result<()> {
        let mut pairs = target.iter().zip(value);
        pairs.try_for_each(|(&bit, &signal)| {
            self.operate(Function::Copy, vec![signal], [Some(bit), None], line)
        })
    }

    fn operate(
        &mut self,
        function: Function,
        inputs: Vec<Signal>,
        outputs: [Option<usize>; 2],
        line: u32,
    ) -> Result<()> {
        for bit in outputs.into_iter().flatten() {
            if let Some(other) = self.drivers[bit].replace(self.operations.len()) {
                let name = self.name(bit).unwrap_or_default();
                let first = self.operations.get(other).map_or(line, |other| other.line);
                return Err(
                    self.error(line, format!("`{name}` is driven here and on line {first}; once is enough"))
                );
            }
        }
        self.operations.push(Operation { function, inputs, outputs, line });
        Ok(())
    }
}
