//! From tokens to modules.

use super::keywords::KEYWORDS;
use super::lexer::{MAX_WIDTH, SUPPORTED, Token, at, tokens};
use super::module::{Direction, Kind, Module, Net};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// Most modules of a file, and most ports of one of them.
const MAX_LIST: usize = 1000;

/// All modules of a file.
pub(super) fn modules(path: &Path, text: &str) -> Result<Vec<Module>> {
    let mut parser = Parser::new(path, text)?;
    let mut modules: Vec<Module> = Vec::new();
    while *parser.peek() != Token::End {
        if !parser.takes_keyword("module") && !parser.takes_keyword("macromodule") {
            let found = parser.peek().shown();
            return Err(parser.error(format!("a module should begin here, not {found}")));
        }
        let module = parser.module()?;
        if modules.iter().any(|other| other.name == module.name) {
            return Err(parser.error(format!("a second module `{}`", module.name)));
        }
        modules.push(module);
        if modules.len() > MAX_LIST {
            return Err(parser.error(format!("a file has at most {MAX_LIST} modules")));
        }
    }
    if modules.is_empty() {
        return Err(Error::file(path, "has no module"));
    }
    Ok(modules)
}

/// Reads the tokens of one file; the nets are those of the module at hand.
pub(super) struct Parser<'t, 'p> {
    pub path: &'p Path,
    tokens: Vec<(Token<'t>, u32)>,
    position: usize,
    nets: Vec<Net>,
    numbers: HashMap<&'t str, usize>,
}

impl<'t, 'p> Parser<'t, 'p> {
    pub fn new(path: &'p Path, text: &'t str) -> Result<Self> {
        let tokens = tokens(path, text)?;
        Ok(Parser { path, tokens, position: 0, nets: Vec::new(), numbers: HashMap::new() })
    }

    pub fn peek(&self) -> &Token<'t> {
        &self.tokens[self.position].0
    }

    pub fn peek_second(&self) -> &Token<'t> {
        &self.tokens[(self.position + 1).min(self.tokens.len() - 1)].0
    }

    pub fn line(&self) -> u32 {
        self.tokens[self.position].1
    }

    pub fn advance(&mut self) {
        self.position = (self.position + 1).min(self.tokens.len() - 1);
    }

    pub fn error(&self, reason: impl std::fmt::Display) -> Error {
        at(self.path, self.line(), reason)
    }

    /// Goes past `symbol` if it is next.
    pub fn takes(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(next) if *next == symbol);
        if found {
            self.advance();
        }
        found
    }

    pub fn takes_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Token::Name(next) if *next == keyword);
        if found {
            self.advance();
        }
        found
    }

    pub fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.takes(symbol) {
            return Ok(());
        }
        let found = self.peek().shown();
        Err(self.error(format!("`{symbol}` should be here, not {found}; {SUPPORTED}")))
    }

    /// A name that is not a keyword.
    pub fn name(&mut self) -> Result<&'t str> {
        let name = match self.peek() {
            Token::Escaped(name) => *name,
            Token::Name(name) if !KEYWORDS.contains(name) => *name,
            other => {
                let found = other.shown();
                return Err(self.error(format!("a name should be here, not {found}; {SUPPORTED}")));
            }
        };
        self.advance();
        Ok(name)
    }

    /// An unsized number, such as a bit's.
    pub fn number(&mut self) -> Result<u32> {
        let value = match self.peek() {
            Token::Constant { bits, sized: false } => {
                let low = bits.iter().take(31).rev().fold(0, |value, &bit| value << 1 | u32::from(bit));
                (!bits.iter().skip(31).any(|&bit| bit)).then_some(low)
            }
            _ => None,
        };
        let Some(value) = value else {
            let found = self.peek().shown();
            return Err(self.error(format!("a plain number should be here, not {found}")));
        };
        self.advance();
        Ok(value)
    }

    /// The number of the net whose name is next; a new one has one bit until it is declared.
    pub fn net(&mut self) -> Result<usize> {
        let name = self.name()?;
        if let Some(&number) = self.numbers.get(name) {
            return Ok(number);
        }
        let number = self.nets.len();
        self.nets.push(Net { name: name.into(), range: None, direction: None, signed: false });
        self.numbers.insert(name, number);
        Ok(number)
    }

    /// Takes the nets named so far: a module is complete.
    pub fn finish_nets(&mut self) -> Vec<Net> {
        self.numbers.clear();
        std::mem::take(&mut self.nets)
    }

    /// A module after its keyword.
    fn module(&mut self) -> Result<Module> {
        let name = self.name()?.to_owned();
        let mut declared = vec![];
        let mut ports = Vec::new();
        if self.takes("#") {
            return Err(self.error("parameters are not supported; give numbers in their places"));
        }
        if self.takes("(") && !self.takes(")") {
            self.header(&mut ports, &mut declared)?;
        }
        self.expect(";")?;
        let mut items = Vec::new();
        while !self.takes_keyword("endmodule") {
            self.item(&mut items, &mut declared)?;
        }
        for (index, &port) in ports.iter().enumerate() {
            let Net { name, direction, .. } = &self.nets[port];
            if direction.is_none() || ports[..index].contains(&port) {
                return Err(self.error(format!("port `{name}` should be declared once, as input or output")));
            }
        }
        if let Some(stray) =
            (0..self.nets.len()).find(|net| self.nets[*net].direction.is_some() && !ports.contains(net))
        {
            let stray = &self.nets[stray].name;
            return Err(self.error(format!("`{stray}` is a port that the header of `{name}` does not list")));
        }
        Ok(Module { name, nets: self.finish_nets(), ports, ordered: true, items })
    }

    /// The ports in parentheses, declared there or only named.
    fn header(&mut self, ports: &mut Vec<usize>, declared: &mut Vec<bool>) -> Result<()> {
        let mut kind = None;
        loop {
            if let Some(direction) = self.direction()? {
                kind = Some((direction, self.kind()?));
            }
            let port = self.net()?;
            if let Some((direction, kind)) = kind {
                self.declare(port, Some(direction), kind, declared)?;
            }
            ports.push(port);
            if ports.len() > MAX_LIST {
                return Err(self.error(format!("a module has at most {MAX_LIST} ports")));
            }
            if !self.takes(",") {
                return self.expect(")");
            }
        }
    }

    pub fn direction(&mut self) -> Result<Option<Direction>> {
        if self.takes_keyword("input") {
            return Ok(Some(Direction::Input));
        }
        Ok(self.takes_keyword("output").then_some(Direction::Output))
    }

    /// `wire signed [7:0]`, any part of which may be missing.
    pub fn kind(&mut self) -> Result<Kind> {
        if !self.takes_keyword("wire") {
            self.takes_keyword("tri");
        }
        let signed = self.takes_keyword("signed");
        if !self.takes("[") {
            return Ok(Kind { signed, range: None });
        }
        let left = self.number()?;
        self.expect(":")?;
        let right = self.number()?;
        self.expect("]")?;
        if left.abs_diff(right) as usize >= MAX_WIDTH {
            return Err(self.error(format!("a vector has at most {MAX_WIDTH} bits")));
        }
        Ok(Kind { signed, range: Some((left, right)) })
    }

    /// Notes what a declaration says of `net`; a port may be declared a wire as well.
    pub fn declare(
        &mut self,
        net: usize,
        direction: Option<Direction>,
        kind: Kind,
        declared: &mut Vec<bool>,
    ) -> Result<()> {
        let Kind { signed, range } = kind;
        declared.resize(self.nets.len(), false);
        let known = &mut self.nets[net];
        let twice =
            declared[net] && (direction.is_some() == known.direction.is_some() || range != known.range);
        if twice {
            let name = known.name.clone();
            return Err(self.error(format!("`{name}` is declared a second time, or with another range")));
        }
        known.range = range;
        known.signed |= signed;
        known.direction = known.direction.or(direction);
        declared[net] = true;
        Ok(())
    }
}
