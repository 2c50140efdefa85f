//! From modules to a flat list of operations on single bits, in no particular order.

use super::cells::CellLibrary;
use super::expression::Expression;
use super::lexer::at;
use super::parser::{Connections, Direction, Item, Module, Net, Primitive};
use super::resolve;
use crate::error::{Error, Result};
use crate::multiplier::netlist::{GateKind, Wire};
use std::collections::HashMap;
use std::path::Path;

/// Most bits that nets and expressions may have over all instances.
const MAX_BITS: usize = 1 << 21;
/// Most instances, those inside of instances included.
const MAX_INSTANCES: usize = 1 << 17;
/// Deepest nesting of instances.
const MAX_DEPTH: usize = 64;

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

impl Design<'_> {
    fn find(&self, name: &str) -> Option<&Module> {
        let of_file = self.modules.iter().find(|module| module.name == name);
        of_file.or_else(|| self.cells.get(name).map(|cell| &**cell))
    }
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
pub(super) struct Frame<'a> {
    pub module: &'a Module,
    pub nets: Vec<Vec<Signal>>,
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

    pub(super) fn error(&self, line: u32, reason: impl std::fmt::Display) -> Error {
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
    pub(super) fn bits(&mut self, count: usize) -> Result<std::ops::Range<usize>> {
        self.spend(count)?;
        let first = self.drivers.len();
        self.drivers.resize(first + count, None);
        Ok(first..first + count)
    }

    pub(super) fn spend(&mut self, count: usize) -> Result<()> {
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

    fn connect(
        &mut self,
        frame: &Frame<'a>,
        kind: &str,
        name: &'a str,
        connections: &Connections,
        line: u32,
    ) -> Result<()> {
        let Some(module) = self.design.find(kind) else { return Err(self.unknown(kind, line)) };
        let instance = self.instances.len();
        self.instances.push((name, frame.instance));
        if instance > MAX_INSTANCES || frame.depth >= MAX_DEPTH {
            let reason = format!(
                "more than {MAX_INSTANCES} instances, or nested more than {MAX_DEPTH} deep: does `{kind}` hold itself?"
            );
            return Err(self.error(line, reason));
        }
        let mut inputs = HashMap::new();
        let mut outputs = Vec::new();
        for (net, tied) in self.pairs(module, [kind, name], connections, line)? {
            let width = module.nets[net].width();
            if module.nets[net].direction == Some(Direction::Input) {
                inputs.insert(net, self.value(frame, tied, width, line)?);
            } else {
                let target = self.target(frame, tied, line)?;
                if target.len() != width {
                    let pin = &module.nets[net].name;
                    let reason = format!("`{name}.{pin}` has {width} bits, what it drives {}", target.len());
                    return Err(self.error(line, reason));
                }
                outputs.push((net, target));
            }
        }
        if let Some([sum, carry]) = self.adder(module) {
            let mut operands = Vec::new();
            for &port in module.ports.iter().filter(|&port| ![sum, carry].contains(port)) {
                match inputs.remove(&port) {
                    Some(signals) => operands.extend(signals),
                    None => {
                        let bits = self.bits(1)?;
                        self.named.push((bits.start, instance, &module.nets[port]));
                        operands.push(Signal::Bit(bits.start));
                    }
                }
            }
            let driven = |wanted| outputs.iter().find(|(net, _)| *net == wanted).map(|(_, target)| target[0]);
            return self.operate(Function::FullAdder, operands, [driven(sum), driven(carry)], line);
        }
        let nets = self.instance(module, inputs, instance, frame.depth + 1)?;
        outputs.iter().try_for_each(|(net, target)| self.drive(target, &nets[*net], line))
    }

    /// The ports of `module` that are connected, with what they are connected to.
    fn pairs<'c>(
        &self,
        module: &Module,
        [kind, name]: [&str; 2],
        connections: &'c Connections,
        line: u32,
    ) -> Result<Vec<(usize, &'c Expression)>> {
        let mut pairs: Vec<(usize, &Expression)> = Vec::new();
        match connections {
            Connections::Ordered(tied) => {
                if tied.len() > module.ports.len() {
                    let (tied, ports) = (tied.len(), module.ports.len());
                    let reason = format!("`{name}` has {tied} connections, `{kind}` {ports} ports");
                    return Err(self.error(line, reason));
                }
                if !module.ordered && !tied.is_empty() {
                    let reason = format!("connect `{name}` by names: the order of a `{kind}`'s pins varies");
                    return Err(self.error(line, reason));
                }
                let ports = module.ports.iter().zip(tied);
                pairs.extend(ports.filter_map(|(&port, tied)| Some((port, tied.as_ref()?))));
            }
            Connections::Named(named) => {
                for (index, (pin, tied)) in named.iter().enumerate() {
                    let port = module.ports.iter().find(|&&port| module.nets[port].name == *pin);
                    let Some(&port) = port else {
                        let pins: Vec<&str> =
                            module.ports.iter().map(|&port| &*module.nets[port].name).collect();
                        let reason = format!("`{kind}` has no port `{pin}`, only {}", pins.join(", "));
                        return Err(self.error(line, reason));
                    };
                    if named[..index].iter().any(|(other, _)| other == pin) {
                        return Err(self.error(line, format!("`{name}.{pin}` is connected twice")));
                    }
                    pairs.extend(tied.as_ref().map(|tied| (port, tied)));
                }
            }
        }
        Ok(pairs)
    }

    fn unknown(&self, cell: &str, line: u32) -> Error {
        if cell.starts_with("MUX2X") {
            let reason = format!(
                "`{cell}` complements its output in OSU's cell library and does not in EvoApproxLib; say which with \
                 a cell library of the line `MUX2X* {{A, B, S, Y}} Y = S ? B : A;` (EvoApproxLib) or `Y = ~(S ? B : A);`"
            );
            return self.error(line, reason);
        }
        let reason = format!(
            "`{cell}` is no module of this file and no known cell; give a cell library with its pins and functions, \
             such as `{cell} (A, B, Y) Y = A & B;`. {}",
            super::lexer::SUPPORTED
        );
        self.error(line, reason)
    }

    /// The ports of sum and carry if `module` adds three bits, however it is written: full adders are then all
    /// built, and cost, the same.
    fn adder(&mut self, module: &'a Module) -> Option<[usize; 2]> {
        let full_adder = || resolve::full_adder(self.design, module);
        *self.adders.entry(std::ptr::from_ref(module)).or_insert_with(full_adder)
    }

    fn drive(&mut self, target: &[usize], value: &[Signal], line: u32) -> Result<()> {
        let mut pairs = target.iter().zip(value);
        pairs.try_for_each(|(&bit, &signal)| {
            self.operate(Function::Copy, vec![signal], [Some(bit), None], line)
        })
    }

    pub(super) fn operate(
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
