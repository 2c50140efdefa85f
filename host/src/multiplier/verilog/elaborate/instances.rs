//! Modules and cells in modules: what their ports are tied to.

use super::{Design, Flat, Frame, Function, Signal};
use crate::error::{Error, Result};
use crate::multiplier::verilog::expression::Expression;
use crate::multiplier::verilog::lexer::SUPPORTED;
use crate::multiplier::verilog::module::{Connections, Direction, Module};
use crate::multiplier::verilog::resolve;
use std::collections::HashMap;

/// Most instances, those inside of instances included.
const MAX_INSTANCES: usize = 1 << 17;
/// Deepest nesting of instances.
const MAX_DEPTH: usize = 64;

impl Design<'_> {
    fn find(&self, name: &str) -> Option<&Module> {
        let of_file = self.modules.iter().find(|module| module.name == name);
        of_file.or_else(|| self.cells.get(name).map(|cell| &**cell))
    }
}

impl<'a> Flat<'a> {
    /// Adds an instance of the module or cell `kind`, tied to the nets of `frame`.
    pub(super) fn connect(
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
            SUPPORTED
        );
        self.error(line, reason)
    }

    /// The ports of sum and carry if `module` adds three bits, however it is written: full adders are then all
    /// built, and cost, the same.
    fn adder(&mut self, module: &'a Module) -> Option<[usize; 2]> {
        let full_adder = || resolve::full_adder(self.design, module);
        *self.adders.entry(std::ptr::from_ref(module)).or_insert_with(full_adder)
    }
}
