//! Expressions of bits, as an `assign`, a terminal or a cell's function has them.

use super::lexer::{MAX_WIDTH, Token};
use super::parser::Parser;
use crate::error::Result;
use crate::multiplier::netlist::GateKind;

/// Deepest nesting of parentheses, complements and conditions.
const MAX_DEPTH: usize = 100;

/// An expression over the nets of a module, which it numbers.
#[derive(Debug)]
pub(super) enum Expression {
    Net(usize),
    /// Bits `left` to `right` of a vector, numbered as it is declared.
    Select {
        net: usize,
        left: u32,
        right: u32,
    },
    /// The lowest bit first; an unsized one takes the width that is asked for.
    Constant {
        bits: Vec<bool>,
        sized: bool,
    },
    /// Bit by bit, of operands of equal width.
    Gate(GateKind, Vec<Expression>),
    /// All bits of one operand.
    Reduce(GateKind, Box<Expression>),
    /// The sum of all operands, as many bits of it as its place has.
    Sum(Vec<Expression>),
    /// Condition of one bit, then the value where it is 1 and the one where it is 0.
    Choice(Box<[Expression; 3]>),
    /// The highest bits first, as written.
    Concatenation(Vec<Expression>),
    Repeat(usize, Box<Expression>),
}

/// Binary operators from the weakest on.
const LEVELS: [&[&str]; 6] = [&["||"], &["&&"], &["|"], &["^", "~^", "^~"], &["&"], &["+"]];

impl Expression {
    /// Whether anything is added in it.
    pub fn adds(&self) -> bool {
        match self {
            Expression::Sum(_) => true,
            Expression::Net(_) | Expression::Select { .. } | Expression::Constant { .. } => false,
            Expression::Gate(_, parts) | Expression::Concatenation(parts) => parts.iter().any(Self::adds),
            Expression::Reduce(_, part) | Expression::Repeat(_, part) => part.adds(),
            Expression::Choice(parts) => parts.iter().any(Self::adds),
        }
    }
}

impl Parser<'_, '_> {
    /// An expression.
    pub fn expression(&mut self) -> Result<Expression> {
        self.choice(0)
    }

    fn choice(&mut self, depth: usize) -> Result<Expression> {
        if depth > MAX_DEPTH {
            return Err(self.error(format!("an expression nested more than {MAX_DEPTH} deep")));
        }
        let condition = self.binary(0, depth)?;
        if !self.takes("?") {
            return Ok(condition);
        }
        let yes = self.choice(depth + 1)?;
        self.expect(":")?;
        let no = self.choice(depth + 1)?;
        Ok(Expression::Choice(Box::new([any_bit(condition), yes, no])))
    }

    /// A chain of operators of one level is one gate: all of them are associative.
    fn binary(&mut self, level: usize, depth: usize) -> Result<Expression> {
        let Some(symbols) = LEVELS.get(level) else { return self.unary(depth) };
        let mut operands = vec![self.binary(level + 1, depth)?];
        let mut complement = false;
        while let Some(symbol) = symbols.iter().find(|symbol| self.takes(symbol)) {
            complement ^= matches!(*symbol, "~^" | "^~");
            operands.push(self.binary(level + 1, depth)?);
        }
        if operands.len() == 1 {
            return Ok(operands.remove(0));
        }
        let kind = match symbols[0] {
            "+" => return Ok(Expression::Sum(operands)),
            "|" | "||" => GateKind::Or,
            "&" | "&&" => GateKind::And,
            _ if complement => GateKind::Xnor,
            _ => GateKind::Xor,
        };
        if level < 2 {
            operands = operands.into_iter().map(any_bit).collect();
        }
        Ok(Expression::Gate(kind, operands))
    }

    fn unary(&mut self, depth: usize) -> Result<Expression> {
        const REDUCTIONS: [(&str, GateKind); 8] = [
            ("!", GateKind::Nor),
            ("&", GateKind::And),
            ("|", GateKind::Or),
            ("^", GateKind::Xor),
            ("~&", GateKind::Nand),
            ("~|", GateKind::Nor),
            ("~^", GateKind::Xnor),
            ("^~", GateKind::Xnor),
        ];
        if depth > MAX_DEPTH {
            return Err(self.error(format!("an expression nested more than {MAX_DEPTH} deep")));
        }
        if self.takes("~") {
            return Ok(complement(self.unary(depth + 1)?));
        }
        if let Some((_, kind)) = REDUCTIONS.iter().find(|(symbol, _)| self.takes(symbol)) {
            return Ok(Expression::Reduce(*kind, Box::new(self.unary(depth + 1)?)));
        }
        self.primary(depth)
    }

    fn primary(&mut self, depth: usize) -> Result<Expression> {
        if self.takes("(") {
            let inner = self.choice(depth + 1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.takes("{") {
            return self.braces(depth + 1);
        }
        if let Token::Constant { bits, sized } = self.peek() {
            let constant = Expression::Constant { bits: bits.clone(), sized: *sized };
            self.advance();
            return Ok(constant);
        }
        let net = self.net()?;
        if !self.takes("[") {
            return Ok(Expression::Net(net));
        }
        let left = self.number()?;
        let right = if self.takes(":") { self.number()? } else { left };
        self.expect("]")?;
        Ok(Expression::Select { net, left, right })
    }

    /// What follows `{`: a concatenation or a repetition.
    fn braces(&mut self, depth: usize) -> Result<Expression> {
        if let (Token::Constant { sized: false, .. }, Token::Symbol("{")) = (self.peek(), self.peek_second())
        {
            let count = self.number()? as usize;
            if !(1..=MAX_WIDTH).contains(&count) {
                return Err(self.error(format!("a repetition is of 1 to {MAX_WIDTH} times")));
            }
            self.expect("{")?;
            let parts = self.parts(depth)?;
            self.expect("}")?;
            return Ok(Expression::Repeat(count, Box::new(parts)));
        }
        self.parts(depth)
    }

    /// The parts of a concatenation up to its `}`.
    fn parts(&mut self, depth: usize) -> Result<Expression> {
        let mut parts = vec![self.choice(depth)?];
        while self.takes(",") {
            parts.push(self.choice(depth)?);
        }
        self.expect("}")?;
        Ok(Expression::Concatenation(parts))
    }
}

/// Whether any bit is 1, as conditions and `&&` see their operands.
fn any_bit(expression: Expression) -> Expression {
    Expression::Reduce(GateKind::Or, Box::new(expression))
}

/// The complement, without a gate of its own where the gate below has a complemented twin.
fn complement(expression: Expression) -> Expression {
    use GateKind::*;
    let twin = |kind| match kind {
        And => Nand,
        Or => Nor,
        Xor => Xnor,
        Nand => And,
        Nor => Or,
        Xnor => Xor,
        Not => Not,
    };
    match expression {
        Expression::Gate(kind, operands) if kind != Not => Expression::Gate(twin(kind), operands),
        Expression::Reduce(kind, operand) => Expression::Reduce(twin(kind), operand),
        other => Expression::Gate(Not, vec![other]),
    }
}
