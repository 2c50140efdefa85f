//! What stands in a module's body.

use super::expression::Expression;
use super::lexer::{Token, at};
use super::module::{Connections, Item, Primitive};
use super::parser::Parser;
use crate::error::Result;
use crate::multiplier::netlist::GateKind;

impl Parser<'_, '_> {
    /// A declaration, assignment, gates or instances.
    pub fn item(&mut self, items: &mut Vec<(Item, u32)>, declared: &mut Vec<bool>) -> Result<()> {
        let line = self.line();
        let direction = self.direction()?;
        if direction.is_some() || matches!(self.peek(), Token::Name("wire" | "tri")) {
            let kind = self.kind()?;
            loop {
                let net = self.net()?;
                self.declare(net, direction, kind, declared)?;
                if self.takes("=") {
                    let value = self.expression()?;
                    items.push((Item::Assign { target: Expression::Net(net), value }, line));
                }
                if !self.takes(",") {
                    return self.expect(";");
                }
            }
        }
        if self.takes_keyword("assign") {
            loop {
                let target = self.expression()?;
                self.expect("=")?;
                let value = self.expression()?;
                items.push((Item::Assign { target, value }, line));
                if !self.takes(",") {
                    return self.expect(";");
                }
            }
        }
        let primitive = PRIMITIVES.iter().find(|(name, _)| self.takes_keyword(name));
        if let Some(&(_, primitive)) = primitive {
            return self.gates(primitive, items);
        }
        if matches!(self.peek(), Token::End) {
            return Err(self.error("the file ends inside a module: `endmodule` is missing"));
        }
        self.instances(items)
    }

    /// One or more gates of a kind; their names are not kept.
    fn gates(&mut self, primitive: Primitive, items: &mut Vec<(Item, u32)>) -> Result<()> {
        loop {
            let line = self.line();
            if !self.takes("(") {
                self.name()?;
                self.expect("(")?;
            }
            let mut terminals = vec![self.expression()?];
            while self.takes(",") {
                terminals.push(self.expression()?);
            }
            self.expect(")")?;
            if terminals.len() < 2 {
                return Err(at(self.path, line, "a gate has an output and at least one input"));
            }
            items.push((Item::Gate { primitive, terminals }, line));
            if !self.takes(",") {
                return self.expect(";");
            }
        }
    }

    /// One or more instances of a module or cell.
    fn instances(&mut self, items: &mut Vec<(Item, u32)>) -> Result<()> {
        let module = self.name()?.to_owned();
        if self.takes("#") {
            return Err(self.error("parameters and delays are not supported; leave them out"));
        }
        loop {
            let line = self.line();
            let name = self.name()?.to_owned();
            self.expect("(")?;
            let connections = self.connections()?;
            items.push((Item::Instance { module: module.clone(), name, connections }, line));
            if !self.takes(",") {
                return self.expect(";");
            }
        }
    }

    fn connections(&mut self) -> Result<Connections> {
        if !matches!(self.peek(), Token::Symbol(".")) {
            let mut ordered = Vec::new();
            loop {
                let empty = matches!(self.peek(), Token::Symbol("," | ")"));
                ordered.push(if empty { None } else { Some(self.expression()?) });
                if !self.takes(",") {
                    self.expect(")")?;
                    // `()` ties nothing; it is not one empty connection.
                    let none = matches!(&ordered[..], [None]);
                    return Ok(Connections::Ordered(if none { Vec::new() } else { ordered }));
                }
            }
        }
        let mut named = Vec::new();
        loop {
            self.expect(".")?;
            let pin = self.name()?.to_owned();
            self.expect("(")?;
            let tied = if self.takes(")") {
                None
            } else {
                let tied = self.expression()?;
                self.expect(")")?;
                Some(tied)
            };
            named.push((pin, tied));
            if !self.takes(",") {
                self.expect(")")?;
                return Ok(Connections::Named(named));
            }
        }
    }
}

const PRIMITIVES: [(&str, Primitive); 8] = [
    ("and", Primitive::Wide(GateKind::And)),
    ("or", Primitive::Wide(GateKind::Or)),
    ("xor", Primitive::Wide(GateKind::Xor)),
    ("nand", Primitive::Wide(GateKind::Nand)),
    ("nor", Primitive::Wide(GateKind::Nor)),
    ("xnor", Primitive::Wide(GateKind::Xnor)),
    ("not", Primitive::Copy { complement: true }),
    ("buf", Primitive::Copy { complement: false }),
];
